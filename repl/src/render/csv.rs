//! CSV: RFC 4180 with LF line ends. Null is nothing, the empty string is `""`, the values of a multivalue field stand
//! one a line in their cell.

use std::borrow::Cow;
use std::io::{self, Write};

use spelunk_engine::values::Cell;

use super::RowRenderer;
use crate::escape;

/// Writes rows as CSV.
pub struct Csv<W> {
    out: W,
    /// Whether a terminal reads it. A file gets every byte as it is, so that results compare equal.
    on_terminal: bool,
    /// Whether cells that a spreadsheet would run get a `'` in front.
    guarded: bool,
    line: String,
}

impl<W: Write> Csv<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// What the output says.
    #[cfg(test)]
    pub fn new(out: W, columns: &[String], on_terminal: bool) -> io::Result<Self> {
        Self::guarded(out, columns, on_terminal, false)
    }

    /// Writes the header; with `guarded`, a cell that a spreadsheet would take for a formula begins with `'`.
    ///
    /// # Errors
    /// What the output says.
    pub fn guarded(out: W, columns: &[String], on_terminal: bool, guarded: bool) -> io::Result<Self> {
        let mut csv = Self { out, on_terminal, guarded, line: String::new() };
        if !columns.is_empty() {
            let header: Vec<Cell> = columns.iter().map(|name| Cell::Text(name.clone())).collect();
            csv.row(&header)?;
        }
        Ok(csv)
    }

    fn push(&mut self, text: &str) {
        let text = if self.on_terminal { escape::data(text) } else { Cow::Borrowed(text) };
        let text = if self.guarded && runs(&text) { Cow::Owned(format!("'{text}")) } else { text };
        if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
            self.line.push('"');
            for (position, part) in text.split('"').enumerate() {
                if position > 0 {
                    self.line.push_str("\"\"");
                }
                self.line.push_str(part);
            }
            self.line.push('"');
        } else {
            self.line.push_str(&text);
        }
    }
}

impl<W: Write> RowRenderer for Csv<W> {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        self.line.clear();
        for (position, cell) in row.iter().enumerate() {
            if position > 0 {
                self.line.push(',');
            }
            match cell {
                Cell::Null => {}
                Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => self.push(text),
                Cell::Many(values) if values.is_empty() => {}
                Cell::Many(values) => self.push(&values.join("\n")),
            }
        }
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())
    }

    fn pause(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether a spreadsheet may run what is in a cell: it begins like a formula, blanks aside, and is no number.
fn runs(text: &str) -> bool {
    let begins = |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    (begins(text) || begins(text.trim_start())) && text.trim().parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use proptest::prelude::*;

    fn csv(columns: &[String], rows: &[Vec<Cell>], on_terminal: bool) -> String {
        let mut out = Vec::new();
        let mut csv = Csv::new(&mut out, columns, on_terminal).unwrap();
        for row in rows {
            csv.row(row).unwrap();
        }
        csv.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn null_is_nothing_and_the_empty_string_is_quoted() {
        let row = vec![Cell::Null, text(""), text("x"), number("1.5"), Cell::Time("2019-05-12T12:52:43.123Z".into())];
        assert_eq!(
            csv(&names(&["a", "b", "c", "d", "_time"]), &[row], false),
            "a,b,c,d,_time\n,\"\",x,1.5,2019-05-12T12:52:43.123Z\n"
        );
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded() {
        let mut out = Vec::new();
        let mut csv = Csv::guarded(&mut out, &names(&["a", "=b"]), false, true).unwrap();
        for cell in ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+cmd", " =x", "-5.5", "plain", "\t=y"] {
            csv.row(&[text(cell), Cell::Null]).unwrap();
        }
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a,'=b\n'=cmd|' /C calc'!A0,\n'@SUM(1),\n'+1+cmd,\n' =x,\n-5.5,\nplain,\n'\t=y,\n"
        );
    }

    #[test]
    fn quotes_commas_and_line_ends_are_quoted() {
        let row = vec![text("a,b"), text("say \"hi\""), text("a\nb"), text("a\rb"), text(" a ")];
        assert_eq!(
            csv(&names(&["a", "b", "c", "d", "e"]), &[row], false),
            "a,b,c,d,e\n\"a,b\",\"say \"\"hi\"\"\",\"a\nb\",\"a\rb\", a \n"
        );
    }

    #[test]
    fn the_values_of_a_multivalue_field_stand_one_a_line() {
        let row = vec![many(&["x", "y"]), many(&["x"]), many(&[]), many(&[""]), many(&["", ""])];
        assert_eq!(csv(&names(&["a", "b", "c", "d", "e"]), &[row], false), "a,b,c,d,e\n\"x\ny\",x,,\"\",\"\n\"\n");
    }

    #[test]
    fn files_get_every_byte_and_terminals_do_not() {
        let row = vec![text("\x1b[31m\tred")];
        assert_eq!(csv(&names(&["a"]), std::slice::from_ref(&row), false), "a\n\x1b[31m\tred\n");
        assert_eq!(csv(&names(&["a"]), &[row], true), "a\n␛[31m\tred\n");
    }

    /// Reads CSV back: a field is `None` where nothing was written.
    fn parse(text: &str) -> Vec<Vec<Option<String>>> {
        let mut rows = vec![vec![]];
        let mut chars = text.chars().peekable();
        let mut field: Option<String> = None;
        while let Some(c) = chars.next() {
            match c {
                ',' => rows.last_mut().unwrap().push(field.take()),
                '\n' => {
                    rows.last_mut().unwrap().push(field.take());
                    rows.push(vec![]);
                }
                '"' => {
                    let field = field.get_or_insert_default();
                    while let Some(c) = chars.next() {
                        if c != '"' {
                            field.push(c);
                        } else if chars.next_if_eq(&'"').is_some() {
                            field.push('"');
                        } else {
                            break;
                        }
                    }
                }
                c => field.get_or_insert_default().push(c),
            }
        }
        rows.pop();
        rows
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read((columns, rows) in any_table()) {
            let read = parse(&csv(&columns, &rows, false));
            prop_assert_eq!(read.len(), rows.len() + 1);
            for (read, row) in read.iter().skip(1).zip(&rows) {
                let expected: Vec<Option<String>> = row.iter().map(|cell| match cell {
                    Cell::Null => None,
                    Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => Some(text.clone()),
                    Cell::Many(values) => (!values.is_empty()).then(|| values.join("\n")),
                }).collect();
                prop_assert_eq!(read, &expected);
            }
            prop_assert!(!csv(&columns, &rows, true).chars().any(escape::is_unsafe));
        }
    }
}
