//! Events in Parquet files, which stay where they are: a table that reads them bit by bit while it is searched.
//!
//! Files with the same columns are one scan, with row numbers and the path as further columns; a projection on top
//! of it gives every field the type that it has in the whole table. Conditions go down in the file's own columns,
//! where they leave out row groups and pages.

mod conditions;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchemaBuilder;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::filter_pushdown::PushedDown;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use object_store::path::Path as ObjectPath;
use parquet::arrow::RowNumber;

use self::conditions::{is_calculated, names, rewritten, simplified};
use super::align::{converted, merged};
use super::disk::manifest::StoredFile;
use super::disk::opened::{Columns, StoredEvents};
use super::known::{Hints, Known, Setting};
use super::pruning::{Reason, Test, Verdict, with_native_times};
use super::scans::{Note, Scans};
use super::table::EventTable;
use super::{Store, columns};
/// The column of a scan that holds the path of the file.
pub const PATH: &str = "__file_path";
/// The column of a scan that holds the serial number of the file's first row.
pub const BASE: &str = "__file_serial";
/// The column of a scan that holds the number of the row in its file.
pub const ROW: &str = "__file_row";

/// From so many columns on, those that conditions are about are read first, and of the others only the rows that are
/// left: three times as fast for wide and rare results, but half as fast for narrow and frequent ones.
const MANY_COLUMNS: usize = 24;

/// A Parquet file, and what the events in it have.
#[derive(Debug, Clone)]
pub struct ParquetFile {
    /// The files of this machine, or the bucket that it is in.
    pub place: ObjectStoreUrl,
    /// Its path there.
    pub object: ObjectPath,
    /// Its path as reached from the input.
    pub shown: String,
    /// The serial number of its first row.
    pub base: i64,
    /// Its size in bytes.
    pub size: u64,
    /// How many rows it has.
    pub rows: u64,
    /// Its columns in the types in which they are read.
    pub schema: SchemaRef,
    /// The fields of its events. `_time` and `_serial` come first.
    pub fields: Vec<FileField>,
    /// The distinct values of the metadata fields among them, perhaps with a few that no row has.
    pub metadata: BTreeMap<String, BTreeSet<String>>,
}

/// A field of the events in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileField {
    /// Its name.
    pub name: String,
    /// Its value, made of the columns of the scan.
    pub value: Expr,
    /// The type of that.
    pub data_type: DataType,
}

impl ParquetFile {
    /// Whether one scan can read both.
    fn is_like(&self, other: &ParquetFile) -> bool {
        self.place == other.place && self.schema == other.schema && self.fields == other.fields
    }

    fn partitioned(&self) -> PartitionedFile {
        let mut file = sized(self.object.clone(), self.size);
        let path = ScalarValue::Dictionary(Box::new(DataType::Int32), Box::new(ScalarValue::from(self.shown.as_str())));
        file.partition_values = vec![ScalarValue::Int64(Some(self.base)), path];
        file.with_arrow_schema(Arc::clone(&self.schema))
    }
}

/// The events of a store, those in memory and those in files.
#[derive(Debug, Clone)]
pub struct ParquetTable {
    loaded: Option<Arc<EventTable>>,
    groups: Arc<Vec<Vec<ParquetFile>>>,
    stored: Vec<Arc<StoredEvents>>,
    schema: SchemaRef,
    scans: Arc<Scans>,
}

impl ParquetTable {
    /// The table over that store.
    pub fn new(store: Arc<Store>) -> Self {
        let mut groups: Vec<Vec<ParquetFile>> = Vec::new();
        for file in &store.files {
            match groups.iter_mut().find(|group| group.first().is_some_and(|first| first.is_like(file))) {
                Some(group) => group.push(file.clone()),
                None => groups.push(vec![file.clone()]),
            }
        }
        let schema = schema_of(&store, &groups);
        let stored = store.stored.clone();
        let loaded = (!store.shapes.is_empty()).then(|| Arc::new(EventTable::new(store)));
        Self { loaded, groups: Arc::new(groups), stored, schema, scans: Arc::default() }
    }

    /// Whether some of the events are in stores.
    #[cfg(feature = "cluster")]
    pub(crate) fn has_stores(&self) -> bool {
        !self.stored.is_empty()
    }

    /// The same table, which notes what it leaves out there.
    pub fn noting(&self, scans: &Arc<Scans>) -> Self {
        Self { scans: Arc::clone(scans), ..self.clone() }
    }
}

/// The fields of all events, in types that hold all their values.
fn schema_of(store: &Store, groups: &[Vec<ParquetFile>]) -> SchemaRef {
    let mut fields: Vec<(String, DataType)> =
        vec![("_time".to_owned(), columns::time_field().data_type().clone()), ("_serial".to_owned(), DataType::Int64)];
    let loaded = store.schema.fields().iter().filter(|_| !store.shapes.is_empty());
    let loaded = loaded.map(|field| (field.name(), field.data_type()));
    let in_files = groups.iter().filter_map(|group| group.first());
    let in_files = in_files.flat_map(|file| &file.fields).map(|field| (&field.name, &field.data_type));
    let in_stores = store.stored.iter().flat_map(|stored| &stored.fields).map(|(name, data_type)| (name, data_type));
    let mut known: HashMap<String, usize> = HashMap::new();
    known.extend(fields.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)));
    for (name, data_type) in loaded.chain(in_files).chain(in_stores) {
        match known.get(name).and_then(|at| fields.get_mut(*at)) {
            Some((_, known)) => *known = merged(known, data_type),
            None => {
                known.insert(name.clone(), fields.len());
                fields.push((name.clone(), data_type.clone()));
            }
        }
    }
    let fields: Vec<Field> =
        fields.into_iter().map(|(name, data_type)| Field::new(&name, data_type, name != "_serial")).collect();
    Arc::new(Schema::new(fields))
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters are applied here, before the values that only the result needs are computed.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.scan_with(session, projection, filters, &Hints::default()).await
    }
}

impl ParquetTable {
    /// A scan of the events that the filters keep, of files in which the hints can be true.
    pub(crate) async fn scan_with(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        hints: &Hints,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let filters: Vec<Expr> = filters.iter().flat_map(with_native_times).collect();
        let scan = Scan { session, table: &self.schema, wanted: &wanted };
        let mut parts = Vec::new();
        if let Some(loaded) = &self.loaded {
            parts.push(loaded_part(loaded, session, &self.schema, &wanted, &filters).await?);
        }
        for group in self.groups.iter() {
            let Some(first) = group.first() else { continue };
            let files = group.iter().map(ParquetFile::partitioned).collect();
            let rows = group.iter().map(|file| file.rows).fold(0_u64, u64::saturating_add);
            let (constants, with_places) = (Constants::new(), true);
            let (place, schema) = (first.place.clone(), &first.schema);
            let group = Group { place, schema, fields: &first.fields, files, rows, with_places, constants };
            parts.push(scan.part(group, &filters)?.0);
        }
        for stored in &self.stored {
            scan.stored(stored, &filters, hints, &self.scans, &mut parts)?;
        }
        match parts.len() {
            0 => Ok(Arc::new(EmptyExec::new(wanted))),
            1 => Ok(parts.remove(0)),
            _ => UnionExec::try_new(parts),
        }
    }
}

/// The events in memory, in the types of the whole table.
async fn loaded_part(
    loaded: &EventTable,
    session: &dyn Session,
    table: &Schema,
    wanted: &SchemaRef,
    filters: &[Expr],
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = loaded.schema();
    let used: HashSet<&str> = wanted.fields().iter().map(|field| field.name().as_str()).chain(names(filters)).collect();
    let present = (0..schema.fields().len()).filter(|&at| used.contains(schema.field(at).name().as_str())).collect();
    // A condition means the same there only on fields of the same type.
    let same = |name: &str| match (schema.field_with_name(name), table.field_with_name(name)) {
        (Ok(own), Ok(field)) => own.data_type() == field.data_type(),
        (own, _) => own.is_err(),
    };
    let pruning: Vec<Expr> =
        filters.iter().filter(|filter| filter.column_refs().iter().all(|column| same(&column.name))).cloned().collect();
    let scan = loaded.scan(session, Some(&present), &pruning, None).await?;
    let scanned = scan.schema();
    let value = |field: &Field| match scanned.field_with_name(field.name()) {
        Ok(own) => Ok(converted(column(field.name()), own.data_type(), field.data_type())),
        Err(_) => ScalarValue::try_from(field.data_type()).map(|null| Expr::Literal(null, None)),
    };
    let filters = rewritten(filters, table, value)?;
    let scan = filter(session, scan, filters)?;
    project(session, scan, wanted, value)
}

/// What is asked of the files.
struct Scan<'a> {
    session: &'a dyn Session,
    /// The fields of the whole table.
    table: &'a SchemaRef,
    /// Those of the result.
    wanted: &'a SchemaRef,
}

/// Files with the same columns.
struct Group<'a> {
    /// Where these are.
    place: ObjectStoreUrl,
    schema: &'a SchemaRef,
    fields: &'a [FileField],
    files: Vec<PartitionedFile>,
    rows: u64,
    /// Whether the scan has the further columns, of which a field of a store could bear the name.
    with_places: bool,
    /// Fields that have the same value in all events of the files.
    constants: Constants,
}

/// Fields and their only values.
type Constants = Vec<(String, ScalarValue)>;

impl Scan<'_> {
    /// The events of a group of files, and what will be counted while they are read.
    fn part(&self, group: Group<'_>, filters: &[Expr]) -> Result<(Arc<dyn ExecutionPlan>, ExecutionPlanMetricsSet)> {
        let Self { session, table, wanted } = *self;
        let Group { place, schema, fields, files, rows, with_places, constants } = group;
        let value = |field: &Field| match fields.iter().find(|own| own.name == *field.name()) {
            Some(own) => Ok(converted(own.value.clone(), &own.data_type, field.data_type())),
            None => ScalarValue::try_from(field.data_type()).map(|null| Expr::Literal(null, None)),
        };
        let mut schema = TableSchemaBuilder::new(Arc::clone(schema));
        if with_places {
            let row = Arc::new(Field::new(ROW, DataType::Int64, false).with_extension_type(RowNumber));
            let path = Field::new(PATH, super::align::dictionary_type(), false);
            schema = schema
                .with_table_partition_cols(vec![Arc::new(Field::new(BASE, DataType::Int64, false)), Arc::new(path)])
                .with_virtual_columns(vec![row]);
        }
        let schema = schema.build();
        let scanned = Arc::clone(schema.table_schema());
        let columns = scanned.fields().len();

        let scope = DFSchema::try_from(Arc::clone(&scanned))?;
        let compared = filters.iter().filter(|filter| !matches!(filter, Expr::IsNotNull(_)));
        let has_time = compared.flat_map(|filter| names(std::slice::from_ref(filter))).any(|name| name == "_time");
        let constant = |field: &Field| match constants.iter().find(|(name, _)| name == field.name()) {
            Some((_, constant)) => Ok(Expr::Literal(constant.clone(), None)),
            None => value(field),
        };
        let filters = rewritten(filters, table, constant)?;
        let has_constants =
            fields.iter().any(|field| matches!(field.value, Expr::Literal(..))) || !constants.is_empty();
        let filters = if has_constants { simplified(session, filters, &scope)? } else { filters };
        let is_never = |filter: &Expr| matches!(filter, Expr::Literal(ScalarValue::Boolean(Some(false) | None), _));
        if filters.iter().any(is_never) {
            return Ok((Arc::new(EmptyExec::new(Arc::clone(wanted))), ExecutionPlanMetricsSet::new()));
        }
        let mut shown: HashSet<String> = HashSet::new();
        for field in wanted.fields() {
            shown.extend(value(field)?.column_refs().into_iter().map(|column| column.name.clone()));
        }
        let count =
            |used: &HashSet<String>| scanned.fields().iter().filter(|field| used.contains(field.name())).count();
        let mut options = session.config_options().execution.parquet.clone();
        let all = shown.iter().map(String::as_str).chain(names(&filters)).map(str::to_owned).collect();
        options.pushdown_filters = count(&all) >= MANY_COLUMNS;
        // Of all columns it takes longer to read than many a search. Events are in the order of time, so that its pages
        // tell more than their row group; of other fields pages hold much the same.
        options.enable_page_index = options.pushdown_filters || has_time;
        let runtime = session.runtime_env();
        let footers = runtime.cache_manager.get_file_metadata_cache();
        let source = ParquetSource::new(schema)
            .with_table_parquet_options(TableParquetOptions { global: options, ..TableParquetOptions::default() })
            .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(
                runtime.object_store(&place)?,
                footers,
            )));
        // It leaves out what it can by statistics, and says which conditions it meets row by row. No rule of the
        // optimizer moves conditions here.
        let physical = filters.iter().map(|filter| session.create_physical_expr(filter.clone(), &scope));
        let pushed = source.try_pushdown_filters(physical.collect::<Result<_>>()?, session.config_options())?;
        let is_left = |pushed: &PushedDown| matches!(pushed, PushedDown::No);
        let left = filters.into_iter().zip(&pushed.filters).filter(|(_, pushed)| is_left(pushed));
        let filters: Vec<Expr> = left.map(|(filter, _)| filter).collect();
        let source: Arc<dyn FileSource> = pushed.updated_node.unwrap_or_else(|| Arc::new(source));
        shown.extend(names(&filters).map(str::to_owned));
        let is_used = |index: &usize| scanned.fields().get(*index).is_some_and(|field| shown.contains(field.name()));
        let indices: Vec<usize> = (0..columns).filter(is_used).collect();
        let counted = source.metrics().clone();
        let statistics = Statistics {
            num_rows: Precision::Exact(usize::try_from(rows).unwrap_or(usize::MAX)),
            ..Statistics::new_unknown(&scanned)
        };
        let config = FileScanConfigBuilder::new(place, source)
            .with_file_group(FileGroup::new(files))
            .with_statistics(statistics)
            .with_projection_indices(Some(indices))?
            .build();
        let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        let threads = session.config().target_partitions();
        let scan = scan.repartitioned(threads, session.config_options())?.unwrap_or(scan);
        let scan = filter(session, scan, filters)?;
        Ok((project(session, scan, wanted, value)?, counted))
    }

    /// The events of a store: of the files that can have some, and in these under the conditions that do not hold
    /// for all of them.
    fn stored(
        &self,
        events: &StoredEvents,
        filters: &[Expr],
        hints: &Hints,
        scans: &Scans,
        parts: &mut Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<()> {
        let Self { session, table, wanted } = *self;
        let tests: Vec<Test> = filters.iter().map(|filter| Test::new(filter, events, table, session)).collect();
        let used: BTreeSet<&str> =
            wanted.fields().iter().map(|field| field.name().as_str()).chain(names(filters)).collect();
        let mut note = Note::of(events);
        // Files with the same columns, as far as these are used, that are asked the same.
        let mut groups: BTreeMap<usize, Vec<&StoredFile>> = BTreeMap::new();
        let mut kinds: Vec<(Columns, Vec<bool>, Constants)> = Vec::new();
        let mut by_kind: HashMap<(Columns, Vec<bool>, Constants), usize> = HashMap::new();
        let mut settings: HashMap<Setting, (Vec<Option<bool>>, Constants)> = HashMap::new();
        'files: for (_, file) in events.present() {
            let mut asked = vec![false; tests.len()];
            for (test, asked) in tests.iter().zip(&mut asked) {
                match test.of(events, file) {
                    Verdict::Never(reason) => {
                        note.skip(file, reason);
                        continue 'files;
                    }
                    Verdict::Always => {}
                    Verdict::Sometimes => *asked = true,
                }
            }
            let mut constants = Constants::new();
            if filters.iter().zip(&asked).any(|(filter, asked)| *asked && is_calculated(filter))
                || !hints.conditions.is_empty()
            {
                // What the files of one shape have in common is looked at once.
                let (truths, known) = match settings.entry(Setting::of(file)) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let setting = new.key().clone();
                        let mut known = Known::new(events, file, &setting, table, session);
                        let truth = |filter| if is_calculated(filter) { known.truth(filter) } else { None };
                        let mut truths: Vec<Option<bool>> = filters.iter().map(truth).collect();
                        truths.push(if known.allows(hints) { None } else { Some(false) });
                        let constants = known.constants(filters.iter().filter(|filter| is_calculated(filter)));
                        new.insert((truths, constants))
                    }
                };
                constants.clone_from(known);
                if truths.contains(&Some(false)) {
                    note.skip(file, Reason::Made);
                    continue;
                }
                for (asked, truth) in asked.iter_mut().zip(truths.iter()) {
                    *asked &= *truth != Some(true);
                }
            }
            if let Err(error) = events.place.check(&file.path) {
                note.damaged(file, &error);
                continue;
            }
            note.open(file, &tests);
            let kind = (events.columns_of(file, used.iter().copied()), asked, constants);
            let at = *by_kind.entry(kind).or_insert_with_key(|kind| {
                kinds.push(kind.clone());
                kinds.len().saturating_sub(1)
            });
            groups.entry(at).or_default().push(file);
        }
        for (at, files) in groups {
            let Some((columns, asked, constants)) = kinds.get(at) else { continue };
            let conditions: Vec<Expr> =
                filters.iter().zip(asked).filter(|(_, asked)| **asked).map(|(filter, _)| filter.clone()).collect();
            let rows = files.iter().map(|file| file.rows).fold(0_u64, u64::saturating_add);
            let located = |file: &&StoredFile| Ok(sized(events.place.object(&file.path)?, file.bytes));
            let files = files.iter().map(located).collect::<Result<_>>()?;
            let place = events.place.url();
            let (schema, fields) = (columns.schema(), columns.fields(events));
            let constants = constants.clone();
            let group = Group { place, schema: &schema, fields: &fields, files, rows, with_places: false, constants };
            let (part, counted) = self.part(group, &conditions)?;
            note.counts(counted);
            parts.push(part);
        }
        scans.add(note);
        Ok(())
    }
}

/// A file for a scan.
fn sized(object: ObjectPath, size: u64) -> PartitionedFile {
    let mut file = PartitionedFile::new(String::new(), size);
    file.object_meta.location = object;
    file
}

/// The rows for which all conditions are true.
fn filter(session: &dyn Session, input: Arc<dyn ExecutionPlan>, filters: Vec<Expr>) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(condition) = conjunction(filters) else { return Ok(input) };
    let schema = DFSchema::try_from(input.schema())?;
    Ok(Arc::new(FilterExec::try_new(session.create_physical_expr(condition, &schema)?, input)?))
}

/// A projection with the fields of the table.
fn project(
    session: &dyn Session,
    input: Arc<dyn ExecutionPlan>,
    wanted: &SchemaRef,
    value: impl Fn(&Field) -> Result<Expr>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = DFSchema::try_from(input.schema())?;
    let mut columns = Vec::new();
    for field in wanted.fields() {
        columns.push((session.create_physical_expr(value(field)?, &schema)?, field.name().clone()));
    }
    Ok(Arc::new(ProjectionExec::try_new(columns, input)?))
}

fn column(name: &str) -> Expr {
    Expr::Column(datafusion::common::Column::new_unqualified(name))
}
