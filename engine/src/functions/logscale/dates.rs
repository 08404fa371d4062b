//! Times as text and back, by Java's patterns and letters.
//!
//! Source: the pages of `formatTime`, `parseTimestamp` and `findTimestamp`; java.time.format.DateTimeFormatter.

mod finding;
mod pattern;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::{number_at, some_number, some_text, text_at, time_zone};
use crate::functions::kernel::{Returns, Row};
use crate::functions::strftime;
use crate::functions::timeformat::{MONTHS, WEEKDAYS};
use crate::values::Value;
pub use pattern::Pattern;

/// The kernels.
pub const ROWS: &[Row] = &[PARSED, PARSED_ZONE, FOUND, FOUND_ZONE, PART];

/// A part of a time by its letter in `formatTime` and after `%t` in `format`.
pub fn part(letter: char, time: &Zoned) -> Option<String> {
    let common = |directive: &str| strftime::format(time.timestamp().as_microsecond(), directive, time.time_zone());
    match letter {
        'L' => common("%3N"),
        // Java writes these without blanks or zeros before them.
        'k' => Some(time.hour().to_string()),
        'l' => Some(hour12(time).to_string()),
        'e' => Some(time.day().to_string()),
        'p' => Some(if time.hour() < 12 { "am" } else { "pm" }.to_owned()),
        'Q' => Some(time.timestamp().as_millisecond().to_string()),
        's' => Some(time.timestamp().as_second().to_string()),
        'c' => common("%a %b %d %H:%M:%S %Z %Y"),
        'N' => common("%9N"),
        'H' | 'I' | 'M' | 'S' | 'z' | 'Z' | 'B' | 'b' | 'h' | 'A' | 'a' | 'C' | 'Y' | 'y' | 'j' | 'm' | 'd' | 'R'
        | 'T' | 'r' | 'D' | 'F' => common(&format!("%{letter}")),
        _ => None,
    }
}

fn hour12(time: &Zoned) -> i8 {
    time.hour().checked_sub(1).map_or(12, |hour| hour.rem_euclid(12).saturating_add(1))
}

/// The letters of a format of times that there are not.
pub fn unknown_letter(format: &str) -> Option<String> {
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            continue;
        }
        match letters.next() {
            Some('%') => {}
            Some(letter) if part(letter, &Zoned::default()).is_some() => {}
            Some(letter) => return Some(format!("%{letter}")),
            None => return Some("%".to_owned()),
        }
    }
    None
}

/// A time by a format; `None` where it is out of range or the format has a letter that there is not.
pub fn format(microseconds: i64, format: &str, zone: &TimeZone) -> Option<String> {
    let time = Timestamp::from_microsecond(microseconds).ok()?.to_zoned(zone.clone());
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => match letters.next()? {
                '%' => text.push('%'),
                letter => text.push_str(&part(letter, &time)?),
            },
            other => text.push(other),
        }
    }
    Some(text)
}

/// `cql_time_part(milliseconds, letter, zone)`: a part of a time that is a number.
pub const PART: Row = Row {
    name: "cql_time_part",
    returns: Returns::Number,
    evaluate: |values| {
        let found = || {
            let (time, letter, zone) = (number_at(values, 0)?, text_at(values, 1)?, text_at(values, 2)?);
            let time = Timestamp::from_microsecond(super::microseconds(time, "auto")).ok()?;
            let time = time.to_zoned(time_zone(&zone)?);
            Some(match &*letter {
                "year" => f64::from(time.year()),
                "month" => f64::from(time.month()),
                "day" => f64::from(time.day()),
                "dayOfYear" => f64::from(time.day_of_year()),
                "dayOfWeek" => f64::from(time.weekday().to_monday_one_offset()),
                "week" => f64::from(time.date().iso_week_date().week()),
                "hour" => f64::from(time.hour()),
                "minute" => f64::from(time.minute()),
                "second" => f64::from(time.second()),
                _ => f64::from(time.millisecond()),
            })
        };
        some_number(found())
    },
};

/// What a text says about a time. What it does not say is missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    hour12: Option<i64>,
    afternoon: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    nanosecond: Option<i64>,
    zone: Option<String>,
}

impl Parts {
    /// The time, and the zone that it was read in. A zone that is given wins over that of the text. Without a
    /// year it is the latest that is not more than a week ahead of `now`.
    fn time(&self, given: Option<&str>, now: Timestamp) -> Option<(Timestamp, String)> {
        let name = given.or(self.zone.as_deref())?;
        let zone = zone_of(name)?;
        let hour = match (self.hour, self.hour12, self.afternoon) {
            (Some(hour), ..) => hour,
            (None, Some(hour), afternoon) => {
                hour.rem_euclid(12).checked_add(if afternoon.unwrap_or(false) { 12 } else { 0 })?
            }
            (None, None, _) => 0,
        };
        let small = |value: i64| i8::try_from(value).ok();
        let clock = Time::new(
            small(hour)?,
            small(self.minute.unwrap_or(0))?,
            small(self.second.unwrap_or(0).min(59))?,
            i32::try_from(self.nanosecond.unwrap_or(0)).ok()?,
        )
        .ok()?;
        let moment = |date: Date| Some(DateTime::from_parts(date, clock).to_zoned(zone.clone()).ok()?.timestamp());
        let date = |year: i64| match (self.month, self.day, self.day_of_year) {
            (Some(month), day, _) => Date::new(i16::try_from(year).ok()?, small(month)?, small(day.unwrap_or(1))?).ok(),
            (None, None, Some(day)) => {
                let first = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
                first.checked_add(jiff::Span::new().try_days(day.checked_sub(1)?).ok()?).ok()
            }
            _ => None,
        };
        let today = now.to_zoned(zone.clone());
        let time = match (self.year, self.month, self.day_of_year) {
            (Some(year), None, None) => moment(Date::new(i16::try_from(year).ok()?, 1, 1).ok()?)?,
            (Some(year), ..) => moment(date(year)?)?,
            (None, None, None) => moment(today.date())?,
            (None, ..) => {
                let year = i64::from(today.year());
                let most = now.checked_add(jiff::SignedDuration::from_hours(7 * 24)).ok()?;
                let years = [year.checked_add(1)?, year, year.checked_sub(1)?];
                years.into_iter().filter_map(|year| moment(date(year)?)).find(|time| *time <= most)?
            }
        };
        Some((time, name.to_owned()))
    }
}

/// A zone by its name, its offset or one of the usual letters.
fn zone_of(name: &str) -> Option<TimeZone> {
    let name = name.trim();
    let offset = name.strip_prefix("UTC").or_else(|| name.strip_prefix("GMT")).unwrap_or(name);
    if let Some(sign) = offset.chars().next().filter(|sign| matches!(sign, '+' | '-')) {
        let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
        let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or("0").parse::<i32>().unwrap_or(0);
        let seconds = match digits.len() {
            1 => part(0..1).checked_mul(3_600)?,
            2 => part(0..2).checked_mul(3_600)?,
            4 | 6 => {
                let seconds = if digits.len() == 6 { part(4..6) } else { 0 };
                part(0..2).checked_mul(3_600)?.checked_add(part(2..4).checked_mul(60)?)?.checked_add(seconds)?
            }
            _ => return None,
        };
        let seconds = if sign == '-' { seconds.checked_neg()? } else { seconds };
        return Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?));
    }
    let usual = match name {
        "EST" => "-05:00",
        "EDT" => "-04:00",
        "CST" => "-06:00",
        "CDT" => "-05:00",
        "MST" => "-07:00",
        "MDT" => "-06:00",
        "PST" => "-08:00",
        "PDT" => "-07:00",
        "BST" => "+01:00",
        "CET" => "+01:00",
        "CEST" => "+02:00",
        other => return time_zone(other),
    };
    zone_of(usual)
}

/// Which of several words a text begins with, in full or by its first three letters, and how long it is.
fn word(text: &str, words: &[&str], short: bool, any_case: bool) -> Option<(usize, usize)> {
    words.iter().enumerate().find_map(|(position, word)| {
        let word = if short { word.get(..3)? } else { word };
        let start = text.get(..word.len())?;
        let same = if any_case { start.eq_ignore_ascii_case(word) } else { start == word };
        same.then_some((position, word.len()))
    })
}

/// `cql_parsed_time(text, pattern, zone, now, any case)`: milliseconds.
pub const PARSED: Row = Row {
    name: "cql_parsed_time",
    returns: Returns::Number,
    evaluate: |values| some_number(parsed(values).map(|(time, _)| time.as_millisecond() as f64)),
};

/// `cql_parsed_zone(text, pattern, zone, now, any case)`: the zone that the time was read in.
pub const PARSED_ZONE: Row = Row {
    name: "cql_parsed_zone",
    returns: Returns::Text,
    evaluate: |values| some_text(parsed(values).map(|(_, zone)| zone)),
};

fn parsed(values: &[Value<'_>]) -> Option<(Timestamp, String)> {
    let (text, pattern, zone) = (text_at(values, 0)?, text_at(values, 1)?, text_at(values, 2));
    let now = Timestamp::from_millisecond(number_at(values, 3)? as i64).ok()?;
    let any_case = matches!(values.get(4), Some(Value::Boolean(true)));
    if pattern == "nanos"
        && let Ok(nanoseconds) = text.trim().parse::<i128>()
    {
        // As exact as the text, which a number is not.
        return Some((Timestamp::from_nanosecond(nanoseconds).ok()?, "Z".to_owned()));
    }
    let factor = match &*pattern {
        "seconds" => Some(1e3),
        "millis" => Some(1.0),
        "nanos" => Some(1e-6),
        _ => None,
    };
    if let Some(factor) = factor {
        let milliseconds = crate::values::parse_number(text.trim())? * factor;
        return Some((Timestamp::from_millisecond(milliseconds.round() as i64).ok()?, "Z".to_owned()));
    }
    Pattern::new(&pattern).ok()?.parse(text.trim(), any_case)?.time(zone.as_deref(), now)
}

/// `cql_found_time(text, zone, now)`: milliseconds.
pub const FOUND: Row = Row {
    name: "cql_found_time",
    returns: Returns::Number,
    evaluate: |values| some_number(found(values).map(|(time, _)| time.as_millisecond() as f64)),
};

/// `cql_found_zone(text, zone, now)`: the zone that the time was read in.
pub const FOUND_ZONE: Row = Row {
    name: "cql_found_zone",
    returns: Returns::Text,
    evaluate: |values| some_text(found(values).map(|(_, zone)| zone)),
};

fn found(values: &[Value<'_>]) -> Option<(Timestamp, String)> {
    let (text, zone) = (text_at(values, 0)?, text_at(values, 1));
    let now = Timestamp::from_millisecond(number_at(values, 2)? as i64).ok()?;
    finding::find(&text, zone.as_deref(), now)
}
