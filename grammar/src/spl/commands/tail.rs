//! `tail`: the last rows, last one first.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `tail [N]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tail {
    /// How many rows at most; default 10.
    pub limit: Option<u64>,
}

/// The documentation of `tail`.
pub const DOC: CommandDoc = CommandDoc {
    name: "tail",
    summary: "Keeps the last rows, and turns their order around",
    syntax: "tail [<count>|limit=<count>]",
    arguments: &[ArgumentDoc { name: "<count>", meaning: "how many rows at most; default 10" }],
    examples: &["| makeresults count=20 | tail 5"],
};

const OPTIONS: &[&str] = &["limit"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Tail> {
    let mut tail = Tail { limit: None };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::integer => tail.limit = Some(words::integer(b, &part)?),
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "limit" => tail.limit = Some(option.number(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            _ => {}
        }
    }
    Some(tail)
}

impl Display for Tail {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("tail")?;
        self.limit.map_or(Ok(()), |limit| write!(f, " {limit}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::canonical;

    #[test]
    fn takes_a_count() {
        assert_eq!(canonical("| tail"), "| tail");
        assert_eq!(canonical("| tail limit=3"), "| tail 3");
    }
}
