//! A table without lines and colours: a header, then a line a row with tabs between its cells, for screen readers.

use std::io::{self, Write};

use spelunk_engine::values::Cell;

use super::RowRenderer;
use crate::escape;

/// Writes rows with tabs between their cells.
pub struct Plain<W> {
    out: W,
}

impl<W: Write> Plain<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// What the output says.
    pub fn new(mut out: W, columns: &[String]) -> io::Result<Self> {
        if !columns.is_empty() {
            let names: Vec<_> = columns.iter().map(|name| escape::line(name)).collect();
            writeln!(out, "{}", names.join("\t"))?;
        }
        Ok(Self { out })
    }
}

/// A whole table.
pub fn draw(columns: &[String], rows: &[Vec<Cell>]) -> String {
    let mut out = Vec::new();
    let drawn = Plain::new(&mut out, columns).and_then(|mut plain| rows.iter().try_for_each(|row| plain.row(row)));
    // Memory takes whatever is written to it, and what is written is text.
    drawn.map_or_else(|error| error.to_string(), |()| String::from_utf8_lossy(&out).into_owned())
}

impl<W: Write> RowRenderer for Plain<W> {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell {
                Cell::Null => String::new(),
                Cell::Text(text) if text.is_empty() => "\"\"".to_owned(),
                Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => escape::line(text).into_owned(),
                Cell::Many(texts) => escape::line(&texts.join("; ")).into_owned(),
            })
            .collect();
        writeln!(self.out, "{}", cells.join("\t"))
    }

    fn pause(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
