//! `analyzefields`: how well numeric fields tell the value of another field.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `analyzefields classfield=FIELD`.
#[derive(Debug, Clone, PartialEq)]
pub struct Analyzefields {
    /// The field whose values are to be told.
    pub classfield: Name,
}

/// The documentation of `analyzefields`.
pub const DOC: CommandDoc = CommandDoc {
    name: "analyzefields",
    summary: "Measures how well each numeric field tells the value of another field; also `af`",
    syntax: "analyzefields classfield=<field>",
    arguments: &[
        ArgumentDoc { name: "classfield=<field>", meaning: "the field whose values are to be told, best one with two values and at most 1000" },
        ArgumentDoc { name: "result", meaning: "a row for each numeric field: field, count, cocur (its share of the rows with the class), acc (the share of rows told right) and balacc (the mean of that share over the classes)" },
        ArgumentDoc { name: "method", meaning: "one normal distribution a class, and the class in which a value is least extreme (Duda, Hart and Stork, Pattern Classification, 2001, chapter 2)" },
    ],
    examples: &[
        "| makeresults count=6 | eval n=1 | accum n | eval class=if(n>3, \"big\", \"small\") | analyzefields classfield=class",
    ],
};

const OPTIONS: &[&str] = &["classfield"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Analyzefields> {
    let place = b.span(&arguments);
    let mut classfield = None;
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "classfield" => classfield = Some(option.field()),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    let Some(classfield) = classfield else {
        b.error(Code::InvalidArgument, "`analyzefields` needs a field: `classfield=<field>`", place);
        return None;
    };
    Some(Analyzefields { classfield })
}

impl Display for Analyzefields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "analyzefields classfield={}", self.classfield)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn a_class_is_needed() {
        assert_eq!(canonical("| af classfield=\"is active\""), "| analyzefields classfield=\"is active\"");
        assert!(errors("| analyzefields").contains("`analyzefields` needs a field"));
    }
}
