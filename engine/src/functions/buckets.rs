//! Stretches of time of equal length, from the epoch on: seconds to hours exactly, days and longer by the calendar
//! of a zone.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, ScalarUDF, cast, lit};
use jiff::civil::{Date, date};
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use super::datetime::in_zone;
use super::kernel::{Returns, Row};
use super::operators;
use crate::values::{Value, time_type};

/// How long a stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many microseconds.
    Fixed(i64),
    /// So many days.
    Days(i64),
    /// So many weeks; they begin on Sunday.
    Weeks(i64),
    /// So many months.
    Months(i64),
}

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

impl Step {
    /// Reads `30s`, `5m`, `1h`, `1d`, `1mon`; a snap behind it (`1h@h`) says what is so anyway.
    ///
    /// # Errors
    /// A phrase that says what cannot be read.
    pub fn parse(text: &str) -> Result<Step, String> {
        let length = text.split_once('@').map_or(text, |(length, _)| length);
        let digits = length.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = length.split_at_checked(digits).unwrap_or((length, ""));
        let number: i64 = match number {
            "" => 1,
            number => number.parse().map_err(|_| "too large a number")?,
        };
        if number == 0 {
            return Err("it is empty".into());
        }
        if digits == 0 && unit.is_empty() {
            return Err("it is empty".into());
        }
        let fixed = |length: i64| number.checked_mul(length).map(Step::Fixed).ok_or("too large a number");
        Ok(match unit.to_ascii_lowercase().as_str() {
            "us" => fixed(1)?,
            "ms" => fixed(1_000)?,
            "cs" => fixed(10_000)?,
            "ds" => fixed(100_000)?,
            "" | "s" | "sec" | "secs" | "second" | "seconds" => fixed(SECOND)?,
            "m" | "min" | "mins" | "minute" | "minutes" => fixed(60 * SECOND)?,
            "h" | "hr" | "hrs" | "hour" | "hours" => fixed(3_600 * SECOND)?,
            "d" | "day" | "days" => Step::Days(number),
            "w" | "week" | "weeks" => Step::Weeks(number),
            "mon" | "month" | "months" => Step::Months(number),
            "q" | "qtr" | "qtrs" | "quarter" | "quarters" => {
                Step::Months(number.checked_mul(3).ok_or("too large a number")?)
            }
            "y" | "yr" | "yrs" | "year" | "years" => Step::Months(number.checked_mul(12).ok_or("too large a number")?),
            other => return Err(format!("no such time unit: {other:?}")),
        })
    }

    /// Which stretch a time in microseconds lies in, counted from the epoch.
    pub fn index(self, time: i64, zone: &TimeZone) -> Option<i64> {
        if let Step::Fixed(length) = self {
            return time.checked_div_euclid(length);
        }
        let day = Timestamp::from_microsecond(time).ok()?.to_zoned(zone.clone()).date();
        match self {
            Step::Fixed(_) => None,
            Step::Days(count) => days(day)?.checked_div_euclid(count),
            Step::Weeks(count) => days(day)?.checked_add(4)?.checked_div_euclid(7)?.checked_div_euclid(count),
            Step::Months(count) => {
                let months = (i64::from(day.year()) - 1970) * 12 + i64::from(day.month()) - 1;
                months.checked_div_euclid(count)
            }
        }
    }

    /// When the stretch of that number begins, in microseconds.
    pub fn start(self, index: i64, zone: &TimeZone) -> Option<i64> {
        let day = match self {
            Step::Fixed(length) => return index.checked_mul(length),
            Step::Days(count) => day_of(index.checked_mul(count)?)?,
            Step::Weeks(count) => day_of(index.checked_mul(count)?.checked_mul(7)?.checked_sub(4)?)?,
            Step::Months(count) => {
                let months = index.checked_mul(count)?;
                let year = i16::try_from(months.div_euclid(12).checked_add(1970)?).ok()?;
                Date::new(year, i8::try_from(months.rem_euclid(12)).ok()? + 1, 1).ok()?
            }
        };
        let zoned: Zoned = day.to_zoned(zone.clone()).ok()?;
        Some(zoned.timestamp().as_microsecond())
    }
}

/// Days since the epoch.
fn days(day: Date) -> Option<i64> {
    Some(i64::from(date(1970, 1, 1).until(day).ok()?.get_days()))
}

fn day_of(days: i64) -> Option<Date> {
    date(1970, 1, 1).checked_add(Span::new().try_days(days).ok()?).ok()
}

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![BUCKET.udf()]
}

/// `spl_bucket(seconds, unit, count, zone)`: when the calendar's stretch begins in which the time lies.
const BUCKET: Row = Row {
    name: "spl_bucket",
    returns: Returns::Number,
    evaluate: |values| match values {
        [time, unit, count, Value::Text(zone)] => bucket(time, unit, count, zone).map_or(Value::Null, Value::Number),
        _ => Value::Null,
    },
};

fn bucket(time: &Value<'_>, unit: &Value<'_>, count: &Value<'_>, zone: &str) -> Option<f64> {
    let time = crate::time::microseconds(time.number()?)?;
    let count = count.number()? as i64;
    let unit = unit.text()?;
    let step = match unit.as_ref() {
        "d" => Step::Days(count),
        "w" => Step::Weeks(count),
        _ => Step::Months(count),
    };
    let start = in_zone(zone, |zone| step.start(step.index(time, zone)?, zone))?;
    Some(start as f64 / 1e6)
}

/// The name of a zone as it travels in plans; UTC where it has none.
pub fn zone_name(zone: &TimeZone) -> String {
    DateTimePrinter::new().time_zone_to_string(zone).unwrap_or_else(|_| "UTC".into())
}

/// When the stretch begins in which a time lies; both are of the type of `_time`.
pub fn start(time: Expr, step: Step, zone: &TimeZone) -> Expr {
    let (unit, count) = match step {
        Step::Fixed(length) => {
            let time = cast(time, DataType::Int64);
            // `%` has the sign of its left side.
            let past = (time.clone() % lit(length) + lit(length)) % lit(length);
            return cast(time - past, time_type());
        }
        Step::Days(count) => ("d", count),
        Step::Weeks(count) => ("w", count),
        Step::Months(count) => ("m", count),
    };
    let arguments = vec![time, lit(unit), lit(count), lit(zone_name(zone))];
    operators::to_time(BUCKET.call(arguments, spelunk_grammar::Span::default()).expr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (text, step) in [
            ("30s", Step::Fixed(30 * SECOND)),
            ("5", Step::Fixed(5 * SECOND)),
            ("1m@m", Step::Fixed(60 * SECOND)),
            ("250ms", Step::Fixed(250_000)),
            ("d", Step::Days(1)),
            ("2w", Step::Weeks(2)),
            ("mon", Step::Months(1)),
            ("1q", Step::Months(3)),
        ] {
            assert_eq!(Step::parse(text), Ok(step), "{text}");
        }
        for text in ["", "0s", "5x", "99999999999999999999d", "999999999999999999y"] {
            assert!(Step::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn starts() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let time = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        for (step, at, begins) in [
            (Step::Fixed(3_600 * SECOND), "1969-12-31T23:30:00Z", "1969-12-31T23:00:00Z"),
            (Step::Days(1), "2020-07-01T21:59:59Z", "2020-06-30T22:00:00Z"),
            (Step::Weeks(1), "2020-07-01T12:00:00Z", "2020-06-27T22:00:00Z"),
            (Step::Months(3), "1969-05-01T12:00:00Z", "1969-03-31T23:00:00Z"),
        ] {
            let index = step.index(time(at), &zone).unwrap();
            assert_eq!(step.start(index, &zone), Some(time(begins)), "{step:?} {at}");
        }
    }
}
