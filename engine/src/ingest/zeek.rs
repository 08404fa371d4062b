//! The tab-separated logs of Zeek, which describe themselves in lines that begin with `#`.
//!
//! Format: Zeek documentation, "Log Format". The names of the sourcetypes are those of Splunk's add-on.

use std::sync::Arc;

use super::blocks::{Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder};
use super::windows::Section;

/// What the first lines of a log say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    separator: String,
    set_separator: String,
    empty: String,
    unset: String,
    path: String,
    names: Vec<String>,
    /// By column: whether it holds several values.
    lists: Vec<bool>,
}

impl Header {
    /// The header that a file begins with.
    pub(crate) fn detect(head: &str) -> Option<Arc<Header>> {
        if !(head.starts_with("#separator ") || head.starts_with("#fields\t")) {
            return None;
        }
        let mut header = Header {
            separator: "\t".to_owned(),
            set_separator: ",".to_owned(),
            empty: "(empty)".to_owned(),
            unset: "-".to_owned(),
            path: String::new(),
            names: Vec::new(),
            lists: Vec::new(),
        };
        for line in head.lines().take_while(|line| line.starts_with('#')) {
            header.note(line);
        }
        (!header.names.is_empty()).then(|| Arc::new(header))
    }

    /// Takes over what a line that begins with `#` says.
    fn note(&mut self, line: &str) {
        if let Some(separator) = line.strip_prefix("#separator ") {
            self.separator = unescaped(separator.trim());
            return;
        }
        let mut cells = line.split(self.separator.as_str());
        let Some(key) = cells.next() else { return };
        let mut first = || cells.next().unwrap_or_default().to_owned();
        match key {
            "#set_separator" => self.set_separator = first(),
            "#empty_field" => self.empty = first(),
            "#unset_field" => self.unset = first(),
            "#path" => self.path = first(),
            "#fields" => {
                self.names = cells.map(str::to_owned).collect();
                self.lists.clear();
            }
            "#types" => {
                self.lists = cells.map(|kind| kind.starts_with("set[") || kind.starts_with("vector[")).collect()
            }
            _ => {}
        }
    }

    /// The header that holds after a block: logs that were put one behind the other each have theirs.
    pub(crate) fn after(self: &Arc<Self>, block: &[u8]) -> Arc<Header> {
        let mut header = Arc::clone(self);
        let mut from = 0;
        while let Some(line) = memchr::memchr(b'#', block.get(from..).unwrap_or_default()) {
            let start = from.saturating_add(line);
            let rest = block.get(start..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let is_line = start.checked_sub(1).is_none_or(|before| block.get(before) == Some(&b'\n'));
            if is_line && let Some(text) = rest.get(..length).and_then(|text| std::str::from_utf8(text).ok()) {
                Arc::make_mut(&mut header).note(text.trim_end_matches('\r'));
                from = start.saturating_add(length);
            } else {
                from = start.saturating_add(1);
            }
        }
        header
    }
}

/// `\x09` as the character.
fn unescaped(text: &str) -> String {
    match text.strip_prefix("\\x").and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) if byte.is_ascii() => char::from(byte).to_string(),
        _ if text.is_empty() => "\t".to_owned(),
        _ => text.to_owned(),
    }
}

/// Reads the lines of a block.
pub(crate) fn read_block(lines: Lines, header: &Header, builder: &mut EventBuilder<'_>) {
    let mut number = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let mut header = header.clone();
    let mut keys = None;
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let at = number;
        number = number.saturating_add(1);
        if line.starts_with('#') {
            header.note(line);
            keys = None;
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let keys: &Vec<_> =
            keys.get_or_insert_with(|| header.names.iter().map(|name| builder.key(Section::Record, name)).collect());
        let mut count = 0_usize;
        for (column, cell) in line.split(header.separator.as_str()).enumerate() {
            count = count.saturating_add(1);
            let Some(Some(key)) = keys.get(column).copied() else { continue };
            if cell == header.unset || cell == header.empty {
                continue;
            }
            if header.lists.get(column) == Some(&true) && !header.set_separator.is_empty() {
                cell.split(header.set_separator.as_str()).for_each(|value| builder.add(key, value));
            } else {
                builder.add(key, cell);
            }
        }
        if count != header.names.len() {
            let reason = format!("{count} fields where the header has {}", header.names.len());
            builder.result.skip(format!("line {at}"), reason);
        }
        let sourcetype = ["zeek:", &header.path].concat();
        builder.end_plain(&Defaults { sourcetype: sourcetype.trim_end_matches(':'), raw: line, time: None });
    }
}
