//! `head`: the first rows.
use crate::spl::expression::Expression;

/// `head [N | limit=N] [(EXPRESSION)] [keeplast=BOOL] [null=BOOL]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// How many rows at most; without it and without a condition 10.
    pub limit: Option<u64>,
    /// Rows are returned until this is not true.
    pub condition: Option<Expression>,
    /// Whether the row that ended it is returned too; default false.
    pub keeplast: Option<bool>,
    /// Whether a null condition counts as true; default false.
    pub null: Option<bool>,
}
