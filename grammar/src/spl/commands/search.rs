//! `search`: keeps the events that match, and finds them in the first place.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{self, Rule};
use crate::spl::search::SearchExpression;

/// `search EXPRESSION`, or the expression alone at the start of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// `None` for an empty search, which matches everything.
    pub expression: Option<SearchExpression>,
}

/// The documentation of `search`.
pub const DOC: CommandDoc = CommandDoc {
    name: "search",
    summary: "Keeps the events that match; at the start of a search it finds them",
    syntax: "[search] <terms>, such as field=value, field IN (a, b), word, \"a phrase\", NOT, OR, ( )",
    arguments: &[
        ArgumentDoc { name: "field=value", meaning: "compares the whole value, in any letter case; `*` stands for anything" },
        ArgumentDoc { name: "field IN (value, ...)", meaning: "any of the values" },
        ArgumentDoc { name: "word, \"a phrase\"", meaning: "occurs in the text of the event" },
        ArgumentDoc { name: "AND, OR, NOT", meaning: "in capitals; OR binds tighter than AND, and a blank means AND" },
        ArgumentDoc { name: "CASE(value), TERM(value)", meaning: "letter case counts; one whole term" },
    ],
    examples: &["| makeresults | eval status=404 | search status IN (404, 5*) NOT method=GET"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Search> {
    let found = arguments.into_inner().find(|pair| pair.as_rule() == Rule::search_expression);
    let expression = match found {
        Some(pair) => Some(parser::search::search_expression(b, pair)?),
        None => None,
    };
    Some(Search { expression })
}

impl Display for Search {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.expression {
            Some(expression) => write!(f, "search {expression}"),
            None => f.write_str("search"),
        }
    }
}
