//! `metasearch`: finds events, and gives what is known of them besides their text.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{self, Rule};
use crate::spl::search::SearchExpression;

/// `metasearch EXPRESSION`.
#[derive(Debug, Clone, PartialEq)]
pub struct Metasearch {
    /// `None` for an empty search, which matches everything.
    pub expression: Option<SearchExpression>,
}

/// The documentation of `metasearch`.
pub const DOC: CommandDoc = CommandDoc {
    name: "metasearch",
    summary: "Finds events and gives their time, host, index, source and sourcetype only",
    syntax: "metasearch [<terms>], such as index=main host=web* error, NOT, OR, ( )",
    arguments: &[ArgumentDoc {
        name: "<terms>",
        meaning: "as in search, but the fields that can be compared are host, index, source, sourcetype, splunk_server and the times",
    }],
    // Without events there is no row to show; the count shows that it runs.
    examples: &["| metasearch index=* error | stats count BY sourcetype | stats count"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Metasearch> {
    let found = arguments.into_inner().find(|pair| pair.as_rule() == Rule::search_expression);
    let expression = match found {
        Some(pair) => Some(parser::search::search_expression(b, pair)?),
        None => None,
    };
    Some(Metasearch { expression })
}

impl Display for Metasearch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.expression {
            Some(expression) => write!(f, "metasearch {expression}"),
            None => f.write_str("metasearch"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::canonical;

    #[test]
    fn is_a_search() {
        assert_eq!(canonical("| metasearch index=* 404"), "| metasearch index=* AND 404");
        assert_eq!(canonical("| metasearch"), "| metasearch");
    }
}
