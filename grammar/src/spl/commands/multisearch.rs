//! `multisearch`: the events of several searches, by time.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::Subsearch;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, pipeline};
use crate::spl::print::Separated;

/// `multisearch [SEARCH] [SEARCH] ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Multisearch {
    /// The searches; at least two.
    pub searches: Vec<Subsearch>,
}

/// The documentation of `multisearch`.
pub const DOC: CommandDoc = CommandDoc {
    name: "multisearch",
    summary: "Lists the events of several searches together, newest first",
    syntax: "multisearch [ <search> ] [ <search> ] ...",
    arguments: &[ArgumentDoc {
        name: "<search>",
        meaning: "a search whose commands look at one row at a time, such as `eval`, `where`, `fields` and `rename`",
    }],
    examples: &["| multisearch [| makeresults | eval site=\"a\"] [| makeresults | eval site=\"b\"] | table site"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Multisearch> {
    let place = b.span(&arguments);
    let mut searches = Vec::new();
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::subsearch) {
        searches.push(pipeline::subsearch(b, &part)?);
    }
    if searches.len() < 2 {
        b.error(Code::InvalidArgument, "`multisearch` needs two searches or more", place);
        return None;
    }
    Some(Multisearch { searches })
}

impl Display for Multisearch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "multisearch {}", Separated(&self.searches, " "))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn two_or_more() {
        assert_eq!(
            canonical("| multisearch [search a | eval x=1] [search b]"),
            "| multisearch [search a | eval x=1] [search b]"
        );
        assert!(errors("| multisearch [search a]").contains("two searches or more"));
        assert!(errors("| multisearch").contains("a search in brackets"));
    }
}
