//! `search`: keeps the events that match, and finds them in the first place.
use crate::spl::search::SearchExpression;

/// `search EXPRESSION`, or the expression alone at the start of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// `None` for an empty search, which matches everything.
    pub expression: Option<SearchExpression>,
}
