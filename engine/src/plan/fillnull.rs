//! `fillnull`: gives a value to fields that have none.
//!
//! Source: Splunk Search Reference, "fillnull".

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::fillnull::Fillnull;

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column, matching};
use super::{PlanResult, Planner};
use crate::functions::operators;
use crate::values;

/// What is filled in where the search does not say.
const DEFAULT: &str = "0";
/// The column that counts the rows.
const ROWS: &str = "rows";

/// Plans the command. A listed field is made where no row has it.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Fillnull) -> PlanResult<()> {
    let Fillnull { value, fields } = command;
    let value = value.as_deref().unwrap_or(DEFAULT);
    let names = if fields.is_empty() {
        incomplete(planner, frame).await?
    } else {
        let known = frame.fields();
        let mut names: Vec<String> = Vec::new();
        for field in fields {
            let found = match field.text.contains('*') {
                true => matching(&field.text, &known),
                false => vec![&field.text],
            };
            for name in found {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        names
    };
    let expressions = ExpressionPlanner::new(frame);
    let mut assignments = Vec::new();
    for name in names {
        let before = match frame.data_type(&name) {
            Some(_) => expressions.field(&name, Span::default()),
            None => Typed::null(Span::default()),
        };
        let filling = filling(value, before.kind);
        let filled = match before.kind {
            Kind::Null => filling.expr,
            _ => {
                let exists = before.expr.clone().is_not_null();
                expressions.choice(vec![(exists, before)], Some(filling), Span::default()).expr
            }
        };
        assignments.push((name, filled));
    }
    frame.set(assignments)?;
    Ok(())
}

/// The value, as a number where that keeps a column of numbers one.
fn filling(value: &str, kind: Kind) -> Typed {
    let typed = |expr: Expr, kind: Kind| Typed::new(expr, kind, Span::default());
    let number = values::parse_number(value).filter(|number| values::format_number(*number) == value);
    match (kind, value.parse::<i64>(), number) {
        (Kind::Integer, Ok(integer), Some(_)) => typed(lit(integer), Kind::Integer),
        (Kind::Integer | Kind::Number, _, Some(number)) => typed(lit(number), Kind::Number),
        (Kind::Time, _, Some(number)) => typed(operators::to_time(lit(number)), Kind::Time),
        _ => typed(lit(value), Kind::Text),
    }
}

/// The fields that some rows have and some lack. One that the search knows and no row has is none of the result.
async fn incomplete(planner: &Planner<'_>, frame: &Frame) -> PlanResult<Vec<String>> {
    let names = frame.fields();
    let Some(runner) = planner.runner else { return Ok(Vec::new()) };
    let mut counts: Vec<Expr> =
        names.iter().enumerate().map(|(position, name)| count(column(name)).alias(position.to_string())).collect();
    counts.push(count(lit(1_i64)).alias(ROWS));
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(Vec::<Expr>::new(), counts)?.build()?;
    let (_, batches) = runner.collect(plan).await?;
    let counted = |column: &str| -> i64 {
        let counts = batches.iter().filter_map(|batch| batch.column_by_name(column)?.as_primitive_opt::<Int64Type>());
        counts.flat_map(|counts| counts.iter().flatten()).max().unwrap_or(0)
    };
    let rows = counted(ROWS);
    let lacking = |position: usize| (1..rows).contains(&counted(&position.to_string()));
    Ok(names.into_iter().enumerate().filter(|(position, _)| lacking(*position)).map(|(_, name)| name).collect())
}
