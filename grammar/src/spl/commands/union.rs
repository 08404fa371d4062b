//! `union`: the rows of several searches and datasets together.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::append::{NO_CLOCK, SubsearchOptions};
use super::from::{Source, dataset};
use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, pipeline, words};
use crate::spl::print::Separated;

/// `union [OPTION ...] SOURCE ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Union {
    /// How the searches are run.
    pub options: SubsearchOptions,
    /// Where the rows come from; never empty.
    pub sources: Vec<Source>,
}

/// The documentation of `union`.
pub const DOC: CommandDoc = CommandDoc {
    name: "union",
    summary: "Puts the rows of searches and datasets together, with the present rows first",
    syntax: "union [maxout=<count>] [maxtime=<seconds>] [timeout=<seconds>] ([ <search> ] | <dataset>) ...",
    arguments: &[
        ArgumentDoc { name: "<search>", meaning: "a whole search. Where all of them, and what comes before, only filter events and compute fields, events are listed by time, newest first; else the results follow each other" },
        ArgumentDoc { name: "<dataset>", meaning: "`savedsearch:<name>`, `inputlookup:<name>` or `datamodel:<name>`" },
        ArgumentDoc { name: "maxout=<count>", meaning: "the most rows that are used of each; default 50000, and all of searches whose events are listed by time" },
        ArgumentDoc { name: "extendtimerange=<bool>", meaning: "whether the time range that Splunk shows for the whole search includes those of these; without effect on rows" },
        ArgumentDoc { name: "maxtime=<seconds>", meaning: NO_CLOCK },
        ArgumentDoc { name: "timeout=<seconds>", meaning: NO_CLOCK },
    ],
    examples: &["| union [| makeresults | eval user=\"ann\"] [| makeresults | eval user=\"bob\"] | table user"],
};

const OPTIONS: &[&str] = &["extendtimerange", "maxtime", "maxout", "timeout"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Union> {
    let place = b.span(&arguments);
    let (mut options, mut sources) = (SubsearchOptions::default(), Vec::new());
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                if !options.set(b, &option)? {
                    return option.unknown(b, OPTIONS);
                }
            }
            Rule::subsearch => sources.push(Source::Subsearch(pipeline::subsearch(b, &part)?)),
            Rule::dataset => sources.push(Source::Dataset(dataset(b, part)?)),
            _ => {}
        }
    }
    if sources.is_empty() {
        b.error(Code::InvalidArgument, "`union` needs a search in brackets or a dataset", place);
        return None;
    }
    Some(Union { options, sources })
}

impl Display for Union {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "union{} {}", self.options, Separated(&self.sources, " "))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn searches_and_datasets() {
        assert_eq!(
            canonical("| union maxtime=600 timeout=600 [| makeresults] , inputlookup:a.csv [search y]"),
            "| union maxtime=600 timeout=600 [| makeresults] inputlookup:\"a.csv\" [search y]"
        );
        assert!(errors("| union maxout=3").contains("a search in brackets"));
        assert!(errors("| union a.csv").contains("a dataset such as `inputlookup:file.csv`"));
    }
}
