//! `where`: keeps the rows for which an expression is true.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Expression;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, expression};

/// `where EXPRESSION`.
#[derive(Debug, Clone, PartialEq)]
pub struct Where {
    /// The condition.
    pub condition: Expression,
}

/// The documentation of `where`.
pub const DOC: CommandDoc = CommandDoc {
    name: "where",
    summary: "Keeps the rows for which an expression is true",
    syntax: "where <expression>",
    arguments: &[ArgumentDoc {
        name: "<expression>",
        meaning: "a condition as in eval; names are fields, text in double quotes is text",
    }],
    examples: &["| makeresults count=3 | eval n=5 | where n > 3 AND isnotnull(_time)"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Where> {
    let condition = expression::expression(b, arguments.into_inner().next()?)?;
    Some(Where { condition })
}

impl Display for Where {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "where {}", self.condition)
    }
}
