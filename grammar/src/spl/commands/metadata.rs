//! `metadata`: the hosts, sources or sourcetypes of the events.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `metadata type=hosts|sources|sourcetypes [index=INDEX] ... [datatype=event|metric] [splunk_server=...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// What is listed, as written.
    pub kind: Spanned<String>,
    /// The indexes, any of them; may hold wildcards; empty for all.
    pub indexes: Vec<Name>,
    /// `datatype=`
    pub datatype: Option<Spanned<String>>,
    /// `splunk_server=`, which names a server.
    pub splunk_server: Option<Spanned<String>>,
    /// `splunk_server_group=`, which names servers.
    pub splunk_server_group: Option<Spanned<String>>,
}

/// The documentation of `metadata`.
pub const DOC: CommandDoc = CommandDoc {
    name: "metadata",
    summary: "Lists the hosts, sources or sourcetypes of the events, with their times and counts",
    syntax: "metadata type=hosts|sources|sourcetypes [index=<index>] ...",
    arguments: &[
        ArgumentDoc { name: "type=hosts|sources|sourcetypes", meaning: "what is listed" },
        ArgumentDoc { name: "index=<index>", meaning: "the indexes to look at, any of them; `*` stands for anything; default all" },
        ArgumentDoc { name: "datatype=event", meaning: "events, which is all there is here; metrics are refused" },
        ArgumentDoc { name: "splunk_server=<name>", meaning: "a server; means nothing here" },
        ArgumentDoc { name: "splunk_server_group=<name>", meaning: "servers; means nothing here" },
    ],
    // Without events there is no row to show; the count shows that it runs.
    examples: &["| metadata type=hosts index=* | stats count"],
};

const OPTIONS: &[&str] = &["type", "index", "datatype", "splunk_server", "splunk_server_group"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Metadata> {
    let place = b.span(&arguments);
    let (mut kind, mut indexes, mut datatype) = (None, Vec::new(), None);
    let (mut splunk_server, mut splunk_server_group) = (None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "type" => kind = Some(option.text()),
                    "index" => indexes.push(option.field()),
                    "datatype" => datatype = Some(option.text()),
                    "splunk_server" => splunk_server = Some(option.text()),
                    "splunk_server_group" => splunk_server_group = Some(option.text()),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::list_word | Rule::quoted | Rule::single_quoted => {
                let name = words::name(b, &part);
                if kind.is_some() {
                    b.error(Code::InvalidArgument, "`metadata` takes one type", name.span);
                    return None;
                }
                kind = Some(Spanned::new(name.text, name.span));
            }
            _ => {}
        }
    }
    let Some(kind) = kind else {
        b.error(Code::InvalidArgument, "`metadata` needs a type: `type=hosts`, `type=sources` or `type=sourcetypes`", place);
        return None;
    };
    Some(Metadata { kind, indexes, datatype, splunk_server, splunk_server_group })
}

impl Display for Metadata {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "metadata type={}", Quoted(&self.kind.node))?;
        for index in &self.indexes {
            option(f, "index", Some(Quoted(&index.text)))?;
        }
        option(f, "datatype", self.datatype.as_ref().map(|text| Quoted(&text.node)))?;
        option(f, "splunk_server", self.splunk_server.as_ref().map(|text| Quoted(&text.node)))?;
        option(f, "splunk_server_group", self.splunk_server_group.as_ref().map(|text| Quoted(&text.node)))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn a_type_and_indexes() {
        assert_eq!(
            canonical("| metadata type=hosts (index=a OR index=_*)"),
            "| metadata type=\"hosts\" index=\"a\" index=\"_*\""
        );
        assert_eq!(canonical("| metadata hosts"), "| metadata type=\"hosts\"");
        assert!(errors("| metadata index=a").contains("`metadata` needs a type"));
        assert!(errors("| metadata type=hosts idx=a").contains("has no option `idx`"));
    }
}
