//! One file of a store: the events of one shape, sorted by time, as Parquet.
//!
//! How a column is written follows from its values, which are all known by then. Text is a dictionary, which is what
//! conditions look at once a value, unless it hardly repeats. Bloom filters stand where equality is asked of many
//! values that are in no order: hosts, process numbers.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use hashbrown::HashMap;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::manifest::{ColumnType, METADATA, MOST_VALUES, StoredGroup, TRACKED};
use crate::store::align::dictionary_type;
use crate::store::builder::{NO_TIME, Piece, TextColumn, join};
use crate::store::columns;
use crate::store::skeleton::{self, GAPS, Part, SKELETON, parsed};
use crate::values;

/// The most rows of a row group: enough for a dictionary to pay, few enough to leave most of them out.
pub(crate) const GROUP_ROWS: usize = 128 << 10;
/// The most bytes of values of a row group, by estimate.
const GROUP_BYTES: usize = 64 << 20;
/// The least rows of a row group that is cut for its bytes.
const LEAST_ROWS: usize = 1_024;
/// Rows that are handed to the writer together.
const BATCH: usize = 8_192;
/// A dictionary with more bytes would be held by each thread that reads it.
const MOST_DICTIONARY: usize = 16 << 20;
/// The level of `zstd` itself.
const LEVEL: i32 = 3;
/// Fewer values are told apart by the least and greatest; more make a filter that costs more than it saves.
const FILTERED: std::ops::RangeInclusive<usize> = 65..=16_384;

/// Events that become a file.
pub(crate) struct Job {
    /// The shape, for people.
    pub(crate) shape: String,
    /// Where the file will be, in the store.
    pub(crate) path: String,
    /// Their bytes, as the writer counts them.
    pub(crate) held: usize,
    pub(crate) plain: bool,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) group_rows: usize,
}

/// A file that was written.
pub(crate) struct Written {
    pub(crate) shape: String,
    pub(crate) path: String,
    pub(crate) held: usize,
    pub(crate) plain: bool,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    pub(crate) columns: Vec<(Arc<str>, ColumnType)>,
    pub(crate) groups: Vec<StoredGroup>,
    pub(crate) untimed: bool,
    /// Of each tracked field.
    pub(crate) values: Vec<Values>,
    /// The fields whose values stand in the texts of the events, and are taken out there.
    pub(crate) in_text: Vec<String>,
}

/// The distinct values of a tracked field.
#[derive(Default)]
pub(crate) struct Values {
    pub(crate) texts: Vec<String>,
    /// Whether an event has none.
    pub(crate) nulls: bool,
    /// Whether these are few enough to be told of the file.
    pub(crate) told: bool,
}

/// Writes the events to a file at a path, and makes it last.
pub(crate) fn write(job: Job, aside: &Path) -> io::Result<Written> {
    let Job { shape, path, held, plain, pieces, group_rows } = job;
    let hasher = RandomState::new();
    let Some(piece) = join(&hasher, pieces) else { return Err(io::Error::other("a file without events")) };
    let rows = piece.rows();
    let order = sorted(&piece);
    let columns: Vec<(Arc<str>, ColumnType)> =
        piece.columns.iter().map(|(name, column)| (Arc::clone(name), column_type(name, column))).collect();
    let values = TRACKED.iter().enumerate().map(|(at, name)| tracked(&piece, name, at < METADATA)).collect();
    let bytes: usize = piece.columns.iter().map(|(_, column)| column.size()).fold(0, usize::saturating_add);
    let per_group = rows_of_group(rows, bytes, group_rows);
    let groups = groups(&piece, &order, per_group);
    let untimed = piece.times.contains(&NO_TIME);
    let in_text = in_text(&piece);
    let properties = properties(&piece, &columns, &in_text)?;

    // Read as dictionaries first: the bytes of each distinct value are there once, whatever the column becomes.
    let fields = |of: &dyn Fn(ColumnType) -> DataType| -> SchemaRef {
        let own = columns.iter().map(|(name, kind)| Arc::new(Field::new(name.as_ref(), of(*kind), true)));
        Arc::new(Schema::new(
            [columns::time_field(), columns::serial_field()].into_iter().chain(own).collect::<Vec<_>>(),
        ))
    };
    let compact = fields(&|kind| if kind == ColumnType::Text { dictionary_type() } else { kind.data_type() });
    let target = fields(&ColumnType::data_type);
    let batch = columns::batch(piece, &compact, &mut HashMap::with_hasher(hasher)).map_err(io::Error::other)?;

    let file = BufWriter::with_capacity(1 << 20, File::create(aside)?);
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&target), Some(properties)).map_err(failed)?;
    for group in order.chunks(per_group) {
        for rows in group.chunks(BATCH) {
            writer.write(&taken(&batch, rows, &target)?).map_err(failed)?;
        }
        writer.flush().map_err(failed)?;
    }
    let mut out = writer.into_inner().map_err(failed)?;
    out.flush()?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    let bytes = file.metadata()?.len();
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    Ok(Written { shape, path, held, plain, bytes, rows, columns, groups, untimed, values, in_text })
}

/// The rows by time, those without one first, and where that is the same in reading order.
fn sorted(piece: &Piece) -> Vec<u32> {
    let mut keyed: Vec<(i64, i64, u32)> = piece
        .times
        .iter()
        .zip(&piece.serials)
        .zip(0_u32..)
        .map(|((time, serial), row)| (*time, *serial, row))
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, _, row)| row).collect()
}

/// Rows of the batch in the types of the file.
fn taken(batch: &RecordBatch, rows: &[u32], target: &SchemaRef) -> io::Result<RecordBatch> {
    let rows = take_record_batch(batch, &UInt32Array::from(rows.to_vec())).map_err(io::Error::other)?;
    let columns = rows.columns().iter().zip(target.fields()).map(|(column, field)| match field.data_type() {
        DataType::Utf8 => cast(column, &DataType::Utf8),
        _ => Ok(Arc::clone(column)),
    });
    let columns = columns.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
    RecordBatch::try_new(Arc::clone(target), columns).map_err(io::Error::other)
}

/// Row groups of the same size, none of which is too large.
fn rows_of_group(rows: usize, bytes: usize, most: usize) -> usize {
    let by_bytes = bytes.div_ceil(GROUP_BYTES).min(rows.div_ceil(LEAST_ROWS));
    let count = rows.div_ceil(most.max(1)).max(by_bytes).max(1);
    rows.div_ceil(count).max(1)
}

fn groups(piece: &Piece, order: &[u32], rows: usize) -> Vec<StoredGroup> {
    let time = |row: &u32| piece.times.get(usize::try_from(*row).ok()?).copied().filter(|time| *time != NO_TIME);
    let group = |rows: &[u32]| {
        let times = rows.iter().filter_map(time).map(|time| (time, time));
        let times = times.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        StoredGroup(u64::try_from(rows.len()).unwrap_or(u64::MAX), times)
    };
    order.chunks(rows).map(group).collect()
}

/// How a column is written.
fn column_type(name: &str, column: &TextColumn) -> ColumnType {
    match columns::data_type(name, column.kind()) {
        DataType::List(_) => ColumnType::Many,
        DataType::Int64 => ColumnType::Integer,
        // Where other files have texts in this field, the number is printed again.
        DataType::Float64 if prints_the_same(column) => ColumnType::Number,
        _ if name == SKELETON => ColumnType::Dictionary,
        _ if name == "_raw" || name == GAPS || column.bytes.len() > MOST_DICTIONARY => ColumnType::Text,
        _ => ColumnType::Dictionary,
    }
}

fn prints_the_same(column: &TextColumn) -> bool {
    let distinct = i32::try_from(column.distinct()).unwrap_or(i32::MAX);
    (0..distinct)
        .filter_map(|key| column.value(key))
        .all(|text| text.parse::<f64>().is_ok_and(|number| values::format_number(number) == text))
}

/// The fields that skeletons name.
fn in_text(piece: &Piece) -> Vec<String> {
    let skeletons = piece.columns.iter().find(|(name, _)| **name == *SKELETON);
    let mut named = BTreeSet::new();
    if let Some((_, column)) = skeletons {
        let distinct = i32::try_from(column.distinct()).unwrap_or(i32::MAX);
        let texts = (0..distinct).filter_map(|key| column.value(key));
        for part in texts.filter_map(|text| parsed(text, |name| Some(name.to_owned()))).flatten() {
            if let Part::Field(name, _) = part {
                named.insert(name);
            }
        }
    }
    named.into_iter().collect()
}

fn tracked(piece: &Piece, name: &str, always: bool) -> Values {
    let Some((_, column)) = piece.columns.iter().find(|(known, _)| **known == *name) else {
        return Values { nulls: true, told: true, ..Values::default() };
    };
    let told = column.distinct() <= MOST_VALUES && !column.kind().multi;
    if !told && !always {
        return Values::default();
    }
    let distinct = i32::try_from(column.distinct()).unwrap_or(i32::MAX);
    let texts = (0..distinct).filter_map(|key| column.value(key)).map(str::to_owned).collect();
    let nulls = column.first > 0 || column.keys.len() < piece.rows() || column.keys.contains(&-1);
    Values { texts, nulls, told }
}

fn properties(piece: &Piece, columns: &[(Arc<str>, ColumnType)], in_text: &[String]) -> io::Result<WriterProperties> {
    // For who reads the file without the manifest.
    let in_text = match in_text.is_empty() {
        true => None,
        false => Some(vec![KeyValue::new(skeleton::METADATA.to_owned(), serde_json::to_string(in_text)?)]),
    };
    let mut properties = WriterProperties::builder()
        .set_key_value_metadata(in_text)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL).unwrap_or_default()))
        // Where row groups end is decided by whoever writes them.
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for name in ["_time", "_serial"] {
        let path = ColumnPath::from(name);
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(path, EnabledStatistics::Page);
    }
    let rows = piece.rows();
    for ((_, column), (name, kind)) in piece.columns.iter().zip(columns) {
        let path = ColumnPath::new(vec![name.as_ref().to_owned()]);
        let distinct = column.distinct();
        match kind {
            ColumnType::Dictionary => {
                // Each text with its length before it: so it never overflows into another encoding.
                let most = distinct.saturating_mul(4).saturating_add(column.bytes.len()).saturating_add(1 << 10);
                properties = properties.set_column_dictionary_page_size_limit(path.clone(), most);
            }
            ColumnType::Text => {
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path.clone(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
                    .set_column_statistics_enabled(path.clone(), EnabledStatistics::None);
            }
            ColumnType::Integer if distinct > rows / 4 => {
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
            }
            ColumnType::Integer | ColumnType::Number | ColumnType::Many => {}
        }
        let asked = *kind == ColumnType::Integer || **name == *"host";
        if asked && FILTERED.contains(&distinct) && distinct < rows / 4 {
            let count = u64::try_from(distinct).unwrap_or(u64::MAX);
            properties = properties
                .set_column_bloom_filter_enabled(path.clone(), true)
                .set_column_bloom_filter_fpp(path.clone(), 0.01)
                .set_column_bloom_filter_max_ndv(path, count);
        }
    }
    Ok(properties.build())
}

/// An error of the disk keeps its kind.
fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
