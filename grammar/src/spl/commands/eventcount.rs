//! `eventcount`: how many events there are.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Spanned;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `eventcount [index=INDEX] ... [summarize=BOOL] [report_size=BOOL] [list_vix=BOOL] [list_federated_remote=BOOL]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Eventcount {
    /// The indexes, any of them; may hold wildcards; empty for all.
    pub indexes: Vec<Name>,
    /// Whether there is one number for all indexes; default true.
    pub summarize: Option<bool>,
    /// `report_size=`: how large an index is.
    pub report_size: Option<Spanned<bool>>,
    /// `list_vix=`: whether virtual indexes count.
    pub list_vix: Option<bool>,
    /// `list_federated_remote=`: whether indexes of other servers count.
    pub list_federated_remote: Option<bool>,
    /// `splunk_server=`, which names a server.
    pub splunk_server: Option<Spanned<String>>,
    /// `splunk_server_group=`, which names servers.
    pub splunk_server_group: Option<Spanned<String>>,
}

/// The documentation of `eventcount`.
pub const DOC: CommandDoc = CommandDoc {
    name: "eventcount",
    summary: "Counts the events of the indexes, at any time",
    syntax: "eventcount [index=<index>] ... [summarize=<bool>]",
    arguments: &[
        ArgumentDoc { name: "index=<index>", meaning: "the indexes, any of them; `*` stands for anything; default all" },
        ArgumentDoc { name: "summarize=<bool>", meaning: "one number for all, rather than a row with index, server and count each; default true" },
        ArgumentDoc { name: "report_size=<bool>", meaning: "the size of the indexes on a server's disk; refused where it is wanted" },
        ArgumentDoc { name: "list_vix=<bool>", meaning: "count virtual indexes too; there are none here, so it changes nothing" },
        ArgumentDoc { name: "list_federated_remote=<bool>", meaning: "count indexes of other servers too; there are none here, so it changes nothing" },
        ArgumentDoc { name: "splunk_server=<name>", meaning: "a server; means nothing here" },
        ArgumentDoc { name: "splunk_server_group=<name>", meaning: "servers; means nothing here" },
    ],
    examples: &["| eventcount index=*"],
};

const OPTIONS: &[&str] = &[
    "index",
    "summarize",
    "report_size",
    "list_vix",
    "list_federated_remote",
    "splunk_server",
    "splunk_server_group",
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Eventcount> {
    let mut eventcount = Eventcount {
        indexes: Vec::new(),
        summarize: None,
        report_size: None,
        list_vix: None,
        list_federated_remote: None,
        splunk_server: None,
        splunk_server_group: None,
    };
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "index" => eventcount.indexes.push(option.field()),
            "summarize" => eventcount.summarize = Some(option.boolean(b)?),
            "report_size" => eventcount.report_size = Some(option.at(option.boolean(b)?)),
            "list_vix" => eventcount.list_vix = Some(option.boolean(b)?),
            "list_federated_remote" => eventcount.list_federated_remote = Some(option.boolean(b)?),
            "splunk_server" => eventcount.splunk_server = Some(option.text()),
            "splunk_server_group" => eventcount.splunk_server_group = Some(option.text()),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    Some(eventcount)
}

impl Display for Eventcount {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("eventcount")?;
        for index in &self.indexes {
            option(f, "index", Some(Quoted(&index.text)))?;
        }
        option(f, "summarize", self.summarize)?;
        option(f, "report_size", self.report_size.as_ref().map(|size| size.node))?;
        option(f, "list_vix", self.list_vix)?;
        option(f, "list_federated_remote", self.list_federated_remote)?;
        option(f, "splunk_server", self.splunk_server.as_ref().map(|text| Quoted(&text.node)))?;
        option(f, "splunk_server_group", self.splunk_server_group.as_ref().map(|text| Quoted(&text.node)))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn indexes_are_alternatives() {
        assert_eq!(
            canonical("| eventcount summarize=false index=* OR index=_*"),
            "| eventcount index=\"*\" index=\"_*\" summarize=false"
        );
        assert!(errors("| eventcount sumarize=f").contains("did you mean `summarize`?"));
    }
}
