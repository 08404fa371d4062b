//! `delta`: the difference to a row before.
//!
//! Source: Splunk Search Reference, "delta".

use arrow::datatypes::DataType;
use datafusion::logical_expr::{cast, lit};
use spelunk_grammar::spl::commands::delta::Delta;

use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use super::{PlanResult, window};

/// Plans the command. There is no difference where one of the two values is no number.
pub fn plan(frame: &mut Frame, command: &Delta) -> PlanResult<()> {
    let Delta { field, alias, distance } = command;
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    let distance = distance.unwrap_or(1);
    let difference = match value.kind {
        // Times differ by whole microseconds; as seconds they would differ by rounding errors too.
        Kind::Time => {
            let time = cast(value.expr.clone(), DataType::Int64);
            let before = window::before(frame, time.clone(), distance)?;
            cast(time - before, DataType::Float64) / lit(1e6)
        }
        _ => {
            let number = value.number();
            let before = window::before(frame, number.clone(), distance)?;
            number - before
        }
    };
    let name = alias.as_ref().map_or_else(|| format!("delta({})", field.text), |alias| alias.text.clone());
    frame.set(vec![(name, difference)])?;
    Ok(())
}
