//! `correlate`: how often two fields are in the same rows.
//!
//! Source: Splunk Search Reference, "correlate"; limits.conf, "correlate".

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{LogicalPlanBuilder, lit};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::{Frame, column};
use super::grid::Grid;
use super::{PlanResult, Planner, totals};
use crate::functions::rows;
use crate::values::{Value, text_at};

/// The most fields (`maxfields` of `limits.conf`).
const MOST: usize = 1_000;

/// The name of the first column.
const ROW_FIELD: &str = "RowField";

/// The columns of the counts.
const PRESENCE: &str = "presence";
const ROWS: &str = "rows";

/// Plans the command. Rows with the same fields count together, so that few of them are held.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, span: Span) -> PlanResult<()> {
    let mut names = totals::named(frame, &[]);
    let Some(runner) = planner.runner else {
        frame.open = true;
        return Ok(());
    };
    if names.len() > MOST {
        let message = format!("the rows have {} fields; the first {MOST} are looked at", names.len());
        planner.diagnostics.push(Diagnostic::warning(Code::Truncated, message, span));
        names.truncate(MOST);
    }
    let mut seen: Vec<(Vec<bool>, i64)> = Vec::new();
    if !names.is_empty() {
        let presence = rows::presence(names.iter().map(|name| column(name)).collect()).alias(PRESENCE);
        let plan = LogicalPlanBuilder::new(frame.plan().clone())
            .project(vec![presence])?
            .aggregate(vec![column(PRESENCE)], vec![count(lit(1_i64)).alias(ROWS)])?
            .build()?;
        let (_, batches) = runner.collect(plan).await?;
        for batch in &batches {
            let (Some(presence), Some(rows)) = (batch.column_by_name(PRESENCE), batch.column_by_name(ROWS)) else {
                continue;
            };
            let Some(rows) = rows.as_primitive_opt::<Int64Type>() else { continue };
            for (position, rows) in rows.iter().enumerate() {
                let Some(text) = text_at(presence.as_ref(), position) else { continue };
                seen.push((text.bytes().map(|byte| byte == b'1').collect(), rows.unwrap_or_default()));
            }
        }
    }
    let has = |present: &[bool], position: usize| present.get(position).copied().unwrap_or(false);
    let counted = |test: &dyn Fn(&[bool]) -> bool| -> i64 {
        seen.iter().filter(|(present, _)| test(present)).map(|(_, rows)| rows).sum()
    };
    // A field that no row has is none of the result.
    let fields: Vec<usize> =
        (0..names.len()).filter(|position| seen.iter().any(|(present, _)| has(present, *position))).collect();
    let shown: Vec<&str> = fields.iter().filter_map(|position| names.get(*position)).map(String::as_str).collect();
    if shown.contains(&ROW_FIELD) {
        let message = format!("a field is named {ROW_FIELD:?}, as the first column of the result is");
        return Err(Diagnostic::error(Code::InvalidArgument, message, span).with_help("rename the field first").into());
    }
    let mut grid = Grid::new(std::iter::once(ROW_FIELD).chain(shown.iter().copied()));
    for (one, name) in fields.iter().zip(&shown) {
        let mut row = vec![Value::Text((*name).to_string().into())];
        for other in &fields {
            let both = counted(&|present| has(present, *one) && has(present, *other));
            let either = counted(&|present| has(present, *one) || has(present, *other));
            row.push(Value::Number(both as f64 / either.max(1) as f64));
        }
        grid.rows.push(row);
    }
    grid.replace(frame, span)
}
