//! `fillnull`: gives a value to fields that have none.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, option};

/// `fillnull [value=TEXT] [FIELD ...]`, wildcards allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Fillnull {
    /// What is filled in; default `0`.
    pub value: Option<String>,
    /// The fields; without any all that have a value in some row.
    pub fields: Vec<Name>,
}

/// The documentation of `fillnull`.
pub const DOC: CommandDoc = CommandDoc {
    name: "fillnull",
    summary: "Gives a value to fields where they have none",
    syntax: "fillnull [value=<text>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "value=<text>", meaning: "what is filled in; default 0" },
        ArgumentDoc {
            name: "<field>",
            meaning: "a field, made where no row has it, or a pattern with `*`; without any, all fields that some row has",
        },
    ],
    examples: &["| makeresults format=csv data=\"a,b\n1,\n,2\" | fillnull value=none a b"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Fillnull> {
    let mut fillnull = Fillnull { value: None, fields: Vec::new() };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "value" => fillnull.value = Some(option.value),
                    _ => return option.unknown(b, &["value"]),
                }
            }
            Rule::EOI => {}
            _ => fillnull.fields.push(words::name(b, &part)),
        }
    }
    Some(fillnull)
}

impl Display for Fillnull {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("fillnull")?;
        option(f, "value", self.value.as_deref().map(Quoted))?;
        if !self.fields.is_empty() {
            write!(f, " {}", Separated(&self.fields, ", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn the_value_stands_anywhere() {
        assert_eq!(canonical("| fillnull"), "| fillnull");
        assert_eq!(canonical("| fillnull a, \"b c\" value=\"not set\""), "| fillnull value=\"not set\" a, \"b c\"");
        assert!(errors("| fillnull valu=1").contains("did you mean `value`?"));
    }
}
