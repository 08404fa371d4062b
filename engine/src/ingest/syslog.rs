//! Syslog lines, RFC 3164 and RFC 5424, as daemons write them to files and send them to collectors.

use super::time::Clock;

/// What the head of a line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Syslog<'l> {
    pub(crate) time: Option<i64>,
    pub(crate) host: Option<&'l str>,
    pub(crate) process: Option<&'l str>,
    pub(crate) pid: Option<&'l str>,
    /// The kind of message, in RFC 5424.
    pub(crate) msgid: Option<&'l str>,
    /// How sure it is that the line is one of syslog: a time and two words are in many a log.
    pub(crate) is_sure: bool,
}

impl<'l> Syslog<'l> {
    /// The head of a line, if it has one.
    pub(crate) fn of(line: &'l str, clock: &Clock) -> Option<Self> {
        let (priority, rest) = match priority(line) {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        if priority && let Some(rest) = rest.strip_prefix("1 ") {
            return Syslog::rfc5424(rest, clock);
        }
        let is_classic = rest.starts_with(|c: char| c.is_ascii_uppercase());
        let (time, length) = clock.parse_stamp(rest).filter(|_| !rest.starts_with("/Date("))?;
        let rest = rest.get(length..)?.strip_prefix(' ')?.trim_start_matches(' ');
        let (host, message) = rest.split_once(' ')?;
        // A program's own log has its level there.
        let is_level = !is_classic && LEVELS.iter().any(|level| host.eq_ignore_ascii_case(level));
        if host.is_empty() || is_level || !host.chars().all(is_host_letter) {
            return None;
        }
        let (process, pid) = tag(message.trim_start_matches(' ')).unwrap_or_default();
        let has_tag = process.is_some() && (is_classic || pid.is_some());
        Some(Syslog { time: Some(time), host: Some(host), process, pid, msgid: None, is_sure: priority || has_tag })
    }

    fn rfc5424(rest: &'l str, clock: &Clock) -> Option<Self> {
        let mut words = rest.splitn(6, ' ');
        let mut word = || words.next().map(|word| Some(word).filter(|&word| word != "-" && !word.is_empty()));
        let (time, host, process, pid, msgid) = (word()?, word()?, word()?, word()?, word()?);
        let time = match time {
            Some(time) => Some(clock.parse_stamp(time).map(|(time, _)| time)?),
            None => None,
        };
        Some(Syslog { time, host, process, pid, msgid, is_sure: true })
    }
}

const LEVELS: [&str; 12] = [
    "trace",
    "verbose",
    "debug",
    "info",
    "information",
    "notice",
    "warn",
    "warning",
    "error",
    "severe",
    "critical",
    "fatal",
];

/// What comes after `<134>`.
fn priority(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    (number.len() <= 3 && number.parse::<u8>().is_ok_and(|number| number < 192)).then_some(rest)
}

fn is_host_letter(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':' | '/' | '%')
}

/// `sshd[123]: ` and `kernel: `.
fn tag(message: &str) -> Option<(Option<&str>, Option<&str>)> {
    let (tag, _) = message.split_once(':').filter(|(_, rest)| rest.is_empty() || rest.starts_with(' '))?;
    if tag.is_empty() || tag.len() > 64 || tag.contains(' ') {
        return None;
    }
    match tag.split_once('[') {
        Some((process, pid)) => Some((Some(process), Some(pid.strip_suffix(']')?))),
        None => Some((Some(tag), None)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use jiff::tz::TimeZone;

    /// Host, process, its number, the kind of message, and whether the line must be one.
    type Head<'l> = (Option<&'l str>, Option<&'l str>, Option<&'l str>, Option<&'l str>, bool);

    fn read(line: &str) -> Option<Head<'_>> {
        let clock = Clock { zone: TimeZone::UTC, latest: "2024-06-01T00:00:00Z".parse().unwrap() };
        let found = Syslog::of(line, &clock)?;
        assert_eq!(found.time, clock.parse("2024-05-24 10:01:00"), "{line}");
        Some((found.host, found.process, found.pid, found.msgid, found.is_sure))
    }

    #[test]
    fn heads_of_both_standards_are_read() {
        let sshd = (Some("web01"), Some("sshd"), Some("77"), None, true);
        for line in [
            "May 24 10:01:00 web01 sshd[77]: Accepted password for root",
            "<86>May 24 10:01:00 web01 sshd[77]: x",
            "2024-05-24T10:01:00.000000+00:00 web01 sshd[77]: x",
        ] {
            assert_eq!(read(line), Some(sshd), "{line}");
        }
        let five = read("<34>1 2024-05-24T10:01:00.000Z web01 su 77 ID47 [a@1 k=\"v\"] text");
        assert_eq!(five, Some((Some("web01"), Some("su"), Some("77"), Some("ID47"), true)));
        assert_eq!(read("<34>1 2024-05-24T10:01:00Z - - - - - x"), Some((None, None, None, None, true)));
        let kernel = Some((Some("web01"), Some("kernel"), None, None, true));
        assert_eq!(read("May 24 10:01:00 web01 kernel: [ 1.2] usb: x"), kernel);
        let repeated = Some((Some("web01"), None, None, None, false));
        assert_eq!(read("May 24 10:01:00 web01 last message repeated 3 times"), repeated);
        // The log of a program, whose level is no host.
        assert_eq!(read("2024-05-24T10:01:00Z INFO main[7]: started"), None);
        assert_eq!(read("2024-05-24T10:01:00Z [main] worker[7]: started"), None);
        assert_eq!(read("2024-05-24T10:01:00Z main worker: started").map(|found| found.4), Some(false));
        assert_eq!(read("<999>May 24 10:01:00 web01 x: y"), None);
    }
}
