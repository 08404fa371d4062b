//! The W3C extended log format, which IIS writes: lines that begin with `#` say what the others hold.
//!
//! Format: W3C working draft "Extended Log File Format"; IIS documentation, "W3C Logging". Times are in UTC. The names of
//! fields and sourcetype are those of Splunk's `INDEXED_EXTRACTIONS = w3c`.

use std::sync::Arc;

use super::blocks::{Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder};
use super::time::Clock;
use super::windows::Section;

const SOURCETYPE: &str = "iis";

/// What the last lines that begin with `#` say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Header {
    columns: Vec<Column>,
    /// The day of lines that name none.
    date: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    is: Is,
    name: String,
    /// The name that Splunk's add-on gives it, where that is another one.
    other_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Date,
    Time,
    Computer,
    Other,
}

impl Header {
    /// The header that a file begins with.
    pub(crate) fn detect(head: &str) -> Option<Arc<Header>> {
        let mut header = Header::default();
        head.lines().take_while(|line| line.starts_with('#')).for_each(|line| header.note(line));
        (!header.columns.is_empty()).then(|| Arc::new(header))
    }

    /// Takes over what a line that begins with `#` says.
    fn note(&mut self, line: &str) {
        if let Some(date) = line.strip_prefix("#Date:") {
            self.date = date.split_ascii_whitespace().next().unwrap_or_default().to_owned();
        } else if let Some(fields) = line.strip_prefix("#Fields:") {
            self.columns = fields.split_ascii_whitespace().map(Column::of).collect();
        }
    }

    /// The header that holds after a block: a server that is started anew writes another one.
    pub(crate) fn after(self: &Arc<Self>, block: &[u8]) -> Arc<Header> {
        let mut header = Arc::clone(self);
        for at in memchr::memchr_iter(b'#', block) {
            let is_line = at.checked_sub(1).is_none_or(|before| block.get(before) == Some(&b'\n'));
            let rest = block.get(at..).filter(|_| is_line).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            if let Some(line) = rest.get(..length).and_then(|line| std::str::from_utf8(line).ok()) {
                Arc::make_mut(&mut header).note(line.trim_end());
            }
        }
        header
    }
}

impl Column {
    fn of(written: &str) -> Self {
        let is = match written {
            "date" => Is::Date,
            "time" => Is::Time,
            "s-computername" => Is::Computer,
            _ => Is::Other,
        };
        let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
        let name: String = written.chars().map(letter).collect();
        let other_name = name.strip_suffix('_').map(str::to_owned);
        Column { is, name, other_name }
    }
}

/// Reads the lines of a block.
pub(crate) fn read_block(lines: Lines, header: &Header, builder: &mut EventBuilder<'_>) {
    let mut number = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let mut header = header.clone();
    for line in text.split('\n') {
        let line = line.trim_ascii_end();
        if line.starts_with('#') {
            header.note(line);
        } else if !line.is_empty() {
            read_line(line, number, &header, builder);
        }
        number = number.saturating_add(1);
    }
}

fn read_line(line: &str, number: u64, header: &Header, builder: &mut EventBuilder<'_>) {
    let separator = if line.contains('\t') { '\t' } else { ' ' };
    let (mut date, mut time) = (header.date.as_str(), "");
    let mut columns = header.columns.iter();
    let mut surplus = 0_usize;
    for cell in line.split(separator) {
        let Some(column) = columns.next() else {
            surplus = surplus.saturating_add(1);
            continue;
        };
        if cell == "-" {
            continue;
        }
        match column.is {
            Is::Date => date = cell,
            Is::Time => time = cell,
            Is::Computer => builder.add_named(Section::Record, "host", cell),
            Is::Other => {}
        }
        builder.add_named(Section::Line, &column.name, cell);
        if let Some(name) = &column.other_name {
            builder.add_named(Section::Line, name, cell);
        }
    }
    let missing = columns.len();
    if missing > 0 || surplus > 0 {
        let total = header.columns.len();
        let count = total.saturating_sub(missing).saturating_add(surplus);
        builder.result.skip(format!("line {number}"), format!("{count} fields where the header has {total}"));
    }
    let time = time_of(date, time, builder.clock());
    builder.end_plain(&Defaults { sourcetype: SOURCETYPE, raw: line, time });
}

fn time_of(date: &str, time: &str, clock: &Clock) -> Option<i64> {
    if date.is_empty() || time.is_empty() {
        return None;
    }
    clock.in_utc().parse(&[date, " ", time].concat())
}
