//! `mvcombine`: one row of those that differ in one field only.
//!
//! Source: Splunk Search Reference, "mvcombine".

use datafusion::functions_aggregate::expr_fn::{array_agg, min};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder};
use spelunk_grammar::spl::commands::mvcombine::Mvcombine;

use super::expression::{ExpressionPlanner, Kind};
use super::frame::{Frame, OrderKey, column};
use super::{PlanResult, window};
use crate::functions::rows;

/// What stands between the values where they are made one value and the search does not say.
const DELIMITER: &str = " ";

/// Plans the command. A combined row stands where the first of its rows stood.
pub fn plan(frame: &mut Frame, command: &Mvcombine) -> PlanResult<()> {
    let Mvcombine { field, delim } = command;
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    if value.kind == Kind::Null {
        return Ok(());
    }
    let fields = frame.fields();
    let position = frame.hidden_name();
    let number = row_number().order_by(frame.sort_expressions()).build()?;
    let numbered =
        LogicalPlanBuilder::new(frame.plan().clone()).window(vec![window::fitting(number).alias(&position)])?;
    let others: Vec<Expr> = fields.iter().filter(|name| **name != field.text).map(|name| column(name)).collect();
    let (gathered, first) = (frame.hidden_name(), frame.hidden_name());
    let in_order = vec![Sort::new(column(&position), true, false)];
    let values = array_agg(value.text()).order_by(in_order).build()?.alias(&gathered);
    // The lists of a list, and the missing values in it, become its values.
    let mut columns: Vec<Expr> = fields
        .iter()
        .map(|name| match *name == field.text {
            true => rows::first_values(column(&gathered), 0).alias(name),
            false => column(name),
        })
        .collect();
    columns.push(column(&first));
    let plan =
        numbered.aggregate(others, vec![values, min(column(&position)).alias(&first)])?.project(columns)?.build()?;
    frame.replace(plan, vec![OrderKey { column: first, descending: false }]);
    frame.delimiters.insert(field.text.clone(), delim.clone().unwrap_or_else(|| DELIMITER.into()));
    Ok(())
}
