//! What a file is, by what is in it.

use std::sync::Arc;

use serde::de::IgnoredAny;

use super::csv::Header;
use super::decode::{HEAD, Peeked};
use super::text::{Kind, is_log_line};
use super::time::Clock;
use super::{w3c, zeek};

/// The format of a text file.
#[derive(Debug)]
pub(crate) enum Format {
    Xml,
    /// One record a line.
    JsonLines,
    /// Records one after another, or an array.
    JsonStream,
    /// A header, and the length of its line.
    Csv(Arc<Header>, usize),
    /// With tabs, as Zeek writes it.
    Zeek(Arc<zeek::Header>),
    /// As IIS writes it.
    W3c(Arc<w3c::Header>),
    Text {
        kind: Kind,
        /// Whether it looks like a log.
        has_times: bool,
    },
    /// Why it is not read.
    Unknown(&'static str),
}

/// The reason for a file that is nothing we know.
pub(crate) const NOT_A_LOG: &str = "not a log format that spelunk reads";

/// Looks at the first bytes of a decompressed and decoded file. Its path counts only where these say nothing.
pub(crate) fn sniff(peeked: &Peeked, clock: &Clock, path: &str) -> Format {
    let head = peeked.head.as_slice();
    let is_whole = head.len() < HEAD;
    let text = String::from_utf8_lossy(head);
    let text: &str = &text;
    let begin = text.trim_start();
    let first_lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).take(20).collect();
    // Before XML, because an event of Sysmon for Linux is XML in a line of syslog.
    let kind = Kind::of(&first_lines, clock);
    if kind != Kind::Plain && !is_binary(head) {
        return Format::Text { kind, has_times: true };
    }
    if let Some(header) = zeek::Header::detect(text) {
        return Format::Zeek(header);
    }
    if let Some(header) = w3c::Header::detect(text) {
        return Format::W3c(header);
    }
    // The second form is that of a log that was cut in front.
    if (begin.starts_with('<') && begin.contains("<Event")) || begin.contains("<Event xmlns=") {
        return Format::Xml;
    }
    if let Some(json) = json(begin) {
        return json;
    }
    if is_binary(head) {
        return Format::Unknown(NOT_A_LOG);
    }
    if let Some((header, length)) = Header::detect(text, is_whole) {
        return Format::Csv(header, length);
    }
    // A single column looks like any text, but for the name of its file.
    if path.contains(".csv")
        && let Some((header, length)) = Header::of_one_column(text)
    {
        return Format::Csv(header, length);
    }
    Format::Text { kind, has_times: first_lines.iter().any(|line| is_log_line(line, clock)) }
}

fn json(begin: &str) -> Option<Format> {
    let mut lines = begin.lines().filter(|line| !line.trim_ascii().is_empty());
    let first = lines.next()?;
    let second = lines.next();
    let is_record = |line: &str| line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok();
    if is_record(first) {
        return Some(Format::JsonLines);
    }
    let after = |bracket: char| Some(begin.strip_prefix(bracket)?.trim_start());
    if after('{').is_some_and(|rest| rest.is_empty() || rest.starts_with(['"', '}'])) {
        // A first line that is broken, as in a log that was cut, does not make it another format.
        return Some(if second.is_some_and(is_record) { Format::JsonLines } else { Format::JsonStream });
    }
    if after('[').is_some_and(|rest| rest.is_empty() || rest.starts_with(['{', '[', ']'])) {
        return Some(Format::JsonStream);
    }
    // The end of a line, and a record: a log that was cut in front.
    if second.is_some_and(is_record) && first.trim_ascii_end().ends_with('}') {
        return Some(Format::JsonLines);
    }
    None
}

fn is_binary(head: &[u8]) -> bool {
    let sample = head.get(..8192).unwrap_or(head);
    let is_odd = |byte: &&u8| matches!(**byte, 0..=8 | 14..=26 | 28..=31);
    let odd = sample.iter().filter(is_odd).count();
    let zeros = memchr::memchr_iter(0, sample).count();
    odd.saturating_mul(10) > sample.len() || zeros.saturating_mul(50) > sample.len()
}
