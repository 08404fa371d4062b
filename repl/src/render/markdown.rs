//! A table in GitHub's Markdown. Log text can neither end its cell nor become markup.

use std::io::{self, Write};

use spelunk_engine::values::Cell;

use super::RowRenderer;
use crate::escape;

/// Writes rows as a Markdown table.
pub struct Markdown<W> {
    out: W,
}

impl<W: Write> Markdown<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// What the output says.
    pub fn new(mut out: W, columns: &[String]) -> io::Result<Self> {
        if !columns.is_empty() {
            let header: Vec<String> = columns.iter().map(|name| text(name)).collect();
            writeln!(out, "| {} |", header.join(" | "))?;
            writeln!(out, "|{}", " --- |".repeat(columns.len()))?;
        }
        Ok(Self { out })
    }
}

impl<W: Write> RowRenderer for Markdown<W> {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        let cells: Vec<String> = row.iter().map(cell).collect();
        writeln!(self.out, "| {} |", cells.join(" | "))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(value) if value.is_empty() => "\"\"".to_owned(),
        Cell::Text(value) | Cell::Number(value) | Cell::Time(value) => text(value),
        Cell::Many(values) => values.iter().map(|value| text(value)).collect::<Vec<_>>().join("<br>"),
    }
}

/// Text that shows as itself.
pub fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in escape::line(value).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~' | '-' => {
                // A minus or plus within a word is common, and harmless there.
                if !matches!(c, '-' | '+' | '(' | ')' | '{' | '}' | '!') || out.is_empty() {
                    out.push('\\');
                }
                out.push(c);
            }
            // What a renderer would make a link of by itself.
            ':' => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out.replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use proptest::prelude::*;

    fn markdown(columns: &[String], rows: &[Vec<Cell>]) -> String {
        let mut out = Vec::new();
        let mut table = Markdown::new(&mut out, columns).unwrap();
        rows.iter().for_each(|row| table.row(row).unwrap());
        table.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn log_text_is_no_markup() {
        let row = vec![text("a|b"), text("<img src=x>"), text("[x](javascript:y)"), many(&["*a*", "b\nc"])];
        insta::assert_snapshot!(markdown(&names(&["a", "b_c", "d", "e"]), &[row]));
    }

    fn text(value: &str) -> Cell {
        Cell::Text(value.to_owned())
    }

    proptest! {
        #[test]
        fn a_row_is_a_line((columns, rows) in any_table()) {
            let shown = markdown(&columns, &rows);
            let header = if columns.is_empty() { 0 } else { 2 };
            prop_assert_eq!(shown.lines().count(), rows.len() + header);
            prop_assert!(!shown.chars().any(crate::escape::is_unsafe));
        }
    }
}
