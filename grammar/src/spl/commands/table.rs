//! `table`: these columns, in this order.
use crate::spl::expression::Name;

/// `table FIELD ...`, wildcards allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The columns.
    pub fields: Vec<Name>,
}
