//! `gentimes`: spans of time, one after the other.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `gentimes start=TIME [end=TIME] [increment=SPAN]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gentimes {
    /// Where the first span starts.
    pub start: Spanned<String>,
    /// Before which the last span starts.
    pub end: Option<Spanned<String>>,
    /// How long a span is.
    pub increment: Option<Spanned<String>>,
}

/// The documentation of `gentimes`.
pub const DOC: CommandDoc = CommandDoc {
    name: "gentimes",
    summary: "Makes rows that are spans of time, one after the other",
    syntax: "gentimes start=<time> [end=<time>] [increment=<span>]",
    arguments: &[
        ArgumentDoc { name: "start=<time>", meaning: "where the first span starts: a date such as 10/25/2024, a time such as 10/25/2024:13:30:00, or a number of days from today, such as -7" },
        ArgumentDoc { name: "end=<time>", meaning: "the spans start before this time; default the last midnight" },
        ArgumentDoc { name: "increment=<span>", meaning: "how long a span is, in seconds, minutes, hours or days, such as 6h; default 1d" },
    ],
    examples: &["| gentimes start=10/01/2024 end=10/03/2024", "| gentimes start=-2 end=0 increment=12h"],
};

const OPTIONS: &[&str] = &["start", "end", "increment"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Gentimes> {
    let (mut start, mut end, mut increment) = (None, None, None);
    let place = b.span(&arguments);
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "start" => start = Some(option.text()),
            "end" => end = Some(option.text()),
            "increment" => increment = Some(option.text()),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    let Some(start) = start else {
        b.error(Code::InvalidArgument, "`gentimes` needs `start=`, the time at which it starts", place);
        return None;
    };
    Some(Gentimes { start, end, increment })
}

impl Display for Gentimes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "gentimes start={}", Quoted(&self.start.node))?;
        option(f, "end", self.end.as_ref().map(|value| Quoted(&value.node)))?;
        option(f, "increment", self.increment.as_ref().map(|value| Quoted(&value.node)))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn times_are_kept_as_written() {
        assert_eq!(
            canonical("| gentimes start=10/1/18:12:00:00 end=-1 increment=1h"),
            "| gentimes start=\"10/1/18:12:00:00\" end=\"-1\" increment=\"1h\""
        );
        assert!(errors("| gentimes end=5").contains("`gentimes` needs `start=`"));
        assert!(errors("| gentimes start=5 step=1d").contains("`gentimes` has no option `step`"));
    }
}
