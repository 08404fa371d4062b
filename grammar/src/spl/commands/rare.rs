//! `rare`: the least frequent values.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::top::{Frequencies, frequencies, frequency_arguments};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `rare [OPTION ...] FIELD ... [BY FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rare(pub Frequencies);

/// The documentation of `rare`.
pub const DOC: CommandDoc = CommandDoc {
    name: "rare",
    summary: "Lists the least frequent values of fields, with their counts and percentages",
    syntax: "rare [limit=<count>] [countfield=<name>] [percentfield=<name>] [showcount=<bool>] [showperc=<bool>] [useother=<bool>] [otherstr=<text>] <field> ... [BY <field> ...]",
    arguments: frequency_arguments![],
    examples: &["| makeresults count=5 | streamstats count AS n | eval user=if(n>3,\"bob\",\"ann\") | rare user"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Rare> {
    frequencies(b, arguments).map(Rare)
}

impl Display for Rare {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "rare{}", self.0)
    }
}
