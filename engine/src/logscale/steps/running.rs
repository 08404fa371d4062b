//! What is computed of the rows around a row: `accumulate`, `slidingWindow`, `slidingTimeWindow`, `neighbor`.
//!
//! They go through the operator of SPL's `streamstats`, with the aggregates of this language.

use std::sync::Arc;

use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_window::expr_fn::{lag, lead};
use datafusion::logical_expr::{Expr, ExprFunctionExt, Extension, LogicalPlan, lit};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::aggregates::{Part, length, ordered, parts_of};
use super::super::arguments::Arguments;
use super::super::rows::{Rows, stored};
use super::super::{Run, as_number, unsupported};
use crate::functions::operators;
use crate::operators::running::{Running, Scope, Specification, Stream};
use crate::plan::PlanResult;
use crate::plan::frame::{Frame, column};
use crate::plan::window;

/// The most rows of a sliding window.
const MOST_EVENTS: usize = 1_000;
/// The farthest neighbour.
const FARTHEST: usize = 10_000;
/// What stands before the names of a neighbour's fields where the query does not say.
const NEIGHBOR: &str = "_neighbor";

/// `accumulate`: the functions over all rows so far.
pub async fn accumulate(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    ordered(run, a)?;
    let current = current(a)?;
    let parts = functions(a)?;
    a.done()?;
    add(run, frame, &parts, Stream { current, ..whole() }).await
}

/// `slidingWindow`: the functions over the last so many rows.
pub async fn row_window(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    ordered(run, a)?;
    let current = current(a)?;
    let events = a.need_text("events")?;
    let window = events.node.parse().ok().filter(|number| (1..=MOST_EVENTS).contains(number));
    let Some(window) = window else {
        let message = format!("`events` is a number from 1 to {MOST_EVENTS}, not `{}`", events.node);
        return Err(Diagnostic::error(Code::InvalidOption, message, events.span).into());
    };
    let parts = functions(a)?;
    a.done()?;
    add(run, frame, &parts, Stream { current, window: Some(window), ..whole() }).await
}

/// `slidingTimeWindow`: the functions over the rows of the last so much time.
pub async fn time_window(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    ordered(run, a)?;
    let current = current(a)?;
    let span = length(&a.need_text("span")?)?;
    let field = a.text("timestampfield")?.unwrap_or_else(|| Spanned::new("@timestamp".to_owned(), a.span()));
    let parts = functions(a)?;
    a.done()?;
    let time = as_number(&Rows::of(frame).field(&field.node, field.span));
    // A row without a time is in no window. The operator reads the time of that name.
    frame.filter(time.clone().is_not_null())?;
    frame.order_by(vec![(time.clone(), false)])?;
    let before = frame.hidden_name();
    let own = frame.data_type("_time").is_some();
    if own {
        frame.set(vec![(before.clone(), column("_time"))])?;
    }
    let seconds = datafusion::logical_expr::cast(time, arrow::datatypes::DataType::Float64)
        / datafusion::logical_expr::lit(1_000.0_f64);
    frame.set(vec![("_time".to_owned(), operators::to_time(seconds))])?;
    let microseconds = (span * 1e3) as i64;
    add(run, frame, &parts, Stream { current, time_window: Some(microseconds), ..whole() }).await?;
    if own {
        frame.set(vec![("_time".to_owned(), column(&before))])?;
        return Ok(());
    }
    let kept = frame.fields().into_iter().filter(|name| name != "_time");
    let kept = kept.map(|name| (name.clone(), column(&name))).collect();
    frame.select(kept)?;
    Ok(())
}

/// `neighbor`: fields of a row before or behind.
pub fn neighbor(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    ordered(run, a)?;
    let include = a.need_names("include")?;
    let prefix = a.text("prefix")?.map_or_else(|| NEIGHBOR.to_owned(), |prefix| prefix.node);
    let preceding = a.choice("direction", &["preceding", "succeeding"])? == "preceding";
    let distance = match a.text("distance")? {
        None => 1,
        Some(text) => match text.node.parse::<usize>().ok().filter(|number| (1..=FARTHEST).contains(number)) {
            Some(number) => i64::try_from(number).unwrap_or(i64::MAX),
            None => {
                let message = format!("`distance` is a number from 1 to {FARTHEST}, not `{}`", text.node);
                return Err(Diagnostic::error(Code::InvalidOption, message, text.span).into());
            }
        },
    };
    a.done()?;
    let mut made = Vec::new();
    for field in include {
        let value = stored(&Rows::of(frame).field(&field.node, field.span));
        let other = match preceding {
            true => lag(value, Some(distance), None),
            false => lead(value, Some(distance), None),
        };
        let keys = run.keys.iter().map(|key| column(key)).collect();
        let other = other.partition_by(keys).order_by(frame.sort_expressions()).build()?;
        made.push((format!("{prefix}.{}", field.node), window::add(frame, other)?));
    }
    frame.set(made)?;
    Ok(())
}

/// A stream of all rows so far, by group.
fn whole() -> Stream {
    Stream {
        current: true,
        window: None,
        global: false,
        time_window: None,
        reset_on_change: false,
        reset_before: None,
        reset_after: None,
    }
}

fn current(a: &Arguments<'_>) -> Result<bool, Diagnostic> {
    Ok(a.choice("current", &["include", "exclude"])? == "include")
}

fn functions<'c>(a: &Arguments<'c>) -> Result<Vec<Part<'c>>, Diagnostic> {
    if !a.has("function") {
        a.need("function")?;
    }
    parts_of(a, "function")
}

/// Adds what the functions give to every row.
async fn add(run: &mut Run<'_, '_>, frame: &mut Frame, parts: &[Part<'_>], stream: Stream) -> PlanResult<()> {
    let mut fused = Vec::new();
    for (position, part) in parts.iter().enumerate() {
        match part.fuse(run, frame, position.saturating_add(1)).await? {
            Some(one) => fused.push(one),
            None => return Err(unsupported("a function that gives more than one row", part.span).into()),
        }
    }
    let mut aggregates: Vec<(String, Expr)> = Vec::new();
    for aggregate in fused.iter().flat_map(|one| &one.computed).flat_map(|one| &one.aggregates) {
        aggregates.push(match aggregate {
            Expr::Alias(alias) => (alias.name.clone(), alias.expr.as_ref().clone()),
            other => (other.schema_name().to_string(), other.clone()),
        });
    }
    let made: Vec<String> = aggregates.iter().map(|(name, _)| name.clone()).collect();
    let specification = Specification {
        aggregates,
        by: run.keys.clone(),
        order: frame.sort_expressions(),
        scope: Scope::Stream(Box::new(stream)),
    };
    let node = Arc::new(Running::new(frame.plan().clone(), specification)?);
    frame.extend(LogicalPlan::Extension(Extension { node }));
    let mut results: Vec<(String, Expr)> = Vec::new();
    for (part, one) in parts.iter().zip(&fused) {
        // A row that is filtered out has no values in the new fields.
        let (fields, _) = one.results(run, frame).await?;
        let zeros = part.zeros();
        for (name, value) in fields {
            let value = match zeros.contains(&name) {
                true => coalesce(vec![value, lit(0.0_f64)]),
                false => value,
            };
            match results.iter_mut().find(|(known, _)| *known == name) {
                Some((_, before)) => *before = value,
                None => results.push((name, value)),
            }
        }
    }
    frame.set(results)?;
    let kept = frame.fields().into_iter().filter(|name| !made.contains(name));
    let kept = kept.map(|name| (name.clone(), column(&name))).collect();
    frame.select(kept)?;
    Ok(())
}
