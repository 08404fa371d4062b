//! Events in Parquet files, which stay where they are: a table that reads them bit by bit while it is searched.
//!
//! Files with the same columns are one scan, with row numbers and the path as further columns; a projection on top
//! of it gives every field the type that it has in the whole table. Conditions go down in the file's own columns,
//! where they leave out row groups and pages.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchemaBuilder;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use parquet::arrow::RowNumber;

use super::align::{converted, merged};
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
    /// Its absolute path.
    pub location: PathBuf,
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
    fn field(&self, name: &str) -> Option<&FileField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether one scan can read both.
    fn is_like(&self, other: &ParquetFile) -> bool {
        self.schema == other.schema && self.fields == other.fields
    }

    fn partitioned(&self) -> Result<PartitionedFile> {
        let mut file = PartitionedFile::new(String::new(), self.size);
        file.object_meta.location = ObjectPath::from_absolute_path(&self.location)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let path = ScalarValue::Utf8(Some(self.shown.clone()));
        let path = ScalarValue::Dictionary(Box::new(DataType::Int32), Box::new(path));
        file.partition_values = vec![ScalarValue::Int64(Some(self.base)), path];
        Ok(file.with_arrow_schema(Arc::clone(&self.schema)))
    }
}

/// The events of a store, those in memory and those in files.
#[derive(Debug)]
pub struct ParquetTable {
    loaded: Option<EventTable>,
    groups: Vec<Vec<ParquetFile>>,
    schema: SchemaRef,
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
        let loaded = (!store.shapes.is_empty()).then(|| EventTable::new(store));
        Self { loaded, groups, schema }
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
    for (name, data_type) in loaded.chain(in_files) {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = merged(known, data_type),
            None => fields.push((name.clone(), data_type.clone())),
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
        let wanted = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let mut parts = Vec::new();
        if let Some(loaded) = &self.loaded {
            parts.push(loaded_part(loaded, session, &self.schema, &wanted, filters).await?);
        }
        for group in &self.groups {
            parts.push(file_part(group, session, &self.schema, &wanted, filters)?);
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

/// The events of files with the same columns.
fn file_part(
    files: &[ParquetFile],
    session: &dyn Session,
    table: &Schema,
    wanted: &SchemaRef,
    filters: &[Expr],
) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(first) = files.first() else { return Ok(Arc::new(EmptyExec::new(Arc::clone(wanted)))) };
    let value = |field: &Field| match first.field(field.name()) {
        Some(own) => Ok(converted(own.value.clone(), &own.data_type, field.data_type())),
        None => ScalarValue::try_from(field.data_type()).map(|null| Expr::Literal(null, None)),
    };
    let row = Arc::new(Field::new(ROW, DataType::Int64, false).with_extension_type(RowNumber));
    let path = Field::new(PATH, super::align::dictionary_type(), false);
    let schema = TableSchemaBuilder::new(Arc::clone(&first.schema))
        .with_table_partition_cols(vec![Arc::new(Field::new(BASE, DataType::Int64, false)), Arc::new(path)])
        .with_virtual_columns(vec![row])
        .build();
    let scanned = Arc::clone(schema.table_schema());
    let columns = scanned.fields().len();

    let filters = rewritten(filters, table, value)?;
    let mut used: HashSet<String> = names(&filters).map(str::to_owned).collect();
    for field in wanted.fields() {
        used.extend(value(field)?.column_refs().into_iter().map(|column| column.name.clone()));
    }
    let indices: Vec<usize> =
        (0..columns).filter(|&index| scanned.fields().get(index).is_some_and(|f| used.contains(f.name()))).collect();
    let mut options = session.config_options().execution.parquet.clone();
    options.pushdown_filters = indices.len() >= MANY_COLUMNS;
    let url = ObjectStoreUrl::local_filesystem();
    let runtime = session.runtime_env();
    let footers = runtime.cache_manager.get_file_metadata_cache();
    // The optimizer gives it the conditions of the filter below, as far as they are about columns of the file.
    let source = ParquetSource::new(schema)
        .with_table_parquet_options(TableParquetOptions { global: options, ..TableParquetOptions::default() })
        .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(
            runtime.object_store(&url)?,
            footers,
        )));
    let rows = files.iter().map(|file| file.rows).fold(0_u64, u64::saturating_add);
    let group: Vec<PartitionedFile> = files.iter().map(ParquetFile::partitioned).collect::<Result<_>>()?;
    let statistics = Statistics {
        num_rows: Precision::Exact(usize::try_from(rows).unwrap_or(usize::MAX)),
        ..Statistics::new_unknown(&scanned)
    };
    let config = FileScanConfigBuilder::new(url, Arc::new(source))
        .with_file_group(FileGroup::new(group))
        .with_statistics(statistics)
        .with_projection_indices(Some(indices))?
        .build();
    let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
    let threads = session.config().target_partitions();
    let scan = scan.repartitioned(threads, session.config_options())?.unwrap_or(scan);
    let scan = filter(session, scan, filters)?;
    project(session, scan, wanted, value)
}

/// The columns that conditions name.
fn names(filters: &[Expr]) -> impl Iterator<Item = &str> {
    filters.iter().flat_map(|filter| filter.column_refs()).map(|column| column.name.as_str())
}

/// The conditions in terms of the columns that fields are made of.
fn rewritten(filters: &[Expr], table: &Schema, value: impl Fn(&Field) -> Result<Expr>) -> Result<Vec<Expr>> {
    let rewrite = |filter: &Expr| {
        let rewritten = filter.clone().transform(|part| match &part {
            // What stands for a column has columns of its own, which may bear the name of another field.
            Expr::Column(column) => {
                let value = value(table.field_with_name(&column.name)?)?;
                Ok(Transformed::new(value, true, TreeNodeRecursion::Jump))
            }
            _ => Ok(Transformed::no(part)),
        });
        rewritten.map(|rewritten| rewritten.data)
    };
    filters.iter().map(rewrite).collect()
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
