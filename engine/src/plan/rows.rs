//! Rows as search text, for `format`, `return` and subsearches.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;

use super::frame::{Frame, is_hidden};
use super::{PlanResult, Planner, scan_of};
use crate::values::{self, Cell};

/// The fields of a row that have a value, in alphabetical order, without the internal ones.
pub fn fields(batch: &RecordBatch, row: usize) -> Vec<(String, Vec<String>)> {
    let schema = batch.schema();
    let mut names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
    names.sort_unstable();
    names
        .into_iter()
        .filter(|name| !name.starts_with('_') && !is_hidden(name))
        .filter_map(|name| Some((name.clone(), texts(batch, name, row)?)))
        .collect()
}

/// The values of a field in a row as text; `None` if it has none.
pub fn texts(batch: &RecordBatch, name: &str, row: usize) -> Option<Vec<String>> {
    let column = batch.column_by_name(name)?;
    match values::cell(column, row, &jiff::tz::TimeZone::UTC) {
        Cell::Null => None,
        Cell::Text(text) | Cell::Number(text) => Some(vec![text]),
        Cell::Time(_) => Some(vec![values::Value::read(column.as_ref(), row).text()?.into_owned()]),
        Cell::Many(texts) => Some(texts),
    }
}

/// A value in double quotes, so that it is read back as the same value.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Runs what comes before, and replaces it by one row whose field `search` holds the text made of the rows.
///
/// Without data the text is empty.
pub async fn replace_by_text(
    planner: &Planner<'_>,
    frame: &mut Frame,
    most: usize,
    text: impl FnOnce(&[(&RecordBatch, usize)]) -> String,
) -> PlanResult<()> {
    if most < usize::MAX {
        frame.limit(most)?;
    }
    let text = match planner.runner {
        None => String::new(),
        Some(runner) => {
            let (_, batches) = runner.collect(frame.clone().finish()?).await?;
            let rows: Vec<(&RecordBatch, usize)> =
                batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row))).collect();
            text(&rows)
        }
    };
    let schema = Arc::new(Schema::new(vec![Field::new("search", DataType::Utf8, true)]));
    let column: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), vec![column]).map_err(datafusion::error::DataFusionError::from)?;
    let table = MemTable::try_new(schema, vec![vec![batch]])?;
    frame.replace(scan_of("text", Arc::new(table))?, Vec::new());
    Ok(())
}
