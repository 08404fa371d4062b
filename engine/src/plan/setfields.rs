//! `setfields`: the same values in every row.
//!
//! Source: Splunk Search Reference, "setfields".

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::commands::setfields::Setfields;

use super::PlanResult;
use super::frame::Frame;
use crate::functions::operators;

/// Plans the command. Of two values for a field the last one counts.
pub fn plan(frame: &mut Frame, command: &Setfields) -> PlanResult<()> {
    let mut assignments: Vec<(String, Expr)> = Vec::new();
    for (field, value) in &command.values {
        let value = match field.text.as_str() {
            // The field of that name holds times.
            "_time" => operators::to_time(operators::to_number(lit(value.clone()))),
            _ => lit(value.clone()),
        };
        match assignments.iter_mut().find(|(known, _)| *known == field.text) {
            Some((_, before)) => *before = value,
            None => assignments.push((field.text.clone(), value)),
        }
    }
    frame.set(assignments)?;
    Ok(())
}
