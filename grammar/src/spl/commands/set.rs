//! `set`: the results of two searches as sets of rows.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::Subsearch;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, pipeline};
use crate::{Code, Diagnostic};

/// `set OPERATION [SEARCH] [SEARCH]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Set {
    /// Which rows are wanted.
    pub operation: SetOperation,
    /// One side.
    pub left: Subsearch,
    /// The other side.
    pub right: Subsearch,
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetOperation {
    /// Those of either side.
    Union,
    /// Those of one side only.
    Diff,
    /// Those of both sides.
    Intersect,
}

/// The documentation of `set`.
pub const DOC: CommandDoc = CommandDoc {
    name: "set",
    summary: "Compares the results of two searches as sets: rows of either, of one only, or of both",
    syntax: "set (union|diff|intersect) [ <search> ] [ <search> ]",
    arguments: &[
        ArgumentDoc { name: "union", meaning: "the rows that either search finds" },
        ArgumentDoc { name: "diff", meaning: "the rows that one of the searches finds and the other does not" },
        ArgumentDoc { name: "intersect", meaning: "the rows that both searches find" },
        ArgumentDoc { name: "<search>", meaning: "a whole search; its first 50000 rows are used. Rows are the same if all their fields are, `_time` and `_raw` too, and come once" },
    ],
    examples: &["| set intersect [| makeresults | eval user=\"ann\" | table user] [| makeresults | eval user=\"ann\" | table user]"],
};

const OPERATIONS: [SetOperation; 3] = [SetOperation::Union, SetOperation::Diff, SetOperation::Intersect];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Set> {
    let mut parts = arguments.into_inner();
    let (word, left, right) = (parts.next()?, parts.next()?, parts.next()?);
    let name = word.as_str().trim_end();
    let Some(operation) = OPERATIONS.into_iter().find(|known| name.eq_ignore_ascii_case(known.word())) else {
        let message = format!("`set` knows union, diff and intersect, not `{name}`");
        let near = crate::spl::parser::nearest(name, OPERATIONS.into_iter().map(SetOperation::word));
        let error = Diagnostic::error(Code::InvalidArgument, message, b.span(&word));
        b.diagnostics.push(match near {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error.with_help(format!("syntax: {}", DOC.syntax)),
        });
        return None;
    };
    Some(Set { operation, left: pipeline::subsearch(b, &left)?, right: pipeline::subsearch(b, &right)? })
}

impl SetOperation {
    fn word(self) -> &'static str {
        match self {
            Self::Union => "union",
            Self::Diff => "diff",
            Self::Intersect => "intersect",
        }
    }
}

impl Display for Set {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "set {} {} {}", self.operation.word(), self.left, self.right)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn operations() {
        assert_eq!(canonical("|Set Diff [|makeresults] [search y]"), "| set diff [| makeresults] [search y]");
        assert!(errors("| set intersekt [x] [y]").contains("did you mean `intersect`?"));
        assert!(errors("| set union [x]").contains("SPL0001"));
        assert!(errors("| set [x] [y]").contains("not supported") || errors("| set [x] [y]").contains("union, diff"));
    }
}
