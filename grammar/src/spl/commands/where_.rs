//! `where`: keeps the rows for which an expression is true.
use crate::spl::expression::Expression;

/// `where EXPRESSION`.
#[derive(Debug, Clone, PartialEq)]
pub struct Where {
    /// The condition.
    pub condition: Expression,
}
