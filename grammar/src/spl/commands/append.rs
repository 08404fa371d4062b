//! `append`: the rows of a search below the present ones.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Spanned;
use crate::spl::Subsearch;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, pipeline, words};
use crate::spl::print::option;

/// `append [OPTION ...] [SEARCH]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// How the search is run.
    pub options: SubsearchOptions,
    /// The search.
    pub subsearch: Subsearch,
}

/// How a search in brackets is run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SubsearchOptions {
    /// `extendtimerange=`
    pub extendtimerange: Option<bool>,
    /// `maxtime=`
    pub maxtime: Option<u64>,
    /// `maxout=`
    pub maxout: Option<Spanned<u64>>,
    /// `timeout=`
    pub timeout: Option<u64>,
}

/// What is said of `maxtime` and `timeout`: a search here ends when it is done.
pub(super) const NO_CLOCK: &str = "seconds that Splunk gives the search; without effect here, where it always runs to its end";

/// The documentation of `append`.
pub const DOC: CommandDoc = CommandDoc {
    name: "append",
    summary: "Puts the rows of a search below the present ones",
    syntax: "append [maxout=<count>] [extendtimerange=<bool>] [maxtime=<seconds>] [timeout=<seconds>] [ <search> ]",
    arguments: &[
        ArgumentDoc { name: "<search>", meaning: "a whole search; the fields of both results are kept, and are null where a row has none" },
        ArgumentDoc { name: "maxout=<count>", meaning: "the most rows of it that are used; default 50000" },
        ArgumentDoc { name: "extendtimerange=<bool>", meaning: "whether the time range that Splunk shows for the whole search includes that of this one; without effect on rows" },
        ArgumentDoc { name: "maxtime=<seconds>", meaning: NO_CLOCK },
        ArgumentDoc { name: "timeout=<seconds>", meaning: NO_CLOCK },
    ],
    examples: &["| makeresults | eval user=\"ann\" | append [| makeresults | eval user=\"bob\"] | table user"],
};

const OPTIONS: &[&str] = &["extendtimerange", "maxtime", "maxout", "timeout"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Append> {
    let (mut options, mut subsearch) = (SubsearchOptions::default(), None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                if !options.set(b, &option)? {
                    return option.unknown(b, OPTIONS);
                }
            }
            Rule::subsearch => subsearch = Some(pipeline::subsearch(b, &part)?),
            _ => {}
        }
    }
    Some(Append { options, subsearch: subsearch? })
}

impl SubsearchOptions {
    /// Takes an option in; false if it is none of these.
    pub(super) fn set(&mut self, b: &mut Builder<'_>, option: &OptionPair) -> Option<bool> {
        match option.name.as_str() {
            "extendtimerange" => self.extendtimerange = Some(option.boolean(b)?),
            "maxtime" => self.maxtime = Some(option.number(b)?),
            "maxout" => match option.number(b)? {
                0 => return option.invalid(b, "a number above 0"),
                most => self.maxout = Some(option.at(most)),
            },
            "timeout" => self.timeout = Some(option.number(b)?),
            _ => return Some(false),
        }
        Some(true)
    }
}

impl Display for SubsearchOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { extendtimerange, maxtime, maxout, timeout } = self;
        option(f, "extendtimerange", *extendtimerange)?;
        option(f, "maxtime", *maxtime)?;
        option(f, "maxout", maxout.as_ref().map(|most| most.node))?;
        option(f, "timeout", *timeout)
    }
}

impl Display for Append {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "append{} {}", self.options, self.subsearch)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn brackets_with_and_without_a_pipe() {
        for text in ["[makeresults | head 1]", "[|makeresults|head limit=1]", "[ | makeresults\n| head 1 ]"] {
            assert_eq!(canonical(&format!("x | append {text}")), "search x | append [| makeresults | head limit=1]");
        }
        assert_eq!(canonical("x | append [a=1 | append [y]]"), "search x | append [search a=1 | append [search y]]");
    }

    #[test]
    fn options_stand_on_both_sides() {
        assert_eq!(
            canonical("x | append maxtime=60 maxout=50000 timeout=60 [search y] extendtimerange=t"),
            "search x | append extendtimerange=true maxtime=60 maxout=50000 timeout=60 [search y]"
        );
        assert!(errors("x | append maxout=0 [y]").contains("`maxout` takes a number above 0"));
        assert!(errors("x | append maxouts=1 [y]").contains("did you mean `maxout`?"));
        assert!(errors("x | append").contains("`append` needs a search in brackets"));
        assert!(errors("x | append [y").contains("unbalanced bracket"));
    }
}
