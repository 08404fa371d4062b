//! `concurrency`: how many spans of time there are at the start of each.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `concurrency duration=FIELD [start=FIELD] [output=FIELD]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Concurrency {
    /// The field with the length of the span.
    pub duration: Name,
    /// The field with its start; default `_time`.
    pub start: Option<Name>,
    /// The new field; default `concurrency`.
    pub output: Option<Name>,
}

/// The documentation of `concurrency`.
pub const DOC: CommandDoc = CommandDoc {
    name: "concurrency",
    summary: "Counts for each row the rows whose spans of time hold its start, itself included",
    syntax: "concurrency duration=<field> [start=<field>] [output=<field>]",
    arguments: &[
        ArgumentDoc { name: "duration=<field>", meaning: "the field with the length of a row's span, in the unit of its start" },
        ArgumentDoc { name: "start=<field>", meaning: "the field with the start of a row's span; default _time" },
        ArgumentDoc { name: "output=<field>", meaning: "the field that gets the count; default concurrency" },
    ],
    examples: &["| makeresults count=3 | streamstats count AS n | eval start=10*n, length=15 | concurrency duration=length start=start"],
};

const OPTIONS: &[&str] = &["duration", "start", "output"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Concurrency> {
    let (mut duration, mut start, mut output) = (None, None, None);
    let place = b.span(&arguments);
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "duration" => duration = Some(option.field()),
            "start" => start = Some(option.field()),
            "output" => output = Some(option.field()),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    let Some(duration) = duration else {
        b.error(Code::InvalidArgument, "`concurrency` needs the field with the length of a span: `duration=<field>`", place);
        return None;
    };
    Some(Concurrency { duration, start, output })
}

impl Display for Concurrency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Concurrency { duration, start, output } = self;
        write!(f, "concurrency duration={}", Quoted(&duration.text))?;
        option(f, "start", start.as_ref().map(|field| Quoted(&field.text)))?;
        option(f, "output", output.as_ref().map(|field| Quoted(&field.text)))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_fields() {
        assert_eq!(
            canonical("| concurrency start=s, duration=d output=\"a b\""),
            "| concurrency duration=\"d\" start=\"s\" output=\"a b\""
        );
        assert!(errors("| concurrency start=s").contains("`concurrency` needs the field"));
        assert!(errors("| concurrency durations=s").contains("did you mean `duration`?"));
    }
}
