//! What events have to fulfil so that a search can want them, for whoever reads them.
//!
//! Only of searches whose rows all come from what their first command finds, and only of fields that are what the events
//! say: neither apps nor views make them, and no value of them is forgiven.

use std::sync::Arc;

use spelunk_grammar::spl::Query;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::search::{ComparisonOperator, Literal, Matching, Operand, SearchExpression};

use super::{METADATA, needs, search};
use crate::functions::pattern::{self, Wildcard};
use crate::ingest::{Condition, Conditions};
use crate::knowledge::Knowledge;
use crate::views::{Asked, Serving, View};

/// The conditions of a search; `None` where it may want any event.
pub fn of(query: &Query, knowledge: Knowledge<'_>, asked: &Asked, view: View) -> Option<Arc<Conditions>> {
    let (first, rest) = query.commands.split_first()?;
    let CommandKind::Search(search) = &first.kind else { return None };
    let is_one_pipe = rest.iter().all(|command| works_on_its_rows(&command.kind)) && !needs::has_subsearches(query);
    let expression = search.expression.as_ref().filter(|_| is_one_pipe)?;
    Conditions::of(Teller { knowledge, asked, view }.condition(expression))
}

/// Whether a command takes nothing but the rows that come to it, and files that are no events.
fn works_on_its_rows(command: &CommandKind) -> bool {
    matches!(
        command,
        CommandKind::Accum(_)
            | CommandKind::Addcoltotals(_)
            | CommandKind::Addtotals(_)
            | CommandKind::Autoregress(_)
            | CommandKind::Bin(_)
            | CommandKind::Chart(_)
            | CommandKind::Convert(_)
            | CommandKind::Dedup(_)
            | CommandKind::Delta(_)
            | CommandKind::Eval(_)
            | CommandKind::Eventstats(_)
            | CommandKind::Fieldformat(_)
            | CommandKind::Fields(_)
            | CommandKind::Filldown(_)
            | CommandKind::Fillnull(_)
            | CommandKind::Head(_)
            | CommandKind::Lookup(_)
            | CommandKind::Makemv(_)
            | CommandKind::Mvcombine(_)
            | CommandKind::Mvexpand(_)
            | CommandKind::Nomv(_)
            | CommandKind::Rangemap(_)
            | CommandKind::Rare(_)
            | CommandKind::Regex(_)
            | CommandKind::Rename(_)
            | CommandKind::Replace(_)
            | CommandKind::Reverse(_)
            | CommandKind::Rex(_)
            | CommandKind::Search(_)
            | CommandKind::Sort(_)
            | CommandKind::Spath(_)
            | CommandKind::Stats(_)
            | CommandKind::Strcat(_)
            | CommandKind::Streamstats(_)
            | CommandKind::Table(_)
            | CommandKind::Tail(_)
            | CommandKind::Timechart(_)
            | CommandKind::Top(_)
            | CommandKind::Transaction(_)
            | CommandKind::Where(_)
    )
}

struct Teller<'a> {
    knowledge: Knowledge<'a>,
    asked: &'a Asked,
    view: View,
}

impl Teller<'_> {
    fn condition(&self, expression: &SearchExpression) -> Condition {
        match expression {
            SearchExpression::And(parts) => Condition::All(parts.iter().map(|part| self.condition(part)).collect()),
            SearchExpression::Or(parts) => Condition::Any(parts.iter().map(|part| self.condition(part)).collect()),
            SearchExpression::Comparison(comparison) => match (&comparison.value, comparison.operator) {
                (Operand::Literal(literal), ComparisonOperator::Equal) => {
                    self.field(&comparison.field.text, std::slice::from_ref(literal))
                }
                _ => Condition::Untold,
            },
            SearchExpression::In(list) => self.field(&list.field.text, &list.values),
            SearchExpression::Term(literal) => self.word(literal),
            SearchExpression::Not(_) | SearchExpression::Subsearch(_) | SearchExpression::Macro(_) => Condition::Untold,
        }
    }

    fn field(&self, name: &str, literals: &[Literal]) -> Condition {
        if !self.is_of_events(name) || search::is_special(name) || METADATA.contains(&name) {
            return Condition::Untold;
        }
        let patterns: Option<Vec<Wildcard>> = literals.iter().map(wildcard).collect();
        patterns.map_or(Condition::Untold, |patterns| Condition::Field(name.to_owned(), patterns))
    }

    fn word(&self, literal: &Literal) -> Condition {
        let (case, term) = (literal.matching == Matching::Case, literal.matching == Matching::Term);
        match (pattern::keyword(&literal.text, case, term), sought(&literal.text)) {
            (Ok(regex), Some(piece)) if self.is_of_events("_raw") => Condition::Word(regex, piece.to_owned()),
            _ => Condition::Untold,
        }
    }

    /// Whether a field is what the events say, and nothing else makes it.
    fn is_of_events(&self, name: &str) -> bool {
        let lookups = self.knowledge.lookups.map(Arc::as_ref);
        let props = &self.knowledge.apps.props;
        let steps = props.selected(|made| made == name, |_| true, lookups).steps;
        steps.is_empty() && !Serving::may_make(self.view, self.asked, name)
    }
}

/// The piece of a word that is looked for first: the longest, of letters that no other script has in other letter cases,
/// as it has for `k` and `s`. Among others, fewer texts pass for hits.
fn sought(word: &str) -> Option<&str> {
    let pieces = || word.split('*');
    let plain = pieces()
        .flat_map(|piece| piece.split(|letter: char| !letter.is_ascii() || matches!(letter, 'k' | 'K' | 's' | 'S')));
    let longest_plain = plain.max_by_key(|piece| piece.len()).filter(|piece| piece.len() >= SHORTEST);
    longest_plain.or_else(|| pieces().max_by_key(|piece| piece.len()).filter(|piece| !piece.is_empty()))
}

/// A shorter piece is in too many texts.
const SHORTEST: usize = 4;

/// A value as it is compared with text; none where it may mean something else too.
fn wildcard(literal: &Literal) -> Option<Wildcard> {
    match literal.matching {
        Matching::Case => Wildcard::same_case(&literal.text).ok(),
        _ if pattern::cidr(&literal.text).is_some() => None,
        _ => Wildcard::any_case(&literal.text).ok(),
    }
}
