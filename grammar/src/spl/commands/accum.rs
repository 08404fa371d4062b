//! `accum`: the running sum of a field.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `accum FIELD [AS NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Accum {
    /// The field whose numbers are summed.
    pub field: Name,
    /// The field that holds the sum; without it the field itself.
    pub alias: Option<Name>,
}

/// The documentation of `accum`.
pub const DOC: CommandDoc = CommandDoc {
    name: "accum",
    summary: "Adds up a field from row to row",
    syntax: "accum <field> [AS <name>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field; rows where it is no number are left alone" },
        ArgumentDoc { name: "AS <name>", meaning: "the field that holds the sum so far; the field itself by default" },
    ],
    examples: &["| makeresults count=3 | eval n=2 | accum n AS total | fields total"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Accum> {
    let mut names = super::names(b, arguments.into_inner()).into_iter();
    Some(Accum { field: names.next()?, alias: names.next() })
}

impl Display for Accum {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "accum {}", self.field)?;
        self.alias.as_ref().map_or(Ok(()), |alias| write!(f, " AS {alias}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_one_field() {
        assert_eq!(canonical("| accum bytes as \"all bytes\""), "| accum bytes AS \"all bytes\"");
        assert!(errors("| accum").contains("`accum` needs a field name"));
    }
}
