//! `nomv`: one value of several.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc, single_field};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `nomv FIELD`.
#[derive(Debug, Clone, PartialEq)]
pub struct Nomv {
    /// The field.
    pub field: Name,
}

/// The documentation of `nomv`.
pub const DOC: CommandDoc = CommandDoc {
    name: "nomv",
    summary: "Makes one value of the several values of a field",
    syntax: "nomv <field>",
    arguments: &[ArgumentDoc {
        name: "<field>",
        meaning: "the field; a line feed joins its values, or the delimiter that mvcombine was given",
    }],
    examples: &["| makeresults | eval x=split(\"a,b\", \",\") | nomv x"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Nomv> {
    let mut fields = Vec::new();
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => return words::option(b, part)?.unknown(b, &[]),
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    Some(Nomv { field: single_field(b, fields, place)? })
}

impl Display for Nomv {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "nomv {}", self.field)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_one_field() {
        assert_eq!(canonical("| nomv a{}"), "| nomv a{}");
        assert!(errors("| nomv a b").contains("`nomv` takes one field, not 2"));
    }
}
