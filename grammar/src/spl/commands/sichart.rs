//! `sichart`: `chart` for a summary index.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::chart::{self, Chart};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `sichart` with the arguments of `chart`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sichart(pub Chart);

/// The documentation of `sichart`.
pub const DOC: CommandDoc = CommandDoc {
    name: "sichart",
    summary: "Does what chart does: there is no summary index to prepare rows for",
    syntax: "sichart <arguments of chart>",
    arguments: &[ArgumentDoc { name: "<arguments of chart>", meaning: "every option, aggregate and field that chart takes, with the same result" }],
    examples: &["| makeresults count=3 | sichart count"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Sichart> {
    chart::build(b, arguments).map(Sichart)
}

impl Display for Sichart {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.print(f, "sichart")
    }
}
