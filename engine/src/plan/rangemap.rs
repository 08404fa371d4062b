//! `rangemap`: names the ranges that a number lies in.
//!
//! Source: Splunk Search Reference, "rangemap".

use spelunk_grammar::spl::commands::rangemap::{Range, Rangemap};

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use crate::functions::rows;

/// The field that the command sets.
const RESULT: &str = "range";
/// What lies in no range gives where the search does not say.
const DEFAULT: &str = "None";

/// Plans the command. Only ranges that overlap, and several values, make a field with several values.
pub fn plan(frame: &mut Frame, command: &Rangemap) -> PlanResult<()> {
    let Rangemap { field, ranges, default } = command;
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    let overlap = |a: &Range, b: &Range| a.low <= b.high && b.low <= a.high;
    let several =
        ranges.iter().enumerate().any(|(n, a)| ranges.iter().skip(n.saturating_add(1)).any(|b| overlap(a, b)));
    let default = default.as_deref().unwrap_or(DEFAULT);
    let listed = ranges.iter().map(|range| (range.name.as_str(), range.low, range.high));
    let names = match several || value.kind == Kind::Many {
        true => rows::ranges(value.text(), default, listed),
        false => rows::range(value.text(), default, listed),
    };
    frame.set(vec![(RESULT.to_string(), names)])?;
    Ok(())
}
