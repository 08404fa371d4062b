//! Times from text, by a format.
//!
//! Blanks in the format stand for any blanks, leading zeros may be missing, names fit in any letter case, and what
//! follows the format's end is ignored, as in a C library. A part that the format lacks is taken from the present
//! time, but a date needs its day. A fraction after a point may be missing, point and all.
//!
//! Source: Splunk Search Reference, "Date and time format variables", and the extended example of `strptime` in "Date
//! and Time functions".

use jiff::civil::{Date, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

use super::timeformat::{Item, MONTHS, Part, WEEKDAYS, items};

/// The microseconds from the epoch to the time that a text says; `None` if it does not fit the format. Where the
/// text names no zone, it is meant in the given one.
pub fn parse(text: &str, format: &str, zone: &TimeZone, now: Timestamp) -> Option<i64> {
    let items = items(format).ok()?;
    let mut input = Input { rest: text };
    let mut found = Found::default();
    let mut items = items.iter().peekable();
    while let Some(item) = items.next() {
        let fraction_follows = matches!(items.peek(), Some(Item::Part(Part::Fraction(..))));
        match item {
            Item::Text(".") if fraction_follows && !input.rest.starts_with('.') => {
                items.next();
            }
            Item::Text(plain) => input.literal(plain)?,
            Item::Part(part) => found.read(*part, &mut input, fraction_follows)?,
        }
    }
    found.resolve(zone, now)
}

/// What is left of the text.
struct Input<'t> {
    rest: &'t str,
}

impl<'t> Input<'t> {
    fn literal(&mut self, text: &str) -> Option<()> {
        for letter in text.chars() {
            if letter.is_whitespace() {
                self.rest = self.rest.trim_start();
            } else {
                self.rest = self.rest.strip_prefix(letter)?;
            }
        }
        Some(())
    }

    /// The bytes at the front that pass a test, `most` at most.
    fn take(&mut self, most: usize, test: fn(u8) -> bool) -> &'t str {
        let length = self.rest.bytes().take(most).take_while(|byte| test(*byte)).count();
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or(("", self.rest));
        self.rest = rest;
        taken
    }

    fn digits(&mut self, most: usize) -> Option<&'t str> {
        let digits = self.take(most, |byte| byte.is_ascii_digit());
        (!digits.is_empty()).then_some(digits)
    }

    fn number(&mut self, most: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        let number = self.digits(most)?.parse().ok()?;
        range.contains(&number).then_some(number)
    }

    /// The position of the name at the front, in full or its first three letters.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let starts = |name: &str| self.rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let found = names.iter().enumerate().find_map(|(position, name)| {
            let short = name.get(..3).unwrap_or(name);
            [*name, short].into_iter().find(|name| starts(name)).map(|name| (position, name.len()))
        });
        let (position, length) = found?;
        self.rest = self.rest.get(length..)?;
        i64::try_from(position).ok()
    }

    fn sign(&mut self) -> Option<i32> {
        let sign = match self.rest.bytes().next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.rest = self.rest.get(1..)?;
        Some(sign)
    }

    /// `Z`, or a sign, hours, and maybe minutes and seconds, with or without colons.
    fn offset(&mut self) -> Option<TimeZone> {
        self.rest = self.rest.trim_start_matches(' ');
        if let Some(rest) = self.rest.strip_prefix(['Z', 'z']) {
            self.rest = rest;
            return Some(TimeZone::UTC);
        }
        let sign = self.sign()?;
        let hours: i32 = self.digits(2)?.parse().ok()?;
        let (minutes, seconds) = match self.sixtieth() {
            Some(minutes) => (minutes, self.sixtieth().unwrap_or(0)),
            None => (0, 0),
        };
        fixed(sign * (hours * 3_600 + minutes * 60 + seconds))
    }

    /// Two digits after an optional colon, if they follow.
    fn sixtieth(&mut self) -> Option<i32> {
        let text = self.rest.strip_prefix(':').unwrap_or(self.rest);
        let mut ahead = Input { rest: text };
        let number = ahead.digits(2).filter(|digits| digits.len() == 2)?.parse().ok().filter(|n| *n < 60)?;
        self.rest = ahead.rest;
        Some(number)
    }

    /// The name or abbreviation of a zone.
    fn zone(&mut self) -> Option<TimeZone> {
        self.rest = self.rest.trim_start_matches(' ');
        let whole = self.rest;
        for test in [
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'),
            |b: u8| b.is_ascii_alphabetic(),
        ] {
            self.rest = whole;
            let name = self.take(64, test);
            if let Some(zone) = named_zone(name) {
                return Some(zone);
            }
        }
        None
    }
}

fn fixed(seconds: i32) -> Option<TimeZone> {
    Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
}

/// Abbreviations that stand for one offset, in minutes; of several meanings the one most usual in logs.
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("Z", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("IST", 330),
    ("SGT", 480),
    ("HKT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("ACDT", 630),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("AST", -240),
    ("ADT", -180),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
];

fn named_zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() {
        return None;
    }
    match ABBREVIATIONS.iter().find(|(abbreviation, _)| abbreviation.eq_ignore_ascii_case(name)) {
        Some((_, 0)) => Some(TimeZone::UTC),
        Some((_, minutes)) => fixed(minutes * 60),
        None => TimeZone::get(name).ok(),
    }
}

/// The parts that a text gave.
#[derive(Default)]
struct Found {
    year: Option<i64>,
    century: Option<i64>,
    year_of_century: Option<i64>,
    iso_year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    iso_week: Option<i64>,
    /// From Monday, which is 1.
    weekday: Option<i64>,
    hour: Option<i64>,
    hour12: Option<i64>,
    afternoon: bool,
    minute: Option<i64>,
    second: Option<i64>,
    nanoseconds: i64,
    epoch: Option<i64>,
    zone: Option<TimeZone>,
}

impl Found {
    fn read(&mut self, part: Part, input: &mut Input<'_>, fraction_follows: bool) -> Option<()> {
        match part {
            Part::Year => self.year = Some(input.number(4, 0..=9_999)?),
            Part::Century => self.century = Some(input.number(2, 0..=99)?),
            Part::YearOfCentury => self.year_of_century = Some(input.number(2, 0..=99)?),
            Part::IsoYear => self.iso_year = Some(input.number(4, 0..=9_999)?),
            Part::Month => self.month = Some(input.number(2, 1..=12)?),
            Part::MonthShort | Part::MonthName => self.month = Some(input.name(&MONTHS)? + 1),
            Part::Day | Part::DayBlank => self.day = Some(input.number(2, 1..=31)?),
            Part::DayOfYear => self.day_of_year = Some(input.number(3, 1..=366)?),
            Part::WeekdayShort | Part::WeekdayName => self.weekday = Some((input.name(&WEEKDAYS)? + 6) % 7 + 1),
            Part::WeekdayFromSunday => self.weekday = Some((input.number(1, 0..=6)? + 6) % 7 + 1),
            Part::WeekdayFromMonday => self.weekday = Some(input.number(1, 1..=7)?),
            Part::IsoWeek => self.iso_week = Some(input.number(2, 1..=53)?),
            // These say nothing that a date is found by.
            Part::IsoYearOfCentury => {
                input.number(2, 0..=99)?;
            }
            Part::WeekFromSunday | Part::WeekFromMonday => {
                input.number(2, 0..=53)?;
            }
            Part::Hour | Part::HourBlank => self.hour = Some(input.number(2, 0..=23)?),
            Part::Hour12 | Part::Hour12Blank => self.hour12 = Some(input.number(2, 1..=12)?),
            Part::HalfDay | Part::HalfDayLower => self.afternoon = input.name(&["AM", "PM"])? == 1,
            Part::Minute => self.minute = Some(input.number(2, 0..=59)?),
            Part::Second => self.second = Some(input.number(2, 0..=60)?),
            Part::Epoch => {
                let sign = i64::from(input.sign().unwrap_or(1));
                // Digits of the fraction may follow without a point: those of the seconds are ten.
                let digits = input.digits(if fraction_follows { 10 } else { 18 })?;
                self.epoch = Some(digits.parse::<i64>().ok()? * sign);
            }
            Part::Fraction(digits, given) => {
                let digits = input.digits(if given { digits } else { 9 })?;
                self.nanoseconds = format!("{digits:0<9}").parse().ok()?;
            }
            Part::Offset(_) => self.zone = Some(input.offset()?),
            Part::OffsetMinutes => {
                let sign = input.sign().unwrap_or(1);
                let minutes: i32 = input.digits(4)?.parse().ok()?;
                self.zone = Some(fixed(sign * minutes * 60)?);
            }
            Part::Zone => self.zone = Some(input.zone()?),
        }
        Some(())
    }

    fn resolve(self, zone: &TimeZone, now: Timestamp) -> Option<i64> {
        // Microseconds are what a time holds; what lies beyond is rounded.
        let fraction = (self.nanoseconds + 500) / 1_000;
        if let Some(epoch) = self.epoch {
            return epoch.checked_mul(1_000_000)?.checked_add(fraction);
        }
        let zone = self.zone.as_ref().unwrap_or(zone);
        let date = self.date(now.to_zoned(zone.clone()).date())?;
        let hour = match (self.hour, self.hour12) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour % 12 + if self.afternoon { 12 } else { 0 },
            (None, None) => 0,
        };
        let second = self.second.unwrap_or(0);
        let small = |number: i64| i8::try_from(number).ok();
        let time = Time::new(small(hour)?, small(self.minute.unwrap_or(0))?, small(second.min(59))?, 0).ok()?;
        let timestamp = date.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp();
        let leap = if second == 60 { 1_000_000 } else { 0 };
        timestamp.as_microsecond().checked_add(fraction)?.checked_add(leap)
    }

    fn date(&self, today: Date) -> Option<Date> {
        let year = match (self.year, self.century, self.year_of_century) {
            (Some(year), ..) => Some(year),
            (None, Some(century), year) => Some(century * 100 + year.unwrap_or(0)),
            (None, None, Some(year)) => Some(if year < 69 { 2_000 + year } else { 1_900 + year }),
            (None, None, None) => None,
        };
        let in_year = i16::try_from(year.unwrap_or(i64::from(today.year()))).ok()?;
        if let Some(day) = self.day_of_year {
            let date = Date::new(in_year, 1, 1).ok()?.checked_add(Span::new().days(day - 1)).ok()?;
            return (date.year() == in_year).then_some(date);
        }
        if let Some(day) = self.day {
            let month = match (self.month, year) {
                (Some(month), _) => i8::try_from(month).ok()?,
                (None, None) => today.month(),
                (None, Some(_)) => return None,
            };
            return Date::new(in_year, month, i8::try_from(day).ok()?).ok();
        }
        if let (Some(week), Some(weekday)) = (self.iso_week, self.weekday) {
            let year = i16::try_from(self.iso_year.or(year)?).ok()?;
            let weekday = Weekday::from_monday_one_offset(i8::try_from(weekday).ok()?).ok()?;
            return Some(ISOWeekDate::new(year, i8::try_from(week).ok()?, weekday).ok()?.date());
        }
        let dated = year.or(self.iso_year).or(self.month).or(self.iso_week).or(self.weekday).is_some();
        let timed = self.hour.or(self.hour12).or(self.minute).or(self.second).is_some();
        (timed && !dated).then_some(today)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::strftime;
    use super::*;

    fn at(text: &str, format: &str) -> Option<f64> {
        let now = "2024-10-09T10:15:30Z".parse().unwrap();
        parse(text, format, &TimeZone::UTC, now).map(|microseconds| microseconds as f64 / 1e6)
    }

    #[test]
    fn what_fits_is_read() {
        for (text, format, seconds) in [
            ("2022-04-29", "%Y-%m-%d", 1_651_190_400.0),
            ("2022-04-29T23:45:22+0200", "%Y-%m-%dT%H:%M:%S%z", 1_651_268_722.0),
            ("2022-04-29T23:45:22.5-05:30", "%FT%T.%N%:z", 1_651_295_722.5),
            ("2022-04-29 23:45:22 Z", "%F %T %z", 1_651_275_922.0),
            ("2022-04-29 23:45:22 EST", "%F %T %Z", 1_651_293_922.0),
            ("2022-04-29 23:45:22 Europe/Berlin", "%F %T %Z", 1_651_268_722.0),
            ("2022-04-29 23:45:22 +120", "%F %T %Ez", 1_651_268_722.0),
            ("04/29/2022 11:45:22 PM", "%m/%d/%Y %I:%M:%S %p", 1_651_275_922.0),
            ("4/29/2022 12:00 am", "%m/%d/%Y %I:%M %p", 1_651_190_400.0),
            ("Fri Apr 29 23:45:22 2022", "%c", 1_651_275_922.0),
            ("Fri Apr 29 23:45:22 UTC 2022", "%+", 1_651_275_922.0),
            ("29. APRIL   22", "%d. %B %y", 1_651_190_400.0),
            ("2022119", "%Y%j", 1_651_190_400.0),
            ("2022-W17-5", "%G-W%V-%u", 1_651_190_400.0),
            ("1651275922", "%s", 1_651_275_922.0),
            ("1651275922125", "%s%3N", 1_651_275_922.125),
            ("1651275922.25", "%s.%Q", 1_651_275_922.25),
            ("Mon Aug 13 06:00:00 2018", "%a %B %d %H:%M:%S.%N %Y", 1_534_140_000.0),
            ("2022-04-29 23:45:22 Z", "%F %T.%3N %z", 1_651_275_922.0),
            ("Oct  9 05:07:09", "%b %e %H:%M:%S", 1_728_450_429.0),
            ("05:07:09", "%H:%M:%S", 1_728_450_429.0),
            ("2022-04-29 and more", "%Y-%m-%d", 1_651_190_400.0),
            ("1969-12-31 23:59:60", "%F %T", 0.0),
            ("70-01-01", "%y-%m-%d", 0.0),
        ] {
            assert_eq!(at(text, format), Some(seconds), "{text} by {format}");
        }
    }

    #[test]
    fn what_does_not_fit_is_none() {
        for (text, format) in [
            ("not a date", "%Y-%m-%d"),
            ("", "%Y-%m-%d"),
            ("2022-04", "%Y-%m"),
            ("2022-04-31", "%Y-%m-%d"),
            ("2022-13-01", "%Y-%m-%d"),
            ("2022-04-29", "%Y/%m/%d"),
            ("2022 29", "%Y %d"),
            ("2023-366", "%Y-%j"),
            ("Friday", "%A"),
            ("25:00", "%H:%M"),
            ("2022-04-29 Nowhere", "%F %Z"),
            ("2022-04-29 +9999", "%F %z"),
            ("999999999999999999", "%s"),
            ("x", "x"),
            ("2022-04-29", "%i"),
        ] {
            assert_eq!(at(text, format), None, "{text} by {format}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            microseconds in 0_i64..4_000_000_000_000_000,
            format in prop::sample::select(vec![
                "%Y-%m-%d %H:%M:%S.%6N %z",
                "%e %B %Y, %l:%M:%S.%f %P %::z",
                "%d/%b/%y:%k.%M.%S %6Q %:z",
                "%Y%j%H%M%S%9N%Ez",
                "%A %u %V %G %T.%N %:::z",
                "%s%6N",
            ]),
            zone in prop::sample::select(vec!["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
        ) {
            let zone = TimeZone::get(zone).unwrap();
            let text = strftime::format(microseconds, format, &zone).unwrap();
            // Ten digits of seconds are taken where a fraction follows them at once.
            prop_assume!(!format.starts_with("%s") || microseconds >= 1_000_000_000_000_000);
            // Two digits name the years up to 2068.
            prop_assume!(!format.contains("%y") || microseconds < 3_000_000_000_000_000);
            prop_assert_eq!(parse(&text, format, &zone, Timestamp::UNIX_EPOCH), Some(microseconds), "{}", text);
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,40}", format in "(%[a-zA-Z+]|[ :/-]|.){0,12}") {
            let _ = parse(&text, &format, &TimeZone::UTC, Timestamp::MAX);
            let _ = strftime::format(0, &format, &TimeZone::UTC);
        }
    }
}
