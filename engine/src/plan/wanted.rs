//! What a search wants of events, as far as reading them can tell, so that reading can leave the others out.
//!
//! Only searches qualify that look at the events once, in their first command. A condition that is not understood here
//! leaves nothing out, and neither does one on a field that apps or views may make.

use std::sync::Arc;

use spelunk_grammar::spl::Query;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::search::{
    Comparison, ComparisonOperator, InList, Literal, Matching, Operand, SearchExpression,
};

use super::search::{self, Bound};
use super::{Clock, METADATA, needs};
use crate::functions::pattern;
use crate::functions::wildcard::Wildcard;
use crate::ingest::wanted::Told;
use crate::ingest::{Condition, Wanted};
use crate::knowledge::Knowledge;
use crate::views::{self, Asked, MayMake, Serving, View};

/// What the conditions of a search are about.
pub struct Teller<'a> {
    /// What may make fields of others.
    pub knowledge: Knowledge<'a>,
    /// What the search asks of the events.
    pub asked: &'a Asked,
    /// Which view may serve it.
    pub view: View,
}

/// What a query wants, if anything can be told from its text. `bounds` are those of a search that names none.
pub fn of(
    query: &Query,
    teller: &Teller<'_>,
    clock: &Clock,
    bounds: (Option<i64>, Option<i64>),
) -> Option<Arc<Wanted>> {
    let (first, rest) = query.commands.split_first()?;
    let CommandKind::Search(first) = &first.kind else { return None };
    if !rest.iter().all(|command| works_on_rows(&command.kind)) || needs::has_subsearches(query) {
        return None;
    }
    let (mut earliest, mut latest) = bounds;
    let mut parts = Vec::new();
    if let Some(expression) = &first.expression {
        if search::names(expression, Bound::Earliest) {
            earliest = None;
        }
        if search::names(expression, Bound::Latest) {
            latest = None;
        }
        for part in conjuncts(expression) {
            parts.push(teller.condition(part));
            match bound(part, expression, clock) {
                Some((Bound::Earliest, time)) => earliest = Some(earliest.map_or(time, |known| known.max(time))),
                Some((Bound::Latest, time)) => latest = Some(latest.map_or(time, |known| known.min(time))),
                None => {}
            }
        }
    }
    // What is searched for further on, as long as nothing else was done to the events.
    for command in rest {
        let CommandKind::Search(further) = &command.kind else { break };
        parts.extend(further.expression.iter().map(|expression| teller.condition(expression)));
    }
    Wanted::of(Condition::All(parts), earliest, latest)
}

fn conjuncts(expression: &SearchExpression) -> &[SearchExpression] {
    match expression {
        SearchExpression::And(parts) => parts,
        single => std::slice::from_ref(single),
    }
}

impl Teller<'_> {
    fn condition(&self, expression: &SearchExpression) -> Condition {
        match expression {
            SearchExpression::And(parts) => Condition::All(parts.iter().map(|part| self.condition(part)).collect()),
            SearchExpression::Or(parts) => Condition::Any(parts.iter().map(|part| self.condition(part)).collect()),
            SearchExpression::Comparison(Comparison {
                field,
                operator: ComparisonOperator::Equal,
                value: Operand::Literal(literal),
                span: _,
            }) => self.is_any_of(&field.text, std::slice::from_ref(literal)),
            SearchExpression::In(InList { field, values, span: _ }) => self.is_any_of(&field.text, values),
            SearchExpression::Term(literal) => self.word(literal),
            // What is not wanted could be told too, but searches begin with what is.
            SearchExpression::Not(_)
            | SearchExpression::Comparison(_)
            | SearchExpression::Subsearch(_)
            | SearchExpression::Macro(_) => Condition::Untold,
        }
    }

    fn is_any_of(&self, name: &str, literals: &[Literal]) -> Condition {
        // Letter case counts or does not; what fits with it fits without.
        let any_case = literals.iter().map(|literal| match pattern::cidr(&literal.text) {
            Some(_) => None,
            None => Wildcard::any_case(&literal.text).ok(),
        });
        let any_case = any_case.collect::<Option<_>>();
        let header = any_case.map_or(Condition::Untold, |patterns| self.header(name, patterns));
        Condition::All(vec![header, self.field(name, literals)])
    }

    /// What a condition wants of an event's header that a field fits one of the patterns.
    pub fn header(&self, name: &str, patterns: Vec<Wildcard>) -> Condition {
        let props = &self.knowledge.apps.props;
        if props.makes(name, self.knowledge.lookups.map(Arc::as_ref)) {
            return Condition::Untold;
        }
        let field = match name {
            "EventCode" | "EventID" => Told::Code,
            "Channel" => Told::Channel,
            "source" => Told::Source,
            "sourcetype" if !props.renames() => Told::Sourcetype,
            _ if views::untagged(name) == views::TYPE => return views::of_types(&patterns),
            _ => return Condition::Untold,
        };
        Condition::Header(field, patterns)
    }

    fn field(&self, name: &str, literals: &[Literal]) -> Condition {
        if self.do_apps_make(name) || search::is_special(name) || METADATA.contains(&name) {
            return Condition::Untold;
        }
        let patterns: Option<Vec<Wildcard>> = literals.iter().map(wildcard).collect();
        let Some(patterns) = patterns else { return Condition::Untold };
        let own = Condition::Field(name.to_owned(), patterns);
        match Serving::may_make(self.view, self.asked, name) {
            MayMake::Nothing => own,
            MayMake::OfTypes(types) => {
                let others = types.iter().map(|&field| Condition::Present(field));
                Condition::Any([own].into_iter().chain(others).collect())
            }
            MayMake::OfAny => Condition::Untold,
        }
    }

    fn word(&self, literal: &Literal) -> Condition {
        let (case, term) = (literal.matching == Matching::Case, literal.matching == Matching::Term);
        match (pattern::keyword(&literal.text, case, term), sought(&literal.text)) {
            (Ok(regex), Some(piece)) if self.is_text_whole() => Condition::Word(regex, piece.to_owned()),
            _ => Condition::Untold,
        }
    }

    /// Whether the text of an event is what the event says, and nothing else makes it.
    fn is_text_whole(&self) -> bool {
        !self.do_apps_make("_raw") && Serving::may_make(self.view, self.asked, "_raw") == MayMake::Nothing
    }

    fn do_apps_make(&self, name: &str) -> bool {
        let lookups = self.knowledge.lookups.map(Arc::as_ref);
        let props = &self.knowledge.apps.props;
        !props.selected(|made| made == name, |_| true, lookups).steps.is_empty()
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

/// The bound of time that a part of a search sets.
fn bound(part: &SearchExpression, whole: &SearchExpression, clock: &Clock) -> Option<(Bound, i64)> {
    let SearchExpression::Comparison(Comparison {
        field,
        operator: ComparisonOperator::Equal,
        value: Operand::Literal(literal),
        span: _,
    }) = part
    else {
        return None;
    };
    let modifier = search::modifier(&field.text)?;
    let format = search::time_format(whole).map(|format| format.text.as_str());
    if format.is_some() {
        // Whether it is a format or a field, only the events tell.
        return None;
    }
    Some((modifier.bound, modifier.time(&literal.text, None, clock).ok()?))
}

/// Whether a command looks at nothing but the rows that reach it.
fn works_on_rows(command: &CommandKind) -> bool {
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
            | CommandKind::Extract(_)
            | CommandKind::Fieldformat(_)
            | CommandKind::Fields(_)
            | CommandKind::Filldown(_)
            | CommandKind::Fillnull(_)
            | CommandKind::Head(_)
            | CommandKind::Iplocation(_)
            | CommandKind::Lookup(_)
            | CommandKind::Makemv(_)
            | CommandKind::Mvcombine(_)
            | CommandKind::Mvexpand(_)
            | CommandKind::Nomv(_)
            | CommandKind::Outputlookup(_)
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
            | CommandKind::Uniq(_)
            | CommandKind::Where(_)
            | CommandKind::Xmlkv(_)
            | CommandKind::Xyseries(_)
    )
}
