//! `sitimechart`: `timechart` for a summary index.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::timechart::{self, Timechart};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `sitimechart` with the arguments of `timechart`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sitimechart(pub Timechart);

/// The documentation of `sitimechart`.
pub const DOC: CommandDoc = CommandDoc {
    name: "sitimechart",
    summary: "Does what timechart does: there is no summary index to prepare rows for",
    syntax: "sitimechart <arguments of timechart>",
    arguments: &[ArgumentDoc { name: "<arguments of timechart>", meaning: "every option, aggregate and field that timechart takes, with the same result" }],
    examples: &["| makeresults count=3 | sitimechart count"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Sitimechart> {
    timechart::build(b, arguments).map(Sitimechart)
}

impl Display for Sitimechart {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.print(f, "sitimechart")
    }
}
