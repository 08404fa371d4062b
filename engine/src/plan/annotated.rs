//! Rows that a command looks at all together and gives back in their order with new fields, or some of them: they
//! stay columns, only the values that the command asks for are read one by one.

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlanBuilder;
use std::sync::Arc;

use super::barrier::Collected;
use super::frame::{Frame, column};
use super::{PlanResult, Planner};
use crate::functions::kernel::{Returns, build};
use crate::methods::coded::Coded;
use crate::values::Value;

/// Rows in their order.
pub struct Annotated {
    collected: Collected,
}

/// A new field.
pub struct Added {
    /// Its name; a field that has it is replaced.
    pub name: String,
    /// What its values are.
    pub returns: Returns,
    /// Its values, row by row.
    pub values: Vec<Value<'static>>,
}

impl Added {
    /// A field of numbers.
    pub fn numbers(name: impl Into<String>, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values = values.into_iter().map(|value| value.map_or(Value::Null, Value::Number)).collect();
        Self { name: name.into(), returns: Returns::Number, values }
    }

    /// A field of texts.
    pub fn texts(name: impl Into<String>, values: impl IntoIterator<Item = Option<String>>) -> Self {
        let values =
            values.into_iter().map(|value| value.map_or(Value::Null, |text| Value::Text(text.into()))).collect();
        Self { name: name.into(), returns: Returns::Text, values }
    }
}

impl Annotated {
    /// Runs what comes before; `None` without data, and then any field may exist from here on.
    ///
    /// # Errors
    /// DataFusion's own.
    pub async fn collect(planner: &Planner<'_>, frame: &mut Frame) -> PlanResult<Option<Self>> {
        let Some(runner) = planner.runner else {
            frame.open = true;
            return Ok(None);
        };
        let sort = frame.sort_expressions();
        let plan = match sort.is_empty() {
            true => frame.plan().clone(),
            false => LogicalPlanBuilder::new(frame.plan().clone()).sort(sort)?.build()?,
        };
        let (schema, batches) = runner.collect(plan).await?;
        Ok(Some(Self { collected: Collected { schema, batches } }))
    }

    /// How many there are.
    pub fn rows(&self) -> usize {
        self.collected.batches.iter().fold(0, |rows: usize, batch| rows.saturating_add(batch.num_rows()))
    }

    /// The values of a field, row by row; all missing where there is no such field.
    pub fn column<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Value<'a>> {
        self.collected.batches.iter().flat_map(move |batch| {
            let array = batch.column_by_name(name);
            (0..batch.num_rows()).map(move |row| array.map_or(Value::Null, |array| Value::read(array.as_ref(), row)))
        })
    }

    /// The values of a field with a code for each distinct one.
    pub fn coded(&self, name: &str) -> Coded {
        let values: Vec<Value<'_>> = self.column(name).collect();
        Coded::new(&values)
    }

    /// Makes a frame go on with these rows and the new fields; `keep` says which rows, `None` all of them.
    ///
    /// # Errors
    /// DataFusion's own.
    pub fn resume(self, frame: &mut Frame, added: Vec<Added>, keep: Option<&[bool]>) -> PlanResult<()> {
        let Collected { schema, batches } = self.collected;
        // Under hidden names, so that a field that orders the rows can be replaced.
        let hidden: Vec<String> = added.iter().map(|_| frame.hidden_name()).collect();
        let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
        for (added, name) in added.iter().zip(&hidden) {
            let none = build(added.returns, std::iter::empty(), 0);
            fields.push(Arc::new(Field::new(name, none.data_type().clone(), true)));
        }
        let schema = Arc::new(Schema::new(fields));
        let (names, mut values): (Vec<String>, Vec<_>) =
            added.into_iter().map(|added| (added.name, (added.returns, added.values.into_iter()))).unzip();
        let mut kept = keep.map(|keep| keep.iter().copied());
        let mut result = Vec::with_capacity(batches.len());
        for batch in batches {
            let rows = batch.num_rows();
            let mut columns = batch.columns().to_vec();
            for (returns, values) in &mut values {
                let padded = values.by_ref().chain(std::iter::repeat(Value::Null)).take(rows);
                columns.push(build(*returns, padded, rows));
            }
            let mut batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(DataFusionError::from)?;
            if let Some(kept) = &mut kept {
                let mask: BooleanArray = (0..rows).map(|_| Some(kept.next().unwrap_or(false))).collect();
                batch = filter_record_batch(&batch, &mask).map_err(DataFusionError::from)?;
            }
            result.push(batch);
        }
        Collected { schema, batches: result }.resume(frame)?;
        frame.set(names.into_iter().zip(&hidden).map(|(name, hidden)| (name, column(hidden))).collect())?;
        Ok(())
    }
}
