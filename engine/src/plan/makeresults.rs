//! `makeresults`: rows from nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::commands::makeresults::{InlineData, Makeresults};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::{Frame, SERIAL};
use super::{PlanResult, Planner, grid, inline};
use crate::values::time_type;

/// The most rows that a search may generate.
const MOST: u64 = 50_000_000;

/// The most characters of data that a search may hold.
const MOST_CHARACTERS: usize = 29_999;

/// Plans the command.
pub fn plan(planner: &Planner<'_>, command: &Makeresults, span: Span) -> PlanResult<Frame> {
    let Makeresults { count, annotate, data, splunk_server, splunk_server_group } = command;
    if let Some(span) = [splunk_server, splunk_server_group].into_iter().flatten().map(|server| server.span).next() {
        return Err(Diagnostic::error(Code::InvalidOption, "spelunk runs without a Splunk server", span).into());
    }
    if let Some(data) = data {
        let (InlineData::Csv(text) | InlineData::Json(text)) = &data.node;
        let length = text.chars().count();
        if length > MOST_CHARACTERS {
            let message = format!("`makeresults` takes at most {MOST_CHARACTERS} characters of data, not {length}");
            return Err(Diagnostic::error(Code::TooLarge, message, data.span).into());
        }
        let parsed = match &data.node {
            InlineData::Csv(text) => inline::csv(text),
            InlineData::Json(text) => inline::json(text),
        };
        let (schema, batch) = parsed.map_err(|reason| {
            Diagnostic::error(Code::InvalidArgument, format!("`makeresults` cannot read its data: {reason}"), data.span)
        })?;
        return from_batch(planner, schema, batch);
    }
    let count = count.unwrap_or(1);
    if count > MOST {
        let message = format!("`makeresults` generates at most {MOST} rows here, not {count}");
        return Err(Diagnostic::error(Code::TooLarge, message, span).into());
    }
    let mut frame = rows(planner, count)?;
    if annotate.unwrap_or(false) {
        let null = || lit(ScalarValue::Utf8(None));
        let fields = ["_raw", "host", "source", "sourcetype"].map(|name| (name.to_string(), null()));
        let mut fields: Vec<(String, Expr)> = fields.to_vec();
        fields.push(("splunk_server".into(), lit(server())));
        fields.push(("splunk_server_group".into(), null()));
        frame.set(fields)?;
    }
    Ok(frame)
}

/// What stands for the name of a server: that of this machine.
pub(super) fn server() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".into())
}

/// So many rows with nothing but `_time`, which is now.
pub fn rows(planner: &Planner<'_>, count: u64) -> PlanResult<Frame> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let seconds = planner.clock.now.as_second().saturating_mul(1_000_000);
    let schema =
        Arc::new(Schema::new(vec![Field::new("_time", time_type(), true), Field::new(SERIAL, DataType::Int64, false)]));
    let times = TimestampMicrosecondArray::from(vec![seconds; count]).with_timezone("UTC");
    let serials = Int64Array::from_iter_values(0..i64::try_from(count).unwrap_or(i64::MAX));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(times) as ArrayRef, Arc::new(serials)])
        .map_err(datafusion::error::DataFusionError::from)?;
    frame_over(planner, batch)
}

fn from_batch(planner: &Planner<'_>, schema: Arc<Schema>, batch: Vec<StringArray>) -> PlanResult<Frame> {
    let rows = batch.first().map_or(0, arrow::array::Array::len);
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(SERIAL, DataType::Int64, false)));
    let mut columns: Vec<ArrayRef> = batch.into_iter().map(|column| Arc::new(column) as ArrayRef).collect();
    columns.push(Arc::new(Int64Array::from_iter_values(0..rows as i64)));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(datafusion::error::DataFusionError::from)?;
    frame_over(planner, batch)
}

fn frame_over(planner: &Planner<'_>, batch: RecordBatch) -> PlanResult<Frame> {
    let (plan, order) = grid::scan_in_order(batch)?;
    Ok(Frame::new(plan, order, planner.setting()))
}
