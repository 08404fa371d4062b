//! Tables that rows are matched with: files, and those that the query itself defines (`defineTable`).

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array, new_empty_array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::rows::Rows;
use crate::functions::lookup::Outputs;
use crate::lookups::definition::{Definition, MatchType};
use crate::lookups::matcher::Matcher;
use crate::lookups::table::Table;
use crate::plan::expression::{Kind, Typed};
use crate::plan::frame::Frame;
use crate::plan::{PlanResult, Planner, lookup, suggest};

/// The tables that a query defines, by name; `None` where there is no data to fill them.
pub type Tables = Arc<HashMap<String, Option<Arc<Table>>>>;

/// A table that a call names.
pub struct Named {
    /// Its name.
    pub name: Spanned<String>,
    /// Its rows; `None` where it is assumed to exist.
    pub table: Option<Arc<Table>>,
    /// Whether it is a file, in which a cell that holds nothing is an empty text.
    pub file: bool,
}

impl Named {
    /// The table of that name: one that the query defines, or else a file.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(frame: &Frame, name: Spanned<String>) -> Result<Self, Diagnostic> {
        if let Some(table) = frame.setting.tables.get(&name.node) {
            return Ok(Self { table: table.clone(), name, file: false });
        }
        let Some(lookups) = &frame.setting.lookups else {
            frame.note(lookup::assumed(name.span));
            return Ok(Self { table: None, name, file: true });
        };
        // A package's name stands before that of the file: `falcon/helper/mappings.csv`.
        let plain = name.node.rsplit('/').next().unwrap_or_default();
        let known = |name: &str| lookups.open(name).is_ok();
        let wanted = if !known(&name.node) && known(plain) { plain } else { name.node.as_str() };
        let opened = lookup::open(lookups, frame, wanted, name.span).map_err(|error| {
            let defined = suggest::nearest(&name.node, frame.setting.tables.keys().map(String::as_str));
            match defined {
                Some(near) => error.with_help(format!("did you mean the table {near:?}?")),
                None => error,
            }
        })?;
        Ok(Self { table: Some(opened.table), name, file: true })
    }

    /// The position of a column.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn position(&self, table: &Table, column: &Spanned<String>) -> Result<usize, Diagnostic> {
        lookup::position(table, &self.name.node, &column.node, column.span)
    }
}

/// How the cells of a table are compared with values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// As texts, as patterns or as networks.
    pub mode: MatchType,
    /// Whether letter case does not count.
    pub any_case: bool,
}

/// What a row finds in a table.
pub struct Found {
    /// Whether it finds a row.
    pub there: Expr,
    /// The columns that were asked for: null where nothing is found.
    pub values: Vec<Typed>,
}

/// Looks each row up: of several rows that agree the last one, of networks the narrowest.
///
/// # Errors
/// A column that is not there, or a table that cannot be indexed.
pub fn find(
    rows: &Rows<'_>,
    table: &Named,
    fields: &[Spanned<String>],
    columns: &[Spanned<String>],
    wanted: &[Spanned<String>],
    manner: Manner,
) -> Result<Found, Diagnostic> {
    let span = table.name.span;
    if fields.len() != columns.len() {
        let message = format!("{} fields are matched with {} columns", fields.len(), columns.len());
        return Err(Diagnostic::error(Code::InvalidArgument, message, span));
    }
    let keys: Vec<Typed> = fields.iter().map(|field| rows.field(&field.node, field.span)).collect();
    let unknown =
        |name: &Spanned<String>| Typed::new(lit(datafusion::common::ScalarValue::Utf8(None)), Kind::Text, name.span);
    let assumed = || Found { there: lit(true), values: wanted.iter().map(unknown).collect() };
    let Some(content) = &table.table else { return Ok(assumed()) };
    let position = |column| table.position(content, column);
    let key_columns = columns.iter().map(position).collect::<Result<Vec<_>, _>>()?;
    let outputs = wanted.iter().map(position).collect::<Result<Vec<_>, _>>()?;
    if rows.frame.setting.planning {
        return Ok(assumed());
    }
    let failed = |reason: String| {
        let message = format!("the table {:?} cannot be used: {reason}", table.name.node);
        Diagnostic::error(Code::InvalidArgument, message, span)
    };
    let ordered = in_order(content, &key_columns, manner.mode).map_err(|error| failed(error.to_string()))?;
    let mut definition = Definition::of_file(&table.name.node);
    definition.max_matches = 1;
    definition.case_sensitive = !manner.any_case;
    definition.match_types = columns.iter().map(|column| (column.node.clone(), manner.mode)).collect();
    let clock = &rows.frame.setting.clock;
    let matcher = Matcher::new(Arc::new(ordered), &definition, &key_columns, &clock.time_zone, clock.now);
    // The cell that agrees tells that there is one.
    let presence = key_columns.first().copied().into_iter();
    let asked: Vec<usize> = presence.chain(outputs).collect();
    let outputs = Outputs::new(matcher.map_err(failed)?, &asked, false);
    let texts: Vec<Expr> = keys.iter().map(super::filter::text_of).collect();
    let no_time = || lit(datafusion::common::ScalarValue::Float64(None));
    let of = |position: usize| outputs.output(position, &texts, no_time());
    let there = of(0).0.is_not_null();
    let values = wanted.iter().enumerate().map(|(position, name)| {
        let (value, kind) = of(position.saturating_add(1));
        Typed::new(value, kind, name.span)
    });
    Ok(Found { values: values.collect(), there })
}

/// The rows in the order in which they are looked at.
fn in_order(table: &Table, keys: &[usize], mode: MatchType) -> Result<Table, DataFusionError> {
    let rows = u32::try_from(table.rows).map_err(|_| DataFusionError::Execution("it has too many rows".into()))?;
    let mut order: Vec<u32> = (0..rows).rev().collect();
    if mode == MatchType::Cidr {
        let narrow = |row: &u32| {
            let lengths = keys.iter().flat_map(|column| table.texts(*column, *row as usize));
            let lengths = lengths.map(|text| prefix_length(&text));
            std::cmp::Reverse(lengths.fold(0_u32, u32::saturating_add))
        };
        order.sort_by_cached_key(narrow);
    }
    let order = UInt32Array::from(order);
    let mut columns = Vec::with_capacity(table.columns.len());
    for (name, values) in &table.columns {
        columns.push((name.clone(), take(values.as_ref(), &order, None)?));
    }
    Ok(Table { columns, rows: table.rows, problems: Vec::new() })
}

/// How many bits of an address a network fixes; an address alone fixes all.
fn prefix_length(text: &str) -> u32 {
    match text.rsplit_once('/') {
        Some((_, length)) => length.trim().parse().unwrap_or(0),
        None if text.contains(':') => 128,
        None => 32,
    }
}

/// The rows of a frame as a table of texts; `None` without data.
///
/// # Errors
/// DataFusion's own.
pub async fn of_frame(planner: &Planner<'_>, mut frame: Frame) -> PlanResult<Option<Arc<Table>>> {
    let Some(runner) = planner.runner else { return Ok(None) };
    let names = frame.fields();
    let texts = names.iter().map(|name| {
        let value = Rows::of(&frame).field(name, Span::default());
        let text = if value.kind == Kind::Many { value.expr } else { super::filter::text_of(&value) };
        (name.clone(), text)
    });
    let texts: Vec<(String, Expr)> = texts.collect();
    frame.set(texts)?;
    frame.events = false;
    let (schema, batches) = runner.collect(frame.finish()?).await?;
    let mut columns = Vec::new();
    for (position, field) in schema.fields().iter().enumerate() {
        columns.push((field.name().clone(), column_of(&batches, position, field.data_type())?));
    }
    let bytes = columns.iter().map(|(_, values): &(String, ArrayRef)| values.get_array_memory_size());
    runner.hold(bytes.fold(0, usize::saturating_add))?;
    let rows = batches.iter().map(RecordBatch::num_rows).fold(0, usize::saturating_add);
    Ok(Some(Arc::new(Table { columns, rows, problems: Vec::new() })))
}

fn column_of(batches: &[RecordBatch], position: usize, data_type: &DataType) -> Result<ArrayRef, DataFusionError> {
    let several = matches!(data_type, DataType::List(_));
    let wanted = if several { data_type } else { &DataType::Utf8 };
    let mut parts = Vec::with_capacity(batches.len());
    for values in batches.iter().filter_map(|batch| batch.columns().get(position)) {
        parts.push(if several { Arc::clone(values) } else { cast(values, wanted)? });
    }
    let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
    Ok(if parts.is_empty() { new_empty_array(wanted) } else { concat(&parts)? })
}
