//! `makeresults`: rows from nothing.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};
use crate::{Code, Diagnostic, Spanned};

/// `makeresults [count=N] [annotate=BOOL] [format=csv|json data="..."] [splunk_server=...] [splunk_server_group=...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Makeresults {
    /// How many rows; default 1.
    pub count: Option<u64>,
    /// Whether the metadata fields are added (empty); default false.
    pub annotate: Option<bool>,
    /// The rows themselves.
    pub data: Option<Spanned<InlineData>>,
    /// `splunk_server=`, which names a server.
    pub splunk_server: Option<Spanned<String>>,
    /// `splunk_server_group=`, which names servers.
    pub splunk_server_group: Option<Spanned<String>>,
}

/// Rows written into the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InlineData {
    /// CSV with a header line.
    Csv(String),
    /// A JSON array of objects.
    Json(String),
}

/// The documentation of `makeresults`.
pub const DOC: CommandDoc = CommandDoc {
    name: "makeresults",
    summary: "Makes rows from nothing, or from data in the search",
    syntax: "makeresults [<count>|count=<count>] [annotate=<bool>] [format=csv|json data=\"<rows>\"]",
    arguments: &[
        ArgumentDoc { name: "count=<count>", meaning: "how many rows; default 1" },
        ArgumentDoc { name: "annotate=<bool>", meaning: "add empty metadata fields; default false" },
        ArgumentDoc { name: "format=csv|json", meaning: "how data is written: CSV with a header line, or a JSON array of objects" },
        ArgumentDoc { name: "data=\"<rows>\"", meaning: "the rows; inner double quotes are written \\\"" },
        ArgumentDoc { name: "splunk_server=<name>", meaning: "a server; means nothing here" },
        ArgumentDoc { name: "splunk_server_group=<name>", meaning: "servers; means nothing here" },
    ],
    examples: &["| makeresults count=3", "| makeresults format=csv data=\"user,n\nann,1\nbob,2\""],
};

const OPTIONS: &[&str] = &["count", "annotate", "format", "data", "splunk_server", "splunk_server_group"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Makeresults> {
    let mut made =
        Makeresults { count: None, annotate: None, data: None, splunk_server: None, splunk_server_group: None };
    let (mut format, mut data) = (None, None);
    for part in arguments.into_inner().filter(|part| part.as_rule() != Rule::EOI) {
        if part.as_rule() == Rule::integer {
            made.count = Some(words::integer(b, &part)?);
            continue;
        }
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "count" => made.count = Some(option.number(b)?),
            "annotate" => made.annotate = Some(option.boolean(b)?),
            "splunk_server" => made.splunk_server = Some(option.text()),
            "splunk_server_group" => made.splunk_server_group = Some(option.text()),
            "format" => format = Some(option),
            "data" => data = Some(option.text()),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    let wrap: fn(String) -> InlineData = match &format {
        Some(option) => match option.value.to_ascii_lowercase().as_str() {
            "csv" => InlineData::Csv,
            "json" => InlineData::Json,
            _ => return option.invalid(b, "csv or json"),
        },
        None => InlineData::Csv,
    };
    let (missing, span) = match (&format, &data) {
        (Some(format), None) => ("data=\"...\"", format.name_span),
        (None, Some(data)) => ("format=csv or format=json", data.span),
        _ => {
            made.data = data.map(|data| Spanned::new(wrap(data.node), data.span));
            return Some(made);
        }
    };
    let message = format!("`makeresults` takes format and data together; {missing} is missing");
    b.diagnostics.push(Diagnostic::error(Code::InvalidOption, message, span).with_help(format!("add {missing}")));
    None
}

impl Display for Makeresults {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("makeresults")?;
        option(f, "count", self.count)?;
        option(f, "annotate", self.annotate)?;
        option(f, "splunk_server", self.splunk_server.as_ref().map(|name| Quoted(&name.node)))?;
        option(f, "splunk_server_group", self.splunk_server_group.as_ref().map(|name| Quoted(&name.node)))?;
        match self.data.as_ref().map(|data| &data.node) {
            Some(InlineData::Csv(data)) => write!(f, " format=csv data={}", Quoted(data)),
            Some(InlineData::Json(data)) => write!(f, " format=json data={}", Quoted(data)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn data_may_span_lines() {
        assert_eq!(
            canonical("| makeresults FORMAT=csv count=2 data=\"a,b\n1,\\\"2\\\"\" annotate=T"),
            "| makeresults count=2 annotate=true format=csv data=\"a,b\n1,\\\"2\\\"\""
        );
    }

    #[test]
    fn data_and_format_go_together() {
        assert!(errors("| makeresults data=\"a\"").contains("format=csv or format=json is missing"));
        assert!(errors("| makeresults format=json").contains("data=\"...\" is missing"));
        assert!(errors("| makeresults format=xml data=\"a\"").contains("`format` takes csv or json, not `xml`"));
    }
}
