//! SPL's value semantics: numbers, text, multivalue and null, and how each is written.

use arrow::array::ArrayRef;
use jiff::tz::TimeZone;

/// A value of a result, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// No value.
    Null,
    /// Text.
    Text(String),
    /// A number in SPL's print form.
    Number(String),
    /// A time, ISO 8601 with milliseconds in the session's zone.
    Time(String),
    /// Several values.
    Many(Vec<String>),
}

/// The value in a row of a column.
pub fn cell(_column: &ArrayRef, _row: usize, _time_zone: &TimeZone) -> Cell {
    Cell::Null
}
