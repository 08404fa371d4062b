//! The bins of `bin`, `chart` and `timechart`: spans of time, ranges of numbers, powers.
//!
//! What bins are travels as literal arguments, so that a plan means the same wherever it runs.
//!
//! Source: Splunk Search Reference, "bin", "chart", "timechart".

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span as Duration, Timestamp};
use spelunk_grammar::Span;

use super::datetime::in_zone;
use super::kernel::{Returns, Row};
use crate::values::{Value, format_number, time_type};

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    let mut udfs = vec![Arc::clone(&TIME_BIN)];
    udfs.extend([SECONDS_BIN, TEXT_BIN, BIN_SECONDS, RANGE, RANGES, POWER, POWERS].iter().map(Row::udf));
    udfs
}

/// Bins of time.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeBins {
    /// What they are counted in.
    pub unit: BinUnit,
    /// How many of these a bin has; at least 1.
    pub count: i64,
    /// Where a bin starts: microseconds since the epoch, or days since 1970-01-01.
    pub anchor: i64,
    /// The zone of the calendar, by name.
    pub zone: String,
}

/// What bins of time are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinUnit {
    /// A fixed length.
    Microseconds,
    /// Days of the calendar.
    Days,
    /// Months of the calendar.
    Months,
}

impl TimeBins {
    /// The start of a time's bin, in microseconds; `None` out of range.
    pub fn start(&self, time: i64) -> Option<i64> {
        match self.unit {
            BinUnit::Microseconds => fixed_start(time, self.count, self.anchor),
            BinUnit::Days | BinUnit::Months => in_zone(&self.zone, |zone| self.calendar_start(time, zone)),
        }
    }

    /// The start of the bin behind the one that starts there.
    pub fn next(&self, start: i64) -> Option<i64> {
        match self.unit {
            BinUnit::Microseconds => start.checked_add(self.count),
            BinUnit::Days | BinUnit::Months => in_zone(&self.zone, |zone| {
                let date = Timestamp::from_microsecond(start).ok()?.to_zoned(zone.clone()).date();
                let length = match self.unit {
                    BinUnit::Months => Duration::new().try_months(self.count),
                    _ => Duration::new().try_days(self.count),
                };
                midnight(date.checked_add(length.ok()?).ok()?, zone)
            }),
        }
    }

    fn calendar_start(&self, time: i64, zone: &TimeZone) -> Option<i64> {
        let date = Timestamp::from_microsecond(time).ok()?.to_zoned(zone.clone()).date();
        let start = match self.unit {
            BinUnit::Months => {
                let months = i64::from(date.year()).checked_mul(12)?.checked_add(i64::from(date.month()) - 1)?;
                let first = months.checked_sub(months.checked_rem_euclid(self.count)?)?;
                Date::new(i16::try_from(first.div_euclid(12)).ok()?, first.rem_euclid(12) as i8 + 1, 1).ok()?
            }
            _ => {
                let days = days_of(date)?.checked_sub(self.anchor)?;
                let back = days.checked_rem_euclid(self.count)?;
                date.checked_sub(Duration::new().try_days(back).ok()?).ok()?
            }
        };
        midnight(start, zone)
    }

    fn arguments(&self, value: Expr) -> Vec<Expr> {
        let unit = match self.unit {
            BinUnit::Microseconds => "us",
            BinUnit::Days => "d",
            BinUnit::Months => "mon",
        };
        vec![value, lit(unit), lit(self.count), lit(self.anchor), lit(self.zone.clone())]
    }

    fn of(unit: &str, count: i64, anchor: i64, zone: &str) -> Option<Self> {
        let unit = match unit {
            "us" => BinUnit::Microseconds,
            "d" => BinUnit::Days,
            "mon" => BinUnit::Months,
            _ => return None,
        };
        (count > 0).then(|| Self { unit, count, anchor, zone: zone.to_string() })
    }
}

fn fixed_start(time: i64, length: i64, anchor: i64) -> Option<i64> {
    time.checked_sub(time.checked_sub(anchor)?.checked_rem_euclid(length)?)
}

/// The days from 1970-01-01 to a date.
pub fn days_of(date: Date) -> Option<i64> {
    let seconds = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    seconds.checked_div(86_400)
}

fn midnight(date: Date, zone: &TimeZone) -> Option<i64> {
    let start = date.to_datetime(Time::midnight()).to_zoned(zone.clone()).ok()?;
    Some(start.timestamp().as_microsecond())
}

/// The start of a time's bin, as a time.
pub fn time_bin(time: Expr, bins: &TimeBins) -> Expr {
    TIME_BIN.call(bins.arguments(time))
}

/// The start of the bin of a number of seconds, as a number of seconds.
pub fn seconds_bin(seconds: Expr, bins: &TimeBins) -> Expr {
    SECONDS_BIN.call(bins.arguments(seconds), Span::default()).expr
}

/// The same for text, which stays where it is no number.
pub fn text_bin(text: Expr, bins: &TimeBins) -> Expr {
    TEXT_BIN.call(bins.arguments(text), Span::default()).expr
}

/// How many seconds the bin has that starts at a number of seconds.
pub fn bin_seconds(start: Expr, bins: &TimeBins) -> Expr {
    BIN_SECONDS.call(bins.arguments(start), Span::default()).expr
}

/// The bounds of a number's range as text; what is no number stays. `many` says whether it may be several values.
pub fn range(value: Expr, width: f64, many: bool) -> Expr {
    let row = if many { RANGES } else { RANGE };
    row.call(vec![value, lit(width)], Span::default()).expr
}

/// The powers around a number as text; what is no number stays. `many` says whether it may be several values.
pub fn power(value: Expr, coefficient: f64, base: f64, many: bool) -> Expr {
    let row = if many { POWERS } else { POWER };
    row.call(vec![value, lit(coefficient), lit(base)], Span::default()).expr
}

/// Which of the ranges of that width a number lies in, 0 from 0 to the width.
pub fn range_index(number: f64, width: f64) -> f64 {
    whole(number / width)
}

/// The greatest whole number that is not greater; what division misses by an odd digit counts as whole.
fn whole(quotient: f64) -> f64 {
    let near = quotient.round();
    if (quotient - near).abs() <= 1e-9 * near.abs().max(1.0) { near } else { quotient.floor() }
}

/// The text of a range.
pub fn range_text(index: f64, width: f64) -> String {
    format!("{}-{}", bound(index * width), bound((index + 1.0) * width))
}

/// A number without the odd digits that multiplication leaves.
pub fn bound(number: f64) -> String {
    format_number(tidy(number))
}

/// A number of at most twelve significant digits.
pub fn tidy(number: f64) -> f64 {
    format!("{number:.11e}").parse().unwrap_or(number)
}

/// The exponent of the power below a positive number.
pub fn power_index(number: f64, coefficient: f64, base: f64) -> f64 {
    whole((number / coefficient).ln() / base.ln())
}

/// The text of the range between two powers.
pub fn power_text(index: f64, coefficient: f64, base: f64) -> String {
    let at = |index: f64| bound(coefficient * base.powf(index));
    format!("{}-{}", at(index), at(index + 1.0))
}

fn power_label(number: f64, coefficient: f64, base: f64) -> String {
    if number == 0.0 {
        return "0".into();
    }
    let index = power_index(number.abs(), coefficient, base);
    if number > 0.0 {
        return power_text(index, coefficient, base);
    }
    let at = |index: f64| bound(-coefficient * base.powf(index));
    format!("{}-{}", at(index + 1.0), at(index))
}

/// The bins that the literal arguments describe.
fn bins_of(values: &[Value<'_>]) -> Option<TimeBins> {
    let [_, unit, count, anchor, zone] = values else { return None };
    TimeBins::of(&unit.text()?, count.number()? as i64, anchor.number()? as i64, &zone.text()?)
}

/// The start of the bin that seconds lie in, in seconds.
fn start_of(values: &[Value<'_>]) -> Option<f64> {
    let time = crate::time::microseconds(values.first()?.number()?)?;
    Some(bins_of(values)?.start(time)? as f64 / 1e6)
}

const SECONDS_BIN: Row = Row {
    name: "spl_seconds_bin",
    returns: Returns::Number,
    evaluate: |values| start_of(values).map_or(Value::Null, Value::Number),
};

const TEXT_BIN: Row = Row {
    name: "spl_text_bin",
    returns: Returns::Text,
    evaluate: |values| match start_of(values) {
        Some(start) => Value::Text(Cow::Owned(format_number(start))),
        None => unchanged(values),
    },
};

const BIN_SECONDS: Row = Row {
    name: "spl_bin_seconds",
    returns: Returns::Number,
    evaluate: |values| {
        let length = || {
            let start = crate::time::microseconds(values.first()?.number()?)?;
            let end = bins_of(values)?.next(start)?;
            Some(end.checked_sub(start)? as f64 / 1e6)
        };
        length().map_or(Value::Null, Value::Number)
    },
};

const RANGE: Row = Row { name: "spl_range_bin", returns: Returns::Text, evaluate: range_of };

const RANGES: Row =
    Row { name: "spl_range_bins", returns: Returns::Many, evaluate: |values| as_many(range_of(values)) };

const POWER: Row = Row { name: "spl_power_bin", returns: Returns::Text, evaluate: power_of };

const POWERS: Row =
    Row { name: "spl_power_bins", returns: Returns::Many, evaluate: |values| as_many(power_of(values)) };

fn range_of(values: &[Value<'_>]) -> Value<'static> {
    let label = || {
        let [value, width] = values else { return None };
        let number = value.number().filter(|number| number.is_finite())?;
        let width = width.number()?;
        Some(range_text(range_index(number, width), width))
    };
    label().map_or_else(|| unchanged(values), |text| Value::Text(Cow::Owned(text)))
}

fn power_of(values: &[Value<'_>]) -> Value<'static> {
    let label = || {
        let [value, coefficient, base] = values else { return None };
        let number = value.number().filter(|number| number.is_finite())?;
        Some(power_label(number, coefficient.number()?, base.number()?))
    };
    label().map_or_else(|| unchanged(values), |text| Value::Text(Cow::Owned(text)))
}

/// The value itself, which is no number.
fn unchanged(values: &[Value<'_>]) -> Value<'static> {
    match values.first() {
        Some(Value::Many(texts)) => Value::Many(texts.iter().map(|text| Cow::Owned(text.to_string())).collect()),
        Some(value) => super::operators::owned_text(value),
        None => Value::Null,
    }
}

fn as_many(value: Value<'static>) -> Value<'static> {
    match value {
        Value::Text(text) => Value::Many(vec![text]),
        other => other,
    }
}

static TIME_BIN: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::any(5, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(TimeBin { signature }))
});

/// From times to the starts of their bins.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TimeBin {
    signature: Signature,
}

impl ScalarUDFImpl for TimeBin {
    fn name(&self) -> &str {
        "spl_time_bin"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(time_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [
            times,
            ColumnarValue::Scalar(ScalarValue::Utf8(Some(unit))),
            ColumnarValue::Scalar(ScalarValue::Int64(Some(count))),
            ColumnarValue::Scalar(ScalarValue::Int64(Some(anchor))),
            ColumnarValue::Scalar(ScalarValue::Utf8(Some(zone))),
        ] = args.args.as_slice()
        else {
            return exec_err!("spl_time_bin takes a time and literals");
        };
        let Some(bins) = TimeBins::of(unit, *count, *anchor, zone) else {
            return exec_err!("spl_time_bin does not know these bins");
        };
        match times {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(starts(array, &bins)?)),
            ColumnarValue::Scalar(scalar) => {
                let starts = starts(&scalar.to_array()?, &bins)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&starts, 0)?))
            }
        }
    }
}

fn starts(array: &ArrayRef, bins: &TimeBins) -> Result<ArrayRef> {
    let Some(times) = array.as_primitive_opt::<TimestampMicrosecondType>() else {
        return exec_err!("spl_time_bin takes times, not {}", array.data_type());
    };
    // Neighbours mostly share a bin, so that the last one is tried before anything is computed.
    let mut last = 0..0;
    let mut start_of = |time: i64| {
        if last.contains(&time) {
            return Some(last.start);
        }
        let start = bins.start(time)?;
        last = start..bins.next(start)?;
        // Where clocks are set back over midnight a day's end can lie before a time of it.
        Some(start)
    };
    let starts: TimestampMicrosecondArray = match times.null_count() {
        0 => times.values().iter().map(|time| start_of(*time)).collect(),
        _ => times.iter().map(|time| start_of(time?)).collect(),
    };
    Ok(Arc::new(starts.with_timezone("UTC")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> i64 {
        time.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn bins(unit: BinUnit, count: i64, anchor: i64, zone: &str) -> TimeBins {
        TimeBins { unit, count, anchor, zone: zone.into() }
    }

    #[test]
    fn times_fall_into_the_bins_of_the_calendar() {
        let hour = 3_600_000_000;
        for (bins, time, start, end) in [
            (
                bins(BinUnit::Microseconds, hour, 0, "UTC"),
                "2020-01-01T10:15:00Z",
                "2020-01-01T10:00:00Z",
                "2020-01-01T11:00:00Z",
            ),
            (
                bins(BinUnit::Microseconds, hour, -60_000_000, "UTC"),
                "1969-12-31T23:00:00Z",
                "1969-12-31T22:59:00Z",
                "1969-12-31T23:59:00Z",
            ),
            (
                bins(BinUnit::Days, 1, 0, "Europe/Berlin"),
                "2024-03-31T12:00:00Z",
                "2024-03-30T23:00:00Z",
                "2024-03-31T22:00:00Z",
            ),
            (bins(BinUnit::Days, 7, 0, "UTC"), "2024-10-09T10:00:00Z", "2024-10-03T00:00:00Z", "2024-10-10T00:00:00Z"),
            (bins(BinUnit::Days, 7, 4, "UTC"), "2024-10-09T10:00:00Z", "2024-10-07T00:00:00Z", "2024-10-14T00:00:00Z"),
            (
                bins(BinUnit::Months, 1, 0, "America/New_York"),
                "2024-03-01T02:00:00Z",
                "2024-02-01T05:00:00Z",
                "2024-03-01T05:00:00Z",
            ),
            (
                bins(BinUnit::Months, 3, 0, "UTC"),
                "2024-06-30T23:59:59Z",
                "2024-04-01T00:00:00Z",
                "2024-07-01T00:00:00Z",
            ),
            (
                bins(BinUnit::Months, 12, 0, "UTC"),
                "1969-06-30T23:59:59Z",
                "1969-01-01T00:00:00Z",
                "1970-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(bins.start(at(time)), Some(at(start)), "{time}");
            assert_eq!(bins.next(at(start)), Some(at(end)), "{time}");
        }
    }

    #[test]
    fn what_is_out_of_range_has_no_bin() {
        let bins = bins(BinUnit::Days, 1, 0, "UTC");
        assert_eq!(bins.start(i64::MAX), None);
        assert_eq!(bins.next(i64::MAX), None);
    }

    #[test]
    fn numbers_fall_into_ranges() {
        for (number, width, text) in [
            (0.0, 10.0, "0-10"),
            (10.0, 10.0, "10-20"),
            (-0.5, 1.0, "-1-0"),
            (0.3, 0.1, "0.3-0.4"),
            (0.7, 0.1, "0.7-0.8"),
            (12345.678, 0.01, "12345.67-12345.68"),
        ] {
            assert_eq!(range_text(range_index(number, width), width), text);
        }
    }

    #[test]
    fn numbers_fall_between_powers() {
        for (number, coefficient, base, text) in [
            (0.0, 1.0, 2.0, "0"),
            (1.0, 1.0, 2.0, "1-2"),
            (8.0, 1.0, 2.0, "8-16"),
            (1000.0, 1.0, 10.0, "1000-10000"),
            (0.5, 2.0, 5.0, "0.4-2"),
            (250.0, 2.0, 5.0, "250-1250"),
            (-3.0, 1.0, 2.0, "-4--2"),
        ] {
            assert_eq!(power_label(number, coefficient, base), text);
        }
    }
}
