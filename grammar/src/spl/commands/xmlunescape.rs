//! `xmlunescape`: XML's entities as the characters that they stand for.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;

/// `xmlunescape [maxinputs=N]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Xmlunescape {
    /// `maxinputs=`
    pub maxinputs: Option<u64>,
}

/// The documentation of `xmlunescape`.
pub const DOC: CommandDoc = CommandDoc {
    name: "xmlunescape",
    summary: "Writes &amp; &lt; and &gt; in the text of events as the characters that they stand for",
    syntax: "xmlunescape [maxinputs=<count>]",
    arguments: &[ArgumentDoc {
        name: "maxinputs=<count>",
        meaning: "how many rows Splunk hands to the command at a time; it changes nothing here",
    }],
    examples: &["| makeresults | eval _raw=\"a &lt; b &amp;&amp; c\" | xmlunescape | table _raw"],
};

const OPTIONS: &[&str] = &["maxinputs"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Xmlunescape> {
    let mut maxinputs = None;
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "maxinputs" => maxinputs = Some(option.number(b)?),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    Some(Xmlunescape { maxinputs })
}

impl Display for Xmlunescape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("xmlunescape")?;
        option(f, "maxinputs", self.maxinputs)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_an_option() {
        assert_eq!(canonical("| xmlunescape maxinputs=10"), "| xmlunescape maxinputs=10");
        assert!(errors("| xmlunescape field=a").contains("has no option `field`"));
    }
}
