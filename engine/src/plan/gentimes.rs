//! `gentimes`: spans of time, one after the other.
//!
//! Source: Splunk Search Reference, "gentimes".

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span as Duration, Zoned};
use spelunk_grammar::spl::commands::bins::{self, BinSpan, TimeUnit};
use spelunk_grammar::spl::commands::gentimes::Gentimes;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::frame::Frame;
use super::grid::Grid;
use super::{PlanResult, Planner};
use crate::values::Value;

/// The most rows that are made.
const MOST_ROWS: usize = 1_000_000;

/// How times are written for people.
const HUMAN: &str = "%a %b %-d %H:%M:%S %Y";

/// Plans the command.
pub fn plan(planner: &Planner<'_>, command: &Gentimes, place: Span) -> PlanResult<Frame> {
    let Gentimes { start, end, increment } = command;
    let (mut at, end) = (time(planner, start)?, end.as_ref().map(|end| time(planner, end)).transpose()?);
    let end = match end {
        Some(end) => end,
        None => midnight(planner, 0).ok_or_else(|| unreadable("0", place))?,
    };
    let step = step(increment.as_ref())?;
    let mut grid = Grid::new(["starttime", "starthuman", "endtime", "endhuman"]);
    while at < end {
        if grid.rows.len() >= MOST_ROWS {
            let message = format!("`gentimes` would make more than {MOST_ROWS} rows");
            return Err(Diagnostic::error(Code::TooLarge, message, place).into());
        }
        let Ok(next) = at.checked_add(step) else { break };
        let mut row = Vec::with_capacity(4);
        let Ok(last) = next.checked_sub(Duration::new().seconds(1)) else { break };
        for time in [&at, &last] {
            row.push(Value::Number(time.timestamp().as_second() as f64));
            row.push(Value::Text(time.strftime(HUMAN).to_string().into()));
        }
        grid.rows.push(row);
        at = next;
    }
    grid.into_frame(planner, place)
}

/// The length of a row.
fn step(increment: Option<&Spanned<String>>) -> Result<Duration, Diagnostic> {
    let Some(increment) = increment else { return Ok(Duration::new().days(1)) };
    let span = match bins::span(&increment.node) {
        Ok(BinSpan::Time(span)) if span.snap.is_none() => match span.unit {
            TimeUnit::Second => Duration::new().try_seconds(span.count).ok(),
            TimeUnit::Minute => Duration::new().try_minutes(span.count).ok(),
            TimeUnit::Hour => Duration::new().try_hours(span.count).ok(),
            TimeUnit::Day => Duration::new().try_days(span.count).ok(),
            _ => None,
        },
        _ => None,
    };
    span.ok_or_else(|| {
        let message = format!(
            "`increment` takes a number of seconds, minutes, hours or days such as `6h`, not `{}`",
            increment.node
        );
        Diagnostic::error(Code::InvalidOption, message, increment.span)
    })
}

/// `10/25/2024`, `10/25/24:13:30:00`, or a number of days from today.
fn time(planner: &Planner<'_>, text: &Spanned<String>) -> Result<Zoned, Diagnostic> {
    let found = match text.node.trim().parse::<i64>() {
        Ok(days) => midnight(planner, days),
        Err(_) => civil(&text.node).and_then(|time| time.to_zoned(planner.clock.time_zone.clone()).ok()),
    };
    found.ok_or_else(|| unreadable(&text.node, text.span))
}

fn unreadable(text: &str, place: Span) -> Diagnostic {
    Diagnostic::error(Code::InvalidTime, format!("`gentimes` cannot read the time `{text}`"), place).with_help(
        "write a date such as 10/25/2024, a time such as 10/25/2024:13:30:00, or a number of days such as -7",
    )
}

/// The start of the day so many days from today.
fn midnight(planner: &Planner<'_>, days: i64) -> Option<Zoned> {
    let today = planner.clock.now.to_zoned(planner.clock.time_zone.clone()).start_of_day().ok()?;
    today.checked_add(Duration::new().try_days(days).ok()?).ok()
}

fn civil(text: &str) -> Option<DateTime> {
    let (date, time) = text.trim().split_once(':').map_or((text.trim(), None), |(date, time)| (date, Some(time)));
    let mut numbers = date.split('/');
    let (month, day, year) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let years: i16 = year.parse().ok()?;
    // Two digits are years of this century, or from 69 on of the last one.
    let year = match (year.len(), years) {
        (2, 69..) => years.checked_add(1900)?,
        (2, _) => years.checked_add(2000)?,
        _ => years,
    };
    if numbers.next().is_some() {
        return None;
    }
    let date = Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()?;
    let Some(time) = time else { return Some(date.to_datetime(Time::midnight())) };
    let mut numbers = time.split(':');
    let (hour, minute, second) = (numbers.next()?, numbers.next()?, numbers.next()?);
    if numbers.next().is_some() {
        return None;
    }
    let time = Time::new(hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?, 0).ok()?;
    Some(date.to_datetime(time))
}
