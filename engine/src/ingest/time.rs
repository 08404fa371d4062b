//! The times that logs write, as microseconds since 1970.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

/// What a time that leaves something out is completed with.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// The zone of times that name none.
    pub(crate) zone: TimeZone,
    /// The latest moment that a time without a year can mean: when the file was last written.
    pub(crate) latest: jiff::Timestamp,
}

/// Reads the times of events that are no text of a log file.
#[derive(Debug)]
pub(crate) struct EventClock(Clock);

impl EventClock {
    /// The clock of a zone, by the name that [`EventClock::name`] gave it.
    pub(crate) fn in_zone(name: &str) -> Self {
        let fixed = || Some(TimeZone::fixed(Offset::from_seconds(name.parse().ok()?).ok()?));
        let zone = TimeZone::get(name).ok().or_else(fixed).unwrap_or(TimeZone::UTC);
        Self(Clock { zone, latest: jiff::Timestamp::now() })
    }

    /// A zone as text: its name, or its seconds east of Greenwich.
    pub(crate) fn name(zone: &TimeZone) -> String {
        match zone.iana_name() {
            Some(name) => name.to_owned(),
            None => zone.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds().to_string(),
        }
    }

    /// Microseconds since 1970.
    pub(crate) fn read(&self, text: &str) -> Option<i64> {
        self.0.parse(text)
    }
}

impl Clock {
    /// The same clock for times that are in UTC where they name no zone.
    pub(crate) fn in_utc(&self) -> Clock {
        Clock { zone: TimeZone::UTC, latest: self.latest }
    }

    /// A time in any of the forms that records hold: ISO 8601 and its relatives, or an epoch.
    pub(crate) fn parse(&self, text: &str) -> Option<i64> {
        let text = text.trim();
        parse_epoch(text).or_else(|| self.parse_stamp(text).map(|(time, _)| time))
    }

    /// A written-out time at the beginning of `text`, and how many bytes it takes.
    pub(crate) fn parse_stamp(&self, text: &str) -> Option<(i64, usize)> {
        let mut scanner = Scanner { rest: text.as_bytes() };
        let bytes = scanner.rest;
        let time = if bytes.first().is_some_and(u8::is_ascii_alphabetic) {
            self.syslog(&mut scanner)
        } else {
            match bytes {
                [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-' | b'/', ..] => self.iso(&mut scanner),
                [_, _, b'/', b'A'..=b'Z' | b'a'..=b'z', ..] => self.apache(&mut scanner),
                [_, b'/', ..] | [_, _, b'/', ..] => self.american(&mut scanner),
                [b'/', b'D', b'a', b't', b'e', b'(', ..] => dotnet(&mut scanner),
                [_, _, _, _, _, _, _, _, b'T', ..] => self.iso_basic(&mut scanner),
                _ => None,
            }
        }?;
        Some((time, text.len().saturating_sub(scanner.rest.len())))
    }

    /// `2024-05-24T10:00:00.123456789Z`, `2024/05/24 10:00:00`, `2024-05-24 10:00:00.123 UTC`, `2024-05-24`.
    fn iso(&self, scanner: &mut Scanner<'_>) -> Option<i64> {
        let year = scanner.digits(4, 4)?;
        let separator = scanner.one_of(b"-/")?;
        let month = scanner.digits(1, 2)?;
        scanner.one_of(&[separator])?;
        let day = scanner.digits(1, 2)?;
        let date = date(year, month, day)?;
        let before_time = scanner.rest;
        if scanner.one_of(b"Tt _").is_none() || !scanner.rest.first().is_some_and(u8::is_ascii_digit) {
            scanner.rest = before_time;
            return self.resolve(date.to_datetime(Time::midnight()), None);
        }
        let time = scanner.time()?;
        let zone = scanner.zone();
        self.resolve(date.to_datetime(time), zone)
    }

    /// `20240524T100000Z`.
    fn iso_basic(&self, scanner: &mut Scanner<'_>) -> Option<i64> {
        let date = date(scanner.digits(4, 4)?, scanner.digits(2, 2)?, scanner.digits(2, 2)?)?;
        scanner.one_of(b"T")?;
        let (hour, minute, second) = (scanner.digits(2, 2)?, scanner.digits(2, 2)?, scanner.digits(2, 2)?);
        let time = time(hour, minute, second, scanner.fraction())?;
        let zone = scanner.zone();
        self.resolve(date.to_datetime(time), zone)
    }

    /// `May 24 10:01:00`, with a year after the day or the time if there is one: `May 24 2024 10:01:00`.
    /// Also `Fri May 24 10:01:00 2024` and `Fri, 24 May 2024 10:01:00 GMT`.
    fn syslog(&self, scanner: &mut Scanner<'_>) -> Option<i64> {
        if scanner.weekday() {
            scanner.one_of(b",");
            scanner.spaces();
        }
        let (month, day) = match scanner.month() {
            Some(month) => {
                scanner.spaces();
                (month, scanner.digits(1, 2)?)
            }
            None => {
                let day = scanner.digits(1, 2)?;
                scanner.spaces();
                (scanner.month()?, day)
            }
        };
        scanner.one_of(b",");
        scanner.one_of(b" ")?;
        scanner.spaces();
        let mut year = match scanner.rest {
            [_, _, _, _, b' ', ..] => scanner.digits(4, 4),
            _ => None,
        };
        scanner.spaces();
        let time = scanner.time()?;
        if year.is_none()
            && let [b' ', a, b, c, d, rest @ ..] = scanner.rest
            && [a, b, c, d].iter().all(|digit| digit.is_ascii_digit())
            && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
        {
            scanner.one_of(b" ");
            year = scanner.digits(4, 4);
        }
        if let Some(year) = year {
            let zone = scanner.zone();
            return self.resolve(date(year, month, day)?.to_datetime(time), zone);
        }
        // Without a year: the last one in which the file could hold that time. A day of grace, because clocks
        // and zones differ.
        let latest = self.latest.as_microsecond().saturating_add(86_400_000_000);
        let this_year = i64::from(self.latest.to_zoned(self.zone.clone()).year());
        (0..5)
            .filter_map(|ago| self.resolve(date(this_year.checked_sub(ago)?, month, day)?.to_datetime(time), None))
            .find(|&candidate| candidate <= latest)
    }

    /// `10/Oct/2000:13:55:36 -0700`.
    fn apache(&self, scanner: &mut Scanner<'_>) -> Option<i64> {
        let day = scanner.digits(1, 2)?;
        scanner.one_of(b"/")?;
        let month = scanner.month()?;
        scanner.one_of(b"/")?;
        let date = date(scanner.digits(4, 4)?, month, day)?;
        scanner.one_of(b": ")?;
        let time = scanner.time()?;
        let zone = scanner.zone();
        self.resolve(date.to_datetime(time), zone)
    }

    /// `05/24/2024 10:01:00 AM`; a first number above 12 is the day.
    fn american(&self, scanner: &mut Scanner<'_>) -> Option<i64> {
        let mut month = scanner.digits(1, 2)?;
        scanner.one_of(b"/")?;
        let mut day = scanner.digits(1, 2)?;
        scanner.one_of(b"/")?;
        let year = scanner.digits(4, 4)?;
        if month > 12 {
            std::mem::swap(&mut month, &mut day);
        }
        let date = date(year, month, day)?;
        let before_time = scanner.rest;
        scanner.one_of(b",");
        if scanner.one_of(b" T").is_none() || !scanner.rest.first().is_some_and(u8::is_ascii_digit) {
            scanner.rest = before_time;
            return self.resolve(date.to_datetime(Time::midnight()), None);
        }
        let mut time = scanner.time()?;
        if let Some(is_afternoon) = scanner.afternoon() {
            let hour = time.hour() % 12;
            time = time.with().hour(if is_afternoon { hour.saturating_add(12) } else { hour }).build().ok()?;
        }
        let zone = scanner.zone();
        self.resolve(date.to_datetime(time), zone)
    }

    fn resolve(&self, time: DateTime, zone: Option<Offset>) -> Option<i64> {
        let stamp = match zone {
            Some(offset) => offset.to_timestamp(time).ok()?,
            None => self.zone.to_ambiguous_timestamp(time).compatible().ok()?,
        };
        Some(stamp.as_microsecond())
    }
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size.
pub(crate) fn parse_epoch(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 19 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        // Nine digits of seconds are 2001 at the latest, and shorter numbers are no times.
        9..=11 => {
            let micros = Scanner { rest: text.get(whole.len()..)?.as_bytes() }.fraction() / 1000;
            number.checked_mul(1_000_000)?.checked_add(micros)
        }
        12..=14 => number.checked_mul(1000),
        15..=17 => Some(number),
        18..=19 => Some(number / 1000),
        _ => None,
    }
}

/// `/Date(1716544860100)/`, as PowerShell's JSON has it.
fn dotnet(scanner: &mut Scanner<'_>) -> Option<i64> {
    scanner.rest = scanner.rest.get(6..)?;
    scanner.digits(1, 14)?.checked_mul(1000)
}

fn date(year: i64, month: i64, day: i64) -> Option<Date> {
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn time(hour: i64, minute: i64, second: i64, nanos: i64) -> Option<Time> {
    // A leap second has no place in a count of seconds since 1970.
    let second = if second == 60 { 59 } else { second };
    let nanos = nanos.try_into().ok()?;
    Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nanos).ok()
}

#[derive(Debug)]
struct Scanner<'a> {
    rest: &'a [u8],
}

impl Scanner<'_> {
    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let length = self.rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        if length < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        // At most 14 digits are ever asked for.
        Some(digits.iter().fold(0_i64, |number, digit| {
            number.saturating_mul(10).saturating_add(i64::from(digit.saturating_sub(b'0')))
        }))
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        bytes.contains(&first).then(|| {
            self.rest = rest;
            first
        })
    }

    fn spaces(&mut self) {
        while self.one_of(b" ").is_some() {}
    }

    /// `10:01:00`, `10:01:00.123`, `10:01`.
    fn time(&mut self) -> Option<Time> {
        let hour = self.digits(1, 2)?;
        self.one_of(b":")?;
        let minute = self.digits(2, 2)?;
        if self.one_of(b":").is_none() {
            return time(hour, minute, 0, 0);
        }
        let second = self.digits(2, 2)?;
        time(hour, minute, second, self.fraction())
    }

    /// `.123` as nanoseconds; digits past the ninth are dropped.
    fn fraction(&mut self) -> i64 {
        let before = self.rest;
        if self.one_of(b".,").is_none() {
            return 0;
        }
        let length = self.rest.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
        let Some(number) = self.digits(1, 9) else {
            // `10:01:00, something`: the comma belongs to the text.
            self.rest = before;
            return 0;
        };
        while self.digits(1, 1).is_some() {}
        (length..9).fold(number, |number, _| number.saturating_mul(10))
    }

    /// `Z`, `+02:00`, `-0700`, ` +0000`, ` UTC`, ` GMT`; `None` if there is none, or only the name of another.
    fn zone(&mut self) -> Option<Offset> {
        let before = self.rest;
        let offset = self.offset();
        if offset.is_none() {
            self.rest = before;
        }
        offset
    }

    fn offset(&mut self) -> Option<Offset> {
        self.spaces();
        for name in [&b"UTC"[..], b"GMT", b"Z", b"z"] {
            if let Some(rest) = self.rest.strip_prefix(name)
                && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
            {
                self.rest = rest;
                return Some(Offset::UTC);
            }
        }
        let sign = self.one_of(b"+-")?;
        let hours = self.digits(2, 2)?;
        self.one_of(b":");
        let minutes = self.digits(2, 2).unwrap_or(0);
        let seconds = i32::try_from(hours.saturating_mul(3600).saturating_add(minutes.saturating_mul(60))).ok()?;
        Offset::from_seconds(if sign == b'-' { seconds.saturating_neg() } else { seconds }).ok()
    }

    fn afternoon(&mut self) -> Option<bool> {
        let before = self.rest;
        self.spaces();
        let letter = self.one_of(b"AaPp");
        let has_m = self.one_of(b"Mm").is_some();
        if let (Some(letter), true) = (letter, has_m) {
            return Some(letter.eq_ignore_ascii_case(&b'p'));
        }
        self.rest = before;
        None
    }

    fn word(&mut self, names: &[&[u8; 3]]) -> Option<usize> {
        let (word, rest) = self.rest.split_at_checked(3)?;
        let at = names.iter().position(|name| word.eq_ignore_ascii_case(*name))?;
        if rest.first().is_some_and(u8::is_ascii_alphabetic) {
            return None;
        }
        self.rest = rest;
        Some(at)
    }

    fn weekday(&mut self) -> bool {
        self.word(&[b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"]).is_some()
    }

    fn month(&mut self) -> Option<i64> {
        let names: [&[u8; 3]; 12] =
            [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
        i64::try_from(self.word(&names)?.saturating_add(1)).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn clock() -> Clock {
        Clock { zone: TimeZone::UTC, latest: "2024-06-01T00:00:00Z".parse().unwrap() }
    }

    fn read(text: &str) -> Option<String> {
        clock().parse(text).map(|micros| jiff::Timestamp::from_microsecond(micros).unwrap().to_string())
    }

    #[test]
    fn written_times_are_read() {
        for (text, expected) in [
            ("2024-05-24T10:01:00.1234567Z", "2024-05-24T10:01:00.123456Z"),
            ("2024-05-24T10:01:00.123456999Z", "2024-05-24T10:01:00.123456Z"),
            ("2024-05-24 10:01:00", "2024-05-24T10:01:00Z"),
            ("2024/05/24 10:01:00", "2024-05-24T10:01:00Z"),
            ("2024-05-24 10:01:00.678 UTC", "2024-05-24T10:01:00.678Z"),
            ("2024-05-24T10:01:00,5+02:00", "2024-05-24T08:01:00.5Z"),
            ("2024-05-24T10:01:00.000-0700", "2024-05-24T17:01:00Z"),
            ("2024-05-24 10:01:00 +02:00", "2024-05-24T08:01:00Z"),
            ("2024-05-24", "2024-05-24T00:00:00Z"),
            ("20240524T100100Z", "2024-05-24T10:01:00Z"),
            ("May 24 10:01:00", "2024-05-24T10:01:00Z"),
            ("Dec  4 10:01:00", "2023-12-04T10:01:00Z"),
            ("May 24 2024 10:01:00", "2024-05-24T10:01:00Z"),
            ("Fri May 24 10:01:00 2024", "2024-05-24T10:01:00Z"),
            ("Fri, 24 May 2024 10:01:00 GMT", "2024-05-24T10:01:00Z"),
            ("10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"),
            ("05/24/2024 10:01:00 AM", "2024-05-24T10:01:00Z"),
            ("5/24/2024 12:01:00 AM", "2024-05-24T00:01:00Z"),
            ("24/05/2024 3:01:00 PM", "2024-05-24T15:01:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("1716544860", "2024-05-24T10:01:00Z"),
            ("1716544860.25", "2024-05-24T10:01:00.25Z"),
            ("1716544860100", "2024-05-24T10:01:00.1Z"),
            ("1716544860100200", "2024-05-24T10:01:00.1002Z"),
            ("1716544860100200300", "2024-05-24T10:01:00.1002Z"),
            ("/Date(1716544860100)/", "2024-05-24T10:01:00.1Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_text_is_no_time() {
        for text in [
            "",
            "1",
            "-",
            "12345",
            "2024",
            "2024-13-01",
            "2024-02-30T00:00:00Z",
            "2024-05-24T25:00:00Z",
            "May",
            "Mayday",
            "2024-",
            "é",
            "2024-05-24T10:0é",
            "99/99/9999",
            "1716544860.x",
            "99999999999999999999",
            "/Date(",
            "Mon",
            "Mon ",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_zone_is_in_the_given_one() {
        let berlin = Clock { zone: TimeZone::get("Europe/Berlin").unwrap(), ..clock() };
        assert_eq!(berlin.parse("2024-05-24 12:01:00"), clock().parse("2024-05-24 10:01:00"));
        assert_eq!(berlin.parse("2024-05-24 12:01:00Z"), clock().parse("2024-05-24 12:01:00Z"));
    }
}
