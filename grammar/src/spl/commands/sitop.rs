//! `sitop`: `top` for a summary index, of which there is none here.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::top::{Frequencies, frequencies, frequency_arguments};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `sitop [OPTION ...] FIELD ... [BY FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sitop(pub Frequencies);

/// The documentation of `sitop`.
pub const DOC: CommandDoc = CommandDoc {
    name: "sitop",
    summary: "Does the same as top; there is no summary index to prepare for",
    syntax: "sitop [<count>] [limit=<count>] [countfield=<name>] [percentfield=<name>] [showcount=<bool>] [showperc=<bool>] [useother=<bool>] [otherstr=<text>] <field> ... [BY <field> ...]",
    arguments: frequency_arguments![ArgumentDoc { name: "<count>", meaning: "the same as limit=<count>" },],
    examples: &["| makeresults count=5 | streamstats count AS n | eval user=if(n>3,\"bob\",\"ann\") | sitop user"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Sitop> {
    frequencies(b, arguments).map(Sitop)
}

impl Display for Sitop {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "sitop{}", self.0)
    }
}
