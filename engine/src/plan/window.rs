//! Columns computed over the rows around, for the commands that look at more than one row at a time.

use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_window::expr_fn::lag;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlanBuilder, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition,
};

use super::PlanResult;
use super::frame::{Frame, column};

/// Adds a window expression as a hidden column, and gives that.
pub fn add(frame: &mut Frame, window: Expr) -> PlanResult<Expr> {
    let window = fitting(window);
    let name = frame.hidden_name();
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).window(vec![window.alias(&name)])?.build()?;
    frame.extend(plan);
    Ok(column(&name))
}

/// The window expression as DataFusion takes it where nothing orders the rows, as after `stats` without BY: it
/// refuses a frame made for an order.
pub fn fitting(mut window: Expr) -> Expr {
    if let Expr::WindowFunction(function) = &mut window
        && function.params.order_by.is_empty()
        && function.params.window_frame.units != WindowFrameUnits::Rows
    {
        function.params.window_frame = WindowFrame::new(None);
    }
    window
}

/// The sum of a number over the rows so far, in their order.
pub fn running_sum(frame: &mut Frame, number: Expr) -> PlanResult<Expr> {
    let definition = WindowFunctionDefinition::AggregateUDF(sum_udaf());
    let so_far = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::CurrentRow,
    );
    let sum = Expr::from(WindowFunction::new(definition, vec![number]))
        .order_by(frame.sort_expressions())
        .window_frame(so_far)
        .build()?;
    add(frame, sum)
}

/// The value that a row so many rows before has.
pub fn before(frame: &mut Frame, value: Expr, rows: u64) -> PlanResult<Expr> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let value = lag(value, Some(rows), None).order_by(frame.sort_expressions()).build()?;
    add(frame, value)
}
