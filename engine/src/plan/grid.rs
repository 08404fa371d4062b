//! Rows held in memory, for commands whose result depends on all of them at once and on no order of columns
//! that a plan could fix: what comes before is run, its rows are read value by value, and new rows take their
//! place.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::{Frame, OrderKey, SERIAL, is_hidden};
use super::{PlanResult, Planner, scan_of};
use crate::functions::kernel::{Returns, build, many_type};
use crate::values::{Value, time_type};

/// How many columns values may make; a hostile log could name millions.
pub const MOST_COLUMNS: usize = 4_096;

/// How many rows a batch holds.
const BATCH_ROWS: usize = 8_192;

/// Rows in their order. Every row has a value for each name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grid {
    /// The names of the columns.
    pub names: Vec<String>,
    /// The rows; times are seconds since the epoch.
    pub rows: Vec<Vec<Value<'static>>>,
}

impl Grid {
    /// No rows of these columns.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Runs what comes before and gives its rows in their order, without hidden columns; `None` without data,
    /// and then any field may exist from here on.
    ///
    /// # Errors
    /// DataFusion's own.
    pub async fn collect(planner: &Planner<'_>, frame: &mut Frame) -> PlanResult<Option<Grid>> {
        let Some(runner) = planner.runner else {
            frame.open = true;
            return Ok(None);
        };
        let (schema, batches) = runner.collect(frame.clone().finish()?).await?;
        let mut grid = Grid::new(schema.fields().iter().map(|field| field.name().as_str()));
        for batch in &batches {
            // A value takes more room than in a column.
            let values = batch.num_rows().saturating_mul(batch.num_columns());
            runner.hold(values.saturating_mul(size_of::<Value<'_>>()))?;
            grid.extend(batch);
        }
        Ok(Some(grid))
    }

    /// Adds the rows of a batch with the same columns.
    pub fn extend(&mut self, batch: &RecordBatch) {
        for row in 0..batch.num_rows() {
            self.rows.push(batch.columns().iter().map(|column| owned(Value::read(column.as_ref(), row))).collect());
        }
    }

    /// The position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The value in a row of a column; null where there is none.
    pub fn value(&self, row: usize, position: usize) -> &Value<'static> {
        self.rows.get(row).and_then(|row| row.get(position)).unwrap_or(&Value::Null)
    }

    /// The values of a column, row by row.
    pub fn column(&self, position: usize) -> impl Iterator<Item = &Value<'static>> {
        self.rows.iter().map(move |row| row.get(position).unwrap_or(&Value::Null))
    }

    /// Adds a column; rows beyond its values get null.
    pub fn add_column(&mut self, name: impl Into<String>, values: impl IntoIterator<Item = Value<'static>>) {
        let mut values = values.into_iter();
        self.names.push(name.into());
        for row in &mut self.rows {
            row.push(values.next().unwrap_or(Value::Null));
        }
    }

    /// Makes a frame go on with these rows only. A column is numbers where all its values are, several values
    /// where one is, else text; `_time` is a time.
    ///
    /// # Errors
    /// More than [`MOST_COLUMNS`] columns, or DataFusion's own.
    pub fn replace(self, frame: &mut Frame, span: Span) -> PlanResult<()> {
        let batch = self.into_batch(span)?;
        let (plan, order) = scan_in_order(batch)?;
        frame.replace(plan, order);
        Ok(())
    }

    /// A frame of these rows, for commands that generate them.
    ///
    /// # Errors
    /// As [`Grid::replace`].
    pub fn into_frame(self, planner: &Planner<'_>, span: Span) -> PlanResult<Frame> {
        let (plan, order) = scan_in_order(self.into_batch(span)?)?;
        Ok(Frame::new(plan, order, planner.setting()))
    }

    fn into_batch(self, span: Span) -> PlanResult<RecordBatch> {
        let Grid { names, rows } = self;
        if names.len() > MOST_COLUMNS {
            let message = format!("the result would have {} columns; the most is {MOST_COLUMNS}", names.len());
            return Err(Diagnostic::error(Code::TooLarge, message, span).into());
        }
        let count = rows.len();
        let mut columns: Vec<Vec<Value<'static>>> = names.iter().map(|_| Vec::with_capacity(count)).collect();
        for row in rows {
            let mut values = row.into_iter();
            for column in &mut columns {
                column.push(values.next().unwrap_or(Value::Null));
            }
        }
        let mut fields: Vec<Arc<Field>> = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for (name, values) in names.iter().zip(columns).filter(|(name, _)| !is_hidden(name)) {
            let array = array_of(name, values)?;
            fields.push(Arc::new(Field::new(name, array.data_type().clone(), true)));
            arrays.push(array);
        }
        fields.push(Arc::new(Field::new(SERIAL, DataType::Int64, false)));
        arrays.push(Arc::new(Int64Array::from_iter_values(0..i64::try_from(count).unwrap_or(i64::MAX))));
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(DataFusionError::from)?;
        Ok(batch)
    }
}

fn array_of(name: &str, values: Vec<Value<'static>>) -> PlanResult<ArrayRef> {
    let rows = values.len();
    let present = || values.iter().filter(|value| **value != Value::Null);
    let numbers = present().all(|value| matches!(value, Value::Number(_))) && present().next().is_some();
    if name == "_time" && (numbers || rows == 0) {
        let times = values.iter().map(|value| value.number().map(|seconds| (seconds * 1e6).round() as i64));
        let times: arrow::array::Int64Array = times.collect();
        return Ok(arrow::compute::cast(&times, &time_type()).map_err(DataFusionError::from)?);
    }
    let returns = if numbers {
        Returns::Number
    } else if present().any(|value| matches!(value, Value::Many(_))) {
        Returns::Many
    } else {
        Returns::Text
    };
    let array = build(returns, values.into_iter(), rows);
    debug_assert!(returns != Returns::Many || *array.data_type() == many_type());
    Ok(array)
}

/// The value on its own, whatever column it came from.
pub fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Null => Value::Null,
        Value::Number(number) => Value::Number(number),
        Value::Boolean(truth) => Value::Boolean(truth),
        Value::Text(text) => Value::Text(text.into_owned().into()),
        Value::Many(texts) => Value::Many(texts.into_iter().map(|text| text.into_owned().into()).collect()),
    }
}

/// A scan over a batch whose rows are numbered by the column [`SERIAL`], and their order.
pub fn scan_in_order(batch: RecordBatch) -> PlanResult<(datafusion::logical_expr::LogicalPlan, Vec<OrderKey>)> {
    let table = MemTable::try_new(batch.schema(), vec![split(&batch)])?;
    let plan = scan_of("rows", Arc::new(table))?;
    Ok((plan, vec![OrderKey { column: SERIAL.into(), descending: false }]))
}

fn split(batch: &RecordBatch) -> Vec<RecordBatch> {
    let rows = batch.num_rows();
    if rows == 0 {
        return vec![batch.clone()];
    }
    (0..rows).step_by(BATCH_ROWS).map(|start| batch.slice(start, BATCH_ROWS.min(rows - start))).collect()
}
