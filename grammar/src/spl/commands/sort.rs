//! `sort`: orders the rows.
use crate::spl::expression::Name;

/// `sort [LIMIT] [+|-]FIELD, ... [desc]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// How many rows at most; `Some(0)` is all, `None` the default of 10,000.
    pub limit: Option<u64>,
    /// What to order by, most important first.
    pub keys: Vec<SortKey>,
    /// A trailing `d` or `desc`: the order of every key is turned around.
    pub reverse: bool,
}

/// One key of a sort.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// `-` before the field.
    pub descending: bool,
    /// How values are compared.
    pub comparison: SortComparison,
    /// The field.
    pub field: Name,
}

/// How a sort key compares values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortComparison {
    /// Numbers and IP addresses by value where both sides are such, else text: the default.
    Auto,
    /// `num(field)`
    Number,
    /// `str(field)`
    Text,
    /// `ip(field)`
    Ip,
}
