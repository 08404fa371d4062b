//! JSON: objects in an array, or one a line. Every object has every key; a null field is `null`, so that a reader can
//! tell it from a field that is not in the result.

use std::io::{self, Write};

use spelunk_engine::values::Cell;

use super::RowRenderer;
use crate::escape;

/// How objects are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One array of all objects.
    Array,
    /// One object a line.
    Lines,
}

/// Writes rows as JSON objects.
pub struct Json<W> {
    out: W,
    layout: Layout,
    /// The keys as written: quoted, with their colon.
    keys: Vec<String>,
    rows: u64,
    line: String,
}

impl<W: Write> Json<W> {
    /// Objects with these keys.
    pub fn new(out: W, columns: &[String], layout: Layout) -> Self {
        let keys = columns
            .iter()
            .map(|name| {
                let mut key = String::new();
                push_string(&mut key, name);
                key.push(':');
                key
            })
            .collect();
        Self { out, layout, keys, rows: 0, line: String::new() }
    }
}

impl<W: Write> RowRenderer for Json<W> {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        self.line.clear();
        if self.layout == Layout::Array {
            self.line.push_str(if self.rows == 0 { "[\n" } else { ",\n" });
        }
        self.line.push('{');
        for (position, (key, cell)) in self.keys.iter().zip(row).enumerate() {
            if position > 0 {
                self.line.push(',');
            }
            self.line.push_str(key);
            push_cell(&mut self.line, cell);
        }
        self.line.push('}');
        if self.layout == Layout::Lines {
            self.line.push('\n');
        }
        self.rows += 1;
        self.out.write_all(self.line.as_bytes())
    }

    fn pause(&mut self) -> io::Result<()> {
        match self.layout {
            Layout::Lines => self.out.flush(),
            Layout::Array => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.layout == Layout::Array {
            self.out.write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        self.out.flush()
    }
}

/// A whole document, indented. What a terminal would obey is written as `\u…` here too.
pub fn document(value: &serde_json::Value) -> String {
    // Control characters are escaped already; the others that are unsafe occur in strings only.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut out = String::with_capacity(text.len().saturating_add(1));
    for c in text.chars() {
        if escape::is_unsafe(c) { push_unicode(&mut out, c) } else { out.push(c) }
    }
    out.push('\n');
    out
}

fn push_unicode(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

fn push_cell(out: &mut String, cell: &Cell) {
    match cell {
        Cell::Null => out.push_str("null"),
        Cell::Number(text) if is_json_number(text) => out.push_str(text),
        Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => push_string(out, text),
        Cell::Many(values) => {
            out.push('[');
            for (position, value) in values.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                push_string(out, value);
            }
            out.push(']');
        }
    }
}

/// A JSON string. What a terminal would obey is written as `\u…`, which reads back as the same text.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if escape::is_unsafe(c) => push_unicode(out, c),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether the text is a number by JSON's grammar: no `007`, `.5`, `1.`, `+1`, `inf`.
fn is_json_number(text: &str) -> bool {
    fn digits(text: &str) -> Option<&str> {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < text.len()).then_some(rest)
    }
    fn number(text: &str) -> Option<&str> {
        let text = text.strip_prefix('-').unwrap_or(text);
        let mut rest = text.strip_prefix('0').or_else(|| digits(text))?;
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = digits(fraction)?;
        }
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            rest = digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))?;
        }
        Some(rest)
    }
    number(text).is_some_and(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use proptest::prelude::*;

    fn json(columns: &[String], rows: &[Vec<Cell>], layout: Layout) -> String {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out, columns, layout);
        for row in rows {
            json.row(row).unwrap();
        }
        json.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_object_a_line() {
        let row = vec![Cell::Null, text("x\"y\\\n\x1b\u{202e}é"), number("1.5"), number("0xff"), many(&["a", ""])];
        assert_eq!(
            json(&names(&["a", "b", "c", "d", "e"]), &[row], Layout::Lines),
            "{\"a\":null,\"b\":\"x\\\"y\\\\\\n\\u001b\\u202eé\",\"c\":1.5,\"d\":\"0xff\",\"e\":[\"a\",\"\"]}\n"
        );
        assert_eq!(json(&names(&["a"]), &[], Layout::Lines), "");
    }

    #[test]
    fn one_array() {
        let rows = [vec![number("1")], vec![number("2")]];
        assert_eq!(json(&names(&["a"]), &rows, Layout::Array), "[\n{\"a\":1},\n{\"a\":2}\n]\n");
        assert_eq!(json(&names(&["a"]), &[], Layout::Array), "[]\n");
    }

    #[test]
    fn numbers() {
        for good in ["0", "-0", "12", "1.5", "-1.25e+10", "1E5", "0.1"] {
            assert!(is_json_number(good), "{good}");
        }
        for bad in ["", "-", "007", "1.", ".5", "+1", "1e", "inf", "NaN", "0x1", "1 ", "1,000"] {
            assert!(!is_json_number(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read((columns, rows) in any_table()) {
            let written = json(&columns, &rows, Layout::Array);
            prop_assert!(!written.chars().any(escape::is_unsafe));
            let read: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read.len(), rows.len());
            for (read, row) in read.iter().zip(&rows) {
                // A name that stands twice keeps the later value.
                let (name, cell) = (columns.last().unwrap(), row.last().unwrap());
                match cell {
                    Cell::Null => prop_assert!(read[name].is_null()),
                    Cell::Text(text) | Cell::Time(text) => prop_assert_eq!(read[name].as_str(), Some(text.as_str())),
                    Cell::Number(text) => prop_assert_eq!(&read[name].to_string(), text),
                    Cell::Many(values) => prop_assert_eq!(&serde_json::to_value(values).unwrap(), &read[name]),
                }
            }
        }

        #[test]
        fn a_number_is_what_serde_json_reads(text in "[-+]?[0-9]{0,3}(\\.[0-9]{0,3})?([eE][-+]?[0-9]{0,2})?") {
            prop_assert_eq!(is_json_number(&text), serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok());
        }
    }
}
