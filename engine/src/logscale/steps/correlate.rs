//! `correlate`: groups of events, one for each named query, whose fields agree as the queries say.
//!
//! Each query becomes a plan over the same events; those that are linked are joined one after the other, by the
//! text of the linked fields. An event stands for one query of a group only.

use std::collections::HashSet;

use datafusion::common::{Column, JoinType};
use datafusion::functions::expr_fn::abs;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, cast, lit};
use spelunk_grammar::logscale::query::{
    Argument, Comparator, Comparison, ExpressionKind, Filter, Labelled, StepKind, Value as Operand, ValueKind,
};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::super::aggregates::length;
use super::super::arguments::{Arguments, expected, names};
use super::super::rows::{Rows, settled, stored};
use super::super::{Run, as_number, unsupported};
use crate::plan::PlanResult;
use crate::plan::barrier;
use crate::plan::combine::shown;
use crate::plan::frame::{Frame, OrderKey, column};
use crate::plan::grid::Grid;
use crate::plan::window;
use crate::values::Value;

/// The number of an event, which tells it from all others.
const EVENT: &str = "__correlate_event";

/// One of the named queries.
struct Query {
    label: Spanned<String>,
    frame: Frame,
    include: Vec<Spanned<String>>,
}

/// `field <=> other.field`
struct Link {
    from: usize,
    own: Spanned<String>,
    to: usize,
    theirs: Spanned<String>,
}

/// `correlate`
pub async fn correlate(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    super::whole(run, a)?;
    let constraints = a.names("globalConstraints")?.unwrap_or_default();
    let within = a.text("within")?.map(|text| length(&text)).transpose()?;
    let sequence = a.flag("sequence", false)?;
    let once = a.flag("includeMatchesOnceOnly", false)?;
    a.done()?;
    let labelled: Vec<&Labelled> = a.call.arguments.iter().filter_map(of_label).collect();
    if labelled.len() < 2 {
        return Err(expected("two or more queries such as `name: { ... }`", a.span()).into());
    }
    let number = window::add(frame, row_number())?;
    frame.set(vec![(EVENT.to_owned(), cast(number, arrow::datatypes::DataType::Int64))])?;
    // Each query looks at the same rows.
    barrier::materialise(run.planner, frame).await?;
    let labels: Vec<&str> = labelled.iter().map(|one| one.name.node.as_str()).collect();
    let mut queries = Vec::new();
    let mut links = Vec::new();
    for (position, one) in labelled.iter().enumerate() {
        if labels.iter().take(position).any(|before| *before == one.name.node) {
            let message = format!("two queries are named `{}`", one.name.node);
            return Err(Diagnostic::error(Code::InvalidArgument, message, one.name.span).into());
        }
        queries.push(query(run, frame, one, position, &labels, &mut links).await?);
    }
    for constraint in &constraints {
        for to in 1..queries.len() {
            links.push(Link { from: 0, own: constraint.clone(), to, theirs: constraint.clone() });
        }
    }
    let (plan, fields) = joined(&queries, &links, a.span())?;
    let open = frame.open;
    frame.replace(plan, vec![OrderKey { column: time(0), descending: false }]);
    frame.open = open;
    for right in 0..queries.len() {
        for left in 0..right {
            frame.filter(column(&event(left)).not_eq(column(&event(right))))?;
            if let Some(within) = within {
                frame.filter(abs(column(&time(left)) - column(&time(right))).lt_eq(lit(within)))?;
            }
            if sequence && left.saturating_add(1) == right {
                frame.filter(column(&time(left)).lt_eq(column(&time(right))))?;
            }
        }
    }
    run.aggregated = true;
    for position in 0..queries.len() {
        frame.order_within(event(position));
    }
    if once {
        each_once(run, frame, queries.len(), a.span()).await?;
    }
    let kept = fields.into_iter().map(|(name, from)| (name, column(&from))).collect();
    frame.select(kept)?;
    Ok(())
}

fn of_label(argument: &Argument) -> Option<&Labelled> {
    match argument {
        Argument::Labelled(labelled) => Some(labelled),
        _ => None,
    }
}

fn event(position: usize) -> String {
    format!("correlated {position} event")
}

fn time(position: usize) -> String {
    format!("correlated {position} time")
}

fn key(position: usize, field: &str) -> String {
    format!("correlated {position} key {field}")
}

/// Plans the filters of a query, and takes out its links.
async fn query(
    run: &mut Run<'_, '_>,
    frame: &Frame,
    labelled: &Labelled,
    position: usize,
    labels: &[&str],
    links: &mut Vec<Link>,
) -> PlanResult<Query> {
    let mut own = frame.clone();
    let mut inner = Run { planner: &mut *run.planner, aggregated: run.aggregated, preamble: false, keys: Vec::new() };
    for step in &labelled.pipeline.steps {
        let parts = match &step.kind {
            StepKind::Filter(Filter::And(parts)) => parts.as_slice(),
            StepKind::Filter(one) => std::slice::from_ref(one),
            _ => {
                Box::pin(inner.row_step(&mut own, None, step)).await?;
                continue;
            }
        };
        for part in parts {
            match part {
                Filter::Comparison(Comparison { field, comparator, value }) if comparator.node == Comparator::Link => {
                    let (to, theirs) = other(value, labels)?;
                    links.push(Link { from: position, own: field.clone(), to, theirs });
                }
                filter => Box::pin(inner.row_filter(&mut own, None, filter)).await?,
            }
        }
    }
    let mut include = None;
    for (name, value) in &labelled.attributes {
        match name.node.to_ascii_lowercase().as_str() {
            "include" if matches!(&value.kind, ExpressionKind::Pattern(all) if all == "*") => {}
            "include" => include = Some(names(value)?),
            _ => return Err(unsupported(&format!("`{}` of a query", name.node), name.span).into()),
        }
    }
    let all =
        || shown(frame).into_iter().filter(|name| name != EVENT).map(|name| Spanned::new(name, labelled.name.span));
    let include = include.unwrap_or_else(|| all().collect());
    Ok(Query { label: labelled.name.clone(), frame: own, include })
}

/// The query and the field that a link names.
fn other(value: &Operand, labels: &[&str]) -> Result<(usize, Spanned<String>), Diagnostic> {
    let text = match &value.kind {
        ValueKind::Pattern(pattern) => pattern.clone(),
        ValueKind::Quoted(text) => text.unescaped(),
        _ => return Err(expected("a field of another query, such as `name.field`", value.span)),
    };
    let found = labels.iter().enumerate().filter_map(|(index, label)| {
        let field = text.strip_prefix(label)?.strip_prefix('.')?;
        Some((index, label.len(), field.to_owned()))
    });
    match found.max_by_key(|(_, length, _)| *length) {
        Some((index, _, field)) => Ok((index, Spanned::new(field, value.span))),
        None => {
            let help = format!("the queries are {}", labels.join(", "));
            Err(expected("a field of another query, such as `name.field`", value.span).with_help(help))
        }
    }
}

/// The fields of the result, and the columns that they come from.
type Fields = Vec<(String, String)>;

/// The queries joined one after the other.
fn joined(queries: &[Query], links: &[Link], span: Span) -> PlanResult<(LogicalPlan, Fields)> {
    let mut fields = Fields::new();
    let mut sides = Vec::new();
    for (position, query) in queries.iter().enumerate() {
        sides.push(Some(side(query, position, links, &mut fields)?));
    }
    let Some(mut plan) = sides.first_mut().and_then(Option::take) else {
        return Err(expected("a query", span).into());
    };
    let mut inside = HashSet::from([0_usize]);
    while inside.len() < queries.len() {
        let reach = |link: &&Link| inside.contains(&link.from) != inside.contains(&link.to);
        let Some(next) = links.iter().find(reach) else {
            let alone = queries.iter().enumerate().find(|(position, _)| !inside.contains(position));
            let label = alone.map(|(_, query)| query.label.clone()).unwrap_or(Spanned::new(String::new(), span));
            let message = format!("the query `{}` is not linked to the others", label.node);
            let error = Diagnostic::error(Code::InvalidArgument, message, label.span);
            return Err(error.with_help("link a field of it with `field <=> other.field`").into());
        };
        let next = if inside.contains(&next.from) { next.to } else { next.from };
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for link in links {
            let (ours, theirs) = if link.to == next && inside.contains(&link.from) {
                (key(link.from, &link.own.node), key(next, &link.theirs.node))
            } else if link.from == next && inside.contains(&link.to) {
                (key(link.to, &link.theirs.node), key(next, &link.own.node))
            } else {
                continue;
            };
            left.push(Column::new_unqualified(ours));
            right.push(Column::new_unqualified(theirs));
        }
        let Some(other) = sides.get_mut(next).and_then(Option::take) else {
            return Err(expected("a query", span).into());
        };
        plan = LogicalPlanBuilder::new(plan).join(other, JoinType::Inner, (left, right), None)?.build()?;
        inside.insert(next);
    }
    Ok((plan, fields))
}

/// The rows of a query: which event it is, when, what it is linked by, and what of it is shown.
fn side(query: &Query, position: usize, links: &[Link], fields: &mut Fields) -> PlanResult<LogicalPlan> {
    let rows = Rows::of(&query.frame);
    let when = as_number(&rows.field("@timestamp", query.label.span));
    let mut columns = vec![
        column(EVENT).alias(event(position)),
        cast(when, arrow::datatypes::DataType::Float64).alias(time(position)),
    ];
    let mut keys: Vec<&Spanned<String>> = Vec::new();
    for link in links {
        let own = [(link.from, &link.own), (link.to, &link.theirs)];
        keys.extend(own.into_iter().filter(|(of, _)| *of == position).map(|(_, field)| field));
    }
    let mut known = HashSet::new();
    for field in keys {
        if known.insert(field.node.as_str()) {
            let text = settled(&rows.field(&field.node, field.span)).text();
            columns.push(cast(text, arrow::datatypes::DataType::Utf8).alias(key(position, &field.node)));
        }
    }
    let mut shown = HashSet::new();
    for (index, field) in query.include.iter().enumerate() {
        if shown.insert(field.node.as_str()) {
            let name = format!("correlated {position} field {index}");
            let value = rows.field(&field.node, field.span);
            columns.push(stored(&value).alias(&name));
            fields.push((format!("{}.{}", query.label.node, field.node), name));
        }
    }
    Ok(LogicalPlanBuilder::new(query.frame.plan().clone()).project(columns)?.build()?)
}

/// Leaves the first of the groups that an event is in.
async fn each_once(run: &mut Run<'_, '_>, frame: &mut Frame, queries: usize, span: Span) -> PlanResult<()> {
    let Some(mut grid) = Grid::collect(run.planner, frame).await? else { return Ok(()) };
    let events: Vec<usize> = (0..queries).filter_map(|position| grid.position(&event(position))).collect();
    let mut used: HashSet<i64> = HashSet::new();
    grid.rows.retain(|row| {
        let numbers = events.iter().filter_map(|position| row.get(*position).and_then(Value::number));
        let numbers: Vec<i64> = numbers.map(|number| number as i64).collect();
        let free = numbers.iter().all(|number| !used.contains(number));
        if free {
            used.extend(numbers);
        }
        free
    });
    grid.replace(frame, span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_the_query_with_the_longest_label() {
        let value = Operand { kind: ValueKind::Pattern("a.b.c".to_owned()), span: Span::default() };
        let found = other(&value, &["a", "a.b"]).map(|(index, field)| (index, field.node));
        assert_eq!(found.ok(), Some((1, "c".to_owned())));
    }
}
