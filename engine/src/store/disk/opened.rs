//! A store as a search sees it: its fields, and which of its files can have events that a condition keeps.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, cast, lit};

use super::manifest::{ColumnType, METADATA, Manifest, StoredColumn, StoredFile, TRACKED};
use super::place::Place;
use super::{OWN, generation_of};
use crate::functions::restored;
use crate::ingest::{FieldSelection, Problem};
use crate::store::columns;
use crate::store::parquet::FileField;
use crate::store::skeleton::{GAPS, SKELETON};

/// The events of a store.
#[derive(Debug)]
pub struct StoredEvents {
    pub(crate) place: Place,
    /// Its path as reached from the input.
    pub shown: String,
    /// What is added to the serial numbers in it.
    pub base: i64,
    /// The index of all events, where the user said so.
    pub(crate) index: Option<String>,
    pub(crate) manifest: Manifest,
    /// The fields that are there and selected, in order, in types that hold all their values.
    pub fields: Vec<(String, DataType)>,
    /// Fields that were not selected.
    pub unread: Vec<String>,
    /// Whether the text of all events is selected, or only of those that have nothing else.
    all_text: bool,
    /// The positions of the files that are there.
    pub(crate) files: Vec<usize>,
    /// The column of each field in each schema.
    columns: Vec<HashMap<String, ColumnType>>,
}

/// What was found when a store was opened.
pub(crate) struct Opened {
    pub(crate) events: StoredEvents,
    pub(crate) bytes: u64,
    pub(crate) problems: Vec<Problem>,
    pub(crate) skipped: u64,
}

/// Opens a store, as the index that the user gave its events. No file of events is opened for it.
pub(crate) fn open(
    place: Place,
    shown: &str,
    base: i64,
    index: Option<&str>,
    fields: &FieldSelection,
) -> io::Result<Opened> {
    let (mut manifest, _) = Manifest::read(&place)?;
    let found = Found::of(&place, &manifest)?;
    if let Some(index) = index {
        manifest.rename_index(index);
    }
    let mut events = StoredEvents::new(place, shown.to_owned(), base, manifest, fields, found.files);
    events.index = index.map(str::to_owned);
    Ok(Opened { events, bytes: found.bytes, problems: found.problems, skipped: found.skipped })
}

/// The files that are there and whole, and what is wrong with the others.
struct Found {
    files: Vec<usize>,
    bytes: u64,
    problems: Vec<Problem>,
    skipped: u64,
}

impl Found {
    fn of(place: &Place, manifest: &Manifest) -> io::Result<Self> {
        let listing = place.listed()?;
        let mut there: HashMap<String, u64> = listing.events.into_iter().map(|file| (file.path, file.bytes)).collect();
        let mut found = Found { files: Vec::new(), bytes: 0, problems: Vec::new(), skipped: 0 };
        for (position, file) in manifest.files.iter().enumerate() {
            let lost = |what: String| format!("{what}: its {} events are missing", file.rows);
            match there.remove(&file.path) {
                Some(bytes) if bytes == file.bytes => {
                    found.files.push(position);
                    found.bytes = found.bytes.saturating_add(bytes);
                }
                Some(bytes) => {
                    let what = format!("torn, it has {bytes} bytes instead of {}", file.bytes);
                    found.skip(&file.path, lost(what));
                }
                None => found.skip(&file.path, lost("not there".to_owned())),
            }
        }
        let mut foreign: Vec<String> = there.into_keys().filter(|path| !is_uncommitted(path, manifest)).collect();
        foreign.extend(listing.others.into_iter().filter(|name| !OWN.contains(&name.as_str())));
        foreign.sort_unstable();
        for path in foreign {
            found.skip(&path, "it is in the store but not of it, and was not searched".to_owned());
        }
        Ok(found)
    }

    fn skip(&mut self, path: &str, reason: String) {
        self.skipped = self.skipped.saturating_add(1);
        if self.problems.len() < Problem::KEPT {
            self.problems.push(Problem { place: path.to_owned(), reason });
        }
    }
}

/// Whether somebody is writing the file, or was interrupted.
fn is_uncommitted(path: &str, manifest: &Manifest) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    generation_of(name).is_some_and(|generation| generation > manifest.generation)
}

impl StoredEvents {
    fn new(
        place: Place,
        shown: String,
        base: i64,
        manifest: Manifest,
        selection: &FieldSelection,
        files: Vec<usize>,
    ) -> Self {
        let name = |column: &StoredColumn| {
            let field = usize::try_from(column.0).ok().and_then(|at| manifest.fields.get(at));
            field.map(|field| field.name.clone())
        };
        let columns: Vec<HashMap<String, ColumnType>> = manifest
            .schemas
            .iter()
            .map(|schema| schema.iter().filter_map(|column| Some((name(column)?, column.1))).collect())
            .collect();
        let mut events = Self {
            place,
            shown,
            base,
            index: None,
            fields: Vec::new(),
            unread: Vec::new(),
            all_text: selection.wants("_raw"),
            files,
            columns,
            manifest,
        };
        // Of each field, whether a file has it, and has it as texts that hardly repeat.
        let mut there: HashMap<&str, bool> = HashMap::new();
        let used: HashSet<(u32, bool)> = events.manifest.files.iter().map(|file| (file.schema, file.plain)).collect();
        for (schema, plain) in used {
            let schema = usize::try_from(schema).ok().and_then(|at| events.columns.get(at));
            for (name, kind) in schema.into_iter().flatten() {
                // Who asks for the text is not told how it is kept.
                let (name, kind) = match name.as_str() {
                    GAPS => continue,
                    SKELETON => ("_raw", ColumnType::Text),
                    name => (name, *kind),
                };
                if name != "_raw" || events.has_text(plain, selection) {
                    *there.entry(name).or_default() |= kind == ColumnType::Text;
                }
            }
        }
        let mut fields = Vec::new();
        let mut unread = Vec::new();
        for field in &events.manifest.fields {
            let wanted = selection.wants(&field.name) || (field.name == "_raw" && there.contains_key("_raw"));
            match there.get(field.name.as_str()) {
                Some(text) if wanted => {
                    let data_type = match columns::data_type(&field.name, field.kind) {
                        DataType::Dictionary(..) if *text => DataType::Utf8,
                        other => other,
                    };
                    fields.push((field.name.clone(), data_type));
                }
                Some(_) => unread.push(field.name.clone()),
                None => {}
            }
        }
        (events.fields, events.unread) = (fields, unread);
        events
    }

    /// Whether the text of such events is there for the search.
    fn has_text(&self, plain: bool, selection: &FieldSelection) -> bool {
        self.all_text || (plain && *selection == FieldSelection::AllButRaw)
    }

    /// How many events the files have.
    pub fn rows(&self) -> u64 {
        self.present().map(|(_, file)| file.rows).fold(0, u64::saturating_add)
    }

    /// The files that are there, by position.
    pub(crate) fn present(&self) -> impl Iterator<Item = (usize, &StoredFile)> {
        self.files.iter().filter_map(|at| Some((*at, self.manifest.files.get(*at)?)))
    }

    /// How a field is written in a file; `None` if no event there has it.
    pub(crate) fn column(&self, file: &StoredFile, name: &str) -> Option<ColumnType> {
        if name == "_raw" && !self.all_text && !file.plain {
            return None;
        }
        let columns = self.columns.get(usize::try_from(file.schema).ok()?)?;
        match name {
            "_raw" if columns.contains_key(SKELETON) => Some(ColumnType::Text),
            SKELETON | GAPS => None,
            name => columns.get(name).copied(),
        }
    }

    /// The columns that the texts of a file's events are made of; nothing where they are kept whole.
    fn text(&self, file: &StoredFile) -> Option<Text> {
        let columns = self.columns.get(usize::try_from(file.schema).ok()?)?;
        let named = |name: &str| Some((name.to_owned(), columns.get(name).copied()?));
        named(SKELETON)?;
        let fields = file.in_text.iter().filter_map(|at| self.manifest.fields.get(usize::try_from(*at).ok()?));
        let parts = fields.filter_map(|field| named(&field.name)).collect();
        Some(Text { parts, has_gaps: columns.contains_key(GAPS), has_whole: columns.contains_key("_raw") })
    }

    /// Some of the columns of a file.
    pub(crate) fn columns_of<'n>(&self, file: &StoredFile, names: impl Iterator<Item = &'n str>) -> Columns {
        let own: Vec<(String, ColumnType)> =
            names.filter_map(|name| Some((name.to_owned(), self.column(file, name)?))).collect();
        let text = own.iter().any(|(name, _)| name == "_raw").then(|| self.text(file)).flatten();
        Columns { own, text }
    }

    /// The distinct values of the metadata fields, perhaps with a few that no event has.
    pub fn metadata(&self) -> BTreeMap<String, BTreeSet<String>> {
        let named = TRACKED.iter().take(METADATA).zip(&self.manifest.values);
        let selected = named.filter(|(name, _)| self.fields.iter().any(|(field, _)| field == *name));
        selected.map(|(name, values)| ((*name).to_owned(), values.iter().cloned().collect())).collect()
    }
}

/// Some of the columns of a file, as a scan sees them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Columns {
    own: Vec<(String, ColumnType)>,
    /// What `_raw` is made of, if it is among them and not whole.
    text: Option<Text>,
}

/// What the text of events is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Text {
    /// The fields that have values of it.
    parts: Vec<(String, ColumnType)>,
    has_gaps: bool,
    /// Whether some events have it whole.
    has_whole: bool,
}

impl Columns {
    /// The schema of the scan.
    pub(crate) fn schema(&self) -> SchemaRef {
        let field = |name: &str, kind: ColumnType| Arc::new(Field::new(name, kind.data_type(), true));
        let mut fields = vec![columns::time_field(), columns::serial_field()];
        let whole = self.text.as_ref().is_none_or(|text| text.has_whole);
        let own = self.own.iter().filter(|(name, _)| whole || name != "_raw");
        fields.extend(own.map(|(name, kind)| field(name, *kind)));
        if let Some(text) = &self.text {
            let further = text.parts.iter().filter(|part| !self.own.contains(part));
            fields.extend(further.map(|(name, kind)| field(name, *kind)));
            fields.push(field(SKELETON, ColumnType::Dictionary));
            if text.has_gaps {
                fields.push(field(GAPS, ColumnType::Text));
            }
        }
        Arc::new(Schema::new(fields))
    }

    /// The fields, which are columns, but for the serial number, the index that the user gave, and the text that is
    /// put together.
    pub(crate) fn fields(&self, events: &StoredEvents) -> Vec<FileField> {
        let column = |name: &str| Expr::Column(Column::new_unqualified(name));
        let field =
            |name: &str, value: Expr, data_type: DataType| FileField { name: name.to_owned(), value, data_type };
        let mut fields = vec![
            field("_time", column("_time"), columns::time_field().data_type().clone()),
            field("_serial", lit(events.base) + column("_serial"), DataType::Int64),
        ];
        fields.extend(self.own.iter().map(|(name, kind)| {
            let value = match (events.index.as_deref(), &self.text) {
                (Some(index), _) if name == "index" => cast(lit(index), kind.data_type()),
                (_, Some(text)) if name == "_raw" => text.restored(),
                _ => column(name),
            };
            field(name, value, kind.data_type())
        }));
        fields
    }
}

impl Text {
    fn restored(&self) -> Expr {
        let column = |name: &str| Expr::Column(Column::new_unqualified(name));
        let optional = |there: bool, name: &str| if there { column(name) } else { lit(ScalarValue::Utf8(None)) };
        restored::text(
            column(SKELETON),
            optional(self.has_gaps, GAPS),
            optional(self.has_whole, "_raw"),
            self.parts.iter().map(|(name, _)| name.as_str()),
        )
    }
}
