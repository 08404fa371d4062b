//! `reverse`: turns the order of the rows around.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::CommandDoc;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `reverse`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reverse;

/// The documentation of `reverse`.
pub const DOC: CommandDoc = CommandDoc {
    name: "reverse",
    summary: "Turns the order of the rows around",
    syntax: "reverse",
    arguments: &[],
    examples: &["| makeresults count=3 | eval n=1 | accum n | reverse"],
};

pub(super) fn build(_: &mut Builder<'_>, _: Pair<'_, Rule>) -> Option<Reverse> {
    Some(Reverse)
}

impl Display for Reverse {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("reverse")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_nothing() {
        assert_eq!(canonical("| Reverse "), "| reverse");
        assert!(errors("| reverse 5").contains("found `5`"));
    }
}
