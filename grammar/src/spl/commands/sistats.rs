//! `sistats`: what `stats` computes, meant for a summary index.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::CommandDoc;
use super::stats::{self, Stats};
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `sistats AGGREGATE ... [BY FIELD ...]`, as `stats`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sistats {
    /// Its arguments.
    pub stats: Stats,
}

/// The documentation of `sistats`.
pub const DOC: CommandDoc = CommandDoc {
    name: "sistats",
    summary: "Computes what stats computes; the columns of a summary index are not made here, as there is none",
    syntax: "sistats <function>[(<field>|eval(<expression>))] [AS <name>] ... [BY <field> ...]",
    arguments: stats::ARGUMENTS,
    examples: &["| makeresults count=4 | eval host=\"a\" | sistats count BY host"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Sistats> {
    Some(Sistats { stats: stats::build(b, arguments)? })
}

impl Display for Sistats {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("sistats")?;
        self.stats.fmt_arguments(f)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn is_written_as_stats() {
        assert_eq!(canonical("| sistats count by a, b allnum=t"), "| sistats allnum=true count BY a, b");
        assert!(errors("| sistats by a").contains("an aggregate such as `count`"));
    }
}
