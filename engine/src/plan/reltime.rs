//! `reltime`: how long ago a time was.
//!
//! Source: Splunk Search Reference, "reltime".

use datafusion::logical_expr::lit;
use spelunk_grammar::spl::commands::reltime::Reltime;
use spelunk_grammar::spl::expression::Name;

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use crate::functions::rows;

/// The name of the new field, and with a `_` behind it the prefix of several.
const RELTIME: &str = "reltime";

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Reltime) -> PlanResult<()> {
    let Reltime { timefields, prefix } = command;
    let time = [Name { text: "_time".into(), span: Default::default() }];
    let fields = if timefields.is_empty() { &time[..] } else { timefields };
    let now = frame.setting.clock.now.as_microsecond() as f64 / 1e6;
    let mut assignments = Vec::new();
    for field in fields {
        let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
        let name = match prefix {
            Some(prefix) => format!("{prefix}{}", field.text),
            None if fields.len() == 1 => RELTIME.to_string(),
            None => format!("{RELTIME}_{}", field.text),
        };
        let text = match value.kind {
            Kind::Null => value.expr,
            _ => rows::time_ago(value.number(), lit(now)),
        };
        assignments.push((name, text));
    }
    frame.set(assignments)?;
    Ok(())
}
