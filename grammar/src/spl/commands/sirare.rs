//! `sirare`: `rare` for a summary index, of which there is none here.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::top::{Frequencies, frequencies, frequency_arguments};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `sirare [OPTION ...] FIELD ... [BY FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sirare(pub Frequencies);

/// The documentation of `sirare`.
pub const DOC: CommandDoc = CommandDoc {
    name: "sirare",
    summary: "Does the same as rare; there is no summary index to prepare for",
    syntax: "sirare [limit=<count>] [countfield=<name>] [percentfield=<name>] [showcount=<bool>] [showperc=<bool>] [useother=<bool>] [otherstr=<text>] <field> ... [BY <field> ...]",
    arguments: frequency_arguments![],
    examples: &["| makeresults count=5 | streamstats count AS n | eval user=if(n>3,\"bob\",\"ann\") | sirare user"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Sirare> {
    frequencies(b, arguments).map(Sirare)
}

impl Display for Sirare {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "sirare{}", self.0)
    }
}
