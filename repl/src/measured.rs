//! What benches measure: what a key waits for while a search is typed, and drawing a grid.

use spelunk_engine::Language;
use spelunk_engine::values::Cell;
use spelunk_engine::vocabulary::KnownField;

use crate::render::grid;
use crate::shell::editing::names::Known;
use crate::shell::editing::{complete, highlight};

/// The shell's help with typing, where these fields are known.
#[derive(Debug)]
pub struct Typing {
    known: Known,
}

impl Typing {
    /// With these fields.
    pub fn new(fields: Vec<KnownField>) -> Self {
        Self { known: Known::default().with_fields(fields) }
    }

    /// How many ways Tab offers to go on at the end of a text of SPL.
    pub fn complete(&self, text: &str) -> usize {
        complete(text, text.len(), Language::Spl, &self.known).1.len()
    }

    /// A text of SPL in its colours.
    pub fn highlight(&self, text: &str) -> Option<String> {
        highlight(text, text.len(), Language::Spl, &self.known)
    }
}

/// A grid of so many cells a line, as the shell shows it.
pub fn draw(columns: &[String], rows: &[Vec<Cell>], width: usize) -> String {
    grid::draw_all(columns, rows, Some(width), true)
}
