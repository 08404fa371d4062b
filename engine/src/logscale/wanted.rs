//! What a query wants of events as far as the header of an event tells it; see [`crate::plan::wanted`].

use std::sync::Arc;

use spelunk_grammar::logscale::query::{Call, Comparator, Filter, Query, StepKind, Value, ValueKind};
use spelunk_grammar::logscale::walk::{self, Walk};

use super::needs;
use crate::functions::wildcard::Wildcard;
use crate::ingest::wanted::is_plain_number;
use crate::ingest::{Condition, Wanted};
use crate::plan::wanted::Teller;

/// What a query wants, if anything can be told from its text and the bounds of time.
pub fn of(query: &Query, teller: &Teller<'_>, (earliest, latest): (Option<i64>, Option<i64>)) -> Option<Arc<Wanted>> {
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
        wanted.extend(conditions.map(|part| of_filter(part, teller)));
        if wanted.len().saturating_sub(before) < parts.len() {
            break;
        }
    }
    Wanted::of(Condition::All(wanted), earliest, latest)
}

fn of_filter(filter: &Filter, teller: &Teller<'_>) -> Condition {
    match filter {
        Filter::And(parts) => Condition::All(parts.iter().map(|part| of_filter(part, teller)).collect()),
        Filter::Or(parts) => Condition::Any(parts.iter().map(|part| of_filter(part, teller)).collect()),
        Filter::Comparison(comparison) if comparison.comparator.node == Comparator::Is => {
            is_any_of(&comparison.field.node, std::slice::from_ref(&comparison.value), teller)
        }
        Filter::Membership(membership) if !membership.negated => {
            is_any_of(&membership.field.node, &membership.values, teller)
        }
        _ => Condition::Untold,
    }
}

fn is_any_of(field: &str, values: &[Value], teller: &Teller<'_>) -> Condition {
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
    patterns.map_or(Condition::Untold, |patterns| teller.header(field, patterns))
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
