//! Objects of data models that are computed once, for many searches over the same events.
//!
//! Most published detections search the same few objects. Their constraints and calculated fields cost more than what a
//! detection then asks of them, in planning and in running. A summary holds the rows of an object with the fields that
//! some search names, in the types and with the serial numbers that a search would compute, so that it may stand in the
//! place of the computation.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, RecordBatchOptions};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use spelunk_grammar::Span;

use super::datamodel::{self, Form};
use super::frame::{Frame, column, is_hidden};
use super::{Events, PlanResult, Planner, newest_first, scan_of};
use crate::store::table::EventTable;
use crate::store::{Shape, Store};

/// From so many rows on a batch of a summary is full. Conditions look at each distinct text of a batch once, so larger
/// batches cost them less than those of the events, of which each file brings its own.
const BATCH_ROWS: usize = 65_536;

/// An object of a data model and its rows.
#[derive(Debug, Clone)]
pub struct Summary {
    key: String,
    /// The names of its fields that searches may name: those that were wanted, whether or not any event has them.
    fields: Vec<String>,
    table: Arc<dyn TableProvider>,
    /// The frame that the rows were computed in, for what it knows of them besides its plan.
    origin: Frame,
    rows: usize,
    _held: Option<Arc<MemoryReservation>>,
}

impl Events {
    /// Whether an object was computed before and has no events.
    pub(crate) fn summarised_empty(&self, key: &str) -> bool {
        self.summaries.iter().any(|summary| summary.key == key && summary.rows == 0)
    }
}

/// Computes an object with these fields, which have their full names.
///
/// # Errors
/// There is no such object, or it cannot be computed.
pub async fn compute(
    planner: &mut Planner<'_>,
    name: &str,
    fields: &[String],
    hold: &dyn Fn(usize) -> Result<Arc<MemoryReservation>, DataFusionError>,
) -> PlanResult<Option<Summary>> {
    let Some(knowledge) = planner.knowledge else { return Ok(None) };
    let (Some(key), Some(runner)) = (datamodel::key(knowledge.apps, name, fields), planner.runner) else {
        return Ok(None);
    };
    let frame = datamodel::events(planner, name, Form::Qualified(fields), Span::default()).await?;
    let (schema, batches) = runner.collect(frame.plan().clone()).await?;
    let schema = encoded_schema(&schema);
    let mut encoded = Vec::new();
    let mut waiting: Vec<RecordBatch> = Vec::new();
    for batch in batches {
        waiting.push(batch);
        if waiting.iter().map(RecordBatch::num_rows).sum::<usize>() >= BATCH_ROWS {
            encoded.push(encode(&mut waiting, &schema)?);
        }
    }
    if !waiting.is_empty() {
        encoded.push(encode(&mut waiting, &schema)?);
    }
    let rows = encoded.iter().map(RecordBatch::num_rows).sum();
    let bytes = encoded.iter().map(RecordBatch::get_array_memory_size).sum();
    let held = hold(bytes)?;
    let shape = Shape { name: key.clone(), schema: Arc::clone(&schema), batches: encoded };
    let store = Store { shapes: vec![shape], ..Store::empty(schema) };
    let table: Arc<dyn TableProvider> = Arc::new(EventTable::new(Arc::new(store)));
    drop((frame.take_missing(), frame.take_findings()));
    Ok(Some(Summary { key, fields: fields.to_vec(), table, origin: frame, rows, _held: Some(held) }))
}

/// The rows of an object with these fields, if they were computed before.
///
/// # Errors
/// DataFusion's own.
pub fn frame(planner: &Planner<'_>, key: &str, names: &[String]) -> PlanResult<Option<Frame>> {
    // Whoever asks why an event is not in a result asks about the conditions of the object too.
    let Some(events) = planner.events.filter(|_| planner.trace.is_none()) else { return Ok(None) };
    let text = |names: &[String]| names.iter().any(|name| name == "_raw");
    let serves = |summary: &&Summary| {
        summary.key == key
            && !text(names)
            && names.iter().filter(|name| of_object(key, name)).all(|name| summary.fields.contains(name))
    };
    let Some(summary) = events.summaries.iter().find(serves) else { return Ok(None) };
    let mut frame = Frame::new(scan_of("summary", Arc::clone(&summary.table))?, newest_first(), planner.setting());
    let origin = &summary.origin;
    frame.events = origin.events;
    frame.numbered = origin.numbered;
    frame.metadata.clone_from(&origin.metadata);
    frame.time_range = origin.time_range;
    let shown = |name: &&String| !of_object(key, name) || names.contains(name);
    let columns = frame.fields().iter().filter(shown).map(|name| (name.clone(), column(name))).collect();
    frame.select(columns)?;
    Ok(Some(frame))
}

/// Whether a name is that of a field which some object declares; every summary has the others.
fn of_object(key: &str, name: &str) -> bool {
    let root = key.split('.').nth(1).unwrap_or_default();
    name == datamodel::NODE || name.split_once('.').is_some_and(|(first, _)| first == root)
}

/// The schema with its texts as dictionaries, of which conditions look at each value once.
fn encoded_schema(schema: &SchemaRef) -> SchemaRef {
    let texts = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        // Of a field that is never missing, searches need not ask whether it is.
        DataType::Utf8 if !is_hidden(field.name()) => {
            Arc::new(Field::new(field.name(), texts.clone(), field.is_nullable()))
        }
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// One batch of all that wait.
fn encode(waiting: &mut Vec<RecordBatch>, schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    let Some(first) = waiting.first() else { return Ok(RecordBatch::new_empty(Arc::clone(schema))) };
    let batch = concat_batches(&first.schema(), waiting.as_slice())?;
    waiting.clear();
    let encoded = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        if column.data_type() == field.data_type() { Ok(Arc::clone(column)) } else { cast(column, field.data_type()) }
    });
    let columns = encoded.collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
