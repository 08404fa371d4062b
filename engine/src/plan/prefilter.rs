//! What a search wants of events as far as the header of an event tells it, so that reading can leave the others out.
//!
//! Only searches qualify that look at the events once, in their first command. A condition that is not understood here
//! leaves nothing out, and neither does one on a field that apps may make.

use std::sync::Arc;

use spelunk_grammar::spl::Query;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::search::{Comparison, ComparisonOperator, InList, Literal, Operand, SearchExpression};

use super::Clock;
use super::search::{self, Bound};
use crate::functions::pattern::{self, Wildcard};
use crate::ingest::Prefilter;
use crate::ingest::prefilter::{Told, Wanted};
use crate::knowledge::Knowledge;
use crate::views;

/// What a query wants, if anything can be told from its text. `bounds` are those of a search that names none.
pub fn of(
    query: &Query,
    knowledge: Knowledge<'_>,
    clock: &Clock,
    bounds: (Option<i64>, Option<i64>),
) -> Option<Prefilter> {
    let (first, rest) = query.commands.split_first()?;
    let CommandKind::Search(first) = &first.kind else { return None };
    let text = query.to_string();
    // A subsearch looks at the events too, as it is printed.
    if !rest.iter().all(|command| works_on_rows(&command.kind)) || text.contains("[search") || text.contains("[|") {
        return None;
    }
    let (mut earliest, mut latest) = bounds;
    let mut wanted = Vec::new();
    if let Some(expression) = &first.expression {
        if search::names(expression, Bound::Earliest) {
            earliest = None;
        }
        if search::names(expression, Bound::Latest) {
            latest = None;
        }
        let parts = match expression {
            SearchExpression::And(parts) => parts.as_slice(),
            single => std::slice::from_ref(single),
        };
        for part in parts {
            wanted.push(of_expression(part, knowledge));
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
        wanted.extend(further.expression.iter().map(|expression| of_expression(expression, knowledge)));
    }
    let prefilter = Prefilter { wanted: Wanted::All(wanted), earliest, latest };
    prefilter.is_useful().then_some(prefilter)
}

fn of_expression(expression: &SearchExpression, knowledge: Knowledge<'_>) -> Wanted {
    match expression {
        SearchExpression::And(parts) => Wanted::All(parts.iter().map(|part| of_expression(part, knowledge)).collect()),
        SearchExpression::Or(parts) => Wanted::Any(parts.iter().map(|part| of_expression(part, knowledge)).collect()),
        SearchExpression::Comparison(Comparison {
            field,
            operator: ComparisonOperator::Equal,
            value: Operand::Literal(literal),
            span: _,
        }) => field_is(&field.text, std::slice::from_ref(literal), knowledge),
        SearchExpression::In(InList { field, values, span: _ }) => field_is(&field.text, values, knowledge),
        // What is not wanted could be told too, but searches begin with what is.
        SearchExpression::Not(_)
        | SearchExpression::Comparison(_)
        | SearchExpression::Term(_)
        | SearchExpression::Subsearch(_)
        | SearchExpression::Macro(_) => Wanted::Untold,
    }
}

fn field_is(name: &str, values: &[Literal], knowledge: Knowledge<'_>) -> Wanted {
    // Letter case counts or does not; what fits with it fits without.
    let patterns = values.iter().map(|literal| match pattern::cidr(&literal.text) {
        Some(_) => None,
        None => Wildcard::any_case(&literal.text).ok(),
    });
    patterns.collect::<Option<_>>().map_or(Wanted::Untold, |patterns| is_any_of(name, patterns, knowledge))
}

/// What a condition wants that a field fits one of the patterns.
pub fn is_any_of(name: &str, patterns: Vec<Wildcard>, knowledge: Knowledge<'_>) -> Wanted {
    let props = &knowledge.apps.props;
    if props.makes(name, knowledge.lookups.map(Arc::as_ref)) {
        return Wanted::Untold;
    }
    let field = match name {
        "EventCode" | "EventID" => Told::Code,
        "Channel" => Told::Channel,
        "source" => Told::Source,
        "sourcetype" if !props.renames() => Told::Sourcetype,
        _ if views::untagged(name) == views::TYPE => return views::of_types(&patterns),
        _ => return Wanted::Untold,
    };
    Wanted::Field(field, patterns)
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
