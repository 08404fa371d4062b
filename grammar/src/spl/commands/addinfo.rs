//! `addinfo`: facts about the search as fields.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `addinfo`.
#[derive(Debug, Clone, PartialEq)]
pub struct Addinfo;

/// The documentation of `addinfo`.
pub const DOC: CommandDoc = CommandDoc {
    name: "addinfo",
    summary: "Adds facts about the search to every row",
    syntax: "addinfo",
    arguments: &[
        ArgumentDoc { name: "info_min_time", meaning: "the earliest time that the search looks at, 0.000 without one" },
        ArgumentDoc { name: "info_max_time", meaning: "the time that it ends before, +Infinity without one" },
        ArgumentDoc { name: "info_search_time", meaning: "when it was started" },
        ArgumentDoc { name: "info_sid", meaning: "its id: when it was started, as Splunk's search ids begin" },
    ],
    examples: &["| makeresults | addinfo | table info_min_time info_max_time"],
};

pub(super) fn build(_: &mut Builder<'_>, _: Pair<'_, Rule>) -> Option<Addinfo> {
    Some(Addinfo)
}

impl Display for Addinfo {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("addinfo")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_nothing() {
        assert_eq!(canonical("x | ADDINFO"), "search x | addinfo");
        assert!(errors("x | addinfo y").contains("expected the end of the command"));
    }
}
