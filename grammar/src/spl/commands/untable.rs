//! `untable`: a row for each cell of a table.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `untable X NAME DATA`.
#[derive(Debug, Clone, PartialEq)]
pub struct Untable {
    /// The field that stays.
    pub x: Name,
    /// The field that gets the names of the others.
    pub name: Name,
    /// The field that gets their values.
    pub data: Name,
}

/// The documentation of `untable`.
pub const DOC: CommandDoc = CommandDoc {
    name: "untable",
    summary: "Turns a table into rows: one for each cell that has a value",
    syntax: "untable <x-field> <name-field> <data-field>",
    arguments: &[
        ArgumentDoc { name: "<x-field>", meaning: "the field that stays" },
        ArgumentDoc { name: "<name-field>", meaning: "the field that gets the names of the other columns, internal ones (with a leading underscore) left out" },
        ArgumentDoc { name: "<data-field>", meaning: "the field that gets their values" },
    ],
    examples: &["| makeresults format=csv data=\"k,a,b\nx,1,2\ny,3,4\" | untable k name value"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Untable> {
    let place = b.span(&arguments);
    let mut names = Vec::new();
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => return words::option(b, part)?.unknown(b, &[]),
            Rule::EOI => {}
            _ => names.push(words::name(b, &part)),
        }
    }
    let [x, name, data] = names.as_slice() else {
        b.error(Code::InvalidArgument, format!("`untable` takes three fields, not {}", names.len()), place);
        return None;
    };
    for (first, second) in [(x, name), (x, data), (name, data)] {
        if first.text == second.text {
            let message = format!("two columns of the result would be named {:?}", second.text);
            b.error(Code::InvalidArgument, message, second.span);
            return None;
        }
    }
    Some(Untable { x: x.clone(), name: name.clone(), data: data.clone() })
}

impl Display for Untable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "untable {} {} {}", self.x, self.name, self.data)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_three_fields() {
        assert_eq!(canonical("|untable _time, Type, value"), "| untable _time Type value");
        assert!(errors("| untable a b").contains("`untable` takes three fields, not 2"));
        assert!(errors("| untable a b a").contains("would be named \"a\""));
        assert!(errors("| untable a b c=1").contains("it takes none"));
    }
}
