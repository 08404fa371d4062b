//! The functions of the command `convert`.
//!
//! Source: Splunk Search Reference, "convert".

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use datafusion::common::exec_datafusion_err;
use datafusion::logical_expr::{Expr, ScalarUDF};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use super::mapping::{self, TextMap};
use super::{strftime, strptime, timeformat};
use crate::values::{format_number, parse_number};
use crate::{time, values};

/// How `ctime` and `mktime` write and read times where the search does not say.
pub const DEFAULT_FORMAT: &str = "%m/%d/%Y %H:%M:%S";

/// `spl_convert(column, function, format, zone, now)`: each text as the function converts it.
static CONVERT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextMap::udf("spl_convert", |parameters| {
        let [function, format, zone, now] = parameters else {
            return Err(exec_datafusion_err!("spl_convert takes four parameters"));
        };
        let number = |number: Option<f64>| number.map(|number| Cow::Owned(format_number(number)));
        Ok(match *function {
            "ctime" | "mktime" => {
                let zone =
                    DateTimeParser::new().parse_time_zone(zone).map_err(|error| exec_datafusion_err!("{error}"))?;
                let now = now.parse::<Timestamp>().map_err(|error| exec_datafusion_err!("{error}"))?;
                let format = (*format).to_string();
                match *function {
                    "ctime" => mapping::of(move |text| Some(ctime(text, &format, &zone))),
                    _ => mapping::of(move |text| mktime(text, &format, &zone, now).map(Cow::Owned)),
                }
            }
            "dur2sec" => mapping::of(move |text| number(dur2sec(text))),
            "memk" => mapping::of(move |text| number(memk(text))),
            "mstime" => mapping::of(move |text| number(mstime(text))),
            "auto" | "num" => mapping::of(best),
            "rmcomma" => mapping::of(|text| Some(Cow::Owned(text.replace(',', "")))),
            "rmunit" => mapping::of(|text| Some(Cow::Borrowed(leading_number(text).unwrap_or(text)))),
            other => return Err(exec_datafusion_err!("spl_convert has no function {other}")),
        })
    })
});

/// The functions of this file.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&CONVERT)]
}

/// Each text of a column as the function converts it; times are written and read in that format and zone.
pub fn convert(column: Expr, function: &str, format: &str, zone: &str, now: Timestamp) -> Expr {
    mapping::call(&CONVERT, column, [function.into(), format.into(), zone.into(), now.to_string()])
}

/// Whether the format can be used.
///
/// # Errors
/// What is wrong with it.
pub fn check_format(format: &str) -> Result<(), String> {
    timeformat::items(format).map(drop)
}

fn ctime<'t>(text: &'t str, format: &str, zone: &TimeZone) -> Cow<'t, str> {
    let time = parse_number(text).and_then(time::microseconds);
    time.and_then(|time| strftime::format(time, format, zone)).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn mktime(text: &str, format: &str, zone: &TimeZone, now: Timestamp) -> Option<String> {
    strptime::parse(text, format, zone, now).map(values::format_epoch)
}

/// The value of digits with an optional fraction; nothing else, no sign.
fn digits(text: &str, fraction: bool) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || (fraction && byte == b'.'));
    if plain { text.parse().ok() } else { None }
}

/// The number that a text is or that a duration means, which has to be complete.
fn best(text: &str) -> Option<Cow<'_, str>> {
    if parse_number(text).is_some() {
        return Some(Cow::Borrowed(text));
    }
    let complete = text.bytes().filter(|byte| *byte == b':').count() == 2;
    dur2sec(text).filter(|_| complete).map(|seconds| Cow::Owned(format_number(seconds)))
}

/// `[D+]HH:MM:SS` in seconds. Hours and minutes may be missing, seconds may have a fraction.
fn dur2sec(text: &str) -> Option<f64> {
    let text = text.trim();
    let (days, clock) = match text.split_once('+') {
        Some((days, clock)) => (digits(days, false)?, clock),
        None => (0.0, text),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (seconds, larger) = parts.split_last()?;
    if larger.len() > 2 {
        return None;
    }
    let minutes = larger.iter().try_fold(0.0, |sum, part| Some(sum * 60.0 + digits(part, false)?))?;
    Some(days * 86_400.0 + minutes * 60.0 + digits(seconds, true)?)
}

/// `[MM:]SS.SSS` in seconds.
fn mstime(text: &str) -> Option<f64> {
    let (minutes, seconds) = match text.trim().split_once(':') {
        Some((minutes, seconds)) => (digits(minutes, false)?, seconds),
        None => (0.0, text.trim()),
    };
    Some(minutes * 60.0 + digits(seconds, true)?)
}

/// A size in kilobytes; without a letter it is one already.
fn memk(text: &str) -> Option<f64> {
    let text = text.trim();
    let split = text.len().saturating_sub(usize::from(text.ends_with(['k', 'K', 'm', 'M', 'g', 'G'])));
    let (number, letter) = text.split_at_checked(split)?;
    let factor = match letter {
        "" | "k" | "K" => 1.0,
        "m" | "M" => 1024.0,
        _ => 1_048_576.0,
    };
    Some(parse_number(number.trim_end()).filter(|number| number.is_finite())? * factor)
}

/// The number at the start of a text.
fn leading_number(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with(['-', '+']));
    let unsigned = text.get(sign..)?;
    let count = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = count(unsigned);
    let fraction = match unsigned.get(whole..)?.strip_prefix('.').map(count) {
        Some(decimals) if decimals > 0 => decimals.saturating_add(1),
        _ => 0,
    };
    let length = whole.saturating_add(fraction);
    if length == 0 { None } else { text.get(..sign.saturating_add(length)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_from_the_right() {
        for (text, seconds) in [
            ("00:10:15", Some(615.0)),
            ("1+01:01:01", Some(90_061.0)),
            ("02:30", Some(150.0)),
            ("7", Some(7.0)),
            ("00:00:01.5", Some(1.5)),
            ("abc", None),
            ("1:2:3:4", None),
            ("", None),
            ("-1:00", None),
            ("1+", None),
        ] {
            assert_eq!(dur2sec(text), seconds, "{text}");
        }
        assert_eq!(mstime("01:02.345"), Some(62.345));
        assert_eq!(mstime("2.5"), Some(2.5));
        assert_eq!(mstime("1:2:3"), None);
    }

    #[test]
    fn sizes_are_kilobytes() {
        for (text, kilobytes) in [
            ("100k", Some(100.0)),
            ("200", Some(200.0)),
            ("1m", Some(1024.0)),
            ("2G", Some(2_097_152.0)),
            ("1.5 m", Some(1536.0)),
            ("k", None),
            ("5t", None),
            ("é", None),
        ] {
            assert_eq!(memk(text), kilobytes, "{text}");
        }
    }

    #[test]
    fn units_follow_the_number() {
        for (text, number) in [
            ("212 sec", Some("212")),
            ("-1.5kg", Some("-1.5")),
            ("7.", Some("7")),
            (".5x", Some(".5")),
            ("about 7", None),
            ("-", None),
        ] {
            assert_eq!(leading_number(text), number, "{text}");
        }
    }
}
