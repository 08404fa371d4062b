//! `highlight`: marks words where events are shown.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::Separated;

/// `highlight WORD ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Highlight {
    /// The words; never empty.
    pub words: Vec<Name>,
}

/// The documentation of `highlight`.
pub const DOC: CommandDoc = CommandDoc {
    name: "highlight",
    summary: "Marks words in Splunk's list of events: the rows stay as they are",
    syntax: "highlight <word> ...",
    arguments: &[ArgumentDoc { name: "<word>", meaning: "what would be marked; nothing is marked here" }],
    examples: &["| makeresults | eval a=\"login failed\" | highlight login, failed"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Highlight> {
    let words = arguments.into_inner().filter(|part| part.as_rule() != Rule::EOI);
    Some(Highlight { words: words.map(|part| words::name(b, &part)).collect() })
}

impl Display for Highlight {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "highlight {}", Separated(&self.words, ", "))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_words() {
        assert_eq!(canonical("| hilite login,logout \"a b\""), "| highlight login, logout, \"a b\"");
        assert!(errors("| highlight").contains("`highlight` needs"));
    }
}
