//! `mvrange`: numbers, or times a span apart.

use datafusion::logical_expr::{Expr, lit};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use spelunk_grammar::{Code, Diagnostic};

use super::owned;
use crate::functions::datetime;
use crate::functions::kernel::{Returns, Row};
use crate::plan::expression::{Call, Kind, Typed};
use crate::time;
use crate::values::{self, Value};

/// How many values `mvrange` makes at most.
const MOST: usize = 1_000_000;

/// Plans a call.
pub(super) fn plan(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let step = call.argument(2);
    if let Some(text) = step.literal()
        && values::parse_number(text).is_none()
    {
        let moved = span_parts(text).and_then(|(count, unit)| {
            time::shift(&format!("+{count}{unit}"), Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)).ok()
        });
        if moved.is_none_or(|moved| moved.timestamp() <= Timestamp::UNIX_EPOCH) {
            let message = format!("{text:?} is not a step for `mvrange`");
            return Err(Diagnostic::error(Code::InvalidArgument, message, step.span)
                .with_help("write a number, or a time span such as \"7d\" or \"10m\""));
        }
    }
    if matches!(step.kind, Kind::Literal | Kind::Text | Kind::Many) && call.arguments.len() == 3 {
        let mut arguments: Vec<Expr> = call.arguments.iter().map(Typed::number).take(2).collect();
        arguments.extend([step.expr, lit(datetime::zone_name(call)?)]);
        return Ok(TIMES.call(arguments, call.span));
    }
    let literal = |position: usize| call.argument(position).literal_number();
    if literal(2) == Some(0.0) {
        return Err(Diagnostic::error(Code::InvalidArgument, "the step of `mvrange` cannot be 0", step.span));
    }
    let default = if call.arguments.len() < 3 { Some(1.0) } else { literal(2) };
    if let (Some(start), Some(end), Some(step)) = (literal(0), literal(1), default)
        && (end - start) / step > MOST as f64
    {
        let message = format!("`mvrange` makes at most {MOST} values");
        return Err(Diagnostic::error(Code::TooLarge, message, call.span));
    }
    NUMBERS.plan(call)
}

/// `spl_mvrange(start, end, step)`
pub(super) const NUMBERS: Row = Row {
    name: "spl_mvrange",
    returns: Returns::Many,
    evaluate: |values| {
        let [start, end, rest @ ..] = values else { return Value::Null };
        let (Some(start), Some(end)) = (start.number(), end.number()) else { return Value::Null };
        let step = match rest.first() {
            None => 1.0,
            Some(step) => match step.number() {
                Some(step) => step,
                None => return Value::Null,
            },
        };
        let count = ((end - start) / step).ceil();
        if !count.is_finite() || count > MOST as f64 {
            return Value::Null;
        }
        // A count below zero becomes none.
        owned((0..count as usize).map(|position| values::format_number(start + position as f64 * step)))
    },
};

/// `spl_mvrange_times(start, end, step, zone)`: as [`NUMBERS`], but the step may be a span of time.
pub(super) const TIMES: Row = Row {
    name: "spl_mvrange_times",
    returns: Returns::Many,
    evaluate: |values| {
        let [start, end, step, zone] = values else { return Value::Null };
        if step.number().is_some() {
            return (NUMBERS.evaluate)(values.get(..3).unwrap_or_default());
        }
        let times = || {
            let (start, end, step, zone) = (start.number()?, end.number()?, step.text()?, zone.text()?);
            let (count, unit) = span_parts(&step)?;
            let first = Timestamp::from_microsecond(time::microseconds(start)?).ok()?;
            datetime::in_zone(&zone, |zone| times_between(&first.to_zoned(zone.clone()), end, count, unit))
        };
        times().map_or(Value::Null, owned)
    },
};

/// The count and the unit of a span of time such as `7d`.
fn span_parts(text: &str) -> Option<(i64, &str)> {
    let text = text.trim();
    let (digits, unit) = text.split_at_checked(text.bytes().take_while(u8::is_ascii_digit).count())?;
    let count = if digits.is_empty() { 1 } else { digits.parse().ok()? };
    (unit.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && unit.chars().all(|letter| letter.is_ascii_alphabetic()))
    .then_some((count, unit))
}

/// The seconds of each time from the first up to the end. Each is so many spans after the first, so that the
/// last day of a month does not wander.
fn times_between(first: &Zoned, end: f64, count: i64, unit: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut before = None;
    let mut steps: i64 = 0;
    loop {
        let moved = time::shift(&format!("+{}{unit}", count.checked_mul(steps)?), first.clone()).ok()?;
        let seconds = moved.timestamp().as_microsecond() as f64 / 1e6;
        if seconds >= end {
            return Some(found);
        }
        if before.is_some_and(|before| seconds <= before) || found.len() >= MOST {
            return None;
        }
        before = Some(seconds);
        found.push(values::format_number(seconds));
        steps = steps.checked_add(1)?;
    }
}
