//! `return`: turns the first rows of a subsearch into search text.
use crate::spl::expression::Name;

/// `return [N] FIELD | ALIAS=FIELD | $FIELD ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Return {
    /// How many rows; default 1.
    pub count: Option<u64>,
    /// What each row contributes; never empty.
    pub items: Vec<ReturnItem>,
}

/// One item of `return`.
#[derive(Debug, Clone, PartialEq)]
pub enum ReturnItem {
    /// `field`: gives `field="value"`.
    Field(Name),
    /// `alias=field`: gives `alias="value"`.
    Alias(Name, Name),
    /// `$field`: gives the value alone.
    Value(Name),
}
