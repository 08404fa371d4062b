//! Comma, semicolon and tab separated values with a header row.

use std::sync::Arc;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::blocks::{Cutter, Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder};
use super::windows::Section;

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

/// Reads the rows of a block.
pub(crate) fn read_block(lines: Lines, header: &Header, builder: &mut EventBuilder<'_>) {
    let first_line = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let mut rows = reader(header.delimiter, &text);
    let mut row = StringRecord::new();
    let keys: Vec<_> = header.names.iter().map(|name| builder.key(Section::Record, name)).collect();
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
        for (key, value) in keys.iter().zip(&row) {
            if let Some(key) = key
                && !value.is_empty()
            {
                builder.add(*key, value);
            }
        }
        let start = row.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
        let end = usize::try_from(rows.position().byte()).unwrap_or(usize::MAX).min(text.len());
        let raw = text.get(start..end).unwrap_or_default().trim_end_matches(['\r', '\n']);
        builder.end_record(&Defaults { sourcetype: "csv", raw, time: None });
    }
}
