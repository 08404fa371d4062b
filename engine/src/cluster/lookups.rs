//! The functions of lookups in written form, with their tables.
//!
//! The index of a table is not written: a worker makes it again.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::logical_expr::ScalarUDF;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::divide::MOST_ROWS;
use crate::functions::lookup;
use crate::lookups::definition::Definition;
use crate::lookups::matcher::Matcher;
use crate::lookups::table::Table;

/// What is written before the table.
#[derive(Serialize, Deserialize)]
struct Held {
    definition: Definition,
    /// The key columns.
    keys: Vec<usize>,
    /// The columns that it gives, and whether each may have several values.
    outputs: Vec<(usize, bool)>,
}

/// Whether a function is that of a lookup, and its table small enough to travel with each task.
pub(super) fn travels(function: &ScalarUDF) -> bool {
    lookup::held(function).is_some_and(|(matcher, _)| {
        let bytes = matcher.table.columns.iter().map(|(_, column)| column.get_array_memory_size());
        matcher.made_of().is_some() && bytes.fold(0, usize::saturating_add) <= MOST_ROWS
    })
}

/// The function of a lookup in written form: the length of what stands before the table, that, and the table.
pub(super) fn written(function: &ScalarUDF) -> Result<Option<Vec<u8>>> {
    let Some((matcher, outputs)) = lookup::held(function) else { return Ok(None) };
    let Some((definition, keys)) = matcher.made_of() else { return Ok(None) };
    let held = Held { definition: definition.clone(), keys: keys.clone(), outputs: outputs.to_vec() };
    let held = serde_json::to_vec(&held).map_err(external)?;
    let mut written = u64::try_from(held.len()).map_err(external)?.to_le_bytes().to_vec();
    written.extend(held);
    let columns = &matcher.table.columns;
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true)).collect();
    let columns = columns.iter().map(|(_, column)| Arc::clone(column)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
    let mut writer = StreamWriter::try_new(&mut written, &batch.schema())?;
    writer.write(&batch)?;
    writer.finish()?;
    drop(writer);
    Ok(Some(written))
}

/// The function of a lookup from its written form.
pub(super) fn read(written: &[u8]) -> Result<Arc<ScalarUDF>> {
    let torn = || exec_datafusion_err!("the written form of a lookup is torn");
    let (length, rest) = written.split_first_chunk::<8>().ok_or_else(torn)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(external)?;
    let (held, table) = rest.split_at_checked(length).ok_or_else(torn)?;
    let Held { definition, keys, outputs } = serde_json::from_slice(held).map_err(external)?;
    let batch = StreamReader::try_new(table, None)?.next().ok_or_else(torn)??;
    let names = batch.schema_ref().fields().iter().map(|field| field.name().clone());
    let columns = names.zip(batch.columns().iter().cloned()).collect();
    let table = Table { columns, rows: batch.num_rows(), problems: Vec::new() };
    // Without a format, times mean the same in all zones and at all times.
    let matcher = Matcher::new(Arc::new(table), &definition, &keys, &TimeZone::UTC, Timestamp::UNIX_EPOCH);
    let matcher = matcher.map_err(|reason| exec_datafusion_err!("`lookup`: {reason}"))?;
    Ok(Arc::new(lookup::holding(matcher, outputs)))
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
