//! `timechart`: aggregates over spans of time.
//!
//! Source: Splunk Search Reference, "timechart".

use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::series::Split;
use spelunk_grammar::spl::commands::timechart::Timechart;
use spelunk_grammar::spl::expression::Name;

use super::bins::{Binned, Bins, DEFAULT_BINS, Range};
use super::chart;
use super::expression::{Kind, Typed};
use super::frame::{Frame, column};
use super::pivot::{self, Key, Pivot, Table};
use super::terms::Terms;
use super::{PlanResult, Planner, sparkline};
use crate::functions::bins::TimeBins;
use crate::functions::operators;
use crate::time;

const TIME: &str = "_time";

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Timechart, place: Span) -> PlanResult<()> {
    let Timechart { terms, by, bins, series, partial, fixedrange } = command;
    let range = range(frame).filter(|_| *fixedrange != Some(false));
    chart::check(terms, None, by.as_ref(), series)?;
    let field = Name { text: TIME.into(), span: place };
    let time = Split { field, bins: (**bins).clone() };
    let mut rows = frame.clone();
    sparkline::prepare(&mut rows, chart::aggregates(terms))?;
    let mut value = pivot::split_value(&rows, &time)?;
    if value.kind == Kind::Null {
        value = Typed::new(
            datafusion::logical_expr::lit(datafusion::common::ScalarValue::Float64(None)),
            Kind::Number,
            place,
        );
    }
    if value.kind != Kind::Time {
        value = Typed::new(operators::to_time(value.number()), Kind::Time, place);
    }
    let hidden = rows.hidden_name();
    rows.set(vec![(hidden.clone(), value.expr)])?;
    let value = Typed::new(column(&hidden), Kind::Time, place);
    rows.filter(column(&hidden).is_not_null())?;
    pivot::keep_extent(&mut rows, &value, bins)?;
    let binned = Binned { name: TIME, value: &value, options: bins, most: DEFAULT_BINS, range };
    let found = binned.bins(planner, &rows).await?;
    let row = Key::add(&mut rows, &time, value, found.clone(), false)?;
    let column = match by {
        Some(by) => {
            let distinct = series.dedup_splitvals.unwrap_or(false);
            Some(chart::column_key(planner, &mut rows, by, distinct).await?)
        }
        None => None,
    };
    let names: Vec<Name> = std::iter::once(time.field.clone()).chain(by.iter().map(|by| by.field.clone())).collect();
    let terms = Terms::plan(&rows, terms, &names, by.is_none().then_some(TIME), true)?;
    let pivot = Pivot { row: Some(row), column, terms, series, renames_internal: true, range, place };
    let Some(mut table) = pivot.table(planner, &rows).await? else {
        frame.open = true;
        frame.events = false;
        return Ok(());
    };
    let bins = found.and_then(|found| match found {
        Bins::Time(bins) => Some(bins),
        Bins::Range(_) | Bins::Power { .. } => None,
    });
    if let (Some(false), Some(bins)) = (partial, &bins) {
        drop_partial(planner, &rows, &mut table, bins);
    }
    pivot.grid(table)?.replace(frame, place)?;
    frame.spans = bins;
    Ok(())
}

/// The time range of the search, as far as it was named.
fn range(frame: &Frame) -> Option<Range> {
    let (earliest, latest) = frame.time_range;
    let seconds = |time: i64| time as f64 / 1e6;
    // From 0 on is from whenever there are events.
    let earliest = earliest.filter(|time| *time > 1_000_000);
    // The end is none of the range.
    let latest = latest.map(|time| seconds(time.saturating_sub(1)));
    (earliest.is_some() || latest.is_some()).then_some(Range { earliest: earliest.map(seconds), latest })
}

/// Takes away a first and a last row that reach out of the time range of the search.
fn drop_partial(planner: &Planner<'_>, frame: &Frame, table: &mut Table, bins: &TimeBins) {
    let (earliest, latest) = (frame.time_range.0.or(planner.bounds.0), frame.time_range.1.or(planner.bounds.1));
    let start = |last: bool| {
        let (first, end) = table.ends()?;
        time::microseconds(if last { end } else { first }.number()?)
    };
    let (first, last) = (start(false), start(true).and_then(|start| bins.next(start)));
    if let (Some(earliest), Some(first)) = (earliest, first)
        && first < earliest
    {
        table.drop_first();
    }
    if let (Some(latest), Some(last)) = (latest, last)
        && last > latest
    {
        table.drop_last();
    }
}
