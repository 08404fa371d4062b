//! `concurrency`: how many spans of time there are at the start of each.
//!
//! Source: Splunk Search Reference, "concurrency".

use spelunk_grammar::spl::commands::concurrency::Concurrency;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::expression::ExpressionPlanner;
use super::frame::Frame;
use super::{PlanResult, window};
use crate::functions::concurrency::concurrency;

/// Plans the command. Rows that lack the start or the duration get nothing and count for nothing.
pub fn plan(frame: &mut Frame, command: &Concurrency, place: Span) -> PlanResult<()> {
    let Concurrency { duration, start, output } = command;
    let name = start.as_ref().map_or("_time", |field| &field.text);
    let span = start.as_ref().map_or(place, |field| field.span);
    let output = output.as_ref().map_or_else(|| "concurrency".to_string(), |field| field.text.clone());
    if output.is_empty() {
        return Err(Diagnostic::error(Code::InvalidOption, "`output` needs the name of a field", place).into());
    }
    let planner = ExpressionPlanner::new(frame);
    let (start, duration) = (planner.field(name, span), planner.field(&duration.text, duration.span));
    let counted = window::add(frame, concurrency(start.number(), duration.number()))?;
    frame.set(vec![(output, counted)])?;
    Ok(())
}
