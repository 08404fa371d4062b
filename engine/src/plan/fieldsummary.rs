//! `fieldsummary`: statistics of each field.
//!
//! Source: Splunk Search Reference, "fieldsummary". It leaves the order of the rows open: that of the names.

use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::fieldsummary::Fieldsummary;

use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use super::grid::Grid;
use super::{PlanResult, Planner, totals};
use crate::functions::summary::{self, Summary};
use crate::values::Value;

/// How many values are listed where the search does not say.
const DEFAULT_VALUES: u64 = 100;

/// Plans the command. The rows are aggregated field by field; only the distinct values of each are held.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Fieldsummary, span: Span) -> PlanResult<()> {
    let Fieldsummary { maxvals, fields } = command;
    let mut names = totals::named(frame, fields);
    names.sort_unstable();
    let Some(runner) = planner.runner else {
        frame.open = true;
        return Ok(());
    };
    let mut grid = Grid::new([
        "field",
        "count",
        "distinct_count",
        "is_exact",
        "max",
        "mean",
        "min",
        "numeric_count",
        "stdev",
        "values",
    ]);
    let expressions = ExpressionPlanner::new(frame);
    let most = i64::try_from(maxvals.unwrap_or(DEFAULT_VALUES)).unwrap_or(i64::MAX);
    let mut summaries: Vec<Expr> = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let value = expressions.field(name, span);
        if value.kind != Kind::Null {
            summaries.push(summary::summary(value.text(), lit(most)).alias(position.to_string()));
        }
    }
    if !summaries.is_empty() {
        let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(Vec::<Expr>::new(), summaries)?.build()?;
        let (_, batches) = runner.collect(plan).await?;
        let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return grid.replace(frame, span) };
        for (position, name) in names.iter().enumerate() {
            let column = batch.column_by_name(&position.to_string());
            let found = column.map_or(Value::Null, |column| Value::read(column.as_ref(), 0));
            grid.rows.extend(Summary::read(&found).map(|summary| row(name, summary)));
        }
    }
    grid.replace(frame, span)
}

fn row(name: &str, summary: Summary) -> Vec<Value<'static>> {
    let Summary { count, distinct, exact, max, mean, min, numbers, deviation, values } = summary;
    let number = |number: Option<f64>| number.map_or(Value::Null, Value::Number);
    vec![
        Value::Text(name.to_string().into()),
        Value::Number(count),
        Value::Number(distinct),
        Value::Number(f64::from(u8::from(exact))),
        number(max),
        number(mean),
        number(min),
        Value::Number(numbers),
        number(deviation),
        Value::Text(values.into()),
    ]
}
