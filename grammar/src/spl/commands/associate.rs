//! `associate`: values that make another field less uncertain.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};

/// `associate [supcnt=COUNT] [supfreq=NUMBER] [improv=NUMBER] [FIELD ...]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Associate {
    /// In how many rows at least the field has the value; default 100.
    pub supcnt: Option<u64>,
    /// In which share of the rows at least; default 0.1.
    pub supfreq: Option<f64>,
    /// By how many bits at least the entropy falls; default 0.5.
    pub improv: Option<f64>,
    /// The fields; empty for all.
    pub fields: Vec<Name>,
}

/// The documentation of `associate`.
pub const DOC: CommandDoc = CommandDoc {
    name: "associate",
    summary: "Finds values of a field that make the values of another less uncertain",
    syntax: "associate [supcnt=<count>] [supfreq=<number>] [improv=<number>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "supcnt=<count>", meaning: "in how many rows at least a field has the value; default 100" },
        ArgumentDoc { name: "supfreq=<number>", meaning: "in which share of the rows at least, from 0 to 1; default 0.1" },
        ArgumentDoc { name: "improv=<number>", meaning: "by how many bits at least the entropy of the other field is smaller; default 0.5" },
        ArgumentDoc { name: "<field>", meaning: "the fields, without wildcards; default all but internal ones" },
        ArgumentDoc { name: "result", meaning: "Reference_Key, Reference_Value, Target_Key, Unconditional_Entropy, Conditional_Entropy, Entropy_Improvement (in bits, three decimals), Top_Conditional_Value (with its share of all rows and of those with the reference value), Description and Support (the share of the rows with the reference value)" },
        ArgumentDoc { name: "method", meaning: "entropy in bits (Shannon, 1948)" },
    ],
    examples: &[
        "| makeresults count=8 | eval n=1 | accum n | eval a=n%2, b=if(n%2=1, \"x\", n) | associate supcnt=1 a b | table Description",
    ],
};

const OPTIONS: &[&str] = &["supcnt", "supfreq", "improv"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Associate> {
    let mut command = Associate::default();
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "supcnt" => command.supcnt = Some(option.number(b)?),
                    "supfreq" => command.supfreq = Some(option.fraction(b)?),
                    "improv" => command.improv = Some(option.decimal(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => command.fields.push(words::name(b, &part)),
        }
    }
    if let Some(field) = command.fields.iter().find(|field| field.text.contains('*')) {
        let (message, place) = (format!("`associate` takes no wildcards, such as in `{}`", field.text), field.span);
        b.error(Code::InvalidArgument, message, place);
        return None;
    }
    Some(command)
}

impl Display for Associate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Associate { supcnt, supfreq, improv, fields } = self;
        f.write_str("associate")?;
        option(f, "supcnt", *supcnt)?;
        option(f, "supfreq", *supfreq)?;
        option(f, "improv", *improv)?;
        if !fields.is_empty() {
            write!(f, " {}", Separated(fields, ", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_and_fields() {
        assert_eq!(
            canonical("| associate supcnt=50 supfreq=0.2 improv=0.5 method status"),
            "| associate supcnt=50 supfreq=0.2 improv=0.5 method, status"
        );
        assert!(errors("| associate date_*").contains("`associate` takes no wildcards"));
    }
}
