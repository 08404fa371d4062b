//! What a store says of itself: the one file that decides which of the others count.
//!
//! It is written anew at each commit, beside the old one, and takes its place at once. What a file of events holds
//! is told here as far as a search needs it to leave the file closed: which fields, which times, which values of the
//! fields that searches name most.

use std::io;
use std::path::{Component, Path};

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use super::place::{Place, Version};
use crate::functions::kernel::many_type;
use crate::store::align::dictionary_type;
use crate::store::builder::Kind;

/// The manifest of a store; a folder that has it is one.
pub(crate) const NAME: &str = "spelunk-store.json";
/// The manifest while it is written.
pub(crate) const ASIDE: &str = "spelunk-store.json.new";

const FORMAT: &str = "spelunk store";
/// The form that is written; the first one had the texts of all events whole.
const VERSION: u32 = 2;
/// The oldest form that is read.
const OLDEST: u32 = 1;

/// The metadata of events. All values that the store has are known.
pub(crate) const METADATA: usize = 4;
/// The fields whose values are known file by file, those of [`METADATA`] first.
pub(crate) const TRACKED: [&str; 7] = ["index", "source", "sourcetype", "host", "EventCode", "EventID", "Channel"];
/// The most values of such a field that are told of a file.
pub(crate) const MOST_VALUES: usize = 64;

/// The manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: String,
    version: u32,
    /// How many times the store was added to. A file of a later generation was not committed.
    pub(crate) generation: u64,
    /// How many inputs were numbered: the serial numbers of the next one begin there.
    pub(crate) numbered: u32,
    /// The fields of the events, in order of appearance.
    pub(crate) fields: Vec<StoredField>,
    /// The values of the tracked fields, in order of appearance; files name them by position.
    pub(crate) values: Vec<Vec<String>>,
    /// The columns that files have besides `_time` and `_serial`; many have the same.
    pub(crate) schemas: Vec<Vec<StoredColumn>>,
    /// The files, in the order in which they were written.
    pub(crate) files: Vec<StoredFile>,
    /// What was added, so that it is not added again.
    pub(crate) inputs: Vec<StoredInput>,
}

/// A field of the events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredField {
    pub(crate) name: String,
    /// What its values in the whole store have in common.
    pub(crate) kind: Kind,
}

/// A column of a file: the position of its field, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct StoredColumn(pub(crate) u32, pub(crate) ColumnType);

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum ColumnType {
    /// Canonical integers.
    #[serde(rename = "i")]
    Integer,
    /// Canonical numbers.
    #[serde(rename = "n")]
    Number,
    /// Each distinct text once.
    #[serde(rename = "d")]
    Dictionary,
    /// Text that hardly repeats.
    #[serde(rename = "t")]
    Text,
    /// Several texts an event.
    #[serde(rename = "m")]
    Many,
}

/// A file of events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredFile {
    /// Its path in the store, with `/` between folders.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    /// The shape of its events, for people.
    pub(crate) shape: String,
    /// Whether its events are lines of plain text, whose text is all that they say.
    pub(crate) plain: bool,
    /// The position of its schema.
    pub(crate) schema: u32,
    /// Its row groups in order.
    pub(crate) groups: Vec<StoredGroup>,
    /// Whether an event has no time.
    pub(crate) untimed: bool,
    /// The values of each tracked field by position, `None` among them for events without one; nothing where there
    /// are too many.
    pub(crate) values: Vec<Option<Vec<Option<u32>>>>,
    /// The positions of the fields whose values were taken out of the texts of its events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) in_text: Vec<u32>,
}

/// A row group: its rows, and the first and last time in microseconds since 1970 if any has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredGroup(pub(crate) u64, pub(crate) Option<(i64, i64)>);

/// A file that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredInput {
    pub(crate) path: String,
    /// Of its content, as it was stored.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    pub(crate) events: u64,
    /// What the user said of its events, which makes other events of the same content.
    pub(crate) said: String,
}

impl ColumnType {
    /// The type in which a column is read.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            ColumnType::Integer => DataType::Int64,
            ColumnType::Number => DataType::Float64,
            ColumnType::Dictionary => dictionary_type(),
            ColumnType::Text => DataType::Utf8,
            ColumnType::Many => many_type(),
        }
    }
}

impl StoredFile {
    /// The first and last time of its events.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        let times = self.groups.iter().filter_map(|group| group.1);
        times.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }
}

impl Manifest {
    /// Of a store without events.
    pub(crate) fn empty() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            generation: 0,
            numbered: 0,
            fields: Vec::new(),
            values: vec![Vec::new(); TRACKED.len()],
            schemas: Vec::new(),
            files: Vec::new(),
            inputs: Vec::new(),
        }
    }

    /// Reads the manifest of a store.
    pub(crate) fn read(place: &Place) -> io::Result<(Self, Version)> {
        // From memory it is parsed several times as fast as from a file.
        let (text, version) = place.manifest()?;
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| damaged(format!("the manifest is damaged: {error}")))?;
        Ok((manifest.checked()?, version))
    }

    /// Nothing in it may lead elsewhere.
    fn checked(mut self) -> io::Result<Self> {
        if self.format != FORMAT {
            return Err(damaged("the manifest is not one of a store".to_owned()));
        }
        if !(OLDEST..=VERSION).contains(&self.version) {
            let version = self.version;
            return Err(damaged(format!(
                "the store has the form {version}, and this spelunk reads the forms {OLDEST} to {VERSION}"
            )));
        }
        let fields = self.fields.len();
        let has_field = |column: &StoredColumn| usize::try_from(column.0).is_ok_and(|at| at < fields);
        let is_value = |(values, known): (&Option<Vec<Option<u32>>>, &Vec<String>)| {
            values.iter().flatten().flatten().all(|at| usize::try_from(*at).is_ok_and(|at| at < known.len()))
        };
        let is_sound = |file: &StoredFile| {
            usize::try_from(file.schema).is_ok_and(|at| at < self.schemas.len())
                && file.values.len() == TRACKED.len()
                && file.values.iter().zip(&self.values).all(is_value)
                && file.in_text.iter().all(|at| usize::try_from(*at).is_ok_and(|at| at < fields))
                && Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_)))
                && file.groups.iter().map(|group| group.0).try_fold(0_u64, u64::checked_add) == Some(file.rows)
        };
        if self.values.len() != TRACKED.len()
            || !self.schemas.iter().flatten().all(has_field)
            || !self.files.iter().all(is_sound)
        {
            return Err(damaged("the manifest contradicts itself".to_owned()));
        }
        // Whoever adds to it writes the newest form.
        self.version = VERSION;
        Ok(self)
    }

    /// Puts it in the place of the one before.
    pub(crate) fn write(&self, place: &Place, before: Version) -> io::Result<Version> {
        place.commit(serde_json::to_vec(self)?, before)
    }

    /// Gives all events an index.
    pub(crate) fn rename_index(&mut self, name: &str) {
        let Some(at) = TRACKED.iter().position(|field| *field == "index") else { return };
        if let Some(values) = self.values.get_mut(at) {
            *values = vec![name.to_owned()];
        }
        for values in self.files.iter_mut().filter_map(|file| file.values.get_mut(at)) {
            *values = Some(vec![Some(0)]);
        }
    }
}

fn damaged(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
