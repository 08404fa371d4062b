//! `xmlkv`: fields out of XML elements.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, names};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;

/// `xmlkv [FIELD] [maxinputs=N]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Xmlkv {
    /// The field to read; default `_raw`.
    pub field: Option<Name>,
    /// `maxinputs=`
    pub maxinputs: Option<u64>,
}

/// The documentation of `xmlkv`.
pub const DOC: CommandDoc = CommandDoc {
    name: "xmlkv",
    summary: "Makes a field of each XML element that holds nothing but text",
    syntax: "xmlkv [<field>] [maxinputs=<count>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field to read; default _raw" },
        ArgumentDoc { name: "maxinputs=<count>", meaning: "how many rows a Splunk server works on at a time; changes nothing" },
    ],
    examples: &["| makeresults | eval _raw=\"<user>ann</user>\" | xmlkv | table user"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Xmlkv> {
    let mut maxinputs = None;
    for part in arguments.clone().into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "maxinputs" => maxinputs = Some(option.number(b)?),
            _ => return option.unknown(b, &["maxinputs"]),
        }
    }
    let mut fields = names(b, arguments.into_inner()).into_iter();
    let field = fields.next();
    if let Some(second) = fields.next() {
        b.error(Code::InvalidArgument, "`xmlkv` takes one field", second.span);
        return None;
    }
    Some(Xmlkv { field, maxinputs })
}

impl Display for Xmlkv {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("xmlkv")?;
        if let Some(field) = &self.field {
            write!(f, " {field}")?;
        }
        option(f, "maxinputs", self.maxinputs)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_one_field_or_none() {
        assert_eq!(canonical("| xmlkv maxinputs=10000 UserData"), "| xmlkv UserData maxinputs=10000");
        assert!(errors("| xmlkv a b").contains("`xmlkv` takes one field"));
    }
}
