//! `require`: a search without results fails.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::CommandDoc;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `require`.
#[derive(Debug, Clone, PartialEq)]
pub struct Require;

/// The documentation of `require`.
pub const DOC: CommandDoc = CommandDoc {
    name: "require",
    summary: "Fails the search where there is no row",
    syntax: "require",
    arguments: &[],
    examples: &["| makeresults | require"],
};

pub(super) fn build(_: &mut Builder<'_>, _: Pair<'_, Rule>) -> Option<Require> {
    Some(Require)
}

impl Display for Require {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("require")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_nothing() {
        assert_eq!(canonical("| REQUIRE"), "| require");
        assert!(errors("| require x").contains("expected the end of the command"));
    }
}
