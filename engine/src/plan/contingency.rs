//! `contingency`: how often the values of two fields meet.
//!
//! Source: Splunk Search Reference, "contingency"; limits.conf, "ctable". The order of rows and columns is left open:
//! the most frequent values come first.

use std::collections::HashMap;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::spl::commands::contingency::Contingency;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::expression::{ExpressionPlanner, Typed};
use super::frame::{Frame, column};
use super::grid::Grid;
use super::{PlanResult, Planner};
use crate::values::{self, Value};

/// The most values of each field (`maxvalues` of `limits.conf`).
const MOST: usize = 1_000;

/// The columns of the counts.
const ROW: &str = "row";
const COLUMN: &str = "column";
const COUNT: &str = "count";

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Contingency, span: Span) -> PlanResult<()> {
    let Contingency { rows, columns, maxrows, maxcols, mincolcover, minrowcover, usetotal, totalstr } = command;
    let fields = ExpressionPlanner::new(frame);
    let [row, cell] = [rows, columns].map(|name| fields.field(&name.text, name.span));
    let Some(runner) = planner.runner else {
        frame.open = true;
        return Ok(());
    };
    let (_, batches) = runner.collect(counts(frame, &row, &cell)?).await?;
    let mut table = Table::default();
    for batch in &batches {
        let found = (batch.column_by_name(ROW), batch.column_by_name(COLUMN), batch.column_by_name(COUNT));
        let (Some(rows), Some(columns), Some(counts)) = found else { continue };
        let Some(counts) = counts.as_primitive_opt::<Int64Type>() else { continue };
        for (position, count) in counts.iter().enumerate() {
            let row = Value::read(rows.as_ref(), position);
            let column = Value::read(columns.as_ref(), position);
            for row in row.texts() {
                for column in column.texts() {
                    table.add(&row, &column, count.unwrap_or_default());
                }
            }
        }
    }
    let shown_rows =
        table.rows.shown(limit(*maxrows), mincolcover.unwrap_or(1.0), &table.columns, |a, b| (a, b), &table);
    let shown_columns =
        table.columns.shown(limit(*maxcols), minrowcover.unwrap_or(1.0), &table.rows, |a, b| (b, a), &table);
    for (name, known, shown, wanted) in [
        (rows, table.rows.names.len(), shown_rows.len(), maxrows),
        (columns, table.columns.names.len(), shown_columns.len(), maxcols),
    ] {
        if known > MOST && shown == MOST && wanted.is_none_or(|wanted| wanted == 0 || wanted > MOST as u64) {
            let message = format!("{:?} has {known} values; the {MOST} most frequent are shown", name.text);
            planner.diagnostics.push(Diagnostic::warning(Code::Truncated, message, name.span));
        }
    }
    let total = usetotal.unwrap_or(true).then(|| totalstr.as_deref().unwrap_or("TOTAL"));
    table.into_grid(rows, columns, &shown_rows, &shown_columns, total)?.replace(frame, span)
}

fn limit(most: Option<u64>) -> usize {
    match most {
        None | Some(0) => MOST,
        Some(most) => usize::try_from(most).unwrap_or(MOST).min(MOST),
    }
}

/// One row for each pair of values.
fn counts(frame: &Frame, row: &Typed, cell: &Typed) -> PlanResult<datafusion::logical_expr::LogicalPlan> {
    let pair: Vec<Expr> = vec![row.text().alias(ROW), cell.text().alias(COLUMN)];
    let both = column(ROW).is_not_null().and(column(COLUMN).is_not_null());
    Ok(LogicalPlanBuilder::new(frame.plan().clone())
        .project(pair)?
        .filter(both)?
        .aggregate(vec![column(ROW), column(COLUMN)], vec![count(lit(1_i64)).alias(COUNT)])?
        .build()?)
}

/// The values of one field, and how often each occurs.
#[derive(Default)]
struct Axis {
    names: Vec<String>,
    totals: Vec<i64>,
    positions: HashMap<String, usize>,
}

impl Axis {
    fn add(&mut self, name: &str, count: i64) -> usize {
        let next = self.names.len();
        let position = *self.positions.entry(name.to_string()).or_insert(next);
        if position == next {
            self.names.push(name.to_string());
            self.totals.push(0);
        }
        if let Some(total) = self.totals.get_mut(position) {
            *total = total.saturating_add(count);
        }
        position
    }

    /// The values that are shown, the most frequent first: so many that of each value of the other field at least
    /// that share is shown.
    fn shown(
        &self,
        most: usize,
        cover: f64,
        other: &Axis,
        pair: fn(usize, usize) -> (usize, usize),
        table: &Table,
    ) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.names.len()).collect();
        ranked.sort_by_cached_key(|position| {
            let total = self.totals.get(*position).copied().unwrap_or_default();
            let name = self.names.get(*position).map(|name| values::sort_key(name)).unwrap_or_default();
            (std::cmp::Reverse(total), name)
        });
        ranked.truncate(most);
        if cover >= 1.0 {
            return ranked;
        }
        let mut seen = vec![0_i64; other.names.len()];
        let covered =
            |seen: &[i64]| seen.iter().zip(&other.totals).all(|(seen, total)| *seen as f64 >= cover * *total as f64);
        let mut enough = 0;
        for position in &ranked {
            if covered(&seen) {
                break;
            }
            for (place, seen) in seen.iter_mut().enumerate() {
                let count = table.cells.get(&pair(*position, place)).copied().unwrap_or_default();
                *seen = seen.saturating_add(count);
            }
            enough += 1;
        }
        ranked.truncate(enough);
        ranked
    }
}

/// The counts of all pairs.
#[derive(Default)]
struct Table {
    rows: Axis,
    columns: Axis,
    cells: HashMap<(usize, usize), i64>,
}

impl Table {
    fn add(&mut self, row: &str, column: &str, count: i64) {
        let pair = (self.rows.add(row, count), self.columns.add(column, count));
        let cell = self.cells.entry(pair).or_default();
        *cell = cell.saturating_add(count);
    }

    fn into_grid(
        self,
        rows: &Name,
        columns: &Name,
        shown_rows: &[usize],
        shown_columns: &[usize],
        total: Option<&str>,
    ) -> PlanResult<Grid> {
        let mut names = vec![rows.text.clone()];
        for name in shown_columns.iter().filter_map(|position| self.columns.names.get(*position)) {
            if *name == rows.text || Some(name.as_str()) == total {
                let message = format!("{name:?} is a value of {:?}, and the name of another column", columns.text);
                let help = "rename the first field, or name the totals with `totalstr`";
                return Err(Diagnostic::error(Code::InvalidArgument, message, columns.span).with_help(help).into());
            }
            names.push(name.clone());
        }
        names.extend(total.map(str::to_string));
        let number = |count: Option<&i64>| Value::Number(count.copied().unwrap_or_default() as f64);
        let mut grid = Grid::new(names);
        for row in shown_rows {
            let name = self.rows.names.get(*row).cloned().unwrap_or_default();
            let mut cells = vec![Value::Text(name.into())];
            cells.extend(shown_columns.iter().map(|column| number(self.cells.get(&(*row, *column)))));
            if total.is_some() {
                cells.push(number(self.rows.totals.get(*row)));
            }
            grid.rows.push(cells);
        }
        if let Some(total) = total.filter(|_| !grid.rows.is_empty()) {
            let mut cells = vec![Value::Text(total.to_string().into())];
            cells.extend(shown_columns.iter().map(|column| number(self.columns.totals.get(*column))));
            cells.push(Value::Number(self.rows.totals.iter().sum::<i64>() as f64));
            grid.rows.push(cells);
        }
        Ok(grid)
    }
}
