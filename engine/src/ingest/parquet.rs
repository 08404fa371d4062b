//! Parquet: only the footer is read here. What the columns mean is decided as for the keys of a record, once a file
//! instead of once an event, and becomes expressions over the columns for [`crate::store::parquet`] to read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::{can_cast_types, cast as cast_array};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::logical_expr::{Expr, cast, lit, try_cast};
use jiff::tz::TimeZone;
use object_store::path::Path as ObjectPath;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::ReadOptions;
use super::event::FileContext;
use super::select::Selection;
use super::windows::{Role, Section, plain_meaning, windows_meaning};
use crate::functions::kernel::many_type;
use crate::functions::{eventtime, operators, restored};
use crate::store::align::{converted, dictionary_type, merged};
use crate::store::bucket::Object;
use crate::store::parquet::{BASE, FileField, PATH, ParquetFile, ROW};
use crate::store::skeleton;
use crate::values::time_type;

/// How a Parquet file begins.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// The sourcetype of events that name none.
const SOURCETYPE: &str = "parquet";

/// Columns of text that are metadata of the events.
const METADATA: [&str; 4] = ["host", "index", "source", "sourcetype"];

/// A file that was opened.
pub(crate) struct Opened {
    pub(crate) file: ParquetFile,
    /// Fields that were not selected.
    pub(crate) unread: Vec<String>,
    /// Columns that cannot be read, with their types.
    pub(crate) refused: Vec<String>,
}

/// What a file is read from.
#[derive(Debug, Clone)]
pub(crate) enum Readable {
    /// With its absolute path.
    File(Arc<File>, ObjectPath),
    Object(Object),
}

impl Readable {
    /// A file of this machine.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let object = ObjectPath::from_absolute_path(&path).map_err(io::Error::other)?;
        Ok(Self::File(Arc::new(File::open(path)?), object))
    }

    /// What a scan calls it.
    fn place(&self) -> (ObjectStoreUrl, ObjectPath) {
        match self {
            Self::File(_, path) => (ObjectStoreUrl::local_filesystem(), path.clone()),
            Self::Object(object) => (object.bucket.url(), object.path.clone()),
        }
    }
}

impl Length for Readable {
    fn len(&self) -> u64 {
        match self {
            Self::File(file, _) => file.len(),
            Self::Object(object) => object.len(),
        }
    }
}

impl ChunkReader for Readable {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(match self {
            Self::File(file, _) => Box::new(file.get_read(start)?),
            Self::Object(object) => Box::new(object.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match self {
            Self::File(file, _) => file.get_bytes(start, length),
            Self::Object(object) => object.get_bytes(start, length),
        }
    }
}

/// Opens Parquet files.
pub(crate) struct Opener<'a> {
    pub(crate) options: &'a ReadOptions,
    pub(crate) file: &'a FileContext,
    /// The serial number of its first row.
    pub(crate) base: i64,
}

/// A value in each row of the file: a column, or a part of one.
#[derive(Debug, Clone)]
struct Leaf {
    /// Its name, dotted inside of structures.
    name: String,
    /// The column of the file.
    root: String,
    value: Expr,
    /// What `value` is.
    data_type: DataType,
    /// Whether a row may lack it.
    nullable: bool,
}

/// A text of which every event has one, and where its values come from.
struct Text {
    value: Expr,
    data_type: DataType,
    /// Whether a row may lack it.
    nullable: bool,
    /// Values that are the same in all rows.
    fixed: Option<String>,
    /// Columns that hold the others, and what stands before these.
    columns: Vec<(String, &'static str)>,
}

impl Opener<'_> {
    /// Reads the footer of a file.
    pub(crate) fn open(&self, from: &Readable) -> io::Result<Opened> {
        let metadata = ArrowReaderMetadata::load(from, ArrowReaderOptions::new()).map_err(broken)?;
        let footer = Arc::clone(metadata.metadata());
        let schema = read_schema(metadata.schema(), &|position| {
            let groups = footer.row_groups();
            // A column of nested values has several chunks; only flat ones are dictionaries as a whole.
            let chunk = |name: &str| {
                groups.iter().all(|group| {
                    let mut chunks = group.columns().iter().filter(|c| c.column_path().parts() == [name.to_owned()]);
                    chunks.next().is_some_and(is_dictionary)
                })
            };
            metadata.schema().fields().get(position).is_some_and(|field| chunk(field.name()))
        });
        let has_nulls = |name: &str| {
            footer.row_groups().iter().any(|group| {
                let mut chunks = group.columns().iter().filter(|c| c.column_path().parts() == [name.to_owned()]);
                chunks.next().and_then(|chunk| chunk.statistics()?.null_count_opt()) != Some(0)
            })
        };
        let mut leaves = Vec::new();
        let mut refused = Vec::new();
        for field in schema.fields() {
            if [PATH, BASE, ROW].contains(&field.name().as_str()) {
                continue;
            }
            let value = Expr::Column(Column::new_unqualified(field.name()));
            let nullable = field.is_nullable() && has_nulls(field.name());
            collect(field, field.name(), field.name(), value, nullable, &mut leaves, &mut refused);
        }
        let rows = u64::try_from(footer.file_metadata().num_rows()).unwrap_or(0);
        let told = footer.file_metadata().key_value_metadata();
        let told = told.into_iter().flatten().find(|told| told.key == skeleton::METADATA);
        if let Some(names) = told.and_then(|told| serde_json::from_str::<Vec<String>>(told.value.as_deref()?).ok()) {
            restore_text(&mut leaves, &names);
        }
        let (mut fields, texts, unread) = self.fields(&leaves);
        let reader = Arc::new(from.clone());
        let mut values_of = BTreeMap::new();
        for (name, text) in texts {
            let mut values = BTreeSet::new();
            values.extend(text.fixed);
            for (column, prefix) in text.columns {
                let found = distinct(&reader, &metadata, &column).map_err(broken)?;
                values.extend(found.into_iter().map(|value| [prefix, &value].concat()));
            }
            // What is the same in all events need not be read of each. Files that differ there are scanned apart, so the
            // fields are those of which there are few.
            if let ("index" | "sourcetype", false, Some(only), 1) = (name, text.nullable, values.first(), values.len())
                && let Some(field) = fields.iter_mut().find(|field| field.name == name && field.value == text.value)
            {
                field.value = Text::fixed(only).value;
            }
            values_of.insert(name.to_owned(), values);
        }
        let base = self.base;
        let shown = self.file.path.clone();
        let (place, object) = from.place();
        let (size, metadata) = (from.len(), values_of);
        let file = ParquetFile { place, object, shown, base, size, rows, schema, fields, metadata };
        Ok(Opened { file, unread, refused })
    }

    /// The fields that the columns become, the texts of metadata among them, and what was not selected.
    fn fields(&self, leaves: &[Leaf]) -> (Vec<FileField>, Vec<(&'static str, Text)>, Vec<String>) {
        let role_of = |leaf: &Leaf, windows: bool| match windows {
            true => windows_meaning(Section::Record, &leaf.name).role,
            false => plain_meaning(&leaf.name).role,
        };
        let has = |role: Role| leaves.iter().any(|leaf| role_of(leaf, true) == role);
        let windows = has(Role::EventId) && has(Role::Channel);
        let with = |wanted: &dyn Fn(Role) -> Option<u8>| -> Vec<&Leaf> {
            let mut found: Vec<(u8, &Leaf)> =
                leaves.iter().filter_map(|leaf| Some((wanted(role_of(leaf, windows))?, leaf))).collect();
            found.sort_by_key(|(rank, _)| *rank);
            found.into_iter().map(|(_, leaf)| leaf).collect()
        };
        let one = |role: Role| with(&|found| (found == role).then_some(0));
        let selection = Selection::new(&self.options.fields);
        let mut fields = vec![self.time(&with(&|role| match role {
            Role::Time { rank, .. } => Some(rank),
            _ => None,
        }))];
        fields.push(serial(leaves));
        let mut texts = Vec::new();

        let hosts = with(&|role| match role {
            Role::Computer(rank) if windows => Some(rank),
            Role::Host(rank) => Some(rank.saturating_add(if windows { 100 } else { 0 })),
            Role::Computer(rank) => Some(rank.saturating_add(100)),
            _ => None,
        });
        // An export of spelunk or Splunk says which host the event was taken to be from.
        let exported = !one(Role::Sourcetype).is_empty();
        let own: Vec<&Leaf> = leaves.iter().filter(|leaf| leaf.name == "host").collect();
        let hosts = if exported && !own.is_empty() { own } else { hosts };
        let fixed = |text: &Option<String>| text.as_deref().map(Text::fixed);
        if let Some(host) = fixed(&self.options.host).or_else(|| Text::of(&hosts, None)) {
            texts.push(("host", host));
        }
        let index = if windows { "wineventlog" } else { "main" };
        let indexes = one(Role::Index);
        let index = fixed(&self.file.index).or_else(|| Text::of(&indexes, Some(Text::fixed(index))));
        texts.extend(index.map(|index| ("index", index)));
        let channels = one(Role::Channel);
        let channel = || windows.then(|| Text::of(&channels, None)).flatten().map(|text| text.after("XmlWinEventLog:"));
        let source = channel().unwrap_or_else(|| Text::path(&self.file.path));
        let source = fixed(&self.options.source).or_else(|| Text::of(&one(Role::Source), Some(source)));
        texts.extend(source.map(|source| ("source", source)));
        let sourcetype = channel().unwrap_or_else(|| Text::fixed(SOURCETYPE));
        let sourcetype = fixed(&self.options.sourcetype).or_else(|| Text::of(&one(Role::Sourcetype), Some(sourcetype)));
        texts.extend(sourcetype.map(|sourcetype| ("sourcetype", sourcetype)));

        let mut unread = BTreeSet::new();
        let mut add = |name: &str, value: Expr, data_type: &DataType| {
            if fields.iter().any(|known| known.name == name) {
                return;
            }
            if !selection.wants(name) {
                unread.insert(name.to_owned());
                return;
            }
            fields.push(FileField { name: name.to_owned(), value, data_type: data_type.clone() });
        };
        for (name, text) in &texts {
            add(name, text.value.clone(), &text.data_type);
        }
        add("_file", Expr::Column(Column::new_unqualified(PATH)), &dictionary_type());
        match one(Role::Raw).first() {
            Some(raw) => add("_raw", raw.value.clone(), &raw.data_type),
            None => add("_raw", event_text(leaves), &DataType::Utf8),
        }
        if windows {
            for (role, names) in [(Role::EventId, ["EventCode", "EventID"]), (Role::Channel, ["Channel", "Channel"])] {
                if let Some((value, data_type)) = first_of(&one(role)) {
                    names.iter().for_each(|name| add(name, value.clone(), &data_type));
                }
            }
            let computers = with(&|role| match role {
                Role::Computer(rank) => Some(rank),
                _ => None,
            });
            if let Some((value, data_type)) = first_of(&computers) {
                add("Computer", value, &data_type);
            }
        }
        for leaf in leaves {
            let meaning = match windows {
                true => windows_meaning(Section::Record, &leaf.name),
                false => plain_meaning(&leaf.name),
            };
            for name in &meaning.fields {
                add(name, leaf.value.clone(), &leaf.data_type);
            }
        }
        texts.retain(|(name, _)| METADATA.contains(name) && selection.wants(name));
        (fields, texts, unread.into_iter().collect())
    }

    /// The time of the event: the surest column that has one.
    fn time(&self, columns: &[&Leaf]) -> FileField {
        let mut values = Vec::new();
        for leaf in columns {
            let value = leaf.value.clone();
            let utc = matches!(plain_meaning(&leaf.name).role, Role::Time { utc: true, .. });
            let zone = if utc { TimeZone::UTC } else { self.options.time_zone.clone() };
            values.push(match &leaf.data_type {
                time if *time == time_type() => value,
                DataType::Timestamp(_, Some(_)) => cast(value, time_type()),
                DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 if zone == TimeZone::UTC => {
                    cast(value, time_type())
                }
                DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
                    operators::to_time(eventtime::read(cast(cast(value, local_type()), DataType::Utf8), &zone))
                }
                _ => operators::to_time(eventtime::read(value, &zone)),
            });
            // A number or a text may not be a time; a timestamp always is.
            if !leaf.nullable && matches!(leaf.data_type, DataType::Timestamp(..)) {
                break;
            }
        }
        let value = match values.len() {
            0 => lit(datafusion::common::ScalarValue::TimestampMicrosecond(None, Some("UTC".into()))),
            1 => values.remove(0),
            _ => coalesce(values),
        };
        FileField { name: "_time".to_owned(), value, data_type: time_type() }
    }
}

/// A timestamp without a zone.
fn local_type() -> DataType {
    DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None)
}

/// The place of the event among those of the same time: the file's, and in it the row's own number or place.
fn serial(leaves: &[Leaf]) -> FileField {
    let [base, row] = [BASE, ROW].map(|name| Expr::Column(Column::new_unqualified(name)));
    let own = leaves.iter().find(|leaf| leaf.name == "_serial" && leaf.data_type == DataType::Int64);
    let place = match own {
        Some(own) if own.nullable => coalesce(vec![own.value.clone(), row]),
        Some(own) => own.value.clone(),
        None => row,
    };
    FileField { name: "_serial".to_owned(), value: base + place, data_type: DataType::Int64 }
}

/// The row as a JSON object, which stands for the text of an event that has none.
fn event_text(leaves: &[Leaf]) -> Expr {
    let named = leaves.iter().filter(|leaf| leaf.name != "_serial");
    eventtime::text(named.flat_map(|leaf| {
        let value = match leaf.data_type {
            DataType::Timestamp(..) => cast(leaf.value.clone(), DataType::Utf8),
            _ => leaf.value.clone(),
        };
        [lit(leaf.name.clone()), value]
    }))
}

/// The first of several columns that has a value.
fn first_of(columns: &[&Leaf]) -> Option<(Expr, DataType)> {
    let mut used = Vec::new();
    for leaf in columns {
        used.push(*leaf);
        if !leaf.nullable {
            break;
        }
    }
    let data_type = used.iter().map(|leaf| leaf.data_type.clone()).reduce(|one, other| merged(&one, &other))?;
    let mut values: Vec<Expr> =
        used.iter().map(|leaf| converted(leaf.value.clone(), &leaf.data_type, &data_type)).collect();
    let value = if values.len() == 1 { values.remove(0) } else { coalesce(values) };
    Some((value, data_type))
}

impl Text {
    fn fixed(text: &str) -> Self {
        let value = ScalarValue::Dictionary(Box::new(DataType::Int32), Box::new(ScalarValue::from(text)));
        let fixed = Some(text.to_owned());
        Self { value: lit(value), data_type: dictionary_type(), nullable: false, fixed, columns: Vec::new() }
    }

    /// The path of the file, which a scan of several knows.
    fn path(path: &str) -> Self {
        let value = Expr::Column(Column::new_unqualified(PATH));
        let fixed = Some(path.to_owned());
        Self { value, data_type: dictionary_type(), nullable: false, fixed, columns: Vec::new() }
    }

    /// The first of the columns that has a value, else the default.
    fn of(columns: &[&Leaf], default: Option<Text>) -> Option<Self> {
        let Some((value, data_type)) = first_of(columns) else { return default };
        let value = converted(value, &data_type, &dictionary_type());
        let nullable = columns.iter().all(|leaf| leaf.nullable);
        let mut text = Self { value, data_type: dictionary_type(), nullable, fixed: None, columns: Vec::new() };
        text.columns = columns.iter().map(|leaf| (leaf.root.clone(), "")).collect();
        if let Some(default) = default
            && nullable
        {
            text.value = coalesce(vec![text.value, default.value]);
            text.nullable = default.nullable;
            text.fixed = default.fixed;
            text.columns.extend(default.columns);
        }
        Some(text)
    }

    /// The same text with something before it.
    fn after(self, prefix: &'static str) -> Self {
        let value = operators::concatenate(lit(prefix), self.value);
        let value = cast(value, dictionary_type());
        let columns = self.columns.into_iter().map(|(column, _)| (column, prefix)).collect();
        Self { value, columns, ..self }
    }
}

/// The columns in the types in which they are read: text as dictionary where the file has dictionaries only.
fn read_schema(schema: &SchemaRef, is_dictionary: &dyn Fn(usize) -> bool) -> SchemaRef {
    let fields: Fields = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(position, field)| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let data_type = if is_dictionary(position) { dictionary_type() } else { DataType::Utf8 };
                Arc::new(field.as_ref().clone().with_data_type(data_type))
            }
            DataType::Dictionary(_, values) if is_text(values) => {
                Arc::new(field.as_ref().clone().with_data_type(dictionary_type()))
            }
            _ => Arc::clone(field),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// Puts `_raw` in the place of what a file of a store has of it.
fn restore_text(leaves: &mut Vec<Leaf>, names: &[String]) {
    let mut taken = |name: &str| {
        let at = leaves.iter().position(|leaf| leaf.name == name)?;
        Some(leaves.remove(at).value)
    };
    let nothing = lit(ScalarValue::Utf8(None));
    let whole = taken("_raw").unwrap_or_else(|| nothing.clone());
    let gaps = taken(skeleton::GAPS).unwrap_or(nothing);
    let Some(skeletons) = taken(skeleton::SKELETON) else { return };
    let value = restored::text(cast(skeletons, dictionary_type()), gaps, whole, names.iter().map(String::as_str));
    let (name, root) = ("_raw".to_owned(), skeleton::SKELETON.to_owned());
    leaves.push(Leaf { name, root, value, data_type: DataType::Utf8, nullable: true });
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Whether all values of a chunk are in its dictionary.
fn is_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let only = |mask: &parquet::basic::EncodingMask| {
        mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
    };
    match chunk.page_encoding_stats_mask() {
        Some(mask) => chunk.dictionary_page_offset().is_some() && only(mask),
        None => false,
    }
}

/// The values in a column, in types that fields have.
fn collect(
    field: &Field,
    root: &str,
    name: &str,
    value: Expr,
    nullable: bool,
    leaves: &mut Vec<Leaf>,
    refused: &mut Vec<String>,
) {
    let data_type = field.data_type();
    let leaf = |value: Expr, data_type: DataType| Leaf {
        name: name.to_owned(),
        root: root.to_owned(),
        value,
        data_type,
        nullable,
    };
    leaves.push(match data_type {
        DataType::Null => return,
        DataType::Struct(members) => {
            for member in members {
                let inner = get_field(value.clone(), member.name().as_str());
                let name = format!("{name}.{}", member.name());
                collect(member, root, &name, inner, true, leaves, refused);
            }
            return;
        }
        DataType::Utf8 | DataType::Int64 | DataType::Float64 => leaf(value, data_type.clone()),
        text if *text == dictionary_type() => leaf(value, dictionary_type()),
        text if is_text(text) => leaf(cast(value, DataType::Utf8), DataType::Utf8),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => {
            leaf(cast(value, DataType::Int64), DataType::Int64)
        }
        DataType::Float16
        | DataType::Float32
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => leaf(cast(value, DataType::Float64), DataType::Float64),
        DataType::Timestamp(_, None) => leaf(value, data_type.clone()),
        DataType::Timestamp(..) if *data_type == time_type() => leaf(value, time_type()),
        DataType::Timestamp(..) => leaf(cast(value, time_type()), time_type()),
        DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _)
            if !inner.data_type().is_nested() && can_cast_types(data_type, &many_type()) =>
        {
            leaf(try_cast(value, many_type()), many_type())
        }
        other if !other.is_nested() && can_cast_types(other, &DataType::Utf8) => {
            leaf(try_cast(value, DataType::Utf8), DataType::Utf8)
        }
        other => {
            refused.push(format!("{name} ({other})"));
            return;
        }
    });
}

/// The distinct texts in a column.
fn distinct(
    from: &Arc<Readable>,
    footer: &ArrowReaderMetadata,
    column: &str,
) -> Result<BTreeSet<String>, ParquetError> {
    let mut found = BTreeSet::new();
    let mut undecided = Vec::new();
    for (group, metadata) in footer.metadata().row_groups().iter().enumerate() {
        let mut chunks = metadata.columns().iter();
        let chunk = chunks.find(|chunk| chunk.column_path().parts() == [column.to_owned()]);
        let is_text = |chunk: &&ColumnChunkMetaData| chunk.column_type() == parquet::basic::Type::BYTE_ARRAY;
        let Some(chunk) = chunk.filter(|chunk| is_text(chunk) && is_dictionary(chunk)) else {
            undecided.push(group);
            continue;
        };
        let rows = usize::try_from(metadata.num_rows()).unwrap_or(usize::MAX);
        match SerializedPageReader::new(Arc::clone(from), chunk, rows, None)?.get_next_page()? {
            Some(Page::DictionaryPage { buf, num_values, .. }) => found.extend(plain_texts(&buf, num_values)),
            _ => undecided.push(group),
        }
    }
    if undecided.is_empty() {
        return Ok(found);
    }
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(from.as_ref().clone(), footer.clone());
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    for batch in builder.with_projection(mask).with_row_groups(undecided).build()? {
        let batch = batch?;
        let Some(values) = batch.columns().first() else { continue };
        let texts = cast_array(values, &DataType::Utf8)?;
        let texts = texts.as_string_opt::<i32>();
        found.extend(texts.into_iter().flat_map(|texts| texts.iter().flatten()).map(str::to_owned));
    }
    Ok(found)
}

/// The texts of a dictionary page: each with its length before it.
fn plain_texts(page: &[u8], count: u32) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = page;
    for _ in 0..count {
        let Some((length, after)) = rest.split_first_chunk::<4>() else { break };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((text, after)) = after.split_at_checked(length) else { break };
        texts.push(String::from_utf8_lossy(text).into_owned());
        rest = after;
    }
    texts
}

fn broken(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other.to_string()),
    }
}
