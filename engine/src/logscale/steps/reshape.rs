//! Tables turned around, and what fields there are: `transpose`, `fieldset`, `fieldstats`.

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use spelunk_grammar::{Code, Diagnostic};

use super::super::Run;
use super::super::arguments::Arguments;
use super::super::rows::Rows;
use super::whole;
use crate::functions::aggregates::distinct_count;
use crate::plan::PlanResult;
use crate::plan::frame::{Frame, column};
use crate::plan::grid::Grid;
use crate::values::Value;

/// How many rows `transpose` makes columns of where the query does not say.
const ROWS: usize = 5;
/// The most that it makes columns of.
const MOST_ROWS: usize = 1_000;

/// `transpose`: a row for each field, in which the rows of before are columns.
pub async fn transpose(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    whole(run, a)?;
    let pivot = a.text("pivot")?;
    let header = a.text("header")?.or_else(|| pivot.clone());
    let label = a.text("column")?.or(pivot).map_or_else(|| "column".to_owned(), |label| label.node);
    let limit = a.count("limit")?;
    a.done()?;
    run.aggregated = true;
    let Some(grid) = Grid::collect(run.planner, frame).await? else { return Ok(()) };
    let most = limit.unwrap_or(ROWS).min(MOST_ROWS);
    if grid.rows.len() > most && limit.is_none_or(|limit| limit > MOST_ROWS) {
        let message = format!("of {} rows the first {most} are transposed", grid.rows.len());
        let warning = Diagnostic::warning(Code::Truncated, message, a.call.name.span);
        run.planner.diagnostics.push(warning.with_help(format!("`limit=` takes up to {MOST_ROWS}")));
    }
    let names = header.as_ref().and_then(|header| grid.position(&header.node));
    let mut columns: Vec<String> = Vec::new();
    let mut taken: Vec<usize> = Vec::new();
    for row in 0..grid.rows.len().min(most) {
        let name = match names {
            Some(position) => grid.value(row, position).texts().join(", "),
            None => format!("row[{}]", row.saturating_add(1)),
        };
        // A row without a header has no name; of two with the same one the first keeps it.
        if !name.is_empty() && !columns.contains(&name) {
            columns.push(name);
            taken.push(row);
        }
    }
    let mut fields: Vec<(usize, &String)> =
        grid.names.iter().enumerate().filter(|(position, _)| Some(*position) != names).collect();
    fields.sort_by_key(|(_, name)| *name);
    let mut result = Grid::new(std::iter::once(label).chain(columns));
    for (position, field) in fields {
        let mut row = vec![Value::Text(field.clone().into())];
        row.extend(taken.iter().map(|from| grid.value(*from, position).clone()));
        result.rows.push(row);
    }
    result.replace(frame, a.span())
}

/// `fieldset`: the fields that any row has.
pub async fn field_set(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    fields(run, frame, a, &["field"]).await
}

/// `fieldstats`: the fields that any row has, how many values each has and how many distinct ones.
pub async fn field_statistics(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    fields(run, frame, a, &["field", "_count", "distinct"]).await
}

async fn fields(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>, columns: &[&str]) -> PlanResult<()> {
    whole(run, a)?;
    a.done()?;
    run.aggregated = true;
    let names = crate::plan::combine::shown(frame);
    let mut aggregates = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let value = Rows::of(frame).field(name, a.span());
        aggregates.push(count(column(name)).alias(format!("count {index}")));
        if columns.len() > 1 {
            aggregates.push(distinct_count(value.text()).alias(format!("distinct {index}")));
        }
    }
    if !aggregates.is_empty() {
        let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(Vec::<Expr>::new(), aggregates)?.build()?;
        let open = frame.open;
        frame.replace(plan, Vec::new());
        frame.open = open;
    }
    let Some(counts) = Grid::collect(run.planner, frame).await? else { return Ok(()) };
    let read = |what: &str, index: usize| {
        let position = counts.position(&format!("{what} {index}"));
        position.map_or(Value::Null, |position| counts.value(0, position).clone())
    };
    let mut result = Grid::new(columns.iter().copied());
    for (index, name) in names.iter().enumerate() {
        let present = read("count", index);
        if present.number().is_some_and(|number| number > 0.0) {
            let row = vec![Value::Text(name.clone().into()), present, read("distinct", index)];
            result.rows.push(row.into_iter().take(columns.len()).collect());
        }
    }
    result.rows.sort_by_key(|row| row.first().map(|name| name.texts().join("")));
    result.replace(frame, a.span())
}
