//! The bins that `bin`, `chart`, `timechart` and `makecontinuous` put values into.
//!
//! Source: Splunk Search Reference, "bin", "timechart"; Search Manual, "Search using time bins and spans".

use arrow::array::RecordBatch;
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use spelunk_grammar::spl::commands::bins::{BinOptions, BinSpan, TimeSpan, TimeUnit};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::expression::{Kind, Typed};
use super::frame::Frame;
use super::{PlanResult, Planner, Setting};
use crate::functions::bins::{self as kernels, BinUnit, TimeBins, bound, range_index, tidy};
use crate::time;
use crate::values::Value;

/// How many bins there may be (`maxbins` of `limits.conf`).
pub const MOST_BINS: i64 = 50_000;

/// How many bins there are at most where the search does not say.
pub const DEFAULT_BINS: u64 = 100;

/// What values are put into.
#[derive(Debug, Clone, PartialEq)]
pub enum Bins {
    /// Spans of time.
    Time(TimeBins),
    /// Ranges of numbers, so wide.
    Range(f64),
    /// The ranges between the powers of a base, times a factor.
    Power {
        /// The factor.
        coefficient: f64,
        /// The base.
        base: f64,
    },
}

/// A field whose values are put into bins.
pub struct Binned<'q> {
    /// Its name.
    pub name: &'q str,
    /// Its value.
    pub value: &'q Typed,
    /// The options.
    pub options: &'q BinOptions,
    /// How many bins there are at most, where neither a width nor that is given.
    pub most: u64,
    /// What the bins have to reach over even without values there, in seconds.
    pub range: Option<Range>,
}

/// A range of times in seconds, open where it has no end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The first time.
    pub earliest: Option<f64>,
    /// The last time.
    pub latest: Option<f64>,
}

impl Range {
    /// The range that reaches over both; that of the values where these leave it.
    pub fn around(self, least: f64, greatest: f64) -> (f64, f64) {
        let (earliest, latest) = (self.earliest.unwrap_or(least), self.latest.unwrap_or(greatest));
        if earliest <= least && greatest <= latest { (earliest, latest) } else { (least, greatest) }
    }
}

/// The least and the greatest value.
#[derive(Debug, Clone, Copy)]
struct Extent {
    least: f64,
    greatest: f64,
}

impl Binned<'_> {
    /// Whether the values are times, rather than numbers.
    pub fn is_timed(&self) -> bool {
        let timed = |span: &Option<Spanned<BinSpan>>| matches!(span, Some(Spanned { node: BinSpan::Time(_), .. }));
        let BinOptions { bins: _, minspan, span, start: _, end: _, aligntime: _ } = self.options;
        self.name == "_time" || self.value.kind == Kind::Time || timed(span) || timed(minspan)
    }

    /// The bins; `None` where they depend on data and there is none, or no number in it.
    ///
    /// # Errors
    /// Options that contradict each other, or DataFusion's own error.
    pub async fn bins(&self, planner: &Planner<'_>, frame: &Frame) -> PlanResult<Option<Bins>> {
        let BinOptions { bins, minspan, span, start, end, aligntime } = self.options;
        if let Some(bins) = bins
            && i64::try_from(bins.node).unwrap_or(i64::MAX) > MOST_BINS
        {
            return Err(too_many(&bins.node.to_string(), bins.span).into());
        }
        if let (Some(start), Some(end)) = (start, end)
            && start.node > end.node
        {
            let message = format!("`start` is {} and `end` is {}, which is less", start.node, end.node);
            return Err(Diagnostic::error(Code::InvalidOption, message, end.span).into());
        }
        let timed = self.is_timed();
        if let (Some(aligntime), false) = (aligntime, timed) {
            let message = "`aligntime` is for bins of time, and this field holds numbers";
            return Err(Diagnostic::error(Code::InvalidOption, message, aligntime.span).into());
        }
        match span {
            Some(span) => self.of_span(planner, frame, span, timed).await,
            None => {
                let Some(extent) = self.extent(planner, frame, true).await? else { return Ok(None) };
                let most = bins.as_ref().map_or(self.most, |bins| bins.node);
                if timed {
                    let anchor = self.anchor(planner, frame).await?;
                    self.usual_time(planner, extent, most, minspan.as_ref(), anchor).map(Some)
                } else {
                    Ok(Some(Bins::Range(power_of_ten(extent, most, least_width(minspan.as_ref())?))))
                }
            }
        }
    }

    async fn of_span(
        &self,
        planner: &Planner<'_>,
        frame: &Frame,
        span: &Spanned<BinSpan>,
        timed: bool,
    ) -> PlanResult<Option<Bins>> {
        Ok(Some(match &span.node {
            BinSpan::Time(length) => {
                let mut bins = time_bins(&planner.setting(), length, span.span)?;
                // The calendar cannot be moved, and what stands behind `@` has.
                let moves = bins.unit == BinUnit::Microseconds && length.snap.is_none();
                if moves && !self.align(planner, frame, &mut bins).await? {
                    return Ok(None);
                }
                Bins::Time(bins)
            }
            BinSpan::Number(seconds) if timed => {
                let count = time::microseconds(*seconds).filter(|length| *length > 0);
                let Some(count) = count else {
                    let message = format!("`span={seconds}` is no length of time in seconds");
                    return Err(Diagnostic::error(Code::InvalidOption, message, span.span).into());
                };
                let zone = zone_name(&planner.setting(), span.span)?;
                let mut bins = TimeBins { unit: BinUnit::Microseconds, count, anchor: 0, zone };
                if !self.align(planner, frame, &mut bins).await? {
                    return Ok(None);
                }
                Bins::Time(bins)
            }
            BinSpan::Number(width) => Bins::Range(*width),
            BinSpan::Logarithm { .. } if timed => {
                let message = "a logarithmic span is for numbers, and this field holds times";
                return Err(Diagnostic::error(Code::InvalidOption, message, span.span).into());
            }
            BinSpan::Logarithm { coefficient, base } => Bins::Power { coefficient: *coefficient, base: *base },
        }))
    }

    /// Moves bins of a fixed length to where `aligntime` wants them; false without data that this depends on.
    async fn align(&self, planner: &Planner<'_>, frame: &Frame, bins: &mut TimeBins) -> PlanResult<bool> {
        match self.anchor(planner, frame).await? {
            Some(anchor) => bins.anchor = anchor,
            None => return Ok(self.options.aligntime.is_none()),
        }
        Ok(true)
    }

    /// Where a bin of a fixed length starts by `aligntime`; `None` without it, or without data that this depends on.
    async fn anchor(&self, planner: &Planner<'_>, frame: &Frame) -> PlanResult<Option<i64>> {
        let Some(aligntime) = &self.options.aligntime else { return Ok(None) };
        Ok(Some(match aligntime.node.to_ascii_lowercase().as_str() {
            named @ ("earliest" | "latest") => {
                let Some(extent) = self.extent(planner, frame, false).await? else { return Ok(None) };
                let time = if named == "earliest" { extent.least } else { extent.greatest };
                time::microseconds(time).unwrap_or_default()
            }
            _ => time::resolve(&aligntime.node, planner.clock.now, &planner.clock.time_zone)
                .map_err(|reason| Diagnostic::error(Code::InvalidTime, reason, aligntime.span))?,
        }))
    }

    /// The range of the values, widened by `start` and `end` where wanted.
    async fn extent(&self, planner: &Planner<'_>, frame: &Frame, widened: bool) -> PlanResult<Option<Extent>> {
        let Some(runner) = planner.runner else { return Ok(None) };
        let number = match self.value.kind {
            Kind::Time => self.value.expr.clone(),
            _ => self.value.number(),
        };
        let bounds = vec![min(number.clone()).alias("least"), max(number).alias("greatest")];
        let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(Vec::<Expr>::new(), bounds)?.build()?;
        let (_, batches) = runner.collect(plan).await?;
        let (Some(least), Some(greatest)) = (first_number(&batches, 0), first_number(&batches, 1)) else {
            return Ok(None);
        };
        let mut extent = Extent { least, greatest };
        if widened {
            let BinOptions { bins: _, minspan: _, span: _, start, end, aligntime: _ } = self.options;
            extent.least = start.as_ref().map_or(least, |start| start.node.min(least));
            extent.greatest = end.as_ref().map_or(greatest, |end| end.node.max(greatest));
            if let Some(range) = self.range {
                (extent.least, extent.greatest) = range.around(extent.least, extent.greatest);
            }
        }
        Ok(Some(extent))
    }

    /// The least of the usual lengths that makes no more bins.
    fn usual_time(
        &self,
        planner: &Planner<'_>,
        extent: Extent,
        most: u64,
        minspan: Option<&Spanned<BinSpan>>,
        anchor: Option<i64>,
    ) -> PlanResult<Bins> {
        let place = minspan.map_or(self.value.span, |minspan| minspan.span);
        let least = match minspan.map(|minspan| &minspan.node) {
            None => 0,
            Some(BinSpan::Number(seconds)) => time::microseconds(*seconds).unwrap_or(i64::MAX),
            Some(BinSpan::Time(span)) => about(span),
            Some(BinSpan::Logarithm { .. }) => {
                let message = "a logarithmic span is for numbers, and this field holds times";
                return Err(Diagnostic::error(Code::InvalidOption, message, place).into());
            }
        };
        let bounds = [extent.least, extent.greatest].map(time::microseconds);
        let setting = planner.setting();
        let mut chosen = None;
        for (count, unit) in USUAL {
            let span = TimeSpan { count: *count, unit: *unit, snap: None };
            if about(&span) < least {
                continue;
            }
            let mut bins = time_bins(&setting, &span, place)?;
            if let (Some(anchor), BinUnit::Microseconds) = (anchor, bins.unit) {
                bins.anchor = anchor;
            }
            let fits = match bounds {
                [Some(least), Some(greatest)] => {
                    bins.between(least, greatest).is_some_and(|n| n.unsigned_abs() <= most)
                }
                _ => false,
            };
            chosen = Some(bins);
            if fits {
                break;
            }
        }
        match chosen {
            Some(bins) => Ok(Bins::Time(bins)),
            None => Err(Diagnostic::error(Code::InvalidOption, "`minspan` is longer than any span", place).into()),
        }
    }
}

/// The lengths of time that bins have where the search names none.
const USUAL: &[(i64, TimeUnit)] = &[
    (1, TimeUnit::Second),
    (5, TimeUnit::Second),
    (10, TimeUnit::Second),
    (30, TimeUnit::Second),
    (1, TimeUnit::Minute),
    (5, TimeUnit::Minute),
    (10, TimeUnit::Minute),
    (30, TimeUnit::Minute),
    (1, TimeUnit::Hour),
    (1, TimeUnit::Day),
    (1, TimeUnit::Month),
    (1, TimeUnit::Year),
    (10, TimeUnit::Year),
    (100, TimeUnit::Year),
    (1_000, TimeUnit::Year),
];

/// The length of a span in microseconds, months being 30 days.
fn about(span: &TimeSpan) -> i64 {
    const DAY: i64 = 86_400_000_000;
    let unit = span.unit.microseconds().unwrap_or(match span.unit {
        TimeUnit::Week => 7 * DAY,
        TimeUnit::Month => 30 * DAY,
        TimeUnit::Quarter => 91 * DAY,
        TimeUnit::Year => 365 * DAY,
        _ => DAY,
    });
    unit.saturating_mul(span.count)
}

/// The bins of a span of time. Days and longer units keep to the calendar of the session's zone.
///
/// # Errors
/// What stands behind `@` does not fit the unit, or the zone has no name.
pub fn time_bins(setting: &Setting, span: &TimeSpan, place: Span) -> Result<TimeBins, Diagnostic> {
    let TimeSpan { count, unit, snap } = span;
    let zone = zone_name(setting, place)?;
    let snapped = snap.as_ref().map(|snap| snap.to_ascii_lowercase());
    let misfit = || {
        let message =
            format!("a span of `{}{}` cannot start at `@{}`", count, unit.name(), snap.as_deref().unwrap_or(""));
        Diagnostic::error(Code::InvalidOption, message, place).with_help(
            "spans of a week start at a weekday, such as `1w@w1`; those of days and longer keep to the calendar",
        )
    };
    let too_long = || Diagnostic::error(Code::InvalidOption, "the span is too long", place);
    if let Some(length) = unit.microseconds() {
        let count = count.checked_mul(length).ok_or_else(too_long)?;
        let anchor = match &snapped {
            None => 0,
            Some(snap) => time::resolve(&format!("@{snap}"), setting.clock.now, &setting.clock.time_zone)
                .map_err(|reason| Diagnostic::error(Code::InvalidTime, reason, place))?,
        };
        return Ok(TimeBins { unit: BinUnit::Microseconds, count, anchor, zone });
    }
    let (unit, factor, own) = match unit {
        TimeUnit::Week => (BinUnit::Days, 7, None),
        TimeUnit::Month => (BinUnit::Months, 1, Some("mon")),
        TimeUnit::Quarter => (BinUnit::Months, 3, Some("q")),
        TimeUnit::Year => (BinUnit::Months, 12, Some("y")),
        _ => (BinUnit::Days, 1, Some("d")),
    };
    let anchor = match (&snapped, own) {
        (None, _) => 0,
        (Some(snap), Some(own)) if snap == own => 0,
        (Some(snap), None) => weekday(snap).ok_or_else(misfit)?,
        _ => return Err(misfit()),
    };
    Ok(TimeBins { unit, count: count.checked_mul(factor).ok_or_else(too_long)?, anchor, zone })
}

/// The first such weekday after 1970-01-01, in days from there.
fn weekday(snap: &str) -> Option<i64> {
    // The first Sunday was the 4th.
    const SUNDAY: i64 = 3;
    match snap.strip_prefix('w')? {
        "" | "eek" | "eeks" => Some(SUNDAY),
        day => day.parse::<i64>().ok().filter(|day| (0..=7).contains(day)).map(|day| SUNDAY + day % 7),
    }
}

fn zone_name(setting: &Setting, place: Span) -> Result<String, Diagnostic> {
    DateTimePrinter::new().time_zone_to_string(&setting.clock.time_zone).map_err(|_| {
        Diagnostic::error(Code::InvalidTime, "the time zone of this computer has no name", place)
            .with_help("name the time zone to use, such as Europe/Berlin")
    })
}

/// The finding that there would be too many bins.
pub fn too_many(bins: &str, place: Span) -> Diagnostic {
    Diagnostic::error(Code::TooLarge, format!("there would be {bins} bins; the most is {MOST_BINS}"), place)
        .with_help("take a wider `span`, or look at less at a time")
}

fn least_width(minspan: Option<&Spanned<BinSpan>>) -> Result<f64, Diagnostic> {
    match minspan.map(|minspan| (&minspan.node, minspan.span)) {
        None => Ok(0.0),
        Some((BinSpan::Number(width), _)) => Ok(*width),
        Some((_, place)) => {
            Err(Diagnostic::error(Code::InvalidOption, "`minspan` takes a number for a field of numbers", place))
        }
    }
}

/// The least power of ten that makes no more ranges.
fn power_of_ten(extent: Extent, most: u64, least: f64) -> f64 {
    let needed = ((extent.greatest - extent.least) / most as f64).max(least);
    if !(needed > 0.0 && needed.is_finite()) {
        return 1.0;
    }
    let mut exponent = tidy(needed.log10()).ceil();
    loop {
        let width = tidy(10f64.powf(exponent));
        let ranges = range_index(extent.greatest, width) - range_index(extent.least, width) + 1.0;
        if ranges <= most as f64 || !width.is_finite() || exponent > 300.0 {
            return width;
        }
        exponent += 1.0;
    }
}

/// The number in the first row of a column.
fn first_number(batches: &[RecordBatch], column: usize) -> Option<f64> {
    let batch = batches.iter().find(|batch| batch.num_rows() > 0)?;
    Value::read(batch.columns().get(column)?.as_ref(), 0).number().filter(|number| number.is_finite())
}

impl Bins {
    /// The bin of a value: its start where that is a time, else text; what is no number stays.
    pub fn apply(&self, value: &Typed) -> Typed {
        let (expr, span) = (value.expr.clone(), value.span);
        let many = value.kind == Kind::Many;
        let labelled = if many { Kind::Many } else { Kind::Text };
        match (self, value.kind) {
            (_, Kind::Null) => value.clone(),
            (Bins::Time(bins), Kind::Time) => Typed::new(kernels::time_bin(expr, bins), Kind::Time, span),
            (Bins::Time(bins), Kind::Integer | Kind::Number) => {
                Typed::new(kernels::seconds_bin(expr, bins), Kind::Number, span)
            }
            (Bins::Time(_), Kind::Many) => value.clone(),
            (Bins::Time(bins), _) => Typed::new(kernels::text_bin(expr, bins), Kind::Text, span),
            (Bins::Range(width), _) => Typed::new(kernels::range(expr, *width, many), labelled, span),
            (Bins::Power { coefficient, base }, _) => {
                Typed::new(kernels::power(expr, *coefficient, *base, many), labelled, span)
            }
        }
    }

    /// The starts of the bins of numbers from the least to the greatest, with their texts; `None` if these are too
    /// many.
    pub fn between(&self, least: f64, greatest: f64) -> Option<Vec<(f64, String)>> {
        let within = |first: f64, last: f64| last - first < MOST_BINS as f64;
        let indexes = |first: f64, last: f64| {
            let mut index = first;
            std::iter::from_fn(move || {
                let here = (index <= last).then_some(index)?;
                index += 1.0;
                Some(here)
            })
        };
        match self {
            Bins::Time(bins) => {
                let (least, greatest) = (time::microseconds(least)?, time::microseconds(greatest)?);
                let starts = bins.starts(least, greatest)?;
                Some(starts.into_iter().map(|start| start as f64 / 1e6).map(|start| (start, bound(start))).collect())
            }
            Bins::Range(width) => {
                let (first, last) = (range_index(least, *width), range_index(greatest, *width));
                let text = |index: f64| (tidy(index * width), kernels::range_text(index, *width));
                within(first, last).then(|| indexes(first, last).map(text).collect())
            }
            Bins::Power { coefficient, base } => {
                let index = |number: f64| kernels::power_index(number, *coefficient, *base);
                let (first, last) = (index(least), index(greatest));
                let text = |index: f64| {
                    (tidy(coefficient * base.powf(index)), kernels::power_text(index, *coefficient, *base))
                };
                within(first, last).then(|| indexes(first, last).map(text).collect())
            }
        }
    }
}

impl TimeBins {
    /// How many bins there are from that of one time to that of another.
    pub fn between(&self, least: i64, greatest: i64) -> Option<i64> {
        let (first, last) = (self.position(least)?, self.position(greatest)?);
        last.checked_sub(first)?.checked_add(1)
    }

    /// The starts of the bins from that of one time to that of another; `None` if these are too many.
    pub fn starts(&self, least: i64, greatest: i64) -> Option<Vec<i64>> {
        if self.between(least, greatest)? > MOST_BINS {
            return None;
        }
        let last = self.start(greatest)?;
        let mut starts = vec![self.start(least)?];
        while let Some(before) = starts.last().copied().filter(|start| *start < last) {
            let next = self.next(before)?;
            if next <= before {
                return None;
            }
            starts.push(next);
        }
        Some(starts)
    }

    fn position(&self, time: i64) -> Option<i64> {
        if self.unit == BinUnit::Microseconds {
            return time.checked_sub(self.anchor)?.checked_div_euclid(self.count);
        }
        let zone = jiff::fmt::temporal::DateTimeParser::new().parse_time_zone(&self.zone).ok()?;
        let date = Timestamp::from_microsecond(time).ok()?.to_zoned(zone).date();
        let units = match self.unit {
            BinUnit::Months => i64::from(date.year()).checked_mul(12)?.checked_add(i64::from(date.month()) - 1)?,
            _ => kernels::days_of(date)?.checked_sub(self.anchor)?,
        };
        units.checked_div_euclid(self.count)
    }
}
