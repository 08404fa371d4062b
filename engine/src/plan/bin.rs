//! `bin`: puts values into bins.
//!
//! Source: Splunk Search Reference, "bin".

use spelunk_grammar::spl::commands::bin::Bin;

use super::bins::{Binned, DEFAULT_BINS};
use super::expression::ExpressionPlanner;
use super::frame::Frame;
use super::{PlanResult, Planner, existing};

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Bin) -> PlanResult<()> {
    let Bin { field, alias, options } = command;
    let known = existing(frame, &field.text, field.span).is_some();
    let value = match known {
        true => ExpressionPlanner::new(frame).field(&field.text, field.span),
        false => super::expression::Typed::null(field.span),
    };
    let binned = Binned { name: &field.text, value: &value, options, most: DEFAULT_BINS, range: None };
    let bins = binned.bins(planner, frame).await?;
    let target = alias.as_ref().unwrap_or(field).text.clone();
    if !known && alias.is_none() {
        return Ok(());
    }
    let value = bins.map_or(value.clone(), |bins| bins.apply(&value));
    // What is no time of the rows is a number of seconds.
    let value = if target == "_time" { value.expr } else { value.stored()? };
    frame.set(vec![(target, value)])?;
    Ok(())
}
