//! `setfields`: the same values in every row.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, is_plain};

/// `setfields FIELD=TEXT, ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Setfields {
    /// The fields and their values; never empty.
    pub values: Vec<(Name, String)>,
}

/// The documentation of `setfields`.
pub const DOC: CommandDoc = CommandDoc {
    name: "setfields",
    summary: "Sets fields to the same values in every row",
    syntax: "setfields <field>=\"<text>\", ...",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field; it is made where it is missing, and overwritten where it is not" },
        ArgumentDoc { name: "<text>", meaning: "its value" },
    ],
    examples: &["| makeresults | setfields site=\"Berlin\", tier=\"2\""],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Setfields> {
    let mut values = Vec::new();
    for pair in arguments.into_inner().filter(|pair| pair.as_rule() == Rule::setting) {
        let mut parts = pair.into_inner();
        let (field, value) = (parts.next()?, parts.next()?);
        values.push((words::name(b, &field), words::token_text(value.as_str().trim_end())));
    }
    Some(Setfields { values })
}

impl Display for Setfields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("setfields")?;
        for (index, (field, value)) in self.values.iter().enumerate() {
            let separator = if index > 0 { "," } else { "" };
            match is_plain(&field.text) {
                true => write!(f, "{separator} {}={}", field.text, Quoted(value))?,
                false => write!(f, "{separator} {}={}", Quoted(&field.text), Quoted(value))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn several_fields() {
        assert_eq!(
            canonical("| setfields name=\"foo\", source = bar \"a b\"=1"),
            "| setfields name=\"foo\", source=\"bar\", \"a b\"=\"1\""
        );
        assert!(errors("| setfields").contains("`setfields` needs"));
    }
}
