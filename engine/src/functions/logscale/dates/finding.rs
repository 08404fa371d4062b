//! The first time that stands in a text, in one of the usual writings.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::{Captures, Regex};

use super::{MONTHS, Parts, word};

/// How far into a text a time is looked for, in characters.
const SEARCHED: usize = 128;

const CLOCK: &str = r"(?<h>\d{1,2}):(?<mi>\d{2})(?::(?<s>\d{2})(?:[.,](?<f>\d{1,9}))?)?(?:\s?(?<ap>[AaPp][Mm])\b)?";
const ZONE: &str = r"(?:\s?(?<z>Z|[+-]\d{2}:?\d{2}|[+-]\d{2}\b|UTC|GMT)\b)?";

/// The writings, from the one that says most to the one that says least.
static WRITINGS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let dates = [
        r"(?<y>\d{4})[-/.](?<m>\d{1,2})[-/.](?<d>\d{1,2})[T ,]\s?",
        r"(?<y>\d{4})(?<m>\d{2})(?<d>\d{2})[T ]",
        r"(?<d>\d{1,2})[-/ ](?<mn>[A-Za-z]{3,9})[-/ ,]\s?(?<y>\d{4})[: T,]\s?",
        r"(?<mn>[A-Za-z]{3,9})\s+(?<d>\d{1,2}),?\s+(?<y>\d{4}),?\s+",
        r"(?<mn>[A-Za-z]{3,9})\s+(?<d>\d{1,2})\s+",
        r"(?<m>\d{1,2})/(?<d>\d{1,2})/(?<y>\d{4}|\d{2})[ T,]\s?",
    ];
    let timed = dates.iter().map(|date| format!("{date}{CLOCK}{ZONE}"));
    let trailing = format!(r"(?<mn>[A-Za-z]{{3}})\s+(?<d>\d{{1,2}})\s+{CLOCK}{ZONE}\s+(?<y>\d{{4}})");
    std::iter::once(trailing).chain(timed).filter_map(|writing| Regex::new(&writing).ok()).collect()
});

/// Seconds since the epoch, with three, six or nine digits of their fraction, behind a point or not.
static EPOCH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?<s>1\d{9})(?:\.(?<f>\d{1,9})|(?<g>\d{3}|\d{6}|\d{9}))?\b").ok());

/// The time, and the zone that it was read in.
pub fn find(text: &str, zone: Option<&str>, now: Timestamp) -> Option<(Timestamp, String)> {
    let end = text.char_indices().nth(SEARCHED).map_or(text.len(), |(end, _)| end);
    let text = text.get(..end)?;
    let mut first: Option<(usize, Parts)> = None;
    for writing in WRITINGS.iter() {
        for captures in writing.captures_iter(text) {
            let Some(found) = captures.get(0) else { continue };
            let Some(parts) = parts(&captures) else { continue };
            if first.as_ref().is_none_or(|(start, _)| found.start() < *start) {
                first = Some((found.start(), parts));
            }
            break;
        }
    }
    if let Some((_, parts)) = first {
        // The zone of the text counts first: the argument stands in where there is none.
        let given = if parts.zone.is_some() { None } else { zone };
        return parts.time(given, now);
    }
    let captures = EPOCH.as_ref()?.captures(text)?;
    let seconds: i64 = captures.name("s")?.as_str().parse().ok()?;
    let fraction = captures.name("f").or_else(|| captures.name("g")).map_or("0", |digits| digits.as_str());
    let nanoseconds: i32 = format!("{fraction:0<9}").parse().ok()?;
    Some((Timestamp::new(seconds, nanoseconds).ok()?, "Z".to_owned()))
}

fn parts(captures: &Captures<'_>) -> Option<Parts> {
    let text = |name| captures.name(name).map(|group| group.as_str());
    let number = |name| text(name).and_then(|digits| digits.parse::<i64>().ok());
    let month = match text("mn") {
        Some(name) => Some(i64::try_from(word(name, &MONTHS, true, true)?.0).ok()?.checked_add(1)?),
        None => number("m"),
    };
    let year = number("y").map(|year| if year < 100 { year.saturating_add(2_000) } else { year });
    let afternoon = text("ap").map(|half| half.eq_ignore_ascii_case("pm"));
    let hour = number("h");
    let nanosecond = text("f").and_then(|digits| format!("{digits:0<9}").parse().ok());
    Some(Parts {
        year,
        month: Some(month.filter(|month| (1..=12).contains(month))?),
        day: Some(number("d").filter(|day| (1..=31).contains(day))?),
        hour: if afternoon.is_none() { hour } else { None },
        hour12: if afternoon.is_some() { hour } else { None },
        afternoon,
        minute: number("mi"),
        second: number("s"),
        nanosecond,
        zone: text("z").map(str::to_owned),
        ..Parts::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_writings_are_found() {
        let now = "2023-06-01T00:00:00Z".parse().unwrap();
        for (text, zone, expected) in [
            ("at 2023-05-02T10:30:00.5Z x", None, Some("2023-05-02T10:30:00.5Z")),
            ("[02/Apr/2014:16:29:32 +0200] GET", None, Some("2014-04-02T14:29:32Z")),
            ("May  2 10:30:00 host app", Some("UTC"), Some("2023-05-02T10:30:00Z")),
            ("May 2, 2021 10:30 PM", Some("UTC"), Some("2021-05-02T22:30:00Z")),
            ("ts=1683023400123 x", None, Some("2023-05-02T10:30:00.123Z")),
            ("2023-05-02 10:30:00 local", None, None),
            ("nothing", Some("UTC"), None),
        ] {
            assert_eq!(find(text, zone, now).map(|(time, _)| time.to_string()).as_deref(), expected, "{text}");
        }
    }
}
