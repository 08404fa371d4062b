//! Parquet: only the footer is read here. What the columns mean is decided as for the keys of a record, once a file
//! instead of once an event, and becomes expressions over the columns for [`crate::store::parquet`] to read.

mod leaves;
mod readable;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, cast, lit};
use jiff::tz::TimeZone;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::reader::Length;

use self::leaves::{Leaf, collect, first_of, read_schema, restore_text};
pub(crate) use self::readable::Readable;
use self::texts::{Text, distinct, is_dictionary};
use super::ReadOptions;
use super::event::FileContext;
use super::select::Selection;
use super::windows::{Role, Section, plain_meaning, windows_meaning};
use crate::functions::{composed, eventtime, operators};
use crate::store::align::dictionary_type;
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

/// Opens Parquet files.
pub(crate) struct Opener<'a> {
    pub(crate) options: &'a ReadOptions,
    pub(crate) file: &'a FileContext,
    /// The serial number of its first row.
    pub(crate) base: i64,
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
    if named.clone().next().is_none() {
        return lit("{}");
    }
    composed::text(named.flat_map(|leaf| {
        let value = match leaf.data_type {
            DataType::Timestamp(..) => cast(leaf.value.clone(), DataType::Utf8),
            _ => leaf.value.clone(),
        };
        [lit(leaf.name.clone()), value]
    }))
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
