//! `mvexpand`: a row for each of several values.
//!
//! Source: Splunk Search Reference, "mvexpand". It leaves open what becomes of a row without the field: it stays.

use datafusion::common::Column;
use datafusion::logical_expr::LogicalPlanBuilder;
use spelunk_grammar::spl::commands::mvexpand::Mvexpand;

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind};
use super::frame::{Frame, column};
use crate::functions::rows;

/// Plans the command. The rows of one row keep the order of its values.
pub fn plan(frame: &mut Frame, command: &Mvexpand) -> PlanResult<()> {
    let Mvexpand { field, limit } = command;
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    if value.kind != Kind::Many {
        return Ok(());
    }
    let values = rows::first_values(value.expr, limit.unwrap_or(0));
    let positions = frame.hidden_name();
    frame.set(vec![(positions.clone(), rows::positions(values.clone())), (field.text.clone(), values)])?;
    let expanded = [&field.text, &positions].map(Column::new_unqualified).to_vec();
    let plan = LogicalPlanBuilder::new(frame.plan().clone())
        .unnest_columns_with_options(expanded, Default::default())?
        .build()?;
    // Only the columns themselves, as the frame has them.
    let columns: Vec<_> = plan.schema().fields().iter().map(|field| column(field.name())).collect();
    frame.extend(LogicalPlanBuilder::new(plan).project(columns)?.build()?);
    frame.order_within(positions);
    Ok(())
}
