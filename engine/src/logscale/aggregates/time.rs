//! Aggregates by stretch of time: `bucket` and `timeChart`.

use std::collections::HashMap;

use datafusion::functions::expr_fn::floor;
use datafusion::functions_aggregate::min_max::{max, min};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::super::arguments::Arguments;
use super::super::rows::Rows;
use super::super::{Run, as_number, unsupported};
use super::{combine, parts_of};
use crate::functions::bins::{BinUnit, TimeBins, time_bin};
use crate::functions::{logscale, operators};
use crate::plan::PlanResult;
use crate::plan::expression::{Kind, Typed};
use crate::plan::frame::{Frame, column};
use crate::plan::grid::Grid;
use crate::values::Value;

/// The field that holds the start of a bucket, in milliseconds.
const BUCKET: &str = "_bucket";
/// How many series a chart has where the query does not say.
const SERIES: usize = 10;
/// Into how many buckets the time is divided at most where the query does not say.
const MOST_BUCKETS: f64 = 100.0;
/// How many rows of buckets without events are made at most.
const MOST_ROWS: usize = 200_000;
/// A day in milliseconds.
const DAY: f64 = 8.64e7;
/// The spans that are chosen from, in milliseconds.
const SPANS: [f64; 20] = [
    1.0, 10.0, 100.0, 1e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 9e5, 1.8e6, 3.6e6, 7.2e6, 1.08e7, 2.16e7, 4.32e7, DAY,
    6.048e8, 2.592e9,
];

/// The buckets of a query: their length in milliseconds, or the days of a zone.
struct Buckets {
    milliseconds: f64,
    days: Option<TimeBins>,
}

/// `bucket`: a row for each stretch of time and group that has events.
pub async fn bucket(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let mut groups = a.names("field")?.unwrap_or_default();
    let limit = a.count("limit")?;
    // `bucket(1h)` names no field.
    let span = match groups.as_slice() {
        [only] if !a.has("span") && milliseconds(&only.node).is_some() => groups.pop(),
        _ => None,
    };
    by_time(run, frame, a, &groups, span).await?;
    if groups.is_empty() {
        return Ok(());
    }
    let Some(mut grid) = Grid::collect(run.planner, frame).await? else { return Ok(()) };
    keep_series(run, &mut grid, &groups, limit, a);
    grid.replace(frame, a.span())
}

/// `timeChart`: a row for each stretch of time and series, with events or not.
pub async fn chart(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let series = a.names("series")?.unwrap_or_default();
    let limit = a.count("limit")?;
    for field in &series {
        let value = Rows::of(frame).field(&field.node, field.span);
        frame.filter(value.expr.is_not_null())?;
    }
    let (buckets, zeros) = by_time(run, frame, a, &series, None).await?;
    let Some(mut grid) = Grid::collect(run.planner, frame).await? else { return Ok(()) };
    keep_series(run, &mut grid, &series, limit, a);
    let filled = fill(run, grid, &buckets, series.len(), &zeros, a.span());
    filled.replace(frame, a.span())
}

/// The functions by bucket and group; and which of their results are 0 where there is no event.
async fn by_time(
    run: &mut Run<'_, '_>,
    frame: &mut Frame,
    a: &Arguments<'_>,
    groups: &[Spanned<String>],
    span: Option<Spanned<String>>,
) -> PlanResult<(Buckets, Vec<String>)> {
    if !run.keys.is_empty() {
        let what = format!("`{}` inside of another aggregate", a.function.name);
        return Err(unsupported(&what, a.call.name.span).into());
    }
    let time = as_number(&Rows::of(frame).field("@timestamp", a.span()));
    let buckets = buckets(run, frame, a, &time, span).await?;
    if let Some(units) = a.names("unit")?
        && let Some(unit) = units.iter().find(|unit| unit.node.contains(" to ") || unit.node.contains("span"))
    {
        // A unit by itself names an axis; one that converts would change the numbers.
        return Err(unsupported("`unit` with a conversion", unit.span).into());
    }
    let parts = parts_of(a, "function")?;
    a.done()?;
    let start = match &buckets.days {
        Some(days) => {
            let day = time_bin(operators::to_time(time / lit(1_000.0_f64)), days);
            Typed::new(day, Kind::Time, a.span()).number() * lit(1_000.0_f64)
        }
        None => floor(time / lit(buckets.milliseconds)) * lit(buckets.milliseconds),
    };
    frame.set(vec![(BUCKET.to_owned(), start)])?;
    frame.filter(column(BUCKET).is_not_null())?;
    let mut keys = vec![Spanned::new(BUCKET.to_owned(), a.span())];
    keys.extend(groups.iter().cloned());
    let zeros = parts.iter().flat_map(|part| part.zeros()).collect();
    combine(run, frame, &keys, parts, None).await?;
    Ok((buckets, zeros))
}

/// How long the buckets are.
async fn buckets(
    run: &Run<'_, '_>,
    frame: &Frame,
    a: &Arguments<'_>,
    time: &Expr,
    span: Option<Spanned<String>>,
) -> PlanResult<Buckets> {
    let span = a.text("span")?.or(span).filter(|span| !span.node.eq_ignore_ascii_case("auto"));
    let number = a.text("buckets")?;
    let least = a.text("minSpan")?.map(|least| length(&least)).transpose()?;
    let milliseconds = match (span, number) {
        (Some(span), Some(number)) => {
            let message = "`span` says how long the buckets are; `buckets` changes nothing";
            frame.note(Diagnostic::note(Code::Note, message, number.span));
            length(&span)?
        }
        (Some(span), None) => length(&span)?,
        (None, Some(number)) => match number.node.parse::<u32>() {
            Ok(wanted) if (1..=1_500).contains(&wanted) => {
                let covered = covered(run, frame, time).await?;
                (covered / f64::from(wanted)).ceil().max(1.0)
            }
            _ => {
                let message = format!("`buckets` is a number from 1 to 1500, not `{}`", number.node);
                return Err(Diagnostic::error(Code::InvalidOption, message, number.span).into());
            }
        },
        (None, None) => {
            let covered = covered(run, frame, time).await?;
            SPANS.into_iter().find(|span| covered / span <= MOST_BUCKETS).unwrap_or(3.1536e10)
        }
    };
    let milliseconds = least.map_or(milliseconds, |least| milliseconds.max(least));
    let days = match a.text("timezone")? {
        Some(zone) if logscale::time_zone(&zone.node).is_none() => {
            let message = format!("{:?} is no time zone such as Europe/Paris or +02:00", zone.node);
            return Err(Diagnostic::error(Code::InvalidOption, message, zone.span).into());
        }
        // Days begin at midnight of the zone; shorter buckets begin at the same moments in all of them.
        Some(zone) if milliseconds % DAY == 0.0 => {
            let count = (milliseconds / DAY) as i64;
            Some(TimeBins { unit: BinUnit::Days, count, anchor: 0, zone: zone.node })
        }
        _ => None,
    };
    Ok(Buckets { milliseconds, days })
}

/// How many milliseconds lie between the first event and the last one.
async fn covered(run: &Run<'_, '_>, frame: &Frame, time: &Expr) -> PlanResult<f64> {
    let Some(runner) = run.planner.runner else { return Ok(0.0) };
    let ends = vec![min(time.clone()).alias("first"), max(time.clone()).alias("last")];
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(Vec::<Expr>::new(), ends)?.build()?;
    let (_, batches) = runner.collect(plan).await?;
    let read = |name: &str| {
        let numbers = batches.iter().filter_map(|batch| batch.column_by_name(name).filter(|values| !values.is_empty()));
        numbers.filter_map(|values| Value::read(values.as_ref(), 0).number()).next()
    };
    Ok(match (read("first"), read("last")) {
        (Some(first), Some(last)) => (last - first).max(0.0) + 1.0,
        _ => 0.0,
    })
}

/// The groups of a row, as what tells them from others.
fn group(row: &[Value<'static>], fields: usize) -> Vec<String> {
    row.iter().skip(1).take(fields).map(|value| value.texts().join("\n")).collect()
}

/// Keeps the series with the greatest values.
fn keep_series(
    run: &mut Run<'_, '_>,
    grid: &mut Grid,
    groups: &[Spanned<String>],
    limit: Option<usize>,
    a: &Arguments<'_>,
) {
    let fields = groups.len();
    let mut greatest: HashMap<Vec<String>, f64> = HashMap::new();
    for row in &grid.rows {
        let values = row.iter().skip(fields.saturating_add(1)).filter_map(Value::number);
        let value = values.fold(f64::NEG_INFINITY, f64::max);
        let best = greatest.entry(group(row, fields)).or_insert(f64::NEG_INFINITY);
        *best = best.max(value);
    }
    let most = limit.unwrap_or(SERIES);
    if fields == 0 || greatest.len() <= most {
        return;
    }
    let found = greatest.len();
    let mut ranked: Vec<(Vec<String>, f64)> = greatest.into_iter().collect();
    ranked.sort_by(|(a, left), (b, right)| right.total_cmp(left).then_with(|| a.cmp(b)));
    ranked.truncate(most);
    let kept: std::collections::HashSet<Vec<String>> = ranked.into_iter().map(|(group, _)| group).collect();
    grid.rows.retain(|row| kept.contains(&group(row, fields)));
    if limit.is_none() {
        let message = format!("{found} series were found; the {most} with the greatest values are kept");
        let place = groups.first().map_or(a.span(), |group| group.span);
        let finding = Diagnostic::warning(Code::Truncated, message, place);
        run.planner.diagnostics.push(finding.with_help("`limit=` keeps as many as it says"));
    }
}

/// The rows, and one for each series and bucket between the first and the last that has none.
fn fill(run: &mut Run<'_, '_>, grid: Grid, buckets: &Buckets, fields: usize, zeros: &[String], span: Span) -> Grid {
    let starts: Vec<f64> = grid.column(0).filter_map(Value::number).collect();
    let first = starts.iter().copied().fold(f64::INFINITY, f64::min);
    let last = starts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut series: Vec<(Vec<String>, Vec<Value<'static>>)> = Vec::new();
    let mut known: HashMap<(i64, Vec<String>), Vec<Value<'static>>> = HashMap::new();
    let mut result = Grid::new(grid.names.clone());
    let rows = grid.rows.clone();
    for row in grid.rows {
        let name = group(&row, fields);
        if !series.iter().any(|(known, _)| *known == name) {
            series.push((name.clone(), row.iter().skip(1).take(fields).cloned().collect()));
        }
        let start = row.first().and_then(Value::number).unwrap_or_default();
        known.insert((start as i64, name), row);
    }
    series.sort_by(|(a, _), (b, _)| a.cmp(b));
    let number = (last - first) / buckets.milliseconds + 1.0;
    if number.is_finite() && number * series.len() as f64 > MOST_ROWS as f64 {
        let message = format!("the chart would have more than {MOST_ROWS} rows; buckets without events are left out");
        let finding = Diagnostic::warning(Code::Truncated, message, span);
        run.planner.diagnostics.push(finding.with_help("choose a longer `span`"));
        result.rows = rows;
        return result;
    }
    let mut start = first;
    while start <= last {
        for (name, values) in &series {
            let row = known.remove(&(start as i64, name.clone())).unwrap_or_else(|| {
                let mut row = vec![Value::Number(start)];
                row.extend(values.iter().cloned());
                let rest = result.names.iter().skip(row.len());
                let empty = rest.map(|name| if zeros.contains(name) { Value::Number(0.0) } else { Value::Null });
                row.extend(empty.collect::<Vec<_>>());
                row
            });
            result.rows.push(row);
        }
        let next = match &buckets.days {
            Some(days) => days.next((start * 1e3) as i64).map_or(f64::INFINITY, |next| next as f64 / 1e3),
            None => start + buckets.milliseconds,
        };
        // Time that does not move on would never end.
        start = if next > start { next } else { f64::INFINITY };
    }
    result
}

/// A length of time in milliseconds.
///
/// # Errors
/// It is none.
pub fn length(text: &Spanned<String>) -> Result<f64, Diagnostic> {
    milliseconds(&text.node).ok_or_else(|| {
        let message = format!("{:?} is no span of time such as 1h", text.node);
        Diagnostic::error(Code::InvalidTime, message, text.span)
    })
}

/// The same, or nothing.
pub fn milliseconds(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "ms" | "millis" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
        "m" | "min" | "minute" | "minutes" => 6e4,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3.6e6,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 6.048e8,
        "mon" | "month" | "months" => 2.592e9,
        "q" | "qtr" | "qtrs" | "quarter" | "quarters" => 7.776e9,
        "y" | "yr" | "yrs" | "year" | "years" => 3.1536e10,
        _ => return None,
    };
    Some(number * unit).filter(|length| *length > 0.0)
}
