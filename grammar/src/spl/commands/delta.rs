//! `delta`: the difference to a row before.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;

/// `delta FIELD [AS NAME] [p=N]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Delta {
    /// The field whose numbers are compared.
    pub field: Name,
    /// The field that holds the difference; default `delta(FIELD)`.
    pub alias: Option<Name>,
    /// How many rows before; default 1.
    pub distance: Option<u64>,
}

/// The documentation of `delta`.
pub const DOC: CommandDoc = CommandDoc {
    name: "delta",
    summary: "Computes the difference to a row before",
    syntax: "delta <field> [AS <name>] [p=<count>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field; there is no difference where one of the two is no number" },
        ArgumentDoc { name: "AS <name>", meaning: "the field that holds the difference; default delta(<field>)" },
        ArgumentDoc { name: "p=<count>", meaning: "how many rows before; default 1" },
    ],
    examples: &["| makeresults count=3 | eval n=5 | accum n | delta n AS step"],
};

const OPTIONS: &[&str] = &["p"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Delta> {
    let (mut names, mut distance) = (Vec::new(), None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "p" => match option.number(b)? {
                        0 => return option.invalid(b, "a count from 1"),
                        rows => distance = Some(rows),
                    },
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::as_op | Rule::EOI => {}
            _ => names.push(words::name(b, &part)),
        }
    }
    let mut names = names.into_iter();
    Some(Delta { field: names.next()?, alias: names.next(), distance })
}

impl Display for Delta {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "delta {}", self.field)?;
        if let Some(alias) = &self.alias {
            write!(f, " AS {alias}")?;
        }
        option(f, "p", self.distance)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_a_distance() {
        assert_eq!(canonical("| delta count AS countdiff p=3"), "| delta count AS countdiff p=3");
        assert_eq!(canonical("| delta p=2 x"), "| delta x p=2");
        assert!(errors("| delta x p=0").contains("`p` takes a count from 1, not `0`"));
    }
}
