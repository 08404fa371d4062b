//! `sparkline()` among the functions of `stats` and charts: which stretches of time all its lines have.
//!
//! Source: Splunk Search Reference, "stats"; Search Manual, "Add sparklines to search results".

use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument, Sparkline};
use spelunk_grammar::{Code, Diagnostic};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::{PlanResult, suggest};
use crate::functions::buckets::Step;
use crate::functions::sparkline::{self, FUNCTIONS};

/// The columns with the first and the last time, in seconds.
const BOUNDS: (&str, &str) = ("__order_sparkline_first", "__order_sparkline_last");

/// Gives every row the first and the last time of all rows, where a sparkline needs them. The lines of all groups
/// have the same stretches of time, so that they can be compared.
///
/// # Errors
/// There is no `_time`.
pub fn prepare<'a>(frame: &mut Frame, aggregates: impl IntoIterator<Item = &'a Aggregate>) -> PlanResult<()> {
    let is_sparkline = |aggregate: &&Aggregate| matches!(aggregate.argument, Some(AggregateArgument::Sparkline(_)));
    let Some(aggregate) = aggregates.into_iter().find(is_sparkline) else { return Ok(()) };
    let time = ExpressionPlanner::new(frame).field("_time", aggregate.span);
    if time.kind == Kind::Null && !frame.open {
        let message = "`sparkline` needs the field `_time`, which no row has";
        return Err(Diagnostic::error(Code::InvalidArgument, message, aggregate.span).into());
    }
    let bounds = LogicalPlanBuilder::new(frame.plan().clone())
        .aggregate(Vec::<Expr>::new(), vec![min(time.number()).alias(BOUNDS.0), max(time.number()).alias(BOUNDS.1)])?
        .build()?;
    // The one row comes first: that side is held in memory.
    let plan = LogicalPlanBuilder::new(bounds).cross_join(frame.plan().clone())?.build()?;
    frame.extend(plan);
    Ok(())
}

/// The aggregate behind a sparkline; its value is planned already. Over rows that [`prepare`] has seen.
///
/// # Errors
/// A function that makes no line, or a span that cannot be read.
pub fn plan(frame: &Frame, command: &Sparkline, value: Option<Typed>) -> PlanResult<Expr> {
    let Sparkline { aggregate, step } = command;
    let function = aggregate.function.node.to_ascii_lowercase();
    if !FUNCTIONS.contains(&function.as_str()) {
        let message = format!("`sparkline` takes no `{}`", aggregate.function.node);
        let error = Diagnostic::error(Code::InvalidArgument, message, aggregate.function.span);
        return Err(match suggest::nearest(&function, FUNCTIONS.iter().copied()) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error.with_help(format!("it takes {}", FUNCTIONS.join(", "))),
        }
        .into());
    }
    if let Some(step) = step {
        Step::parse(&step.node).map_err(|reason| {
            let message = format!("`sparkline` takes a length of time such as 30s, 5m or 1h: {reason}");
            Diagnostic::error(Code::InvalidArgument, message, step.span)
        })?;
    }
    let schema = frame.plan().schema();
    if !schema.fields().iter().any(|field| field.name() == BOUNDS.0) {
        let message = "`sparkline` is a function of `stats`, `sistats` and `chart` only";
        return Err(Diagnostic::error(Code::InvalidArgument, message, aggregate.span).into());
    }
    let value = match value {
        None => lit("1"),
        // Only where it is true does a condition count.
        Some(value) if value.kind == Kind::Boolean => crate::functions::comparison::when_true(value.expr),
        Some(value) => value.text(),
    };
    let time = ExpressionPlanner::new(frame).field("_time", aggregate.span).number();
    let bounds = (column(BOUNDS.0), column(BOUNDS.1));
    let step = step.as_ref().map_or("", |step| step.node.as_str());
    Ok(sparkline::sparkline(value, time, bounds, &function, step, &frame.setting.clock.time_zone))
}
