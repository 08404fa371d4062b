//! `nomv`: one value of several.
//!
//! Source: Splunk Search Reference, "nomv", "mvcombine".

use spelunk_grammar::spl::commands::nomv::Nomv;

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use crate::functions::rows;

/// Plans the command. The values of `mvcombine` are joined as it says.
pub fn plan(frame: &mut Frame, command: &Nomv) -> PlanResult<()> {
    let field = &command.field;
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    if value.kind != Kind::Many {
        return Ok(());
    }
    let delimiter = frame.delimiters.get(&field.text).map_or(rows::SINGLE_VALUE_DELIMITER, String::as_str);
    let single = rows::single(value.expr, delimiter);
    frame.set(vec![(field.text.clone(), single)])?;
    Ok(())
}
