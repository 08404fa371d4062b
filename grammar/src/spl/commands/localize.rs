//! `localize`: the stretches of time in which there are events.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Spanned;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `localize [maxpause=SPAN] [timeafter=SPAN] [timebefore=SPAN]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Localize {
    /// The longest pause inside a stretch; default one minute.
    pub maxpause: Option<Spanned<String>>,
    /// What is added behind the last event; default 30 seconds.
    pub timeafter: Option<Spanned<String>>,
    /// What is added before the first event; default 30 seconds.
    pub timebefore: Option<Spanned<String>>,
}

/// The documentation of `localize`.
pub const DOC: CommandDoc = CommandDoc {
    name: "localize",
    summary: "Makes a row for each stretch of time in which events follow each other closely, newest first",
    syntax: "localize [maxpause=<span>] [timeafter=<span>] [timebefore=<span>]",
    arguments: &[
        ArgumentDoc { name: "maxpause=<span>", meaning: "the longest pause between two events of a stretch, itself included; default 1m" },
        ArgumentDoc { name: "timeafter=<span>", meaning: "what endtime lies behind the last event; default 30s" },
        ArgumentDoc { name: "timebefore=<span>", meaning: "what starttime lies before the first event; default 30s" },
    ],
    examples: &["| makeresults count=4 | streamstats count AS n | eval _time=100*floor(n/2)+n | localize maxpause=10s"],
};

const OPTIONS: &[&str] = &["maxpause", "timeafter", "timebefore"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Localize> {
    let mut localize = Localize { maxpause: None, timeafter: None, timebefore: None };
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "maxpause" => localize.maxpause = Some(option.text()),
            "timeafter" => localize.timeafter = Some(option.text()),
            "timebefore" => localize.timebefore = Some(option.text()),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    Some(localize)
}

impl Display for Localize {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Localize { maxpause, timeafter, timebefore } = self;
        f.write_str("localize")?;
        option(f, "maxpause", maxpause.as_ref().map(|span| Quoted(&span.node)))?;
        option(f, "timeafter", timeafter.as_ref().map(|span| Quoted(&span.node)))?;
        option(f, "timebefore", timebefore.as_ref().map(|span| Quoted(&span.node)))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_spans() {
        assert_eq!(canonical("| localize"), "| localize");
        assert_eq!(canonical("| localize timebefore=1m maxpause=5m"), "| localize maxpause=\"5m\" timebefore=\"1m\"");
        assert!(errors("| localize maxpauses=5m").contains("did you mean `maxpause`?"));
        assert!(errors("| localize 5m").contains("found `5m`"));
    }
}
