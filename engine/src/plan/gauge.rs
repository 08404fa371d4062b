//! `gauge`: one row for a gauge chart.
//!
//! Source: Splunk Search Reference, "gauge".

use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, lit};
use spelunk_grammar::spl::commands::gauge::Gauge;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic};

use super::PlanResult;
use super::expression::ExpressionPlanner;
use super::frame::{Frame, column};
use crate::values::parse_number;

/// The ends of the ranges where the search names none: green, yellow and red.
const DEFAULT_RANGES: [f64; 4] = [0.0, 30.0, 70.0, 100.0];

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Gauge) -> PlanResult<()> {
    let Gauge { value, ranges } = command;
    // A range has two ends; the manual says that a single one is ignored.
    let ranges = match ranges.as_slice() {
        [single] => {
            let message = "`gauge` passes over a single end of a range, and takes the usual ranges";
            frame.note(Diagnostic::warning(Code::Note, message, single.span));
            &[]
        }
        ranges => ranges,
    };
    let mut firsts: Vec<Expr> = Vec::new();
    let mut columns = vec![("x".to_string(), number(frame, value, &mut firsts)?)];
    for (position, range) in ranges.iter().enumerate() {
        columns.push((format!("y{}", position.saturating_add(1)), number(frame, range, &mut firsts)?));
    }
    if ranges.is_empty() {
        let ends = (1..).zip(DEFAULT_RANGES).map(|(position, end)| (format!("y{position}"), lit(end)));
        columns.extend(ends);
    }
    let columns: Vec<Expr> = columns.into_iter().map(|(name, value)| value.alias(name)).collect();
    if firsts.is_empty() {
        // DataFusion has to compute something for there to be a row.
        firsts.push(datafusion::functions_aggregate::expr_fn::count(lit(1_i64)).alias("rows"));
    }
    let plan = LogicalPlanBuilder::new(frame.plan().clone())
        .aggregate(Vec::<Expr>::new(), firsts)?
        .project(columns)?
        .build()?;
    frame.replace(plan, Vec::new());
    Ok(())
}

/// A number as written, or the first number of a field.
fn number(frame: &Frame, name: &Name, firsts: &mut Vec<Expr>) -> PlanResult<Expr> {
    if let Some(number) = parse_number(&name.text).filter(|_| frame.data_type(&name.text).is_none()) {
        return Ok(lit(number));
    }
    let value = ExpressionPlanner::new(frame).field(&name.text, name.span).number();
    let present = value.clone().is_not_null();
    let first = first_value_udaf().call(vec![value]).order_by(frame.sort_expressions()).filter(present).build()?;
    let hidden = format!("__gauge_{}", firsts.len());
    firsts.push(first.alias(&hidden));
    Ok(column(&hidden))
}
