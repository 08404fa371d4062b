//! SPL's time modifiers: `-1d@d`, `@w1+2h`, `now`, epoch seconds and `05/24/2024:10:00:00`.
//!
//! Source: Splunk Search Reference, "Time modifiers".

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// The layout of absolute times in a search.
const ABSOLUTE: &str = "%m/%d/%Y:%H:%M:%S";

/// The units that an offset or a snap may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    /// With the weekday that a snap goes back to, 0 for Sunday.
    Week(i8),
    Month,
    Quarter,
    Year,
}

/// The time that a modifier means, in microseconds since the epoch.
///
/// # Errors
/// A sentence that says what cannot be read.
pub fn resolve(modifier: &str, now: Timestamp, time_zone: &TimeZone) -> Result<i64, String> {
    let modifier = modifier.trim();
    if modifier.is_empty() {
        return Err("the time is empty".into());
    }
    if let Some(seconds) = crate::values::parse_number(modifier)
        && !modifier.starts_with(['+', '-'])
    {
        return microseconds(seconds).ok_or_else(|| format!("{modifier} is out of range"));
    }
    if let Ok(parsed) = strtime::parse(ABSOLUTE, modifier).and_then(|time| time.to_datetime()) {
        let zoned = parsed.to_zoned(time_zone.clone()).map_err(|error| error.to_string())?;
        return Ok(zoned.timestamp().as_microsecond());
    }
    if let Some(time) = iso(modifier, time_zone) {
        return Ok(time);
    }
    let relative = modifier.strip_prefix("now").unwrap_or(modifier);
    let zoned = shift(relative, now.to_zoned(time_zone.clone()))
        .map_err(|reason| format!("cannot read the time {modifier:?}: {reason}"))?;
    Ok(zoned.timestamp().as_microsecond())
}

/// Applies a relative modifier (`-1d@d+2h`) to a time.
///
/// # Errors
/// A phrase that says what cannot be read.
pub fn shift(modifier: &str, start: Zoned) -> Result<Zoned, String> {
    let mut time = start;
    let mut rest = modifier;
    while let Some(sign) = rest.chars().next() {
        rest = rest.get(1..).unwrap_or_default();
        match sign {
            '+' | '-' => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                let (number, after) = rest.split_at_checked(digits).unwrap_or((rest, ""));
                let (unit, after) = unit(after, number.is_empty())?;
                let amount: i64 =
                    if number.is_empty() { 1 } else { number.parse().map_err(|_| "too large a number")? };
                time = offset(&time, if sign == '-' { -amount } else { amount }, unit)?;
                rest = after;
            }
            '@' => {
                let (unit, after) = unit(rest, true)?;
                time = snap(&time, unit).map_err(|error| error.to_string())?;
                rest = after;
            }
            other => return Err(format!("expected `+`, `-` or `@` instead of {other:?}")),
        }
    }
    Ok(time)
}

/// A length of time such as `5m` or `1h`, in microseconds. Months and longer have no fixed length.
///
/// # Errors
/// A phrase that says what cannot be read.
pub fn span(text: &str) -> Result<i64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, name) = text.split_at_checked(digits).unwrap_or((text, ""));
    let number: i64 = match number {
        "" => 1,
        number => number.parse().map_err(|_| "too large a number")?,
    };
    let (unit, rest) = unit(name, digits == 0)?;
    if !rest.is_empty() {
        return Err(format!("{rest:?} is left over"));
    }
    let seconds = match unit {
        Unit::Second => 1,
        Unit::Minute => 60,
        Unit::Hour => 3_600,
        Unit::Day => 86_400,
        Unit::Week(_) => 604_800,
        Unit::Month | Unit::Quarter | Unit::Year => return Err("its length varies".into()),
    };
    match number.checked_mul(seconds).and_then(|seconds| seconds.checked_mul(1_000_000)) {
        Some(0) => Err("it is empty".into()),
        Some(length) => Ok(length),
        None => Err("too large a number".into()),
    }
}

fn unit(text: &str, required: bool) -> Result<(Unit, &str), String> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, after) = text.split_at_checked(letters).unwrap_or((text, ""));
    let unit = match name.to_ascii_lowercase().as_str() {
        "" if !required => Unit::Second,
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "mon" | "month" | "months" => Unit::Month,
        "q" | "qtr" | "qtrs" | "quarter" | "quarters" => Unit::Quarter,
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Year,
        "w" => {
            return Ok(match after.as_bytes().first() {
                Some(day @ b'0'..=b'7') => (Unit::Week(((day - b'0') % 7) as i8), after.get(1..).unwrap_or_default()),
                _ => (Unit::Week(0), after),
            });
        }
        "week" | "weeks" => Unit::Week(0),
        other => return Err(format!("no such time unit: {other:?}")),
    };
    Ok((unit, after))
}

fn offset(time: &Zoned, amount: i64, unit: Unit) -> Result<Zoned, String> {
    let span = match unit {
        Unit::Second => Span::new().try_seconds(amount),
        Unit::Minute => Span::new().try_minutes(amount),
        Unit::Hour => Span::new().try_hours(amount),
        Unit::Day => Span::new().try_days(amount),
        Unit::Week(_) => Span::new().try_weeks(amount),
        Unit::Month => Span::new().try_months(amount),
        Unit::Quarter => Span::new().try_months(amount.saturating_mul(3)),
        Unit::Year => Span::new().try_years(amount),
    };
    span.and_then(|span| time.checked_add(span)).map_err(|_| "it leads out of range".to_string())
}

fn snap(time: &Zoned, unit: Unit) -> Result<Zoned, jiff::Error> {
    let date = time.date();
    let at = |date: Date, hour: i8, minute: i8, second: i8| -> Result<Zoned, jiff::Error> {
        DateTime::new(date.year(), date.month(), date.day(), hour, minute, second, 0)?
            .to_zoned(time.time_zone().clone())
    };
    match unit {
        Unit::Second => at(date, time.hour(), time.minute(), time.second()),
        Unit::Minute => at(date, time.hour(), time.minute(), 0),
        Unit::Hour => at(date, time.hour(), 0, 0),
        Unit::Day => at(date, 0, 0, 0),
        Unit::Week(day) => {
            let back = (date.weekday().to_sunday_zero_offset() - day).rem_euclid(7);
            at(date.checked_sub(Span::new().days(back))?, 0, 0, 0)
        }
        Unit::Month => at(date.first_of_month(), 0, 0, 0),
        Unit::Quarter => at(Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1)?, 0, 0, 0),
        Unit::Year => at(date.first_of_year(), 0, 0, 0),
    }
}

fn iso(text: &str, time_zone: &TimeZone) -> Option<i64> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_microsecond());
    }
    let civil = text.parse::<DateTime>().ok()?;
    Some(civil.to_zoned(time_zone.clone()).ok()?.timestamp().as_microsecond())
}

/// Seconds since the epoch in microseconds; `None` out of range.
pub fn microseconds(seconds: f64) -> Option<i64> {
    let scaled = (seconds * 1e6).round();
    (scaled.abs() < 9.0e18).then_some(scaled as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(modifier: &str) -> String {
        let now = "2024-10-09T10:15:30.5Z".parse::<Timestamp>().unwrap();
        match resolve(modifier, now, &TimeZone::UTC) {
            Ok(time) => Timestamp::from_microsecond(time).unwrap().to_string(),
            Err(reason) => reason,
        }
    }

    #[test]
    fn modifiers_mean_what_the_manual_says() {
        for (modifier, time) in [
            ("now", "2024-10-09T10:15:30.5Z"),
            ("-1h", "2024-10-09T09:15:30.5Z"),
            ("-h@h", "2024-10-09T09:00:00Z"),
            ("-30", "2024-10-09T10:15:00.5Z"),
            ("@d", "2024-10-09T00:00:00Z"),
            ("-1d@d+2h", "2024-10-08T02:00:00Z"),
            ("@w0", "2024-10-06T00:00:00Z"),
            ("@w7", "2024-10-06T00:00:00Z"),
            ("@w1", "2024-10-07T00:00:00Z"),
            ("@w4", "2024-10-03T00:00:00Z"),
            ("-mon@mon+7d", "2024-09-08T00:00:00Z"),
            ("@q", "2024-10-01T00:00:00Z"),
            ("-1q@q", "2024-07-01T00:00:00Z"),
            ("@y", "2024-01-01T00:00:00Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("1728468930.25", "2024-10-09T10:15:30.25Z"),
            ("05/24/2024:10:01:00", "2024-05-24T10:01:00Z"),
            ("2024-05-24T10:01:00", "2024-05-24T10:01:00Z"),
            ("2024-05-24T10:01:00+02:00", "2024-05-24T08:01:00Z"),
        ] {
            assert_eq!(at(modifier), time, "{modifier}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for modifier in ["-1fortnight", "yesterday", "@", "-1d@", "", "-99999999999999999999d", "-1d~", "1e300"] {
            assert!(at(modifier).contains(' '), "{modifier}: {}", at(modifier));
        }
    }
}
