//! Writes results: one file a form.

pub mod csv;
mod events;
pub mod fit;
pub mod grid;
pub mod html;
pub mod json;
pub mod markdown;
mod order;
pub mod parquet;
pub mod plain;
pub mod record;
pub mod table;
pub mod timeline;
pub mod timesketch;

use std::io;

use arrow::array::RecordBatch;
use jiff::tz::TimeZone;
use spelunk_engine::values::{self, Cell};

/// Writes the rows of a result.
pub trait Renderer {
    /// Writes the next rows.
    ///
    /// # Errors
    /// What the output says.
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()>;

    /// Writes what comes after the last row, and flushes.
    ///
    /// # Errors
    /// What the output says.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Writes the rows of a result that is shown as text, row by row.
pub trait RowRenderer {
    /// Writes one row.
    ///
    /// # Errors
    /// What the output says.
    fn row(&mut self, row: &[Cell]) -> io::Result<()>;

    /// Called after each batch, so that rows reach a pipe as they come.
    ///
    /// # Errors
    /// What the output says.
    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Writes what comes after the last row, and flushes.
    ///
    /// # Errors
    /// What the output says.
    fn finish(&mut self) -> io::Result<()>;
}

/// Turns batches into rows of cells.
pub struct Rows<R> {
    renderer: R,
    time_zone: TimeZone,
    row: Vec<Cell>,
}

impl<R: RowRenderer> Rows<R> {
    /// Shows times in this zone.
    pub fn new(renderer: R, time_zone: TimeZone) -> Self {
        Self { renderer, time_zone, row: Vec::new() }
    }
}

impl<R: RowRenderer> Renderer for Rows<R> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            self.row.clear();
            self.row.extend(batch.columns().iter().map(|column| values::cell(column, row, &self.time_zone)));
            self.renderer.row(&self.row)?;
        }
        self.renderer.pause()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.renderer.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::samples::any_table;
    use super::*;
    use crate::escape;

    proptest! {
        /// What the shell shows goes through `narrow` below the least width.
        #[test]
        fn nothing_is_wider_than_the_terminal(
            (columns, rows) in any_table(),
            width in prop_oneof![Just(0_usize), Just(1), Just(20), 0..60_usize],
        ) {
            let laid_out = width.max(fit::LEAST);
            let mut drawn = vec![
                grid::draw_all(&columns, &rows, Some(laid_out), false),
                events::draw(&columns, &rows, laid_out, false),
            ];
            drawn.extend(rows.iter().map(|row| record::draw(1, &columns, row, Some(laid_out), true, false)));
            drawn.extend(grid::draw_some(&columns, &rows, Some(laid_out), false).map(|(drawn, _)| drawn));
            for line in drawn.iter().flat_map(|drawn| fit::narrow(drawn, width).lines().map(str::to_owned).collect::<Vec<_>>()) {
                prop_assert!(line.width() <= width.max(1), "{line:?}");
                prop_assert!(!line.chars().any(|c| escape::is_unsafe(c) || c == '\t'), "{line:?}");
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Cells to render.

    use super::Cell;
    use proptest::prelude::*;

    pub fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    pub fn number(text: &str) -> Cell {
        Cell::Number(text.to_owned())
    }

    pub fn many(values: &[&str]) -> Cell {
        Cell::Many(values.iter().map(|value| (*value).to_owned()).collect())
    }

    pub fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    pub fn any_cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Null),
            any::<String>().prop_map(Cell::Text),
            "[ -~]{0,120}".prop_map(Cell::Text),
            r"C:(\\[A-Za-z. ]{1,20}){1,6}".prop_map(Cell::Text),
            any::<i64>().prop_map(|number| Cell::Number(number.to_string())),
            Just(Cell::Time("2019-05-12T12:52:43.123+00:00".to_owned())),
            proptest::collection::vec(any::<String>(), 0..14).prop_map(Cell::Many),
        ]
    }

    /// A table with as many cells a row as there are columns.
    pub fn any_table() -> impl Strategy<Value = (Vec<String>, Vec<Vec<Cell>>)> {
        (1usize..9).prop_flat_map(|width| {
            (
                proptest::collection::vec(any::<String>(), width),
                proptest::collection::vec(proptest::collection::vec(any_cell(), width), 0..6),
            )
        })
    }
}
