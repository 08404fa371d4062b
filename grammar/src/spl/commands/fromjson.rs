//! `fromjson`: the members of a JSON object as fields.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, names};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `fromjson FIELD [prefix=TEXT]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fromjson {
    /// The field that holds objects.
    pub field: Name,
    /// What the names of the new fields begin with.
    pub prefix: Option<String>,
}

/// The documentation of `fromjson`.
pub const DOC: CommandDoc = CommandDoc {
    name: "fromjson",
    summary: "Makes a field of each member of a JSON object",
    syntax: "fromjson <field> [prefix=<text>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field that holds JSON objects" },
        ArgumentDoc { name: "prefix=<text>", meaning: "what the names of the new fields begin with" },
    ],
    examples: &[r#"| makeresults | eval j=json_object("user", "ann", "n", 3) | fromjson j prefix=j_"#],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Fromjson> {
    let place = b.span(&arguments);
    let mut prefix = None;
    for part in arguments.clone().into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "prefix" => prefix = Some(option.value),
            _ => return option.unknown(b, &["prefix"]),
        }
    }
    match <[Name; 1]>::try_from(names(b, arguments.into_inner())) {
        Ok([field]) => Some(Fromjson { field, prefix }),
        Err(found) => {
            b.error(Code::InvalidArgument, format!("`fromjson` takes one field, not {}", found.len()), place);
            None
        }
    }
}

impl Display for Fromjson {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "fromjson {}", self.field)?;
        option(f, "prefix", self.prefix.as_deref().map(Quoted))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_one_field() {
        assert_eq!(canonical("| fromjson prefix=j_ \"a b\""), "| fromjson \"a b\" prefix=\"j_\"");
        assert!(errors("| fromjson a b").contains("`fromjson` takes one field, not 2"));
        assert!(errors("| fromjson").contains("`fromjson` takes one field, not 0"));
    }
}
