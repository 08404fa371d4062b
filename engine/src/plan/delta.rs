//! `delta`: the difference to a row before.
//!
//! Source: Splunk Search Reference, "delta".

use spelunk_grammar::spl::commands::delta::Delta;

use super::expression::ExpressionPlanner;
use super::frame::Frame;
use super::{PlanResult, window};

/// Plans the command. There is no difference where one of the two values is no number.
pub fn plan(frame: &mut Frame, command: &Delta) -> PlanResult<()> {
    let Delta { field, alias, distance } = command;
    let number = ExpressionPlanner::new(frame).field(&field.text, field.span).number();
    let before = window::before(frame, number.clone(), distance.unwrap_or(1))?;
    let name = alias.as_ref().map_or_else(|| format!("delta({})", field.text), |alias| alias.text.clone());
    frame.set(vec![(name, number - before)])?;
    Ok(())
}
