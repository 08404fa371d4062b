//! `set`: the results of two searches as sets of rows.
//!
//! Source: Splunk Search Reference, "set"; `limits.conf`, `[set]`.

use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, WindowFunctionDefinition, lit};
use spelunk_grammar::spl::commands::set::{Set, SetOperation};

use super::combine::{self, MOST_ROWS};
use super::expression::ExpressionPlanner;
use super::frame::{Frame, column};
use super::{PlanResult, Planner, window};
use crate::functions::rows;

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, command: &Set) -> PlanResult<Frame> {
    let Set { operation, left, right } = command;
    let mut sides = Vec::new();
    for subsearch in [left, right] {
        let side = combine::frame_of(planner, subsearch).await?;
        sides.push(combine::first_rows(planner, side, MOST_ROWS, "set", subsearch.span).await?);
    }
    let mut frame = combine::nothing(planner)?;
    let side = frame.hidden_name();
    for (number, mut rows) in (0_i64..).zip(sides) {
        // The name is that of no field, and is none of the other hidden columns' once the rows are stacked.
        rows.set(vec![(SIDE.into(), lit(number))])?;
        combine::stack(&mut frame, rows)?;
    }
    frame.set(vec![(side.clone(), column(SIDE))])?;
    let kept: Vec<(String, Expr)> =
        frame.fields().into_iter().filter(|name| name != SIDE).map(|name| (name.clone(), column(&name))).collect();
    frame.select(kept)?;
    distinct(&mut frame, &side, *operation)?;
    Ok(frame)
}

/// The column that says which search found a row; its name cannot be written without quotes.
const SIDE: &str = "<<SIDE>>";

fn distinct(frame: &mut Frame, side: &str, operation: SetOperation) -> PlanResult<()> {
    let planner = ExpressionPlanner::new(frame);
    let fields = frame.fields();
    let values: Vec<Expr> = fields.iter().map(|name| planner.field(name, Default::default()).text()).collect();
    let key = frame.hidden_name();
    // Rows without fields are all the same.
    let value = if values.is_empty() { lit("") } else { rows::row_key(values) };
    frame.set(vec![(key.clone(), value)])?;
    let position = row_number().partition_by(vec![column(&key)]).order_by(frame.sort_expressions()).build()?;
    let first = window::add(frame, position)?.eq(lit(1_u64));
    let (lowest, highest) = (over(frame, &key, min(column(side)))?, over(frame, &key, max(column(side)))?);
    frame.filter(match operation {
        SetOperation::Union => first,
        SetOperation::Diff => first.and(lowest.eq(highest)),
        SetOperation::Intersect => first.and(lowest.not_eq(highest)),
    })?;
    Ok(())
}

/// An aggregate over the rows of the same key.
fn over(frame: &mut Frame, key: &str, aggregate: Expr) -> PlanResult<Expr> {
    let Expr::AggregateFunction(function) = aggregate else { return Ok(aggregate) };
    let definition = WindowFunctionDefinition::AggregateUDF(function.func);
    let window = Expr::from(WindowFunction::new(definition, function.params.args));
    window::add(frame, window.partition_by(vec![column(key)]).build()?)
}
