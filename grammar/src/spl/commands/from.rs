//! `from`: the rows of a dataset. [`Dataset`] is the node for datasets in other commands too.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::Subsearch;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::Quoted;
use crate::{Code, Span};

/// `from KIND:NAME`.
#[derive(Debug, Clone, PartialEq)]
pub struct From {
    /// What is read.
    pub dataset: Dataset,
}

/// A source of rows that has a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// What kind of source it is.
    pub kind: DatasetKind,
    /// Its name, unquoted.
    pub name: String,
    /// Where it is named.
    pub span: Span,
}

/// The kinds of datasets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatasetKind {
    /// `datamodel:MODEL.DATASET`
    Datamodel,
    /// `savedsearch:NAME`
    Savedsearch,
    /// `inputlookup:FILE`
    Inputlookup,
    /// `lookup:FILE`, which is the same.
    Lookup,
}

/// A dataset or a search in brackets.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A search in brackets.
    Subsearch(Subsearch),
    /// A dataset.
    Dataset(Dataset),
}

/// The documentation of `from`.
pub const DOC: CommandDoc = CommandDoc {
    name: "from",
    summary: "Reads a dataset: a lookup table, or what a saved search finds",
    syntax: "from (savedsearch|inputlookup|lookup|datamodel):<name>",
    arguments: &[
        ArgumentDoc { name: "savedsearch:<name>", meaning: "the result of a saved search; a name with blanks stands in quotes" },
        ArgumentDoc { name: "inputlookup:<name>", meaning: "the rows of a lookup table; `lookup:` is the same" },
        ArgumentDoc { name: "datamodel:<model>.<dataset>", meaning: "the events of an object of a data model, with plain field names" },
    ],
    examples: &["| from savedsearch:spelunk:example | table user"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<From> {
    let mut parts = arguments.into_inner();
    let (kind, name) = (parts.next()?, parts.next()?);
    let place = b.span(&kind);
    let Some(known) = kind_of(kind.as_str()) else {
        let message = format!("`{}` is no kind of dataset", kind.as_str());
        b.error(Code::InvalidArgument, message, place);
        return None;
    };
    Some(From { dataset: Dataset { kind: known, name: dataset_name(name.as_str()), span: place.to(b.span(&name)) } })
}

/// The dataset that a pair holds.
pub(super) fn dataset(b: &Builder<'_>, pair: Pair<'_, Rule>) -> Option<Dataset> {
    let span = b.span(&pair);
    let mut parts = pair.into_inner();
    let kind = kind_of(parts.next()?.as_str())?;
    Some(Dataset { kind, name: dataset_name(parts.next()?.as_str()), span })
}

fn kind_of(word: &str) -> Option<DatasetKind> {
    let kinds =
        [DatasetKind::Datamodel, DatasetKind::Savedsearch, DatasetKind::Inputlookup, DatasetKind::Lookup];
    kinds.into_iter().find(|kind| word.trim_end().eq_ignore_ascii_case(kind.word()))
}

/// A name of which parts may stand in quotes, as in `"Web"."Web"`.
fn dataset_name(text: &str) -> String {
    let mut name = String::new();
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        let quoted = words::quoted_length(rest);
        let length = quoted.unwrap_or_else(|| rest.find('"').unwrap_or(rest.len())).max(1);
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match quoted {
            Some(_) => name.push_str(&words::token_text(part)),
            None => name.push_str(part),
        }
        rest = after;
    }
    name
}

impl DatasetKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Datamodel => "datamodel",
            Self::Savedsearch => "savedsearch",
            Self::Inputlookup => "inputlookup",
            Self::Lookup => "lookup",
        }
    }
}

impl Display for From {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "from {}", self.dataset)
    }
}

impl Display for Dataset {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.word(), Quoted(&self.name))
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subsearch(subsearch) => subsearch.fmt(f),
            Self::Dataset(dataset) => dataset.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn names_of_datasets() {
        for (text, printed) in [
            ("datamodel:\"Malware\".\"Malware_Attacks\"", "datamodel:\"Malware.Malware_Attacks\""),
            ("datamodel Web.Web", "datamodel:\"Web.Web\""),
            ("lookup: identities_lookup", "lookup:\"identities_lookup\""),
            ("inputlookup:my.csv", "inputlookup:\"my.csv\""),
            ("SavedSearch:\"Console Users\"", "savedsearch:\"Console Users\""),
        ] {
            assert_eq!(canonical(&format!("|from {text}")), format!("| from {printed}"));
        }
        assert!(errors("| from table:x").contains("`table` is no kind of dataset"));
        assert!(errors("| from").contains("a dataset such as"));
    }
}
