//! `table`: these columns, in this order.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, names};
use crate::spl::expression::Name;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;
use crate::spl::print::Separated;

/// `table FIELD ...`, wildcards allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The columns.
    pub fields: Vec<Name>,
}

/// The documentation of `table`.
pub const DOC: CommandDoc = CommandDoc {
    name: "table",
    summary: "Shows these fields as columns, in this order",
    syntax: "table <field> [<field>] ...",
    arguments: &[ArgumentDoc { name: "<field>", meaning: "a field, or a pattern with `*`" }],
    examples: &["| makeresults | eval a=1, b=2 | table b, a"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Table> {
    Some(Table { fields: names(b, arguments.into_inner()) })
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "table {}", Separated(&self.fields, ", "))
    }
}
