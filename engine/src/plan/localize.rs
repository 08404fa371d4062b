//! `localize`: the stretches of time in which there are events.
//!
//! Source: Splunk Search Reference, "localize".

use arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit, when};
use spelunk_grammar::spl::commands::localize::Localize;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::expression::ExpressionPlanner;
use super::frame::{Frame, column};
use super::{PlanResult, existing, window};
use crate::functions::operators;
use crate::time;

/// Plans the command. The time of a stretch is that of its first event; the newest stretch comes first.
pub fn plan(frame: &mut Frame, command: &Localize, place: Span) -> PlanResult<()> {
    let Localize { maxpause, timeafter, timebefore } = command;
    let maxpause = seconds("maxpause", maxpause.as_ref(), 60.0)?;
    let timeafter = seconds("timeafter", timeafter.as_ref(), 30.0)?;
    let timebefore = seconds("timebefore", timebefore.as_ref(), 30.0)?;
    if existing(frame, "_time", place).is_none() && !frame.open {
        let message = "`localize` needs the field `_time`, which no row has";
        return Err(Diagnostic::error(Code::InvalidArgument, message, place).into());
    }
    let time = frame.hidden_name();
    let at = ExpressionPlanner::new(frame).field("_time", place).number();
    frame.set(vec![(time.clone(), at)])?;
    frame.filter(column(&time).is_not_null())?;
    frame.order_by(vec![(column(&time), false)])?;
    let before = window::before(frame, column(&time), 1)?;
    let near = (column(&time) - before).lt_eq(lit(maxpause));
    let starts = when(near, lit(0_i64)).otherwise(lit(1_i64))?;
    let region = window::running_sum(frame, starts)?;
    let [first, last, events] = [(); 3].map(|()| frame.hidden_name());
    let (start, end) = (column(&first) - lit(timebefore), column(&last) + lit(timeafter));
    let duration = end.clone() - start.clone();
    let density: Expr =
        when(duration.clone().gt(lit(0.0)), cast(column(&events), DataType::Float64) / duration.clone()).end()?;
    let plan = LogicalPlanBuilder::new(frame.plan().clone())
        .aggregate(
            vec![region],
            vec![min(column(&time)).alias(&first), max(column(&time)).alias(&last), count(lit(1_i64)).alias(&events)],
        )?
        .project(vec![
            operators::to_time(column(&first)).alias("_time"),
            start.alias("starttime"),
            end.alias("endtime"),
            column(&events).alias("eventcount"),
            duration.alias("duration"),
            density.alias("density"),
        ])?
        .build()?;
    frame.replace(plan, Vec::new());
    frame.order_by(vec![(column("_time"), true)])?;
    Ok(())
}

/// A length of time in seconds, which may be none.
fn seconds(name: &str, span: Option<&Spanned<String>>, default: f64) -> PlanResult<f64> {
    let Some(span) = span else { return Ok(default) };
    let text = span.node.trim();
    let none = text.starts_with('0') && text.trim_start_matches('0').bytes().all(|byte| b"smhd".contains(&byte));
    if none {
        return Ok(0.0);
    }
    match time::span(text) {
        Ok(length) => Ok(length as f64 / 1e6),
        Err(reason) => {
            let message = format!("`{name}` takes a span such as 30s, 5m or 1h: {reason}");
            Err(Diagnostic::error(Code::InvalidOption, message, span.span).into())
        }
    }
}
