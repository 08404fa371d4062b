//! `filldown`: repeats the last value where there is none.
//!
//! Source: Splunk Search Reference, "filldown".

use datafusion::logical_expr::{ExprFunctionExt, LogicalPlanBuilder};
use spelunk_grammar::spl::commands::filldown::Filldown;

use super::frame::{Frame, column, matching};
use super::{PlanResult, window};
use crate::functions::windows;

/// Plans the command, in the order of the rows.
pub fn plan(frame: &mut Frame, command: &Filldown) -> PlanResult<()> {
    let known = frame.fields();
    let mut names: Vec<&String> = Vec::new();
    for field in &command.fields {
        let found = matching(&field.text, &known);
        if found.is_empty() && !field.text.contains('*') && !frame.open {
            frame.note_missing(&field.text, field.span);
        }
        for name in found {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if command.fields.is_empty() {
        names.extend(&known);
    }
    if names.is_empty() {
        return Ok(());
    }
    let mut filled = Vec::new();
    let mut assignments = Vec::new();
    for name in names {
        let hidden = frame.hidden_name();
        let value = windows::fill_down(column(name)).order_by(frame.sort_expressions()).build()?;
        filled.push(window::fitting(value).alias(&hidden));
        assignments.push((name.clone(), column(&hidden)));
    }
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).window(filled)?.build()?;
    frame.extend(plan);
    frame.set(assignments)?;
    Ok(())
}
