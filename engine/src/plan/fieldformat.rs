//! `fieldformat`: how a field is shown.
//!
//! The frame remembers what was said, and only a listing for people is made to look like it: later commands,
//! subsearches and results that are written as data have the value itself.
//!
//! Source: Splunk Search Reference, "fieldformat".

use spelunk_grammar::spl::commands::fieldformat::Fieldformat;

use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use super::{PlanResult, existing};

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Fieldformat) -> PlanResult<()> {
    // What is wrong with the expression shows now.
    ExpressionPlanner::new(frame).plan(&command.value)?.stored()?;
    existing(frame, &command.field.text, command.field.span);
    frame.formats.retain(|format| format.field.text != command.field.text);
    frame.formats.push(command.clone());
    Ok(())
}

/// Makes the fields of a finished listing look as they should. A field that has no value keeps none.
pub fn apply(frame: &mut Frame) -> PlanResult<()> {
    let mut assignments = Vec::new();
    for Fieldformat { field, value } in std::mem::take(&mut frame.formats) {
        if frame.data_type(&field.text).is_none() {
            continue;
        }
        let planner = ExpressionPlanner::new(frame);
        let before = planner.field(&field.text, field.span);
        let shown = planner.plan(&value)?;
        let exists = before.expr.is_not_null();
        let shown = match shown.kind {
            Kind::Null => shown,
            _ => planner.choice(vec![(exists, shown)], None, field.span),
        };
        assignments.push((field.text, shown.stored()?));
    }
    frame.set(assignments)?;
    Ok(())
}
