//! `fieldsummary`: statistics of each field.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};

/// `fieldsummary [maxvals=N] [FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fieldsummary {
    /// The most distinct values that are listed of a field; default 100.
    pub maxvals: Option<u64>,
    /// The fields; may hold wildcards; empty for all.
    pub fields: Vec<Name>,
}

/// The documentation of `fieldsummary`.
pub const DOC: CommandDoc = CommandDoc {
    name: "fieldsummary",
    summary: "Makes a row of statistics of each field that has a value",
    syntax: "fieldsummary [maxvals=<count>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "maxvals=<count>", meaning: "how many distinct values are listed in values, the most frequent first; default 100, 0 for all; is_exact is 0 for a field that has more" },
        ArgumentDoc { name: "<field>", meaning: "the fields, with `*` every field of that form; without any all but the internal ones" },
    ],
    examples: &["| makeresults format=csv data=\"u,n\nann,1\nbob,2\nann,5\" | fieldsummary"],
};

const OPTIONS: &[&str] = &["maxvals"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Fieldsummary> {
    let (mut fields, mut maxvals) = (Vec::new(), None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "maxvals" => maxvals = Some(option.number(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    Some(Fieldsummary { maxvals, fields })
}

impl Display for Fieldsummary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("fieldsummary")?;
        option(f, "maxvals", self.maxvals)?;
        if !self.fields.is_empty() {
            write!(f, " {}", Separated(&self.fields, " "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn fields_are_optional() {
        assert_eq!(canonical("| fieldsummary date_*, x maxvals=10"), "| fieldsummary maxvals=10 date_* x");
        assert!(errors("| fieldsummary maxvals=many").contains("`maxvals` takes a whole number"));
    }
}
