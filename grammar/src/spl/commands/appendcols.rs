//! `appendcols`: the fields of a search beside the present rows, row by row.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::append::{NO_CLOCK, SubsearchOptions};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::Subsearch;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, pipeline, words};
use crate::spl::print::option;

/// `appendcols [override=BOOL] [OPTION ...] [SEARCH]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Appendcols {
    /// Whether a value of the search takes the place of one that is there; default false.
    pub overriding: Option<bool>,
    /// How the search is run.
    pub options: SubsearchOptions,
    /// The search.
    pub subsearch: Subsearch,
}

/// The documentation of `appendcols`.
pub const DOC: CommandDoc = CommandDoc {
    name: "appendcols",
    summary: "Puts the fields of a search beside the present rows: its first row beside the first, and so on",
    syntax: "appendcols [override=<bool>] [maxout=<count>] [maxtime=<seconds>] [timeout=<seconds>] [ <search> ]",
    arguments: &[
        ArgumentDoc { name: "<search>", meaning: "a whole search; its internal fields, whose names start with `_`, are left out, and rows beyond the present ones follow below" },
        ArgumentDoc { name: "override=<bool>", meaning: "whether a value of the search takes the place of a value that the row has; default false" },
        ArgumentDoc { name: "maxout=<count>", meaning: "the most rows of it that are used; default 50000" },
        ArgumentDoc { name: "extendtimerange=<bool>", meaning: "whether the time range that Splunk shows for the whole search includes that of this one; without effect on rows" },
        ArgumentDoc { name: "maxtime=<seconds>", meaning: NO_CLOCK },
        ArgumentDoc { name: "timeout=<seconds>", meaning: NO_CLOCK },
    ],
    examples: &["| makeresults | eval logins=3 | appendcols [| makeresults | eval logouts=2] | table logins logouts"],
};

const OPTIONS: &[&str] = &["override", "extendtimerange", "maxtime", "maxout", "timeout"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Appendcols> {
    let (mut overriding, mut options, mut subsearch) = (None, SubsearchOptions::default(), None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                if option.name == "override" {
                    overriding = Some(option.boolean(b)?);
                } else if !options.set(b, &option)? {
                    return option.unknown(b, OPTIONS);
                }
            }
            Rule::subsearch => subsearch = Some(pipeline::subsearch(b, &part)?),
            _ => {}
        }
    }
    Some(Appendcols { overriding, options, subsearch: subsearch? })
}

impl Display for Appendcols {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("appendcols")?;
        option(f, "override", self.overriding)?;
        write!(f, "{} {}", self.options, self.subsearch)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn overriding() {
        assert_eq!(
            canonical("x | appendcols maxout=20 override=t [| makeresults]"),
            "search x | appendcols override=true maxout=20 [| makeresults]"
        );
        assert!(errors("x | appendcols overwrite=t [y]").contains("its options are override"));
    }
}
