//! `uniq`: leaves out repeated rows.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::CommandDoc;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `uniq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uniq;

/// The documentation of `uniq`.
pub const DOC: CommandDoc = CommandDoc {
    name: "uniq",
    summary: "Leaves out rows that are equal in all fields to the row before",
    syntax: "uniq",
    arguments: &[],
    examples: &["| makeresults count=3 | uniq"],
};

pub(super) fn build(_: &mut Builder<'_>, _: Pair<'_, Rule>) -> Option<Uniq> {
    Some(Uniq)
}

impl Display for Uniq {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("uniq")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_nothing() {
        assert_eq!(canonical("| uniq"), "| uniq");
        assert!(errors("| uniq a").contains("expected the end of the command in `uniq`, found `a`"));
    }
}
