//! The records of Linux' audit daemon.
//!
//! A record is an event, as in Splunk: published searches ask for `type=EXECVE` and count by fields of one record. The
//! records of one event of the kernel share `audit_id`. Format: auditd's manual pages and "Audit Events Fields".

use std::borrow::Cow;

use crate::documents::pairs::{Options, pairs};

/// Its text and its fields.
#[derive(Debug)]
pub(crate) struct Record<'l> {
    /// Seconds since 1970.
    pub(crate) time: &'l str,
    pub(crate) node: Option<&'l str>,
    pub(crate) fields: Vec<(String, String)>,
}

/// Fields that the daemon writes in hexadecimal digits where their text has blanks, quotes or control characters.
const ENCODED: [&str; 14] =
    ["proctitle", "exe", "comm", "name", "cwd", "cmd", "acct", "path", "data", "dir", "key", "grp", "vm", "file"];

impl<'l> Record<'l> {
    /// Reads `type=SYSCALL msg=audit(1364481363.243:24287): arch=... ...`.
    pub(crate) fn of(line: &'l str) -> Option<Self> {
        let (node, rest) = match line.strip_prefix("node=") {
            Some(rest) => rest.split_once(' ').map(|(node, rest)| (Some(node), rest))?,
            None => (None, line),
        };
        let (kind, rest) = rest.strip_prefix("type=")?.split_once(' ')?;
        let (id, rest) = rest.strip_prefix("msg=audit(")?.split_once(')')?;
        let (time, _) = id.split_once(':')?;
        if time.is_empty() || !time.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        let mut fields = vec![("type".to_owned(), kind.to_owned()), ("audit_id".to_owned(), id.to_owned())];
        // What the daemon adds in words follows a separator.
        let rest: Cow<'_, str> =
            if rest.contains('\u{1d}') { Cow::Owned(rest.replace('\u{1d}', " ")) } else { Cow::Borrowed(rest) };
        for (key, value) in split(&rest) {
            if key == "msg" && value.contains('=') {
                fields.extend(split(&value));
                continue;
            }
            let value = decoded(&rest, kind, &key, value);
            fields.push((key, value));
        }
        Some(Record { time, node, fields })
    }
}

fn split(text: &str) -> Vec<(String, String)> {
    // A command line may be long, and has a field for each argument.
    let options =
        Options { pair_delimiters: None, key_delimiters: None, limit: 4096, characters: 65_536, clean_keys: false };
    pairs(text, &options)
}

fn decoded(rest: &str, kind: &str, key: &str, value: String) -> String {
    // In other records these are numbers.
    let is_argument = kind == "EXECVE"
        && key.strip_prefix('a').is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()));
    if !(is_argument || ENCODED.contains(&key)) || value.len() < 2 || rest.contains(&format!(" {key}=\"{value}\"")) {
        return value;
    }
    let Some(bytes) = hexadecimal(&value) else { return value };
    let text = String::from_utf8_lossy(&bytes);
    // Arguments are separated by zeros.
    text.trim_end_matches('\0').replace('\0', " ")
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'A'..=b'F' => byte.checked_sub(b'A')?.checked_add(10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|&[high, low]| digit(high)?.checked_mul(16)?.checked_add(digit(low)?)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn field<'r>(record: &'r Record<'_>, name: &str) -> &'r str {
        record.fields.iter().find(|(key, _)| key == name).map_or("(none)", |(_, value)| value)
    }

    #[test]
    fn records_are_read_and_what_is_encoded_is_decoded() {
        let line = "node=db1 type=EXECVE msg=audit(1716544860.123:42): argc=3 a0=\"sh\" a1=\"-c\" a2=6C73202F";
        let record = Record::of(line).unwrap();
        assert_eq!((record.time, record.node), ("1716544860.123", Some("db1")));
        let pairs =
            [("type", "EXECVE"), ("audit_id", "1716544860.123:42"), ("a0", "sh"), ("a2", "ls /"), ("argc", "3")];
        for (name, value) in pairs {
            assert_eq!(field(&record, name), value);
        }
        let line = "type=SYSCALL msg=audit(1716544860.123:42): arch=c000003e a0=55 comm=\"4142\" key=(null)\u{1d}AUID=\"root\"";
        let record = Record::of(line).unwrap();
        for (name, value) in [("a0", "55"), ("comm", "4142"), ("AUID", "root")] {
            assert_eq!(field(&record, name), value);
        }
        let record = Record::of("type=PROCTITLE msg=audit(1.5:4): proctitle=7375646F006964").unwrap();
        assert_eq!(field(&record, "proctitle"), "sudo id");
        let line =
            "type=USER_AUTH msg=audit(1.5:4): pid=7 msg='op=PAM:auth acct=\"root\" exe=\"/usr/bin/su\" res=failed'";
        let record = Record::of(line).unwrap();
        for (name, value) in [("pid", "7"), ("op", "PAM:auth"), ("acct", "root"), ("res", "failed")] {
            assert_eq!(field(&record, name), value);
        }
        for line in ["type=X", "type=X msg=audit(", "type=X msg=audit(a:b): c=d", "msg=audit(1:2): type=X"] {
            assert!(Record::of(line).is_none(), "{line}");
        }
    }
}
