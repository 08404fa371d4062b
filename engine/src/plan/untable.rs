//! `untable`: a row for each cell of a table.
//!
//! Source: Splunk Search Reference, "untable". It leaves open what becomes of missing values: they make no row.

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit};
use spelunk_grammar::spl::commands::untable::Untable;

use super::expression::{ExpressionPlanner, Kind, Typed, as_kind, common_kind};
use super::frame::{Frame, column};
use super::{PlanResult, existing};
use crate::functions::kernel::many_type;

/// Plans the command. A row of the table becomes an array of names and one of values, which are then taken apart.
pub fn plan(frame: &mut Frame, command: &Untable) -> PlanResult<()> {
    let Untable { x, name, data } = command;
    let kept = existing(frame, &x.text, x.span).unwrap_or_else(|| Typed::null(x.span).expr);
    let names: Vec<String> =
        frame.fields().into_iter().filter(|field| *field != x.text && !field.starts_with('_')).collect();
    if names.is_empty() {
        frame.select(vec![(x.text.clone(), kept)])?;
        let null = || Typed::null(x.span).expr;
        frame.set(vec![(name.text.clone(), null()), (data.text.clone(), null())])?;
        frame.filter(lit(frame.open))?;
        frame.events = false;
        return Ok(());
    }
    let planner = ExpressionPlanner::new(frame);
    let fields: Vec<Typed> = names.iter().map(|field| planner.field(field, data.span)).collect();
    let fields: Vec<Typed> = fields.into_iter().map(seconds).collect();
    let (kind, data_type) = match common_kind(&fields.iter().collect::<Vec<_>>()) {
        kind @ Kind::Integer => (kind, DataType::Int64),
        kind @ Kind::Number => (kind, DataType::Float64),
        kind @ Kind::Many => (kind, many_type()),
        _ => (Kind::Text, DataType::Utf8),
    };
    let cells: Vec<Expr> = fields.iter().map(|field| cast(as_kind(field, kind), data_type.clone())).collect();
    let positions: Vec<Expr> = (0_i64..).zip(&names).map(|(position, _)| lit(position)).collect();
    let labels: Vec<Expr> = names.iter().map(lit).collect();
    let [position, label, cell] = [positions, labels, cells].map(|items| (frame.hidden_name(), make_array(items)));
    let unnested = [&position.0, &label.0, &cell.0].map(Column::new_unqualified).to_vec();
    let [position_name, label_name, cell_name] = [&position, &label, &cell].map(|(name, _)| name.clone());
    frame.set(vec![position, label, cell])?;
    frame.select(vec![(x.text.clone(), kept)])?;
    let plan = LogicalPlanBuilder::new(frame.plan().clone())
        .unnest_columns_with_options(unnested, Default::default())?
        .build()?;
    // Only the columns themselves, as the frame has them.
    let columns: Vec<Expr> = plan.schema().fields().iter().map(|field| column(field.name())).collect();
    frame.extend(LogicalPlanBuilder::new(plan).project(columns)?.build()?);
    frame.filter(column(&cell_name).is_not_null())?;
    frame.set(vec![(name.text.clone(), column(&label_name)), (data.text.clone(), column(&cell_name))])?;
    frame.order_within(position_name);
    frame.events = false;
    Ok(())
}

/// A time among other values is a number of seconds.
fn seconds(value: Typed) -> Typed {
    match value.kind {
        Kind::Time => Typed::new(value.number(), Kind::Number, value.span),
        _ => value,
    }
}
