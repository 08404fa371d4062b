//! Columns that depend on data.
//!
//! The schema of a plan is fixed when it is made. A command whose columns depend on values runs what comes
//! before it, looks at the values, and goes on with what was collected.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::commands::eval::{Target, TargetPart};
use spelunk_grammar::{Code, Diagnostic};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::{PlanResult, Planner};
use crate::functions::operators;
use crate::values::text_at;

/// Runs the plan so far and goes on with its rows, which are given too; `None` without data.
pub async fn materialise(planner: &Planner<'_>, frame: &mut Frame) -> PlanResult<Option<Vec<RecordBatch>>> {
    let Some(runner) = planner.runner else { return Ok(None) };
    let (schema, batches) = runner.collect(frame.plan().clone()).await?;
    let table = MemTable::try_new(schema, vec![batches.clone()])?;
    frame.extend(super::scan_of("collected", Arc::new(table))?);
    Ok(Some(batches))
}

/// `eval prefix_{field}=value`: sets, row by row, the field whose name the row's values complete.
pub async fn assign_by_row(planner: &Planner<'_>, frame: &mut Frame, target: &Target, value: Expr) -> PlanResult<()> {
    let expressions = ExpressionPlanner::new(frame);
    let mut name: Option<Expr> = None;
    for part in &target.parts {
        let piece = match part {
            TargetPart::Text(text) => lit(text.clone()),
            TargetPart::FieldValue(field) => expressions.field(field, target.span).text(),
        };
        name = Some(name.map_or(piece.clone(), |before| operators::concatenate(before, piece)));
    }
    let (Some(name), Some(runner)) = (name, planner.runner) else {
        frame.open = true;
        return Ok(());
    };
    let (name_column, value_column) = (frame.hidden_name(), frame.hidden_name());
    frame.set(vec![(name_column.clone(), name), (value_column.clone(), value)])?;
    let (schema, batches) = runner.collect(frame.plan().clone()).await?;
    let mut names = BTreeSet::new();
    for batch in &batches {
        if let Some(values) = batch.column_by_name(&name_column) {
            names.extend((0..batch.num_rows()).filter_map(|row| text_at(values.as_ref(), row).map(String::from)));
        }
    }
    if let Some(name) = names.iter().find(|name| name.contains('{') && name.contains('}')) {
        return Err(Diagnostic::error(
            Code::InvalidArgument,
            format!("the field name {name:?} would need another replacement; recursive names are not allowed"),
            target.span,
        )
        .into());
    }
    let table = MemTable::try_new(Arc::clone(&schema), vec![batches])?;
    frame.extend(super::scan_of("collected", Arc::new(table))?);
    let value = Typed::new(column(&value_column), kind_of(&schema, &value_column), target.span);
    let mut assignments = Vec::new();
    for name in names {
        let chosen = column(&name_column).eq(lit(name.clone()));
        let before = frame
            .data_type(&name)
            .map_or_else(|| Typed::null(target.span), |t| Typed::new(column(&name), Kind::of(&t), target.span));
        let choice = ExpressionPlanner::new(frame).choice(vec![(chosen, value.clone())], Some(before), target.span);
        assignments.push((name, choice.expr));
    }
    frame.set(assignments)?;
    Ok(())
}

fn kind_of(schema: &arrow::datatypes::SchemaRef, name: &str) -> Kind {
    schema.field_with_name(name).map_or(Kind::Text, |field| Kind::of(field.data_type()))
}
