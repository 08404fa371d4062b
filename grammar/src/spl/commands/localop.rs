//! `localop`: what follows runs here.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::CommandDoc;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `localop`.
#[derive(Debug, Clone, PartialEq)]
pub struct Localop;

/// The documentation of `localop`.
pub const DOC: CommandDoc = CommandDoc {
    name: "localop",
    summary: "Has what follows run on this machine, as everything does here: the rows stay as they are",
    syntax: "localop",
    arguments: &[],
    examples: &["| makeresults | localop | eval a=1"],
};

pub(super) fn build(_: &mut Builder<'_>, _: Pair<'_, Rule>) -> Option<Localop> {
    Some(Localop)
}

impl Display for Localop {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("localop")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::canonical;

    #[test]
    fn takes_nothing() {
        assert_eq!(canonical("| localop"), "| localop");
    }
}
