//! The rows of finished transactions.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, SchemaRef, TimestampMicrosecondType};
use datafusion::common::Result;

use super::pool::Transaction;
use super::rows::{Place, Rows};
use super::{CLOSED, DURATION, EVENT_COUNT, LINES, MATCHES, ORPHAN, Rendering, Specification};
use crate::values::{Value, text_at};

/// Collects rows of the result.
pub struct Renderer {
    specification: Arc<Specification>,
    schema: SchemaRef,
    /// For each column made of the events: what is made of which column of their rows.
    columns: Vec<(Rendering, Builder)>,
    computed: Vec<(String, Builder)>,
    /// Where `_raw` is among the columns of the rows.
    raw: Option<usize>,
    rows: usize,
    bytes: usize,
}

enum Builder {
    Integer(Int64Builder),
    Number(Float64Builder),
    Time(TimestampMicrosecondBuilder),
    Text(StringBuilder),
    Many(ListBuilder<StringBuilder>),
}

impl Builder {
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            DataType::Float64 => Self::Number(Float64Builder::new()),
            DataType::Timestamp(..) => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            DataType::List(_) => {
                let item = Field::new_list_field(DataType::Utf8, true);
                Self::Many(ListBuilder::new(StringBuilder::new()).with_field(item))
            }
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Many(builder) => Arc::new(builder.finish()),
        }
    }

    /// Appends the value in a row of a column, and gives its size.
    fn append(&mut self, cell: Option<(&dyn Array, usize)>) -> usize {
        let cell = cell.filter(|(column, row)| column.is_valid(*row));
        match self {
            Self::Integer(builder) => {
                let column = cell.and_then(|(column, row)| Some((column.as_primitive_opt::<Int64Type>()?, row)));
                builder.append_option(column.map(|(column, row)| column.value(row)));
            }
            Self::Number(builder) => {
                let column = cell.and_then(|(column, row)| Some((column.as_primitive_opt::<Float64Type>()?, row)));
                builder.append_option(column.map(|(column, row)| column.value(row)));
            }
            Self::Time(builder) => {
                let column =
                    cell.and_then(|(column, row)| Some((column.as_primitive_opt::<TimestampMicrosecondType>()?, row)));
                builder.append_option(column.map(|(column, row)| column.value(row)));
            }
            Self::Text(builder) => {
                let text = cell.and_then(|(column, row)| text_at(column, row));
                builder.append_option(text.as_deref());
                return text.map_or(0, |text| text.len());
            }
            Self::Many(builder) => {
                let texts = cell.map(|(column, row)| texts(column, row)).unwrap_or_default();
                return append_many(builder, &texts);
            }
        }
        0
    }
}

/// Appends values, or null where there are none.
fn append_many(builder: &mut ListBuilder<StringBuilder>, texts: &[Cow<'_, str>]) -> usize {
    for text in texts {
        builder.values().append_value(text);
    }
    builder.append(!texts.is_empty());
    texts.iter().map(|text| text.len()).fold(0, usize::saturating_add)
}

/// The values in a row of a column.
fn texts(column: &dyn Array, row: usize) -> Vec<Cow<'_, str>> {
    match Value::read(column, row) {
        Value::Null => Vec::new(),
        Value::Text(text) => vec![text],
        Value::Many(texts) => texts,
        other => other.text().map(|text| Cow::Owned(text.into_owned())).into_iter().collect(),
    }
}

/// What a row of the result is made of.
enum Source<'t> {
    Transaction(&'t Transaction, bool),
    Orphan(u64),
}

impl Renderer {
    /// Rows with the columns of that schema. The columns of the events' rows come in the same order.
    pub fn new(specification: Arc<Specification>, schema: SchemaRef) -> Self {
        let (mut columns, mut computed, mut raw) = (Vec::new(), Vec::new(), None);
        for field in schema.fields() {
            let builder = Builder::new(field.data_type());
            match specification.columns.iter().find(|(name, _)| name == field.name()) {
                Some((_, rendering)) => {
                    if field.name() == "_raw" {
                        raw = Some(columns.len());
                    }
                    columns.push((*rendering, builder));
                }
                None => computed.push((field.name().clone(), builder)),
            }
        }
        Self { specification, schema, columns, computed, raw, rows: 0, bytes: 0 }
    }

    /// The names of the columns that the events' rows need, in order.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().take(self.columns.len()).map(|field| field.name().as_str())
    }

    /// How many rows there are, and about how much memory they take.
    pub fn size(&self) -> (usize, usize) {
        (self.rows, self.bytes)
    }

    /// The row of a transaction.
    pub fn transaction(&mut self, transaction: &Transaction, closed: bool, rows: &Rows) {
        self.row(&transaction.events, &Source::Transaction(transaction, closed), rows);
    }

    /// The row of an event that belongs to none.
    pub fn orphan(&mut self, number: u64, place: Place, rows: &Rows) {
        self.row(&[place], &Source::Orphan(number), rows);
    }

    fn row(&mut self, events: &[Place], source: &Source<'_>, rows: &Rows) {
        let mut bytes: usize = 64;
        for (position, (rendering, builder)) in self.columns.iter_mut().enumerate() {
            let more = column(*rendering, builder, &self.specification.gap, events, position, rows);
            bytes = bytes.saturating_add(more);
        }
        let lines = if self.specification.lines { lines(events, self.raw, rows) } else { 0 };
        for (name, builder) in &mut self.computed {
            match builder {
                Builder::Integer(builder) => builder.append_option(integer(name, source, lines)),
                Builder::Number(builder) => builder.append_option(match source {
                    Source::Transaction(t, _) if name == DURATION => {
                        Some(t.latest.saturating_sub(t.earliest) as f64 / 1e6)
                    }
                    _ => None,
                }),
                other => {
                    other.append(None);
                }
            }
        }
        self.rows = self.rows.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// The rows so far.
    pub fn batch(&mut self) -> Result<RecordBatch> {
        (self.rows, self.bytes) = (0, 0);
        let columns = self.columns.iter_mut().map(|(_, builder)| builder);
        let arrays = columns.chain(self.computed.iter_mut().map(|(_, builder)| builder)).map(Builder::finish).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }
}

fn integer(name: &str, source: &Source<'_>, lines: usize) -> Option<i64> {
    match source {
        Source::Transaction(transaction, closed) => match name {
            CLOSED => Some(i64::from(*closed)),
            EVENT_COUNT => i64::try_from(transaction.events.len()).ok(),
            MATCHES => i64::try_from(transaction.matches).ok(),
            LINES => i64::try_from(lines).ok(),
            ORPHAN => None,
            _ => i64::try_from(transaction.number).ok(),
        },
        Source::Orphan(number) => match name {
            ORPHAN => Some(1),
            CLOSED | EVENT_COUNT | MATCHES | LINES => None,
            _ => i64::try_from(*number).ok(),
        },
    }
}

/// How many lines the events have; one without text counts as one.
fn lines(events: &[Place], raw: Option<usize>, rows: &Rows) -> usize {
    let lines = events.iter().map(|place| {
        let cell = raw.and_then(|raw| rows.cell(*place, raw));
        let text = cell.and_then(|(column, row)| text_at(column, row).map(|text| text.lines().count()));
        text.unwrap_or(1).max(1)
    });
    lines.fold(0, usize::saturating_add)
}

/// Appends what a column makes of events, the newest of which comes first. Gives its size.
fn column(
    rendering: Rendering,
    builder: &mut Builder,
    gap: &str,
    events: &[Place],
    position: usize,
    rows: &Rows,
) -> usize {
    let oldest_first = || events.iter().rev().filter_map(|place| rows.cell(*place, position));
    match (rendering, builder) {
        (Rendering::Time | Rendering::Earliest, builder) => builder.append(oldest_first().next()),
        (Rendering::Agreed, builder) => builder.append(
            oldest_first().find(|(column, row)| *column.data_type() != DataType::Null && column.is_valid(*row)),
        ),
        (Rendering::Lines, Builder::Text(builder)) => {
            let mut found: Option<String> = None;
            for (column, row) in oldest_first() {
                if let Some(text) = text_at(column, row) {
                    let joined = found.get_or_insert_default();
                    if !joined.is_empty() {
                        joined.push('\n');
                    }
                    joined.push_str(&text);
                }
            }
            builder.append_option(found.as_deref());
            found.map_or(0, |text| text.len())
        }
        (Rendering::Listed, Builder::Many(builder)) => {
            let values: Vec<Vec<Cow<'_, str>>> = oldest_first().map(|(column, row)| texts(column, row)).collect();
            let mut listed = Vec::with_capacity(values.len());
            // A field that no event has is missing.
            if values.iter().any(|texts| !texts.is_empty()) {
                for texts in values {
                    match texts.is_empty() {
                        true => listed.push(Cow::Borrowed(gap)),
                        false => listed.extend(texts),
                    }
                }
            }
            append_many(builder, &listed)
        }
        (Rendering::Distinct | Rendering::Present, Builder::Many(builder)) => {
            let mut found: Vec<Cow<'_, str>> = oldest_first().flat_map(|(column, row)| texts(column, row)).collect();
            if rendering == Rendering::Distinct {
                found.sort_unstable();
                found.dedup();
            }
            append_many(builder, &found)
        }
        (_, builder) => builder.append(None),
    }
}
