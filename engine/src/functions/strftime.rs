//! Times as text, by a format.
//!
//! Source: Splunk Search Reference, "Date and time format variables".

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::timeformat::{Item, MONTHS, Part, WEEKDAYS, items};

/// The time so many microseconds after the epoch, in that zone and format; `None` for a time out of range or a
/// format with an unknown directive.
pub fn format(microseconds: i64, format: &str, zone: &TimeZone) -> Option<String> {
    let time = Timestamp::from_microsecond(microseconds).ok()?.to_zoned(zone.clone());
    let mut text = String::with_capacity(format.len().saturating_mul(2));
    for item in items(format).ok()? {
        match item {
            Item::Text(plain) => text.push_str(plain),
            Item::Part(part) => write(&mut text, part, &time).ok()?,
        }
    }
    Some(text)
}

fn write(text: &mut String, part: Part, time: &Zoned) -> std::fmt::Result {
    let date = time.date();
    let iso = date.iso_week_date();
    let weekday = i32::from(date.weekday().to_sunday_zero_offset());
    let day_of_year = i32::from(date.day_of_year());
    let hour12 = (time.hour() + 11) % 12 + 1;
    match part {
        Part::Year => write!(text, "{:04}", date.year()),
        Part::Century => write!(text, "{:02}", date.year().div_euclid(100)),
        Part::YearOfCentury => write!(text, "{:02}", date.year().rem_euclid(100)),
        Part::IsoYear => write!(text, "{:04}", iso.year()),
        Part::IsoYearOfCentury => write!(text, "{:02}", iso.year().rem_euclid(100)),
        Part::Month => write!(text, "{:02}", date.month()),
        Part::MonthShort => text.write_str(short(name(&MONTHS, i32::from(date.month()) - 1))),
        Part::MonthName => text.write_str(name(&MONTHS, i32::from(date.month()) - 1)),
        Part::Day => write!(text, "{:02}", date.day()),
        Part::DayBlank => write!(text, "{:2}", date.day()),
        Part::DayOfYear => write!(text, "{day_of_year:03}"),
        Part::WeekdayShort => text.write_str(short(name(&WEEKDAYS, weekday))),
        Part::WeekdayName => text.write_str(name(&WEEKDAYS, weekday)),
        Part::WeekdayFromSunday => write!(text, "{weekday}"),
        Part::WeekdayFromMonday => write!(text, "{}", (weekday + 6) % 7 + 1),
        Part::WeekFromSunday => write!(text, "{:02}", (day_of_year + 6 - weekday) / 7),
        Part::WeekFromMonday => write!(text, "{:02}", (day_of_year + 6 - (weekday + 6) % 7) / 7),
        Part::IsoWeek => write!(text, "{:02}", iso.week()),
        Part::Hour => write!(text, "{:02}", time.hour()),
        Part::HourBlank => write!(text, "{:2}", time.hour()),
        Part::Hour12 => write!(text, "{hour12:02}"),
        Part::Hour12Blank => write!(text, "{hour12:2}"),
        Part::HalfDay => text.write_str(if time.hour() < 12 { "AM" } else { "PM" }),
        Part::HalfDayLower => text.write_str(if time.hour() < 12 { "am" } else { "pm" }),
        Part::Minute => write!(text, "{:02}", time.minute()),
        Part::Second => write!(text, "{:02}", time.second()),
        Part::Epoch => write!(text, "{}", time.timestamp().as_microsecond().div_euclid(1_000_000)),
        Part::Fraction(digits, _) => {
            let nanoseconds = format!("{:09}", time.subsec_nanosecond());
            text.write_str(nanoseconds.get(..digits).unwrap_or(&nanoseconds))
        }
        Part::Offset(colons) => offset(text, time.offset().seconds(), colons),
        Part::OffsetMinutes => write!(text, "{:+}", time.offset().seconds() / 60),
        Part::Zone => text.write_str(time.time_zone().to_offset_info(time.timestamp()).abbreviation()),
    }
}

fn name(names: &[&'static str], position: i32) -> &'static str {
    usize::try_from(position).ok().and_then(|position| names.get(position)).copied().unwrap_or_default()
}

fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

fn offset(text: &mut String, seconds: i32, colons: usize) -> std::fmt::Result {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match colons {
        0 => write!(text, "{sign}{hours:02}{minutes:02}"),
        1 => write!(text, "{sign}{hours:02}:{minutes:02}"),
        2 => write!(text, "{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        // As much as the offset has.
        _ if seconds != 0 => write!(text, "{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        _ if minutes != 0 => write!(text, "{sign}{hours:02}:{minutes:02}"),
        _ => write!(text, "{sign}{hours:02}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: f64, form: &str, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        format(crate::time::microseconds(seconds).unwrap(), form, &zone).unwrap()
    }

    #[test]
    fn every_directive_writes_its_part() {
        let time = 1_728_450_429.125_25;
        for (form, text) in [
            ("%Y %y %C %G %g", "2024 24 20 2024 24"),
            ("%m %b %h %B", "10 Oct Oct October"),
            ("[%d][%e] %j", "[09][ 9] 283"),
            ("%a %A %w %u", "Wed Wednesday 3 3"),
            ("%U %W %V", "40 41 41"),
            ("[%H][%k][%I][%l] %p %P", "[05][ 5][05][ 5] AM am"),
            ("%M:%S %s", "07:09 1728450429"),
            ("%N %3N %6N %9N", "125250000 125 125250 125250000"),
            ("%Q %3Q %6Q %9Q %f", "125 125 125250 125250000 125250"),
            ("%z %:z %::z %:::z %Ez %Z", "+0000 +00:00 +00:00:00 +00 +0 UTC"),
            ("%c|%+", "Wed Oct  9 05:07:09 2024|Wed Oct  9 05:07:09 UTC 2024"),
            ("%x %X %D %F %T %R %r", "10/09/24 05:07:09 10/09/24 2024-10-09 05:07:09 05:07 05:07:09 AM"),
            ("100%%%n%t", "100%\n\t"),
        ] {
            assert_eq!(at(time, form, "UTC"), text, "{form}");
        }
        assert_eq!(at(0.0, "%I %p %U", "UTC"), "12 AM 00");
        assert_eq!(at(43_200.0, "%I %p", "UTC"), "12 PM");
    }

    #[test]
    fn times_are_those_of_the_zone() {
        assert_eq!(at(1_728_450_429.0, "%H %z %:::z %Ez %Z", "America/New_York"), "01 -0400 -04 -240 EDT");
        assert_eq!(at(1_728_450_429.0, "%H %:z %:::z %Ez", "Asia/Kolkata"), "10 +05:30 +05:30 +330");
    }

    #[test]
    fn what_has_no_text_has_none() {
        assert_eq!(format(i64::MAX, "%Y", &TimeZone::UTC), None);
        assert_eq!(format(0, "%i", &TimeZone::UTC), None);
        assert_eq!(at(-0.5, "%S.%3N %s", "UTC"), "59.500 -1");
    }

    proptest! {
        /// The directives that jiff has too, written by both.
        #[test]
        fn the_common_directives_agree_with_another_implementation(seconds in -2_000_000_000_i64..10_000_000_000) {
            let form = "%Y %y %m %b %B %d %e %j %a %A %w %u %H %k %I %l %M %S %s %p %z %:z %F %T %U %W %V %G %Z";
            let zone = TimeZone::get("Europe/Berlin").unwrap();
            let time = Timestamp::from_second(seconds).unwrap().to_zoned(zone.clone());
            prop_assert_eq!(format(seconds * 1_000_000, form, &zone).unwrap(), time.strftime(form).to_string());
        }
    }
}
