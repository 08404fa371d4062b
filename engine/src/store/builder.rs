//! Events of one block of input, filled into columns while they are read.
//!
//! A block is a few megabytes of one file. Its events are sorted by shape right away, every field of a shape
//! is one [`TextColumn`], and a column holds each of its distinct values once. What the values are (numbers,
//! several in one event) is noted as they come, so that [`super::columns`] can choose the type of a field
//! without looking at the values again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ahash::RandomState;
use hashbrown::{HashMap, HashTable};
use serde::{Deserialize, Serialize};

use crate::ingest::Glimpse;

impl Block {
    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.pieces.iter().map(Piece::size).fold(0, usize::saturating_add)
    }
}

/// No batch has more rows.
pub(crate) const MAX_ROWS: usize = 8192;

/// No column of a piece holds more bytes of distinct values, because Arrow counts them in an `i32`.
pub(crate) const MAX_BYTES: usize = 1 << 30;

/// No shape has more fields: a log that uses identifiers as keys must not take all memory.
pub(crate) const MAX_FIELDS: usize = 4096;

/// The time of an event that has none.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// The number that a [`BlockBuilder`] gave to a field name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameId(u32);

/// What all values of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kind {
    /// Every value is a canonical integer.
    pub(crate) int: bool,
    /// Every value is a canonical integer or float.
    pub(crate) float: bool,
    /// An event has several values.
    pub(crate) multi: bool,
}

impl Kind {
    /// Of a column without values.
    pub(crate) const EMPTY: Kind = Kind { int: true, float: true, multi: false };

    pub(crate) fn note(&mut self, value: &str) {
        if self.int && !is_canonical_int(value) {
            self.int = false;
        }
        // An integer is a float too; only the first value that is neither pays for the parse.
        if self.float && !self.int && !is_canonical_int(value) && !is_canonical_float(value) {
            self.float = false;
        }
    }

    /// Of both columns together.
    pub(crate) fn and(self, other: Kind) -> Kind {
        Kind { int: self.int && other.int, float: self.float && other.float, multi: self.multi || other.multi }
    }
}

/// Whether printing the number that `text` stands for gives `text` again, and a float holds it exactly.
fn is_canonical_int(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => {
            rest.len() < 16
                && rest.iter().all(u8::is_ascii_digit)
                && digits.parse::<u64>().is_ok_and(|number| number < 1 << 53)
        }
        _ => false,
    }
}

fn is_canonical_float(text: &str) -> bool {
    // The longest shortest form without an exponent that a log may hold; anything longer is text.
    if text.len() > 32 || !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) || text == "-0" {
        return false;
    }
    // A great whole number is an identifier, which has to keep its digits whatever is done with it.
    if !text.contains('.') {
        return is_canonical_int(text);
    }
    text.parse::<f64>().is_ok_and(|number| number.is_finite() && number.to_string() == text)
}

/// One field of the events of one piece: each distinct value once, and a key per row.
#[derive(Debug, Default)]
pub(crate) struct TextColumn {
    /// The row of the first key; the rows before it are nulls, so that a field of few events costs little.
    pub(crate) first: usize,
    /// Per row the position of its first value, or -1. May end before the last row: the rest are nulls.
    pub(crate) keys: Vec<i32>,
    /// Where each distinct value ends in `bytes`, after a leading 0.
    pub(crate) offsets: Vec<i32>,
    pub(crate) bytes: String,
    /// The further values of rows that have several, by row.
    pub(crate) extra: Vec<(u32, i32)>,
    pub(crate) kind: Option<Kind>,
}

impl TextColumn {
    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let keys = self.keys.len().saturating_add(self.offsets.len()).saturating_mul(size_of::<i32>());
        keys.saturating_add(self.bytes.len()).saturating_add(self.extra.len().saturating_mul(8))
    }

    /// What the values have in common.
    pub(crate) fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::EMPTY)
    }

    /// How many distinct values there are.
    pub(crate) fn distinct(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The distinct value at a position.
    pub(crate) fn value(&self, key: i32) -> Option<&str> {
        let key = usize::try_from(key).ok()?;
        let start = usize::try_from(*self.offsets.get(key)?).ok()?;
        let end = usize::try_from(*self.offsets.get(key.checked_add(1)?)?).ok()?;
        self.bytes.get(start..end)
    }

    /// The position of the first value of a row.
    pub(crate) fn key_at(&self, row: usize) -> Option<i32> {
        self.keys.get(row.checked_sub(self.first)?).copied().filter(|key| *key >= 0)
    }

    /// The first value of a row.
    pub(crate) fn at(&self, row: usize) -> Option<&str> {
        self.value(self.key_at(row)?)
    }
}

/// A [`TextColumn`] that still looks its values up.
#[derive(Debug, Default)]
pub(crate) struct ColumnBuilder {
    column: TextColumn,
    table: HashTable<i32>,
}

impl ColumnBuilder {
    /// The position of a value, which is added if it is new; `None` if the column is full.
    fn key(&mut self, hasher: &RandomState, value: &str) -> Option<i32> {
        let column = &mut self.column;
        // Logs repeat themselves: the value of the last row is the best guess.
        if let Some(&last) = column.keys.last()
            && column.value(last) == Some(value)
        {
            return Some(last);
        }
        let hash = hasher.hash_one(value);
        if let Some(&key) = self.table.find(hash, |&key| column.value(key) == Some(value)) {
            return Some(key);
        }
        let end = column.bytes.len().checked_add(value.len()).filter(|&end| end <= MAX_BYTES)?;
        if column.offsets.is_empty() {
            column.offsets.push(0);
        }
        let key = i32::try_from(column.distinct()).ok()?;
        column.bytes.push_str(value);
        column.offsets.push(i32::try_from(end).ok()?);
        let mut kind = column.kind();
        kind.note(value);
        column.kind = Some(kind);
        self.table.insert_unique(hash, key, |&key| hasher.hash_one(column.value(key).unwrap_or_default()));
        Some(key)
    }

    /// Adds a value to a row that is the last one or comes after it; false if the column is full.
    pub(crate) fn push(&mut self, hasher: &RandomState, row: usize, value: &str) -> bool {
        let Some(key) = self.key(hasher, value) else { return false };
        self.push_key(row, key);
        true
    }

    /// The column without what values are looked up by.
    pub(crate) fn finish(self) -> TextColumn {
        self.column
    }

    fn push_key(&mut self, row: usize, key: i32) {
        let column = &mut self.column;
        if column.keys.is_empty() {
            column.first = row;
        }
        let position = row.saturating_sub(column.first);
        if column.keys.len() > position {
            if let Ok(row) = u32::try_from(row) {
                column.extra.push((row, key));
            }
            column.kind = Some(Kind { multi: true, ..column.kind() });
        } else {
            column.keys.resize(position, -1);
            column.keys.push(key);
        }
    }
}

/// The key of a shape.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ShapeKey {
    /// The source of its events.
    pub(crate) source: String,
    /// The event code of a Windows event, the sourcetype of another.
    pub(crate) code: String,
}

/// Rows of one shape.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) shape: Arc<ShapeKey>,
    /// Microseconds since 1970, or [`NO_TIME`].
    pub(crate) times: Vec<i64>,
    pub(crate) serials: Vec<i64>,
    pub(crate) columns: Vec<(Arc<str>, TextColumn)>,
}

impl Piece {
    pub(crate) fn rows(&self) -> usize {
        self.serials.len()
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let columns = self.columns.iter().map(|(_, column)| column.size());
        columns.fold(self.rows().saturating_mul(16), usize::saturating_add)
    }

    /// The most bytes of distinct values that any column holds.
    pub(crate) fn widest(&self) -> usize {
        self.columns.iter().map(|(_, column)| column.bytes.len()).max().unwrap_or(0)
    }
}

/// The events of a block, sorted by shape.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The field names in order of appearance.
    pub(crate) names: Vec<Arc<str>>,
    pub(crate) pieces: Vec<Piece>,
    /// How many values did not fit.
    pub(crate) overflown: u64,
    /// Whether the events are lines of plain text, whose text is all that they say.
    pub(crate) plain: bool,
    /// What was noted of all events, where some were left out.
    pub(crate) noted: Noted,
}

/// What a search learns from events that were left out because it cannot want them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted {
    /// How many there are.
    pub(crate) events: usize,
    /// The fields of these and of others.
    pub(crate) fields: Vec<(Arc<str>, Kind)>,
    /// Values of `index`, `source`, `sourcetype` and `host`.
    pub(crate) metadata: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug)]
struct OpenPiece {
    shape: Arc<ShapeKey>,
    times: Vec<i64>,
    serials: Vec<i64>,
    columns: Vec<(NameId, ColumnBuilder)>,
    /// Where a name's column is, by the name's number; `u32::MAX` if there is none.
    by_name: Vec<u32>,
}

/// Fills a [`Block`].
#[derive(Debug)]
pub(crate) struct BlockBuilder {
    hasher: RandomState,
    names: Vec<Arc<str>>,
    name_ids: HashMap<Arc<str>, NameId, RandomState>,
    appeared: Vec<NameId>,
    has_appeared: Vec<bool>,
    open: Vec<OpenPiece>,
    by_shape: HashMap<Arc<ShapeKey>, usize, RandomState>,
    current: usize,
    done: Vec<Piece>,
    overflown: u64,
}

impl BlockBuilder {
    pub(crate) fn new() -> Self {
        let hasher = RandomState::new();
        BlockBuilder {
            names: Vec::new(),
            name_ids: HashMap::with_hasher(hasher.clone()),
            appeared: Vec::new(),
            has_appeared: Vec::new(),
            open: Vec::new(),
            by_shape: HashMap::with_hasher(hasher.clone()),
            current: 0,
            done: Vec::new(),
            overflown: 0,
            hasher,
        }
    }

    /// The number of a field name.
    pub(crate) fn name(&mut self, name: &str) -> NameId {
        if let Some(&id) = self.name_ids.get(name) {
            return id;
        }
        let id = NameId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let name: Arc<str> = Arc::from(name);
        self.names.push(Arc::clone(&name));
        self.has_appeared.push(false);
        self.name_ids.insert(name, id);
        id
    }

    /// How many names there are; their numbers are lower.
    pub(crate) fn name_count(&self) -> usize {
        self.names.len()
    }

    /// Begins an event of a shape.
    pub(crate) fn begin(&mut self, source: &str, code: &str, time: i64, serial: i64) {
        let is_current = |open: &OpenPiece| open.shape.source == source && open.shape.code == code;
        if !self.open.get(self.current).is_some_and(is_current) {
            // Asking the map needs an owned key, so a change of shape costs two small allocations.
            let key = ShapeKey { source: source.to_owned(), code: code.to_owned() };
            self.current = match self.by_shape.get(&key) {
                Some(&at) => at,
                None => {
                    let shape = Arc::new(key);
                    self.by_shape.insert(Arc::clone(&shape), self.open.len());
                    self.open.push(OpenPiece::new(shape));
                    self.open.len().saturating_sub(1)
                }
            };
        }
        let Some(open) = self.open.get_mut(self.current) else { return };
        if open.serials.len() >= MAX_ROWS {
            let shape = Arc::clone(&open.shape);
            let full = std::mem::replace(open, OpenPiece::new(shape));
            self.done.push(full.finish(&self.names));
        }
        if let Some(open) = self.open.get_mut(self.current) {
            open.times.push(time);
            open.serials.push(serial);
        }
    }

    /// Adds a value of a field to the event begun last; a second value of the same field makes it multivalued.
    pub(crate) fn put(&mut self, name: NameId, value: &str) {
        let Some(open) = self.open.get_mut(self.current) else { return };
        let Some(row) = open.serials.len().checked_sub(1) else { return };
        let position = name.0 as usize;
        if open.by_name.len() <= position {
            open.by_name.resize(position.saturating_add(1), u32::MAX);
        }
        let Some(at) = open.by_name.get_mut(position) else { return };
        if *at == u32::MAX {
            if open.columns.len() >= MAX_FIELDS {
                self.overflown = self.overflown.saturating_add(1);
                return;
            }
            *at = u32::try_from(open.columns.len()).unwrap_or(u32::MAX);
            open.columns.push((name, ColumnBuilder::default()));
            if let Some(appeared) = self.has_appeared.get_mut(position)
                && !*appeared
            {
                *appeared = true;
                self.appeared.push(name);
            }
        }
        let Some((_, column)) = open.columns.get_mut(*at as usize) else { return };
        if !column.push(&self.hasher, row, value) {
            self.overflown = self.overflown.saturating_add(1);
        }
    }

    /// What was noted of events, with the names of their fields.
    pub(crate) fn noted(&self, glimpse: Glimpse, events: usize) -> Noted {
        let name = |id: NameId| self.names.get(id.position()).cloned();
        let fields = glimpse.kinds.into_iter().filter_map(|(id, kind)| Some((name(id)?, kind))).collect();
        let metadata = glimpse.metadata.into_iter().filter_map(|(id, values)| Some((name(id)?.to_string(), values)));
        Noted { events, fields, metadata: metadata.collect() }
    }

    pub(crate) fn finish(mut self) -> Block {
        for open in self.open.drain(..) {
            if !open.serials.is_empty() {
                self.done.push(open.finish(&self.names));
            }
        }
        let names = &self.names;
        let appeared = self.appeared.iter().filter_map(|id| names.get(id.0 as usize).cloned()).collect();
        Block { names: appeared, pieces: self.done, overflown: self.overflown, plain: false, noted: Noted::default() }
    }
}

impl NameId {
    /// For tables that are kept beside a [`BlockBuilder`].
    pub(crate) fn position(self) -> usize {
        self.0 as usize
    }
}

impl OpenPiece {
    fn new(shape: Arc<ShapeKey>) -> Self {
        OpenPiece { shape, times: Vec::new(), serials: Vec::new(), columns: Vec::new(), by_name: Vec::new() }
    }

    fn finish(self, names: &[Arc<str>]) -> Piece {
        let columns = self
            .columns
            .into_iter()
            .filter_map(|(id, builder)| Some((Arc::clone(names.get(id.0 as usize)?), builder.column)))
            .collect();
        Piece { shape: self.shape, times: self.times, serials: self.serials, columns }
    }
}

/// Joins pieces of one shape, so that a batch has one dictionary a column.
pub(crate) fn join(hasher: &RandomState, pieces: Vec<Piece>) -> Option<Piece> {
    let mut pieces = pieces.into_iter();
    let first = pieces.next()?;
    if pieces.len() == 0 {
        return Some(first.shrunk());
    }
    let shape = Arc::clone(&first.shape);
    let mut joined = Piece { shape, times: Vec::new(), serials: Vec::new(), columns: Vec::new() };
    let mut by_name: HashMap<Arc<str>, usize, RandomState> = HashMap::with_hasher(hasher.clone());
    let mut columns: Vec<(Arc<str>, ColumnBuilder)> = Vec::with_capacity(joined.columns.len());
    for piece in std::iter::once(first).chain(pieces) {
        let base = joined.rows();
        joined.times.extend_from_slice(&piece.times);
        joined.serials.extend_from_slice(&piece.serials);
        for (name, column) in piece.columns {
            let at = *by_name.entry(Arc::clone(&name)).or_insert_with(|| {
                columns.push((name, ColumnBuilder::default()));
                columns.len().saturating_sub(1)
            });
            if let Some((_, builder)) = columns.get_mut(at) {
                builder.append(hasher, base, column);
            }
        }
    }
    joined.columns = columns.into_iter().map(|(name, builder)| (name, builder.column)).collect();
    Some(joined.shrunk())
}

impl ColumnBuilder {
    fn append(&mut self, hasher: &RandomState, base: usize, column: TextColumn) {
        let distinct = i32::try_from(column.distinct()).unwrap_or(i32::MAX);
        let keys: Vec<i32> = (0..distinct)
            .map(|key| column.value(key).and_then(|value| self.key(hasher, value)).unwrap_or(-1))
            .collect();
        let moved = |key: i32| usize::try_from(key).ok().and_then(|key| keys.get(key)).copied().unwrap_or(-1);
        let start = base.saturating_add(column.first);
        if self.column.keys.is_empty() {
            self.column.first = start;
        }
        self.column.keys.resize(start.saturating_sub(self.column.first), -1);
        self.column.keys.extend(column.keys.iter().map(|&key| moved(key)));
        let base = u32::try_from(base).unwrap_or(u32::MAX);
        self.column.extra.extend(column.extra.iter().map(|&(row, key)| (row.saturating_add(base), moved(key))));
        let multi = self.column.kind().multi || column.kind().multi;
        self.column.kind = Some(Kind { multi, ..self.column.kind() });
    }
}

impl Piece {
    /// Without the room that the vectors grew for.
    fn shrunk(mut self) -> Self {
        self.times.shrink_to_fit();
        self.serials.shrink_to_fit();
        self.columns.shrink_to_fit();
        for (_, column) in &mut self.columns {
            column.keys.shrink_to_fit();
            column.offsets.shrink_to_fit();
            column.bytes.shrink_to_fit();
            column.extra.shrink_to_fit();
        }
        self
    }
}
