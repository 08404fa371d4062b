//! `timewrap`: lays the periods of a `timechart` over each other.
//!
//! Source: Splunk Search Reference, "timewrap".

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span as Duration, Timestamp, Zoned};
use spelunk_grammar::spl::commands::bins::TimeUnit;
use spelunk_grammar::spl::commands::timewrap::{Align, Naming, Timewrap};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::grid::{Grid, MOST_COLUMNS};
use super::{PlanResult, Planner};
use crate::functions::strftime;
use crate::time;
use crate::values::Value;

const TIME: &str = "_time";

/// The most periods that a chart is cut into.
const MOST_PERIODS: i64 = 4_000;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Timewrap, place: Span) -> PlanResult<()> {
    let spans = frame.spans.clone();
    let Some(grid) = Grid::collect(planner, frame).await? else { return Ok(()) };
    let (Some(spans), Some(at)) = (spans, grid.position(TIME)) else {
        let message = "`timewrap` wraps the rows of a `timechart`, and these are none";
        return Err(Diagnostic::error(Code::InvalidArgument, message, place)
            .with_help("put it behind `timechart`; only commands that keep its rows may stand between")
            .into());
    };
    let zone = &planner.clock.time_zone;
    let latest = grid.column(at).filter_map(micros).max();
    let end = match (command.align.unwrap_or(Align::End), latest) {
        (Align::End, Some(latest)) => spans.next(latest),
        (Align::Now, _) => Some(planner.clock.now.as_microsecond()),
        (Align::End, None) => return Ok(()),
    };
    let end = end.and_then(|end| Timestamp::from_microsecond(end).ok()).ok_or_else(|| out_of_range(command))?;
    let mut wrapped = Wrapped { command, end: end.to_zoned(zone.clone()), starts: Vec::new() };
    if let (Some(latest), Align::End) = (latest, command.align.unwrap_or(Align::End))
        && wrapped.start(0)?.timestamp().as_microsecond() > latest
    {
        let message = "the rows of the chart are longer than the periods to wrap them by";
        return Err(Diagnostic::error(Code::InvalidArgument, message, command.unit.span)
            .with_help("take a shorter `span` in `timechart`, or a longer period")
            .into());
    }
    let mut rows: BTreeMap<i64, BTreeMap<usize, Vec<Value<'static>>>> = BTreeMap::new();
    let mut periods = BTreeSet::new();
    for row in &grid.rows {
        // Rows behind the latest period, where that ends now, are in none.
        let Some((period, shown)) =
            row.get(at).and_then(micros).and_then(|time| wrapped.place(time).transpose()).transpose()?
        else {
            continue;
        };
        periods.insert(period);
        rows.entry(shown).or_default().insert(period, row.clone());
    }
    let columns: Vec<(usize, &String)> =
        grid.names.iter().enumerate().filter(|(_, name)| !name.starts_with('_')).collect();
    if columns.len().saturating_mul(periods.len()) >= MOST_COLUMNS {
        let message =
            format!("the result would have {} columns; the most is {MOST_COLUMNS}", columns.len() * periods.len() + 1);
        return Err(Diagnostic::error(Code::TooLarge, message, command.unit.span).into());
    }
    let mut result = Grid::new([TIME]);
    let mut cells: Vec<(usize, usize)> = Vec::new();
    for (position, name) in columns {
        // The oldest period comes first.
        for period in periods.iter().rev() {
            result.names.push(format!("{name}_{}", wrapped.name(*period)?));
            cells.push((position, *period));
        }
    }
    for (shown, by_period) in &rows {
        let mut row = vec![Value::Number(*shown as f64 / 1e6)];
        for (position, period) in &cells {
            let value = by_period.get(period).and_then(|row| row.get(*position)).cloned();
            row.push(value.unwrap_or(Value::Null));
        }
        result.rows.push(row);
    }
    result.replace(frame, place)
}

fn micros(value: &Value<'_>) -> Option<i64> {
    time::microseconds(value.number()?)
}

fn out_of_range(command: &Timewrap) -> Diagnostic {
    Diagnostic::error(Code::TooLarge, "the periods lead out of the calendar", command.unit.span)
}

/// The periods, counted back from the end.
struct Wrapped<'q> {
    command: &'q Timewrap,
    end: Zoned,
    /// Where the latest period and those before it start, as far as they were asked for.
    starts: Vec<Zoned>,
}

impl Wrapped<'_> {
    /// The period that a time is in, and the time in the latest one that it is laid over.
    fn place(&mut self, time: i64) -> PlanResult<Option<(usize, i64)>> {
        let Ok(time) = Timestamp::from_microsecond(time) else { return Ok(None) };
        if time >= self.end.timestamp() {
            return Ok(None);
        }
        let mut period = 0;
        loop {
            let start = self.start(period)?;
            if start.timestamp() <= time {
                let passed = time.to_zoned(start.time_zone().clone()).datetime().duration_since(start.datetime());
                let shown: Option<DateTime> = self.start(0)?.datetime().checked_add(passed).ok();
                let zone: &TimeZone = self.end.time_zone();
                let shown = shown
                    .and_then(|shown| shown.to_zoned(zone.clone()).ok())
                    .ok_or_else(|| out_of_range(self.command))?;
                return Ok(Some((period, shown.timestamp().as_microsecond())));
            }
            period += 1;
        }
    }

    /// Where a period starts.
    fn start(&mut self, period: usize) -> PlanResult<Zoned> {
        while self.starts.len() <= period {
            let back = i64::try_from(self.starts.len()).unwrap_or(i64::MAX).saturating_add(1);
            if back > MOST_PERIODS {
                let message = format!("the chart has more than {MOST_PERIODS} such periods");
                return Err(Diagnostic::error(Code::TooLarge, message, self.command.unit.span).into());
            }
            let count = back.saturating_mul(self.command.count);
            let span = Duration::new();
            let span = match self.command.unit.node {
                TimeUnit::Minute => span.try_minutes(count),
                TimeUnit::Hour => span.try_hours(count),
                TimeUnit::Day => span.try_days(count),
                TimeUnit::Week => span.try_weeks(count),
                TimeUnit::Month => span.try_months(count),
                TimeUnit::Quarter => span.try_months(count.saturating_mul(3)),
                TimeUnit::Year => span.try_years(count),
                _ => span.try_seconds(count),
            };
            let start = span.and_then(|span| self.end.checked_sub(span)).map_err(|_| out_of_range(self.command))?;
            self.starts.push(start);
        }
        self.starts.get(period).cloned().ok_or_else(|| out_of_range(self.command).into())
    }

    /// The name of a period.
    fn name(&mut self, period: usize) -> PlanResult<String> {
        let unit = match self.command.unit.node {
            TimeUnit::Minute => "minute",
            TimeUnit::Hour => "hour",
            TimeUnit::Day => "day",
            TimeUnit::Week => "week",
            TimeUnit::Month => "month",
            TimeUnit::Quarter => "quarter",
            TimeUnit::Year => "year",
            _ => "second",
        };
        let count = self.command.count;
        let several = |count: i64| if count == 1 { format!("{count}{unit}") } else { format!("{count}{unit}s") };
        Ok(match self.command.series.unwrap_or(Naming::Relative) {
            Naming::Short => format!("s{period}"),
            Naming::Relative if period == 0 && count == 1 => format!("latest_{unit}"),
            Naming::Relative if period == 0 => format!("latest_{}", several(count)),
            Naming::Relative => {
                let back = i64::try_from(period).unwrap_or(i64::MAX).saturating_mul(count);
                format!("{}_before", several(back))
            }
            Naming::Exact => {
                let start = self.start(period)?;
                let Some(format) = &self.command.time_format else { return Ok(format!("s{period}")) };
                strftime::format(start.timestamp().as_microsecond(), &format.node, start.time_zone())
                    .ok_or_else(|| Diagnostic::error(Code::InvalidPattern, "invalid time format", format.span))?
            }
        })
    }
}
