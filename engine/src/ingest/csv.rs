//! Comma, semicolon and tab separated values with a header row.

use std::sync::Arc;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::blocks::{Cutter, Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder, KeyId};
use super::windows::Section;
use super::{forms, json};

/// The first row of a file.
#[derive(Debug)]
pub(crate) struct Header {
    delimiter: u8,
    names: Vec<String>,
}

impl Header {
    /// The header at the beginning of `head`, and how long its line is: only if the second row has as many
    /// fields and the first looks like names.
    pub(crate) fn detect(head: &str, is_whole: bool) -> Option<(Arc<Header>, usize)> {
        [b',', b'\t', b';'].into_iter().find_map(|delimiter| Header::with(head, is_whole, delimiter))
    }

    /// The header of a file that has one column.
    pub(crate) fn of_one_column(head: &str) -> Option<(Arc<Header>, usize)> {
        let (line, _) = head.split_once('\n')?;
        let name = line.trim().trim_matches('"').to_owned();
        let header = Header { delimiter: b',', names: vec![name] };
        header.names.iter().all(|name| is_name(name)).then(|| (Arc::new(header), line.len().saturating_add(1)))
    }

    fn with(head: &str, is_whole: bool, delimiter: u8) -> Option<(Arc<Header>, usize)> {
        let mut rows = reader(delimiter, head);
        let mut row = StringRecord::new();
        if !rows.read_record(&mut row).ok()? {
            return None;
        }
        let length = usize::try_from(rows.position().byte()).ok()?;
        let names: Vec<String> = row.iter().map(|name| name.trim().to_owned()).collect();
        if names.len() < 2 || !names.iter().all(|name| is_name(name)) {
            return None;
        }
        if !rows.read_record(&mut row).ok()? || row.len() != names.len() {
            return None;
        }
        // A row that the head cuts off may be anything.
        if !is_whole && rows.position().byte() >= u64::try_from(head.len()).ok()? {
            return None;
        }
        Some((Arc::new(Header { delimiter, names }), length))
    }
}

/// Whether a field of a first row is a name, rather than a time or a part of a sentence.
fn is_name(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '#' | '$'))
        && text.split_whitespace().count() <= 4
        && !text.contains([':', '=', '[', '"', '<'])
}

fn reader(delimiter: u8, text: &str) -> Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes())
}

/// Cuts after a row; a quoted cell may hold line breaks.
#[derive(Debug)]
pub(crate) struct CsvCutter {
    delimiter: u8,
    at: usize,
    in_quotes: bool,
    at_cell_start: bool,
    last: Option<usize>,
}

impl CsvCutter {
    pub(crate) fn new(header: &Header) -> Self {
        CsvCutter { delimiter: header.delimiter, at: 0, in_quotes: false, at_cell_start: true, last: None }
    }
}

impl Cutter for CsvCutter {
    fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(&byte) = bytes.get(self.at) {
            self.at = self.at.saturating_add(1);
            let at_cell_start = std::mem::replace(&mut self.at_cell_start, false);
            if self.in_quotes {
                if byte == b'"' {
                    self.in_quotes = false;
                    // A second quote would mean a quote inside the cell, and open it again.
                    self.at_cell_start = bytes.get(self.at) == Some(&b'"');
                }
            } else if byte == b'"' {
                self.in_quotes = at_cell_start;
            } else if byte == b'\n' {
                self.last = Some(self.at);
                self.at_cell_start = true;
            } else if byte == self.delimiter {
                self.at_cell_start = true;
            }
        }
        self.last
    }

    fn advance(&mut self, cut: usize) {
        self.at = self.at.saturating_sub(cut);
        self.last = self.last.filter(|&last| last > cut).map(|last| last.saturating_sub(cut));
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cells {
    Values,
    /// Splunk's `__mv_name`: all values of a field that has several, whose own cell cannot tell them apart.
    Several,
    /// EvtxECmd's `Payload`.
    Payload,
    /// Hayabusa's `Details` and its kin.
    Details,
    /// Hayabusa's abbreviated channels.
    Channel,
}

struct Columns {
    /// What the cells are, the field that they fill, and where the cell stands that has all its values.
    columns: Vec<(Cells, Option<KeyId>, Option<usize>)>,
}

impl Columns {
    fn of(header: &Header, builder: &mut EventBuilder<'_>) -> Columns {
        let has = |name: &str| header.names.iter().any(|known| known == name);
        let forms = forms::Forms {
            payload: has("Payload") && has("MapDescription"),
            hayabusa: has("RuleTitle") && has("Channel"),
            ..forms::Forms::default()
        };
        let column = |name: &String| {
            if let Some(field) = name.strip_prefix("__mv_") {
                return (Cells::Several, builder.key(Section::Record, field), None);
            }
            let several = header.names.iter().position(|other| other.strip_prefix("__mv_") == Some(name));
            let cells = match name.as_str() {
                "Payload" if forms.payload => Cells::Payload,
                "Details" | "ExtraFieldInfo" | "AllFieldInfo" if forms.hayabusa => Cells::Details,
                "Channel" if forms.hayabusa => Cells::Channel,
                _ => Cells::Values,
            };
            (cells, builder.key(Section::Record, &forms.path(name)), several)
        };
        Columns { columns: header.names.iter().map(column).collect() }
    }

    fn add(&self, row: &StringRecord, builder: &mut EventBuilder<'_>) {
        for (&(cells, key, several), value) in self.columns.iter().zip(row) {
            if value.is_empty() || several.and_then(|at| row.get(at)).is_some_and(|all| !all.is_empty()) {
                continue;
            }
            match (cells, key) {
                (Cells::Payload, _) if json::add_payload(value, builder) => {}
                (Cells::Details, _) => {
                    forms::details(value).for_each(|(name, value)| builder.add_named(Section::Data, name, value));
                }
                (_, None) => {}
                (Cells::Several, Some(key)) => several_values(value).iter().for_each(|value| builder.add(key, value)),
                (Cells::Channel, Some(key)) => builder.add(key, forms::channel(value)),
                (Cells::Values | Cells::Payload, Some(key)) => builder.add(key, value),
            }
        }
    }
}

/// The values of `$one$;$two$`, in which a dollar sign is written twice.
fn several_values(cell: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut value: Option<String> = None;
    let mut letters = cell.chars().peekable();
    while let Some(letter) = letters.next() {
        match (&mut value, letter) {
            (Some(text), '$') if letters.peek() == Some(&'$') => {
                letters.next();
                text.push('$');
            }
            (Some(_), '$') => values.extend(value.take()),
            (Some(text), _) => text.push(letter),
            (None, '$') => value = Some(String::new()),
            (None, _) => {}
        }
    }
    values.extend(value);
    values
}

/// Reads the rows of a block.
pub(crate) fn read_block(lines: Lines, header: &Header, builder: &mut EventBuilder<'_>) {
    let first_line = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let mut rows = reader(header.delimiter, &text);
    let mut row = StringRecord::new();
    let columns = Columns::of(header, builder);
    loop {
        match rows.read_record(&mut row) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // The text is in memory and UTF-8, so this cannot be.
                builder.result.skip(String::new(), error.to_string());
                return;
            }
        }
        let place = || {
            let line = row.position().map_or(0, |position| position.line().saturating_sub(1));
            format!("line {}", first_line.saturating_add(line))
        };
        if row.len() != header.names.len() {
            let reason = format!("{} fields where the header has {}", row.len(), header.names.len());
            builder.result.skip(place(), reason);
        }
        columns.add(&row, builder);
        let start = row.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
        let end = usize::try_from(rows.position().byte()).unwrap_or(usize::MAX).min(text.len());
        let raw = text.get(start..end).unwrap_or_default().trim_end_matches(['\r', '\n']);
        builder.end_record(&Defaults { sourcetype: "csv", raw, time: None });
    }
}
