//! `filldown`: repeats the last value where there is none.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc, names};
use crate::spl::expression::Name;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;
use crate::spl::print::Separated;

/// `filldown [FIELD ...]`, wildcards allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Filldown {
    /// The fields; without any all.
    pub fields: Vec<Name>,
}

/// The documentation of `filldown`.
pub const DOC: CommandDoc = CommandDoc {
    name: "filldown",
    summary: "Repeats the last value of a field in the rows below that have none",
    syntax: "filldown [<field> ...]",
    arguments: &[ArgumentDoc { name: "<field>", meaning: "a field, or a pattern with `*`; without any, all fields" }],
    examples: &["| makeresults format=csv data=\"user,n\nann,1\n,2\" | filldown user"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Filldown> {
    Some(Filldown { fields: names(b, arguments.into_inner()) })
}

impl Display for Filldown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("filldown")?;
        if self.fields.is_empty() { Ok(()) } else { write!(f, " {}", Separated(&self.fields, ", ")) }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::canonical;

    #[test]
    fn fields_are_optional() {
        assert_eq!(canonical("| filldown"), "| filldown");
        assert_eq!(canonical("| filldown a b*, c"), "| filldown a, b*, c");
    }
}
