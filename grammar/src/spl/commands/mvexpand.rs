//! `mvexpand`: a row for each of several values.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc, single_field};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;

/// `mvexpand FIELD [limit=N]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mvexpand {
    /// The field.
    pub field: Name,
    /// How many values of each row are used; default 0, all.
    pub limit: Option<u64>,
}

/// The documentation of `mvexpand`.
pub const DOC: CommandDoc = CommandDoc {
    name: "mvexpand",
    summary: "Makes a row of each value of a field, with copies of the other fields",
    syntax: "mvexpand <field> [limit=<count>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field with several values; a row without it stays as it is" },
        ArgumentDoc { name: "limit=<count>", meaning: "how many values of each row to use; default 0, all of them" },
    ],
    examples: &["| makeresults | eval x=split(\"a,b,c\", \",\") | mvexpand x limit=2"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Mvexpand> {
    let (mut fields, mut limit) = (Vec::new(), None);
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "limit" => limit = Some(option.number(b)?),
                    _ => return option.unknown(b, &["limit"]),
                }
            }
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    Some(Mvexpand { field: single_field(b, fields, place)?, limit })
}

impl Display for Mvexpand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "mvexpand {}", self.field)?;
        option(f, "limit", self.limit)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_one_field() {
        assert_eq!(canonical("| mvexpand limit=2 items{}.name"), "| mvexpand items{}.name limit=2");
        assert!(errors("| mvexpand limit=2").contains("`mvexpand` needs a field name"));
        assert!(errors("| mvexpand a limit=x").contains("a whole number"));
    }
}
