//! What a query wants of events as far as the header of an event tells it; see [`crate::plan::prefilter`].

use spelunk_grammar::logscale::query::{Call, Comparator, Filter, Query, StepKind, Value, ValueKind};
use spelunk_grammar::logscale::walk::{self, Walk};

use super::needs;
use crate::functions::pattern::Wildcard;
use crate::ingest::Prefilter;
use crate::ingest::prefilter::{Wanted, is_plain_number};
use crate::knowledge::Knowledge;
use crate::plan::prefilter;

/// What a query wants, if anything can be told from its text and the bounds of time.
pub fn of(
    query: &Query,
    knowledge: Knowledge<'_>,
    (earliest, latest): (Option<i64>, Option<i64>),
) -> Option<Prefilter> {
    let mut calls = Calls { work_on_rows: true };
    calls.pipeline(&mut query.pipeline.clone());
    if !calls.work_on_rows {
        return None;
    }
    let mut wanted = Vec::new();
    for step in &query.pipeline.steps {
        let StepKind::Filter(filter) = &step.kind else { break };
        let parts = match filter {
            Filter::And(parts) => parts.as_slice(),
            single => std::slice::from_ref(single),
        };
        // A call can change the rows, and with that what comes after it.
        let conditions = parts.iter().take_while(|part| !matches!(part, Filter::Call(_)));
        let before = wanted.len();
        wanted.extend(conditions.map(|part| of_filter(part, knowledge)));
        if wanted.len().saturating_sub(before) < parts.len() {
            break;
        }
    }
    let prefilter = Prefilter { wanted: Wanted::All(wanted), earliest, latest };
    prefilter.is_useful().then_some(prefilter)
}

fn of_filter(filter: &Filter, knowledge: Knowledge<'_>) -> Wanted {
    match filter {
        Filter::And(parts) => Wanted::All(parts.iter().map(|part| of_filter(part, knowledge)).collect()),
        Filter::Or(parts) => Wanted::Any(parts.iter().map(|part| of_filter(part, knowledge)).collect()),
        Filter::Comparison(comparison) if comparison.comparator.node == Comparator::Is => {
            is_any_of(&comparison.field.node, std::slice::from_ref(&comparison.value), knowledge)
        }
        Filter::Membership(membership) if !membership.negated => {
            is_any_of(&membership.field.node, &membership.values, knowledge)
        }
        _ => Wanted::Untold,
    }
}

fn is_any_of(field: &str, values: &[Value], knowledge: Knowledge<'_>) -> Wanted {
    let patterns = values.iter().map(|value| {
        let text = match &value.kind {
            ValueKind::Pattern(text) => text.clone(),
            ValueKind::Quoted(text) => text.unescaped(),
            ValueKind::Regex(_) | ValueKind::Parameter(_) => return None,
        };
        // Numbers are compared as such, whatever their form.
        let is_odd = text.parse::<f64>().is_ok() && !is_plain_number(&text);
        if is_odd || text.starts_with("0x") { None } else { Wildcard::any_case(&text).ok() }
    });
    let patterns = patterns.collect::<Option<_>>();
    patterns.map_or(Wanted::Untold, |patterns| prefilter::is_any_of(field, patterns, knowledge))
}

/// Looks whether all functions work on the rows that reach them.
struct Calls {
    work_on_rows: bool,
}

impl Walk for Calls {
    fn call(&mut self, call: &mut Call) {
        self.work_on_rows &= needs::works_on_rows(&call.name.node);
        walk::call_parts(self, call);
    }

    fn filter(&mut self, filter: &mut Filter) {
        self.work_on_rows &= !matches!(filter, Filter::Saved(_));
        walk::filter_parts(self, filter);
    }
}
