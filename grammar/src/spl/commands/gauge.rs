//! `gauge`: one row for a gauge chart.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::Separated;

/// `gauge VALUE [RANGE ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    /// The value: a number or a field.
    pub value: Name,
    /// The ends of the ranges: numbers or fields; none, or two and more.
    pub ranges: Vec<Name>,
}

/// The documentation of `gauge`.
pub const DOC: CommandDoc = CommandDoc {
    name: "gauge",
    summary: "Makes one row for a gauge chart: the value as x, the ends of its ranges as y1, y2 and so on",
    syntax: "gauge <value> [<range> <range> ...]",
    arguments: &[
        ArgumentDoc { name: "<value>", meaning: "a number, or a field of which the first number counts" },
        ArgumentDoc { name: "<range>", meaning: "the ends of the ranges, each a number or a field of which the first number counts; default 0 30 70 100, also where there is a single one" },
    ],
    examples: &["| makeresults | eval n=35 | gauge n 0 50 100"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Gauge> {
    let found = arguments.into_inner().filter(|part| part.as_rule() != Rule::EOI);
    let mut names = found.map(|part| words::name(b, &part)).collect::<Vec<_>>().into_iter();
    let value = names.next()?;
    Some(Gauge { value, ranges: names.collect() })
}

impl Display for Gauge {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "gauge {}", self.value)?;
        if !self.ranges.is_empty() {
            write!(f, " {}", Separated(&self.ranges, " "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn numbers_and_fields() {
        assert_eq!(canonical("| gauge used 0,warn,crit,1"), "| gauge used \"0\" warn crit \"1\"");
        assert_eq!(canonical("| gauge used"), "| gauge used");
        assert!(errors("| gauge").contains("needs"));
    }
}
