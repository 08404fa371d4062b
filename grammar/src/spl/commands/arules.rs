//! `arules`: values that come with other values.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};

/// `arules [sup=COUNT] [conf=NUMBER] FIELD FIELD ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Arules {
    /// In how many rows at least all values of a rule occur; default 3.
    pub sup: Option<u64>,
    /// How sure a rule is at least; default 0.5.
    pub conf: Option<f64>,
    /// The fields, at least two.
    pub fields: Vec<Name>,
}

/// The documentation of `arules`.
pub const DOC: CommandDoc = CommandDoc {
    name: "arules",
    summary: "Finds values of some fields that imply a value of another",
    syntax: "arules [sup=<count>] [conf=<number>] <field> <field> ...",
    arguments: &[
        ArgumentDoc { name: "sup=<count>", meaning: "in how many rows at least all values of a rule occur together; default 3" },
        ArgumentDoc { name: "conf=<number>", meaning: "the least strength of a rule, from 0 to 1; default 0.5" },
        ArgumentDoc { name: "<field>", meaning: "the fields, at least two" },
        ArgumentDoc { name: "result", meaning: "a row for each rule, the strongest first: Given fields, Implied fields, Strength (the share of the rows with what is given that have what is implied), Given fields support and Implied fields support (how many rows have it)" },
        ArgumentDoc { name: "method", meaning: "association rules (Agrawal and Srikant, 1994) with one implied value each, as in the R package arules, over frequent sets found by lists of rows (Zaki, 2000); at most 100000 sets of values" },
    ],
    examples: &["| makeresults count=4 | eval a=\"x\", b=\"y\" | arules a b"],
};

const OPTIONS: &[&str] = &["sup", "conf"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Arules> {
    let place = b.span(&arguments);
    let (mut sup, mut conf, mut fields) = (None, None, Vec::new());
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "sup" => match option.number(b)? {
                        0 => return option.invalid(b, "a count from 1"),
                        count => sup = Some(count),
                    },
                    "conf" => conf = Some(option.fraction(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    if fields.len() < 2 {
        let message = format!("`arules` needs at least two fields, not {}", fields.len());
        b.error(Code::InvalidArgument, message, place);
        return None;
    }
    Some(Arules { sup, conf, fields })
}

impl Display for Arules {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Arules { sup, conf, fields } = self;
        f.write_str("arules")?;
        option(f, "sup", *sup)?;
        option(f, "conf", *conf)?;
        write!(f, " {}", Separated(fields, ", "))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn two_fields_are_needed() {
        assert_eq!(canonical("| arules sup=3 conf=.6 a b, c"), "| arules sup=3 conf=0.6 a, b, c");
        assert!(errors("| arules a").contains("`arules` needs at least two fields, not 1"));
        assert!(errors("| arules conf=50 a b").contains("`conf` takes a number from 0 to 1, not `50`"));
        assert!(errors("| arules sup=0 a b").contains("`sup` takes a count from 1"));
    }
}
