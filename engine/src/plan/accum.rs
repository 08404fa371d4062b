//! `accum`: the running sum of a field.
//!
//! Source: Splunk Search Reference, "accum".

use datafusion::logical_expr::Expr;
use spelunk_grammar::spl::commands::accum::Accum;

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::Frame;
use super::{PlanResult, window};

/// Plans the command. Rows in which the field is no number stay as they are.
pub fn plan(frame: &mut Frame, command: &Accum) -> PlanResult<()> {
    let Accum { field, alias } = command;
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    if value.kind == Kind::Null && !frame.open {
        return Ok(());
    }
    let target = alias.as_ref().unwrap_or(field);
    let number: Expr = value.number();
    let sum = window::running_sum(frame, number.clone())?;
    let planner = ExpressionPlanner::new(frame);
    let before = match frame.data_type(&target.text) {
        Some(_) => planner.field(&target.text, target.span),
        None => Typed::null(target.span),
    };
    let sum = Typed::new(sum, Kind::Number, field.span);
    let chosen = planner.choice(vec![(number.is_not_null(), sum)], Some(before), field.span);
    frame.set(vec![(target.text.clone(), chosen.expr)])?;
    Ok(())
}
