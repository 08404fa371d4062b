//! Lengths of time.

use super::{number_at, some_text, text_at};
use crate::functions::kernel::{Returns, Row};

/// The kernels.
pub const ROWS: &[Row] = &[DURATION];

/// A length of time such as `5m` or `30 days` in milliseconds; a month has 30 days, a year 365.
pub fn milliseconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "ms" | "millis" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
        "m" | "min" | "mins" | "minute" | "minutes" => 6e4,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3.6e6,
        "d" | "day" | "days" => 8.64e7,
        "w" | "week" | "weeks" => 6.048e8,
        "mon" | "month" | "months" => 2.592e9,
        "q" | "qtr" | "qtrs" | "quarter" | "quarters" => 7.776e9,
        "y" | "yr" | "yrs" | "year" | "years" => 3.1536e10,
        _ => return None,
    };
    Some(number * unit)
}

/// `cql_duration(number, unit, precision)`: `6h30m52s`, with so many parts at most; 0 is all. A number with a
/// fraction is not converted, as documented.
pub const DURATION: Row = Row {
    name: "cql_duration",
    returns: Returns::Text,
    evaluate: |values| {
        let written = || {
            let (number, unit) = (number_at(values, 0)?, text_at(values, 1)?);
            let parts = number_at(values, 2).filter(|parts| *parts >= 1.0).unwrap_or(f64::INFINITY);
            let factor = UNITS.iter().find(|(_, name)| **name == *unit).map(|(length, _)| *length)?;
            if number.fract() != 0.0 || number.abs() > 1e18 {
                return None;
            }
            let left = (number.abs() as u128).checked_mul(factor)?;
            Some(format!("{}{}", if number < 0.0 { "-" } else { "" }, parts_of(left, parts)))
        };
        some_text(written())
    },
};

/// The units and their lengths in nanoseconds.
const UNITS: &[(u128, &str)] = &[
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

fn parts_of(mut nanoseconds: u128, most: f64) -> String {
    let mut text = String::new();
    let mut parts = 0.0;
    for (length, name) in UNITS {
        let whole = nanoseconds.checked_div(*length).unwrap_or(0);
        nanoseconds = nanoseconds.checked_rem(*length).unwrap_or(0);
        if whole > 0 && parts < most {
            text.push_str(&format!("{whole}{name}"));
            parts += 1.0;
        }
    }
    if text.is_empty() { "0ms".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Value;

    fn duration(number: f64, unit: &'static str, precision: f64) -> Value<'static> {
        (DURATION.evaluate)(&[Value::Number(number), Value::Text(unit.into()), Value::Number(precision)])
    }

    #[test]
    fn durations_have_the_parts_that_they_need() {
        assert_eq!(duration(23_452_553.0, "ms", 3.0), Value::Text("6h30m52s".into()));
        assert_eq!(duration(23_452_553.0, "ms", 0.0), Value::Text("6h30m52s553ms".into()));
        assert_eq!(duration(1_500.0, "ns", 0.0), Value::Text("1us500ns".into()));
        assert_eq!(duration(1.5, "s", 0.0), Value::Null);
    }

    #[test]
    fn relative_times_are_milliseconds() {
        assert_eq!(milliseconds("2d"), Some(172_800_000.0));
        assert_eq!(milliseconds("30 minutes"), Some(1_800_000.0));
        assert_eq!(milliseconds("d"), None);
    }
}
