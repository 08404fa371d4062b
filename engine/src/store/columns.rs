//! Blocks into a [`Store`]: gathers the pieces of every shape into batches, then gives each field its type.

use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use hashbrown::{HashMap, HashSet};

use super::builder::{Block, Kind, MAX_BYTES, MAX_FIELDS, MAX_ROWS, NO_TIME, Noted, Piece, ShapeKey, TextColumn, join};
use super::skeleton::{GAPS, SKELETON};
use super::{Shape, Store};
use crate::error::Error;

/// No store has more fields.
pub(crate) const MAX_STORE_FIELDS: usize = 4 * MAX_FIELDS;

/// Fields that are text even where every value looks like a number.
const ALWAYS_TEXT: [&str; 8] = ["_raw", SKELETON, GAPS, "_file", "source", "sourcetype", "index", "host"];

/// Gathers blocks in reading order.
#[derive(Debug, Default)]
pub(crate) struct StoreBuilder {
    hasher: RandomState,
    shapes: Vec<OpenShape>,
    by_key: HashMap<Arc<ShapeKey>, usize, RandomState>,
    fields: Vec<(Arc<str>, Kind)>,
    by_name: HashMap<Arc<str>, usize, RandomState>,
    /// Of events that were left out.
    noted: Noted,
    /// Fields that stay though no column may have them.
    seen: HashSet<Arc<str>, RandomState>,
}

#[derive(Debug)]
struct OpenShape {
    key: Arc<ShapeKey>,
    pending: Vec<Piece>,
    pending_rows: usize,
    pending_bytes: usize,
    full: Vec<Piece>,
    fields: HashSet<Arc<str>, RandomState>,
}

impl StoreBuilder {
    /// Adds the block that comes next in reading order. `base` is added to its serials. Says how many columns
    /// were dropped because the store has too many fields.
    pub(crate) fn add(&mut self, block: Block, base: i64) -> usize {
        let mut dropped = 0_usize;
        self.note(block.noted);
        for name in block.names {
            let next = self.fields.len();
            if next >= MAX_STORE_FIELDS && !self.by_name.contains_key(&name) {
                continue;
            }
            let at = *self.by_name.entry(Arc::clone(&name)).or_insert(next);
            if at == next {
                self.fields.push((name, Kind::EMPTY));
            }
        }
        for mut piece in block.pieces {
            for serial in &mut piece.serials {
                *serial = serial.saturating_add(base);
            }
            let next = self.shapes.len();
            let at = *self.by_key.entry(Arc::clone(&piece.shape)).or_insert(next);
            if at == next {
                self.shapes.push(OpenShape::new(Arc::clone(&piece.shape)));
            }
            let Some(shape) = self.shapes.get_mut(at) else { continue };
            let before = piece.columns.len();
            piece.columns.retain(|(name, _)| {
                if shape.fields.contains(name) {
                    return true;
                }
                let has_room = shape.fields.len() < MAX_FIELDS && self.by_name.contains_key(name);
                has_room && shape.fields.insert(Arc::clone(name))
            });
            dropped = dropped.saturating_add(before.saturating_sub(piece.columns.len()));
            for (name, column) in &piece.columns {
                if let Some(&at) = self.by_name.get(name)
                    && let Some((_, kind)) = self.fields.get_mut(at)
                {
                    *kind = kind.and(column.kind());
                }
            }
            shape.add(&self.hasher, piece);
        }
        dropped
    }

    /// Takes over what is known of events that were left out.
    fn note(&mut self, noted: Noted) {
        self.noted.events = self.noted.events.saturating_add(noted.events);
        for (name, values) in noted.metadata {
            self.noted.metadata.entry(name).or_default().extend(values);
        }
        for (name, kind) in noted.fields {
            let next = self.fields.len();
            if next >= MAX_STORE_FIELDS && !self.by_name.contains_key(&name) {
                continue;
            }
            let at = *self.by_name.entry(Arc::clone(&name)).or_insert(next);
            match self.fields.get_mut(at) {
                Some((_, known)) => *known = known.and(kind),
                None => self.fields.push((Arc::clone(&name), kind)),
            }
            self.seen.insert(name);
        }
    }

    /// The store; each piece is dropped as soon as its batch is made.
    pub(crate) fn finish(mut self) -> Result<Store, Error> {
        // Fields of which no column was kept.
        let mut kept: HashSet<Arc<str>, RandomState> =
            self.shapes.iter().flat_map(|shape| shape.fields.iter().cloned()).collect();
        kept.extend(self.seen.drain());
        self.fields.retain(|(name, _)| kept.contains(name));
        self.by_name = self.fields.iter().enumerate().map(|(at, (name, _))| (Arc::clone(name), at)).collect();
        let mut fields = vec![time_field(), serial_field()];
        let types: Vec<DataType> = self.fields.iter().map(|(name, kind)| data_type(name, *kind)).collect();
        fields.extend(
            self.fields
                .iter()
                .zip(&types)
                .map(|((name, _), data_type)| Arc::new(Field::new(name.as_ref(), data_type.clone(), true))),
        );
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let mut shapes = Vec::with_capacity(self.shapes.len());
        for mut shape in std::mem::take(&mut self.shapes) {
            shape.flush(&self.hasher);
            shapes.push(self.finish_shape(shape, &schema).map_err(|error| Error::Run(error.to_string()))?);
        }
        let noted = std::mem::take(&mut self.noted);
        Ok(Store { shapes, noted, ..Store::empty(schema) })
    }

    fn finish_shape(&self, shape: OpenShape, store: &SchemaRef) -> Result<Shape, ArrowError> {
        let mut present = vec![false; self.fields.len()];
        for (name, _) in shape.full.iter().flat_map(|piece| &piece.columns) {
            if let Some(seen) = self.by_name.get(name).and_then(|&at| present.get_mut(at)) {
                *seen = true;
            }
        }
        // `_time` and `_serial` come first in every schema.
        let mut projection = vec![0, 1];
        projection.extend(present.iter().enumerate().filter(|(_, seen)| **seen).map(|(at, _)| at.saturating_add(2)));
        let schema: SchemaRef = Arc::new(store.project(&projection)?);
        let mut batches = Vec::with_capacity(shape.full.len());
        // One column of nulls a type serves all batches.
        let mut nulls: HashMap<DataType, ArrayRef, RandomState> = HashMap::with_hasher(self.hasher.clone());
        for piece in shape.full {
            batches.push(batch(piece, &schema, &mut nulls)?);
        }
        Ok(Shape { name: shape.key.name(), schema, batches })
    }
}

impl ShapeKey {
    fn name(&self) -> String {
        [self.source.as_str(), self.code.as_str()].join(" ").trim().to_owned()
    }
}

impl OpenShape {
    fn new(key: Arc<ShapeKey>) -> Self {
        OpenShape {
            key,
            pending: Vec::new(),
            pending_rows: 0,
            pending_bytes: 0,
            full: Vec::new(),
            fields: HashSet::default(),
        }
    }

    fn add(&mut self, hasher: &RandomState, piece: Piece) {
        let rows = self.pending_rows.saturating_add(piece.rows());
        let bytes = self.pending_bytes.saturating_add(piece.widest());
        if rows > MAX_ROWS || bytes > MAX_BYTES {
            self.flush(hasher);
        }
        self.pending_rows = self.pending_rows.saturating_add(piece.rows());
        self.pending_bytes = self.pending_bytes.saturating_add(piece.widest());
        self.pending.push(piece);
    }

    fn flush(&mut self, hasher: &RandomState) {
        self.full.extend(join(hasher, std::mem::take(&mut self.pending)));
        self.pending_rows = 0;
        self.pending_bytes = 0;
    }
}

pub(super) fn time_field() -> Arc<Field> {
    Arc::new(Field::new("_time", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true))
}

pub(super) fn serial_field() -> Arc<Field> {
    Arc::new(Field::new("_serial", DataType::Int64, false))
}

/// The type of a field whose values have this in common.
pub(super) fn data_type(name: &str, kind: Kind) -> DataType {
    let text = ALWAYS_TEXT.contains(&name);
    if kind.multi {
        DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
    } else if kind.int && !text {
        DataType::Int64
    } else if kind.float && !text {
        DataType::Float64
    } else {
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
    }
}

/// The events of a piece in the columns of a schema.
pub(super) fn batch(
    piece: Piece,
    schema: &SchemaRef,
    null_columns: &mut HashMap<DataType, ArrayRef, RandomState>,
) -> Result<RecordBatch, ArrowError> {
    let rows = piece.rows();
    let times = TimestampMicrosecondArray::new(
        ScalarBuffer::from_iter(piece.times.iter().map(|&time| if time == NO_TIME { 0 } else { time })),
        nulls(&piece.times, |&time| time != NO_TIME),
    );
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    arrays.push(Arc::new(times.with_timezone("UTC")));
    arrays.push(Arc::new(Int64Array::new(piece.serials.into(), None)));
    let mut columns: HashMap<Arc<str>, TextColumn, RandomState> = piece.columns.into_iter().collect();
    for field in schema.fields().iter().skip(2) {
        arrays.push(match columns.remove(field.name().as_str()) {
            Some(column) => array(column, rows, field.data_type())?,
            None => null_columns
                .entry(field.data_type().clone())
                .or_insert_with(|| new_null_array(field.data_type(), MAX_ROWS.max(rows)))
                .slice(0, rows),
        });
    }
    RecordBatch::try_new(Arc::clone(schema), arrays)
}

fn nulls<T>(values: &[T], is_valid: impl Fn(&T) -> bool) -> Option<NullBuffer> {
    let nulls: NullBuffer = values.iter().map(is_valid).collect();
    (nulls.null_count() > 0).then_some(nulls)
}

fn array(mut column: TextColumn, rows: usize, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.first > 0 {
        let mut keys = Vec::with_capacity(rows);
        keys.resize(column.first, -1);
        keys.append(&mut column.keys);
        column.keys = keys;
        column.first = 0;
    }
    column.keys.resize(rows, -1);
    match data_type {
        DataType::Int64 => Ok(Arc::new(column.numbers::<i64>().collect::<Int64Array>())),
        DataType::Float64 => Ok(Arc::new(column.numbers::<f64>().collect::<Float64Array>())),
        DataType::List(_) => Ok(column.lists()),
        _ => column.dictionary(),
    }
}

impl TextColumn {
    fn numbers<N: std::str::FromStr + Copy>(&self) -> impl Iterator<Item = Option<N>> {
        let distinct = i32::try_from(self.distinct()).unwrap_or(i32::MAX);
        let parsed: Vec<Option<N>> = (0..distinct).map(|key| self.value(key)?.parse().ok()).collect();
        self.keys.iter().map(move |&key| *parsed.get(usize::try_from(key).ok()?)?)
    }

    fn lists(&self) -> ArrayRef {
        let mut extra = self.extra.iter().peekable();
        let mut lists = ListBuilder::with_capacity(StringBuilder::new(), self.keys.len());
        for (row, &key) in self.keys.iter().enumerate() {
            let Some(value) = self.value(key) else {
                lists.append_null();
                continue;
            };
            lists.values().append_value(value);
            while let Some((_, key)) = extra.next_if(|(at, _)| *at as usize == row) {
                lists.values().append_option(self.value(*key));
            }
            lists.append(true);
        }
        Arc::new(lists.finish())
    }

    fn dictionary(self) -> Result<ArrayRef, ArrowError> {
        let is_null = nulls(&self.keys, |&key| key >= 0);
        let mut keys = self.keys;
        if is_null.is_some() {
            keys.iter_mut().for_each(|key| *key = (*key).max(0));
        }
        let offsets = if self.offsets.is_empty() { vec![0] } else { self.offsets };
        let values =
            StringArray::try_new(OffsetBuffer::new(offsets.into()), Buffer::from_vec(self.bytes.into_bytes()), None)?;
        // A dictionary without values has no position that a null key could name.
        if values.is_empty() {
            return Ok(new_null_array(
                &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
                keys.len(),
            ));
        }
        let keys = Int32Array::new(keys.into(), is_null);
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values))?))
    }
}
