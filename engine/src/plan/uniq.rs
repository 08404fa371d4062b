//! `uniq`: leaves out repeated rows.
//!
//! Source: Splunk Search Reference, "uniq".

use datafusion::functions_window::expr_fn::lag;
use datafusion::logical_expr::{Expr, ExprFunctionExt, is_not_true};

use super::expression::ExpressionPlanner;
use super::frame::{Frame, column};
use super::{PlanResult, window};
use crate::functions::rows;

/// Plans the command: a row is left out if all its fields, internal ones included, are those of the row before.
pub fn plan(frame: &mut Frame) -> PlanResult<()> {
    let planner = ExpressionPlanner::new(frame);
    let values: Vec<Expr> = frame.fields().iter().map(|name| planner.field(name, Default::default()).text()).collect();
    if values.is_empty() {
        return Ok(());
    }
    let key = frame.hidden_name();
    frame.set(vec![(key.clone(), rows::row_key(values))])?;
    let before = lag(column(&key), Some(1), None).order_by(frame.sort_expressions()).build()?;
    let before = window::add(frame, before)?;
    frame.filter(is_not_true(column(&key).eq(before)))?;
    Ok(())
}
