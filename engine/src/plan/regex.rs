//! `regex`: keeps the rows in which a regular expression matches.
//!
//! Source: Splunk Search Reference, "regex". It leaves open what `!=` does with rows that lack the field: they do
//! not match, so they stay.

use datafusion::logical_expr::{is_not_true, lit};
use spelunk_grammar::spl::commands::regex::Regex;

use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use super::{PlanResult, trace};
use crate::functions::comparison::{self, invalid_pattern};
use crate::functions::pattern::Pattern;

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Regex) -> PlanResult<()> {
    let Regex { field, negated, pattern } = command;
    Pattern::new(&pattern.node).map_err(|reason| invalid_pattern(&reason, pattern.span))?;
    let planner = ExpressionPlanner::new(frame);
    let value = match field {
        Some(field) => planner.field(&field.text, field.span),
        None => planner.field("_raw", pattern.span),
    };
    let matched = match value.kind {
        Kind::Null => lit(frame.open),
        _ => comparison::pattern_matches(value.text(), &pattern.node),
    };
    let kept = if *negated { is_not_true(matched) } else { matched };
    trace::spl::regex(frame, command, &kept, pattern.span);
    frame.filter(kept)?;
    Ok(())
}
