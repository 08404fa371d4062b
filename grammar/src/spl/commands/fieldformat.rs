//! `fieldformat`: how a field is shown.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::{Expression, Name};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, expression, words};
use crate::spl::print::Quoted;

/// `fieldformat FIELD=EXPRESSION`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fieldformat {
    /// The field.
    pub field: Name,
    /// What is shown instead of its value.
    pub value: Expression,
}

/// The documentation of `fieldformat`.
pub const DOC: CommandDoc = CommandDoc {
    name: "fieldformat",
    summary: "Says how a field is shown in tables; its value stays as it is",
    syntax: "fieldformat <field>=<expression>",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field" },
        ArgumentDoc {
            name: "<expression>",
            meaning: "what is shown, as in eval; later commands, and results written as data, have the value itself",
        },
    ],
    examples: &["| makeresults | eval n=1234567 | fieldformat n=tostring(n, \"commas\") | table n"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Fieldformat> {
    let assignment = arguments.into_inner().find(|part| part.as_rule() == Rule::assignment)?;
    let mut parts = assignment.into_inner();
    let field = parts.next().map(|part| words::name(b, &part))?;
    let value = parts.find(|part| part.as_rule() == Rule::expression)?;
    Some(Fieldformat { field, value: expression::expression(b, value)? })
}

impl Display for Fieldformat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.field.text;
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
        f.write_str("fieldformat ")?;
        if plain { f.write_str(name)? } else { Quoted(name).fmt(f)? }
        write!(f, "={}", self.value)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_one_assignment() {
        assert_eq!(
            canonical("| fieldformat \"Total Count\" = tostring('Total Count', \"commas\")"),
            "| fieldformat \"Total Count\"=tostring('Total Count', \"commas\")"
        );
        assert!(errors("| fieldformat").contains("`fieldformat` needs a field"));
        assert!(errors("| fieldformat a=1, b=2").contains("`fieldformat`"));
    }
}
