//! `from`: the rows of a dataset.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::{Code, Diagnostic, Span, Spanned};

/// `from TYPE:NAME`.
#[derive(Debug, Clone, PartialEq)]
pub struct FromDataset {
    /// What kind of dataset it is.
    pub kind: Spanned<DatasetKind>,
    /// Its name; the model and the object of it with a dot between them for a data model.
    pub name: Name,
}

/// What rows can be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetKind {
    /// `datamodel:`
    DataModel,
    /// `inputlookup:` and `lookup:`
    Lookup,
    /// `savedsearch:`
    SavedSearch,
}

/// The documentation of `from`.
pub const DOC: CommandDoc = CommandDoc {
    name: "from",
    summary: "Reads the events of a data model, with the fields that the model gives them",
    syntax: "from datamodel:<model>.<object>",
    arguments: &[
        ArgumentDoc { name: "datamodel:<model>.<object>", meaning: "the object of a data model; it can be planned and checked, and is refused when run as long as no data models can be loaded" },
        ArgumentDoc { name: "lookup:<table>, inputlookup:<table>", meaning: "refused; write `inputlookup <table>`" },
        ArgumentDoc { name: "savedsearch:<name>", meaning: "refused; no saved searches are loaded" },
    ],
    examples: &["| from datamodel:Web.Web | stats count BY status"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<FromDataset> {
    let mut parts = arguments.into_inner();
    let (kind, name) = (parts.next()?, parts.next()?);
    let span = b.span(&kind);
    let word = kind.as_str().trim_end().to_ascii_lowercase();
    let kind = match word.as_str() {
        "datamodel" => DatasetKind::DataModel,
        "inputlookup" | "lookup" => DatasetKind::Lookup,
        "savedsearch" => DatasetKind::SavedSearch,
        _ => {
            let message = format!("`from` reads no `{word}`");
            let help = "it reads datamodel:, lookup:, inputlookup: and savedsearch:";
            b.diagnostics.push(Diagnostic::error(Code::InvalidArgument, message, span).with_help(help));
            return None;
        }
    };
    Some(FromDataset { kind: Spanned::new(kind, span), name: dataset_name(b, &name) })
}

/// `a.b`, or `"a"."b"` in pieces.
pub(super) fn dataset_name(b: &Builder<'_>, pair: &Pair<'_, Rule>) -> Name {
    let pieces = pair.clone().into_inner();
    let text = pieces.map(|piece| words::token_text(piece.as_str())).collect();
    let span: Span = b.span(pair);
    Name { text, span }
}

impl Display for FromDataset {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = match self.kind.node {
            DatasetKind::DataModel => "datamodel",
            DatasetKind::Lookup => "inputlookup",
            DatasetKind::SavedSearch => "savedsearch",
        };
        write!(f, "from {kind}:{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn names_come_in_pieces() {
        for written in [
            "| from datamodel:Web.Web",
            "| from datamodel Web.Web",
            "|from datamodel: \"Web\".\"Web\"",
            "| FROM DataModel:\"Web.Web\"",
        ] {
            assert_eq!(canonical(written), "| from datamodel:Web.Web", "{written}");
        }
        assert_eq!(canonical("| from lookup: a_b.csv"), "| from inputlookup:a_b.csv");
        assert_eq!(canonical("| from savedsearch:\"my search\""), "| from savedsearch:\"my search\"");
    }

    #[test]
    fn other_datasets_are_named() {
        assert!(errors("| from index:main").contains("`from` reads no `index`"));
        assert!(errors("| from datamodel:").contains("expected the name of a dataset"));
        assert!(errors("| from").contains("`from` needs `datamodel:NAME`"));
    }
}
