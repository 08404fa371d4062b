//! Plain text: every line is an event.

use super::blocks::{Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder};
use super::time::{Clock, parse_epoch};

/// How far into a line its time may begin.
const FARTHEST: usize = 128;

/// Reads the lines of a block.
pub(crate) fn read_block(lines: Lines, builder: &mut EventBuilder<'_>) {
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let clock = builder.clock();
    builder.keep_text();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.is_empty() {
            builder.end_plain(&Defaults { sourcetype: "text", raw: line, time: time_of(line, clock) });
        }
    }
}

/// Whether a line begins like one of a log. A date alone is in many a text.
pub(crate) fn is_log_line(line: &str, clock: &Clock) -> bool {
    stamp_of(line, clock).is_some_and(|(_, written)| written.is_empty() || written.contains(':'))
}

/// The time that a line begins with, or that stands in brackets or after a priority near its beginning.
pub(crate) fn time_of(line: &str, clock: &Clock) -> Option<i64> {
    stamp_of(line, clock).map(|(time, _)| time)
}

/// The time and how it is written; an epoch is not written at all.
fn stamp_of<'l>(line: &'l str, clock: &Clock) -> Option<(i64, &'l str)> {
    if let Some((first, _)) = line.split_once([' ', '\t', ',', '|'])
        && let Some(time) = parse_epoch(first)
    {
        return Some((time, ""));
    }
    // A time can begin where a word does.
    let mut at_word_start = true;
    for (at, byte) in line.bytes().enumerate().take(FARTHEST) {
        let is_word = byte.is_ascii_alphanumeric();
        if at_word_start
            && is_word
            && let Some(rest) = line.get(at..)
            && let Some((time, length)) = clock.parse_stamp(rest)
        {
            return Some((time, rest.get(..length).unwrap_or_default()));
        }
        at_word_start = !is_word && !matches!(byte, b'.' | b'-' | b'/' | b'_' | b'\\') && byte.is_ascii();
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn the_time_of_a_line_is_found() {
        let clock = Clock { zone: TimeZone::UTC, latest: "2024-06-01T00:00:00Z".parse().unwrap() };
        let expected = clock.parse("2024-05-24 10:01:00");
        for line in [
            "2024-05-24T10:01:00Z host app: text",
            "2024-05-24 10:01:00, Info CBS something",
            "[2024-05-24 10:01:00] INFO x",
            "<134>May 24 10:01:00 host app[1]: x",
            "<34>1 2024-05-24T10:01:00.000Z host app - - - x",
            "127.0.0.1 - - [24/May/2024:10:01:00 +0000] \"GET / HTTP/1.0\" 200 1",
            "1716544860 x",
            "05/24/2024 10:01:00 AM LogName=Security",
        ] {
            assert_eq!(time_of(line, &clock), expected, "{line}");
        }
        for line in ["title: a rule", "GET /a/2024/05/24/x", "- 5", "version 10.0.19041.1"] {
            assert_eq!(time_of(line, &clock), None, "{line}");
        }
    }
}
