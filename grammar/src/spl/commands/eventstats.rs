//! `eventstats`: aggregates, added to every row.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::stats::{self, Aggregate};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};
use crate::Code;

/// `eventstats [allnum=BOOL] AGGREGATE ... [BY FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Eventstats {
    /// What to compute; never empty.
    pub aggregates: Vec<Aggregate>,
    /// The group fields.
    pub by: Vec<Name>,
    /// Whether numbers are computed only where every value of the field is one; default false.
    pub allnum: Option<bool>,
}

/// The documentation of `eventstats`.
pub const DOC: CommandDoc = CommandDoc {
    name: "eventstats",
    summary: "Adds aggregates over all rows, or over the rows of its group, to each row",
    syntax: "eventstats [allnum=<bool>] <function>[(<field>|eval(<expression>))] [AS <name>] ... [BY <field> ...]",
    arguments: &[
        ArgumentDoc { name: "<function>", meaning: "an aggregate function, as in stats" },
        ArgumentDoc { name: "AS <name>", meaning: "the name of the new field" },
        ArgumentDoc { name: "BY <field>", meaning: "aggregate over the rows with the same values; a row that lacks one gets nothing" },
        ArgumentDoc { name: "allnum=<bool>", meaning: "numbers only where every value of the field is one; default false" },
    ],
    examples: &["| makeresults count=3 | eval n=2 | eventstats sum(n) AS total | eval share=n/total"],
};

const OPTIONS: &[&str] = &["allnum"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Eventstats> {
    let mut eventstats = Eventstats { aggregates: Vec::new(), by: Vec::new(), allnum: None };
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => set(b, &mut eventstats, part)?,
            Rule::aggregate => eventstats.aggregates.push(stats::aggregate(b, part)?),
            Rule::by_clause => {
                for part in part.into_inner() {
                    match part.as_rule() {
                        Rule::by_op => {}
                        Rule::option => set(b, &mut eventstats, part)?,
                        _ => eventstats.by.push(words::name(b, &part)),
                    }
                }
            }
            _ => {}
        }
    }
    if eventstats.aggregates.is_empty() {
        b.error(Code::InvalidArgument, "`eventstats` needs an aggregate such as `count` or `avg(field)`", place);
        return None;
    }
    Some(eventstats)
}

fn set(b: &mut Builder<'_>, eventstats: &mut Eventstats, pair: Pair<'_, Rule>) -> Option<()> {
    let option = words::option(b, pair)?;
    match option.name.as_str() {
        "allnum" => eventstats.allnum = Some(option.boolean(b)?),
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

impl Display for Eventstats {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("eventstats")?;
        option(f, "allnum", self.allnum)?;
        write!(f, " {}", Separated(&self.aggregates, ", "))?;
        if !self.by.is_empty() {
            write!(f, " BY {}", Separated(&self.by, ", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| eventstats avg(x) as a, count by g allnum=t"),
            "| eventstats allnum=true avg(x) AS a, count BY g"
        );
        assert!(errors("| eventstats count window=5").contains("`eventstats` has no option `window`"));
    }
}
