//! Columns that depend on data.
//!
//! The schema of a plan is fixed when it is made. A command whose columns depend on values runs what comes
//! before it, looks at the values, and goes on with what was collected.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::commands::eval::{Target, TargetPart};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column, is_hidden};
use super::grid::MOST_COLUMNS;
use super::{PlanResult, Planner};
use crate::documents::Fields;
use crate::functions::kernel::{Returns, build, many_type};
use crate::functions::{multivalue, operators};
use crate::values::{Value, text_at};

/// The rows of what came before a barrier, with all their columns.
#[derive(Debug)]
pub struct Collected {
    /// The columns, hidden ones too.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl Collected {
    /// Makes a frame go on with these rows, whose columns it still has.
    ///
    /// # Errors
    /// DataFusion's own.
    pub fn resume(self, frame: &mut Frame) -> PlanResult<()> {
        let table = MemTable::try_new(self.schema, vec![self.batches])?;
        frame.extend(super::scan_of("collected", Arc::new(table))?);
        Ok(())
    }

    /// The same rows without a column, and that column, batch by batch.
    fn without(self, name: &str) -> PlanResult<(Collected, Vec<ArrayRef>)> {
        let kept: Vec<usize> = (0..self.schema.fields().len())
            .filter(|position| self.schema.fields().get(*position).is_none_or(|field| field.name() != name))
            .collect();
        let schema = Arc::new(self.schema.project(&kept).map_err(DataFusionError::from)?);
        let mut removed = Vec::with_capacity(self.batches.len());
        let mut batches = Vec::with_capacity(self.batches.len());
        for batch in self.batches {
            let values = batch.column_by_name(name).map(Arc::clone);
            removed.push(values.unwrap_or_else(|| new_null_array(&DataType::Utf8, batch.num_rows())));
            batches.push(batch.project(&kept).map_err(DataFusionError::from)?);
        }
        Ok((Collected { schema, batches }, removed))
    }
}

/// Runs what comes before; `None` where there is no data, and then any field may exist from here on.
///
/// # Errors
/// DataFusion's own.
pub async fn collect(planner: &Planner<'_>, frame: &mut Frame) -> PlanResult<Option<Collected>> {
    let Some(runner) = planner.runner else {
        frame.open = true;
        return Ok(None);
    };
    let (schema, batches) = runner.collect(frame.plan().clone()).await?;
    Ok(Some(Collected { schema, batches }))
}

/// What happens to a field that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// A new value takes its place.
    Replaced,
    /// It stays, and gets a new value only where it has none.
    Kept,
    /// It gets the new values besides its own.
    Extended,
}

/// Adds the fields that `read` finds in the texts of a field, row by row.
///
/// # Errors
/// DataFusion's own.
pub async fn extract(
    planner: &mut Planner<'_>,
    frame: &mut Frame,
    source: &Typed,
    existing: Existing,
    read: &(dyn Fn(&str) -> Fields + Send + Sync),
) -> PlanResult<()> {
    match search(planner, frame, source, read).await? {
        Some((found, collected)) => found.add_to(collected, frame, existing, source.span),
        None => Ok(()),
    }
}

/// The same for one who decides where each field belongs: they are added under hidden names.
///
/// # Errors
/// DataFusion's own.
pub async fn extract_apart(
    planner: &mut Planner<'_>,
    frame: &mut Frame,
    source: &Typed,
    read: &(dyn Fn(&str) -> Fields + Send + Sync),
) -> PlanResult<Vec<(String, Typed)>> {
    let Some((found, collected)) = search(planner, frame, source, read).await? else { return Ok(Vec::new()) };
    let names = found.names.clone();
    let columns = names.iter().map(|_| frame.hidden_name()).collect();
    let columns = found.add_columns(columns, collected, frame)?;
    let typed = |(name, data_type): (String, DataType)| Typed::new(column(&name), Kind::of(&data_type), source.span);
    Ok(names.into_iter().zip(columns.into_iter().map(typed)).collect())
}

/// Runs what comes before and reads the texts; `None` where there is nothing to read.
async fn search(
    planner: &mut Planner<'_>,
    frame: &mut Frame,
    source: &Typed,
    read: &(dyn Fn(&str) -> Fields + Send + Sync),
) -> PlanResult<Option<(Found, Collected)>> {
    if source.kind == Kind::Null {
        return Ok(None);
    }
    let hidden = frame.hidden_name();
    frame.set(vec![(hidden.clone(), source.text())])?;
    let Some(collected) = collect(planner, frame).await? else { return Ok(None) };
    let (collected, texts) = collected.without(&hidden)?;
    let mut found = Found::default();
    for texts in &texts {
        found.read(texts, read);
    }
    if found.cut {
        let message = format!("only the first {MOST_COLUMNS} fields were extracted, the values name more");
        planner.diagnostics.push(Diagnostic::warning(Code::Truncated, message, source.span));
    }
    Ok(Some((found, collected)))
}

/// The values of a row, and the row.
type RowValues = (usize, Vec<String>);

/// The fields that were found, and where.
#[derive(Default)]
struct Found {
    names: Vec<String>,
    positions: HashMap<String, usize>,
    /// Which of the names have several values in some row.
    many: Vec<bool>,
    /// For each batch and name the rows that have values.
    cells: Vec<Vec<Vec<RowValues>>>,
    cut: bool,
}

impl Found {
    fn read(&mut self, texts: &ArrayRef, read: &(dyn Fn(&str) -> Fields + Send + Sync)) {
        let mut cells: Vec<Vec<RowValues>> = Vec::new();
        for row in 0..texts.len() {
            let value = Value::read(texts.as_ref(), row);
            for text in value.texts() {
                for (name, values) in read(&text) {
                    let Some(position) = self.position(&name) else { continue };
                    if cells.len() <= position {
                        cells.resize_with(position.saturating_add(1), Vec::new);
                    }
                    let Some(cell) = cells.get_mut(position) else { continue };
                    match cell.last_mut() {
                        Some((last, present)) if *last == row => present.extend(values),
                        _ => cell.push((row, values)),
                    }
                    if let (Some((_, values)), Some(many)) = (cell.last(), self.many.get_mut(position)) {
                        *many |= values.len() > 1;
                    }
                }
            }
        }
        self.cells.push(cells);
    }

    fn position(&mut self, name: &str) -> Option<usize> {
        if let Some(position) = self.positions.get(name) {
            return Some(*position);
        }
        if name.is_empty() || is_hidden(name) {
            return None;
        }
        if self.names.len() >= MOST_COLUMNS {
            self.cut = true;
            return None;
        }
        let position = self.names.len();
        self.names.push(name.to_string());
        self.positions.insert(name.to_string(), position);
        self.many.push(false);
        Some(position)
    }

    /// Adds a column of that name for each field that was found; its name and type.
    fn add_columns(
        self,
        columns: Vec<String>,
        collected: Collected,
        frame: &mut Frame,
    ) -> PlanResult<Vec<(String, DataType)>> {
        let types: Vec<DataType> =
            self.many.iter().map(|many| if *many { many_type() } else { DataType::Utf8 }).collect();
        let mut fields: Vec<Arc<Field>> = collected.schema.fields().iter().cloned().collect();
        for (name, data_type) in columns.iter().zip(&types) {
            fields.push(Arc::new(Field::new(name, data_type.clone(), true)));
        }
        let schema = Arc::new(Schema::new(fields));
        let mut batches = Vec::with_capacity(collected.batches.len());
        for (batch, mut cells) in collected.batches.into_iter().zip(self.cells) {
            cells.resize_with(columns.len(), Vec::new);
            let mut arrays = batch.columns().to_vec();
            for (cell, data_type) in cells.into_iter().zip(&types) {
                arrays.push(array(cell, data_type, batch.num_rows()));
            }
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options);
            batches.push(batch.map_err(DataFusionError::from)?);
        }
        Collected { schema, batches }.resume(frame)?;
        Ok(columns.into_iter().zip(types).collect())
    }

    fn add_to(self, collected: Collected, frame: &mut Frame, existing: Existing, span: Span) -> PlanResult<()> {
        let names = self.names.clone();
        let before: Vec<Option<DataType>> = names.iter().map(|name| frame.data_type(name)).collect();
        let columns: Vec<String> = names
            .iter()
            .zip(&before)
            .map(|(name, before)| if before.is_some() || name == "_time" { frame.hidden_name() } else { name.clone() })
            .collect();
        let columns = self.add_columns(columns, collected, frame)?;
        let mut assignments = Vec::new();
        for ((name, (column_name, data_type)), before) in names.iter().zip(columns).zip(before) {
            if *name == column_name {
                continue;
            }
            let new = Typed::new(column(&column_name), Kind::of(&data_type), span);
            let new = if name == "_time" {
                Typed::new(operators::to_time(operators::to_number(new.expr)), Kind::Time, span)
            } else {
                new
            };
            let value = match before {
                None => new,
                Some(before) => {
                    let before = Typed::new(column(name), Kind::of(&before), span);
                    merged(frame, new, before, existing)
                }
            };
            assignments.push((name.clone(), value.expr));
        }
        frame.set(assignments)?;
        Ok(())
    }
}

/// A new value and the one from before.
pub fn merged(frame: &Frame, new: Typed, before: Typed, existing: Existing) -> Typed {
    let (first, second) = match existing {
        Existing::Replaced => (new, before),
        Existing::Kept => (before, new),
        Existing::Extended => return multivalue::append(vec![before.text(), new.text()], new.span),
    };
    let span = first.span;
    ExpressionPlanner::new(frame).choice(vec![(first.expr.clone().is_not_null(), first)], Some(second), span)
}

fn array(cell: Vec<(usize, Vec<String>)>, data_type: &DataType, rows: usize) -> ArrayRef {
    if cell.is_empty() {
        return new_null_array(data_type, rows);
    }
    let mut cell = cell.into_iter().peekable();
    let values = (0..rows).map(|row| match cell.next_if(|(found, _)| *found == row) {
        Some((_, values)) => Value::Many(values.into_iter().map(Into::into).collect()),
        None => Value::Null,
    });
    if *data_type == DataType::Utf8 {
        let single = values.map(|value| match value {
            Value::Many(mut values) => values.pop().map_or(Value::Null, Value::Text),
            other => other,
        });
        return build(Returns::Text, single, rows);
    }
    build(Returns::Many, values, rows)
}

/// Runs the plan so far and goes on with its rows, which are given too; `None` without data, and then with none.
pub async fn materialise(planner: &Planner<'_>, frame: &mut Frame) -> PlanResult<Option<Vec<RecordBatch>>> {
    let Some(runner) = planner.runner else {
        // No rows of the same columns: a plan that stood in its own place twice would double at every barrier.
        let schema = Arc::clone(frame.plan().schema().inner());
        Collected { schema, batches: Vec::new() }.resume(frame)?;
        return Ok(None);
    };
    let (schema, batches) = runner.collect(frame.plan().clone()).await?;
    Collected { schema, batches: batches.clone() }.resume(frame)?;
    Ok(Some(batches))
}

/// `eval prefix_{field}=value`: sets, row by row, the field whose name the row's values complete.
pub async fn assign_by_row(planner: &Planner<'_>, frame: &mut Frame, target: &Target, value: Expr) -> PlanResult<()> {
    let expressions = ExpressionPlanner::new(frame);
    let mut name: Option<Expr> = None;
    for part in &target.parts {
        let piece = match part {
            TargetPart::Text(text) => lit(text.clone()),
            TargetPart::FieldValue(field) => expressions.field(field, target.span).text(),
        };
        name = Some(name.map_or(piece.clone(), |before| operators::concatenate(before, piece)));
    }
    match name {
        Some(name) => assign_under(planner, frame, name, value, target.span).await,
        None => Ok(()),
    }
}

/// Sets, row by row, the field of the name that an expression gives.
///
/// # Errors
/// DataFusion's own, or a name that cannot be one.
pub async fn assign_under(
    planner: &Planner<'_>,
    frame: &mut Frame,
    name: Expr,
    value: Expr,
    span: Span,
) -> PlanResult<()> {
    let (name_column, value_column) = (frame.hidden_name(), frame.hidden_name());
    frame.set(vec![(name_column.clone(), name), (value_column.clone(), value)])?;
    let Some(collected) = collect(planner, frame).await? else { return Ok(()) };
    let mut names = BTreeSet::new();
    for batch in &collected.batches {
        if let Some(values) = batch.column_by_name(&name_column) {
            names.extend((0..batch.num_rows()).filter_map(|row| text_at(values.as_ref(), row).map(String::from)));
        }
    }
    if let Some(name) = names.iter().find(|name| name.contains('{') && name.contains('}')) {
        return Err(Diagnostic::error(
            Code::InvalidArgument,
            format!("the field name {name:?} would need another replacement; recursive names are not allowed"),
            span,
        )
        .into());
    }
    let kind = kind_of(&collected.schema, &value_column);
    collected.resume(frame)?;
    let value = Typed::new(column(&value_column), kind, span);
    let mut assignments = Vec::new();
    for name in names {
        let chosen = column(&name_column).eq(lit(name.clone()));
        let before =
            frame.data_type(&name).map_or_else(|| Typed::null(span), |t| Typed::new(column(&name), Kind::of(&t), span));
        let choice = ExpressionPlanner::new(frame).choice(vec![(chosen, value.clone())], Some(before), span);
        assignments.push((name, choice.expr));
    }
    frame.set(assignments)?;
    Ok(())
}

fn kind_of(schema: &SchemaRef, name: &str) -> Kind {
    schema.field_with_name(name).map_or(Kind::Text, |field| Kind::of(field.data_type()))
}
