//! `trendline`: moving averages.
//!
//! Source: Splunk Search Reference, "trendline". The exponential formula is the page's, which weights the previous
//! average with 2/(period+1); where it starts is left open: with the first value.

use datafusion::logical_expr::{ExprFunctionExt, lit};
use spelunk_grammar::spl::commands::trendline::Trendline;

use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use super::{PlanResult, window};
use crate::functions::trends;

/// Plans the command. All averages are computed from the row as it was.
pub fn plan(frame: &mut Frame, command: &Trendline) -> PlanResult<()> {
    let Trendline { trends } = command;
    let mut assignments = Vec::new();
    for trend in trends {
        let value = ExpressionPlanner::new(frame).field(&trend.field.text, trend.field.span);
        let average = match value.kind {
            Kind::Null => value.number(),
            _ => {
                let period = lit(i64::try_from(trend.period).unwrap_or(i64::MAX));
                let average = trends::trend(trend.average.name(), period, value.number());
                let average = average.order_by(frame.sort_expressions()).build()?;
                window::add(frame, average)?
            }
        };
        assignments.push((trend.output(), average));
    }
    frame.set(assignments)?;
    Ok(())
}
