//! Events in columns, one table a shape.

pub mod align;
pub mod bucket;
pub(crate) mod builder;
pub(crate) mod columns;
pub mod disk;
pub mod known;
mod memory;
pub mod parquet;
mod pruning;
pub mod scans;
pub(crate) mod skeleton;
pub mod table;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::memory_pool::MemoryReservation;

/// Loaded events: one [`Shape`] for each source, channel and event code, because those share a narrow set of
/// fields.
///
/// Column types, the same for a field in every shape: `_time` `Timestamp(Microsecond, "UTC")`, `_serial`
/// `Int64`; a field whose every value in the store is a canonical number `Int64` or `Float64`; a field with
/// several values in any event `List<Utf8>`; any other field `Dictionary(Int32, Utf8)`. An event that lacks a
/// field holds null.
#[derive(Debug, Clone)]
pub struct Store {
    /// The shapes.
    pub shapes: Vec<Shape>,
    /// All fields of all shapes, `_time` and `_serial` first, the others in order of appearance.
    pub schema: SchemaRef,
    /// The names of fields that events have but that were not selected, in order.
    pub unread: Vec<String>,
    /// What is known of events that were left out because the search cannot want them.
    pub(crate) noted: builder::Noted,
    /// The files whose events stay where they are.
    pub files: Vec<parquet::ParquetFile>,
    /// The stores on disk, whose events stay there too.
    pub stored: Vec<Arc<disk::opened::StoredEvents>>,
    /// The memory that the events take, as the session's pool counts it.
    pub held: Option<Arc<MemoryReservation>>,
}

impl Store {
    /// One without events, whose table has these columns.
    pub(crate) fn empty(schema: SchemaRef) -> Self {
        Store {
            shapes: Vec::new(),
            schema,
            unread: Vec::new(),
            noted: builder::Noted::default(),
            files: Vec::new(),
            stored: Vec::new(),
            held: None,
        }
    }
}

/// Events with the same fields.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The shape's source and event code, for plans and reports: `XmlWinEventLog:Security 4688`.
    pub name: String,
    /// The fields of this shape, a subset of the store's.
    pub schema: SchemaRef,
    /// The events, in batches of at most 8,192 rows where they were read.
    pub batches: Vec<RecordBatch>,
}
