//! Plain text: every line is an event, and what it says in a form that we know becomes fields.

use super::access::Access;
use super::auditd::Record;
use super::blocks::{Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder, Place};
use super::syslog::Syslog;
use super::time::{Clock, parse_epoch};
use super::windows::Section;
use super::xml::XmlState;
use crate::documents::pairs::{Options, pairs};

/// How far into a line its time may begin.
const FARTHEST: usize = 128;

/// What most lines of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Syslog,
    /// Of a web server.
    Access,
    /// Of Linux' audit daemon.
    Audit,
}

impl Kind {
    /// The kind of the first lines of a file.
    pub(crate) fn of(lines: &[&str], clock: &Clock) -> Kind {
        let most = |is: &dyn Fn(&str) -> bool| {
            let count = lines.iter().filter(|line| is(line)).count();
            count > 0 && count.saturating_mul(2) >= lines.len()
        };
        if most(&|line| Record::of(line).is_some()) {
            Kind::Audit
        } else if most(&|line| Access::of(line).is_some()) {
            Kind::Access
        } else if most(&|line| Syslog::of(line, clock).is_some_and(|head| head.is_sure)) {
            Kind::Syslog
        } else {
            Kind::Plain
        }
    }

    /// The name of the format.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Plain => "text",
            Kind::Syslog => "syslog",
            Kind::Access => "access",
            Kind::Audit => "auditd",
        }
    }
}

/// Reads the lines of a block.
pub(crate) fn read_block(lines: Lines, kind: Kind, builder: &mut EventBuilder<'_>) {
    let mut number = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(Place::Line(line), NOT_UTF8));
    builder.keep_text();
    let mut reader = LineReader {
        has_fields: builder.wants_fields(),
        syslog: syslog_type(builder.file_path()),
        xml: XmlState::default(),
    };
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.is_empty() {
            match kind {
                Kind::Plain => reader.plain(line, "text", builder),
                Kind::Syslog => reader.syslog(line, number, builder),
                Kind::Access => reader.access(line, builder),
                Kind::Audit => reader.audit(line, builder),
            }
        }
        number = number.saturating_add(1);
    }
}

/// Splunk tells the log of who came and went from others by its name.
fn syslog_type(path: &str) -> &'static str {
    let file = path.rsplit(['/', '\\', '!']).next().unwrap_or(path);
    if file.starts_with("secure") || file.starts_with("auth.log") { "linux_secure" } else { "syslog" }
}

struct LineReader {
    /// Whether fields out of the text matter.
    has_fields: bool,
    /// The sourcetype of lines of syslog.
    syslog: &'static str,
    xml: XmlState,
}

impl LineReader {
    fn plain(&self, raw: &str, sourcetype: &str, builder: &mut EventBuilder<'_>) {
        self.add_pairs(raw, builder);
        let time = time_of(raw, builder.clock());
        builder.end_plain(&Defaults { sourcetype, raw, time });
    }

    /// What Splunk extracts by itself: `key=value`, of so many characters so many pairs.
    fn add_pairs(&self, raw: &str, builder: &mut EventBuilder<'_>) {
        if !self.has_fields || memchr::memchr(b'=', raw.as_bytes()).is_none() {
            return;
        }
        let options =
            Options { pair_delimiters: None, key_delimiters: None, limit: 100, characters: 10_240, clean_keys: true };
        for (name, value) in pairs(raw, &options) {
            // Internal names begin with an underscore, and numbers are no names.
            let name = name.trim_start_matches(|c: char| c == '_' || c.is_ascii_digit());
            if !name.is_empty() {
                builder.add_named(Section::Line, name, &value);
            }
        }
    }

    fn syslog(&mut self, raw: &str, number: u64, builder: &mut EventBuilder<'_>) {
        if raw.contains("Linux-Sysmon/Operational")
            && let Some(at) = raw.find("<Event>")
            && self.sysmon(raw, at, number, builder)
        {
            return;
        }
        let Some(head) = Syslog::of(raw, builder.clock()) else { return self.plain(raw, self.syslog, builder) };
        if let Some(host) = head.host {
            builder.add_named(Section::Record, "host", host);
        }
        for (name, value) in [("process", head.process), ("pid", head.pid), ("msgid", head.msgid)] {
            if let Some(value) = value {
                builder.add_named(Section::Line, name, value);
            }
        }
        self.add_pairs(raw, builder);
        builder.end_plain(&Defaults { sourcetype: self.syslog, raw, time: head.time });
    }

    /// An event of Sysmon for Linux, under the names of Splunk's add-on. What is broken stays a line.
    fn sysmon(&mut self, raw: &str, at: usize, number: u64, builder: &mut EventBuilder<'_>) -> bool {
        if let Err(broken) = self.xml.read_event(raw.get(at..).unwrap_or_default(), builder) {
            builder.discard();
            builder.result.skip(Place::Line(number), format!("kept as a line of text: {}", broken.reason));
            return false;
        }
        for (name, value) in
            [("source", "Syslog:Linux-Sysmon/Operational"), ("sourcetype", "sysmon:linux"), ("index", "main")]
        {
            builder.add_named(Section::Record, name, value);
        }
        let time = Syslog::of(raw, builder.clock()).and_then(|head| head.time);
        builder.end_windows(&Defaults { sourcetype: "sysmon:linux", raw, time });
        true
    }

    fn access(&self, raw: &str, builder: &mut EventBuilder<'_>) {
        let Some(access) = Access::of(raw) else { return self.plain(raw, "access_combined", builder) };
        for &(name, value) in &access.fields {
            builder.add_named(Section::Line, name, value);
        }
        self.add_pairs(raw, builder);
        let time = builder.clock().parse(access.time);
        builder.end_plain(&Defaults { sourcetype: access.sourcetype, raw, time });
    }

    fn audit(&self, raw: &str, builder: &mut EventBuilder<'_>) {
        let Some(record) = Record::of(raw) else { return self.plain(raw, "linux:audit", builder) };
        if let Some(node) = record.node {
            builder.add_named(Section::Record, "host", node);
        }
        for (name, value) in &record.fields {
            builder.add_named(Section::Line, name, value);
        }
        builder.end_plain(&Defaults { sourcetype: "linux:audit", raw, time: parse_epoch(record.time) });
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
