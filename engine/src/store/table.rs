//! The loaded events as a DataFusion table: the union of all shapes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{max, min};
use arrow::datatypes::{Int32Type, Int64Type, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use super::memory::Loaded;
use super::{Shape, Store};
use crate::functions::kernel;

/// The events of a store. Fields that a shape lacks are null.
#[derive(Debug)]
pub struct EventTable {
    store: Arc<Store>,
    /// Of the columns of whole numbers that conditions asked for so far.
    ranges: Mutex<HashMap<String, Arc<Ranges>>>,
}

/// The least and greatest number that a column has in each batch of each shape; `None` where it has none.
type Ranges = Vec<Vec<Option<(i64, i64)>>>;

impl EventTable {
    /// The table over that store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, ranges: Mutex::default() }
    }

    /// Computed once a column: it takes as long as a search.
    fn ranges(&self, name: &str) -> Arc<Ranges> {
        let mut known = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let ranges = known.entry(name.to_owned()).or_insert_with(|| {
            let of = |batch: &RecordBatch| {
                let integers = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
                min(integers).zip(max(integers))
            };
            Arc::new(self.store.shapes.iter().map(|shape| shape.batches.iter().map(of).collect()).collect())
        });
        Arc::clone(ranges)
    }
}

#[async_trait]
impl TableProvider for EventTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.store.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters only choose which batches are looked at; the plan keeps them.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.store.schema.project(columns)?),
            None => Arc::clone(&self.store.schema),
        };
        let conjuncts: Vec<&Expr> = filters.iter().flat_map(split_conjunction).collect();
        let mut batches = Vec::new();
        let shapes = self.store.shapes.iter().enumerate();
        for (shape, events) in shapes.filter(|(_, events)| may_match_shape(events, &conjuncts)) {
            for (number, batch) in events.batches.iter().enumerate() {
                let place = Place { table: self, shape, number, batch };
                if conjuncts.iter().all(|conjunct| place.may_match(conjunct)) {
                    batches.push(adapt(batch, &schema)?);
                }
            }
        }
        let partitions = spread(batches, session.config().target_partitions());
        Loaded::plan(&partitions, schema)
    }
}

/// Deals the batches out so that every core has some.
fn spread(batches: Vec<RecordBatch>, partitions: usize) -> Vec<Vec<RecordBatch>> {
    let count = partitions.min(batches.len()).max(1);
    let mut spread = vec![Vec::new(); count];
    for (position, batch) in batches.into_iter().enumerate() {
        if let Some(partition) = spread.get_mut(position % count) {
            partition.push(batch);
        }
    }
    spread
}

/// The batch with exactly the columns of the schema; the ones it lacks are null.
fn adapt(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) => Arc::clone(column),
            None => new_null_array(field.data_type(), batch.num_rows()),
        })
        .collect::<Vec<ArrayRef>>();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// False only if a conjunct needs a field that the shape lacks.
fn may_match_shape(shape: &Shape, conjuncts: &[&Expr]) -> bool {
    conjuncts
        .iter()
        .filter_map(|conjunct| needed_column(conjunct))
        .all(|name| shape.schema.column_with_name(name).is_some())
}

/// The column without which the condition is never true.
pub(super) fn needed_column(condition: &Expr) -> Option<&str> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, .. }) if is_comparison(*op) => strict_column(left),
        Expr::IsNotNull(inner) => strict_column(inner),
        Expr::InList(list) if !list.negated => strict_column(&list.expr),
        Expr::ScalarFunction(_) => strict_column(condition),
        _ => None,
    }
}

/// The column without which a value is null.
fn strict_column(value: &Expr) -> Option<&str> {
    match value {
        Expr::Column(column) => Some(&column.name),
        Expr::Cast(cast) => strict_column(&cast.expr),
        Expr::ScalarFunction(call) => strict_column(kernel::strict_argument(call)?),
        _ => None,
    }
}

/// Whether the operator compares, and gives null for null.
fn is_comparison(operator: Operator) -> bool {
    matches!(operator, Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

fn column_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(&column.name),
        _ => None,
    }
}

/// A batch of a table.
struct Place<'t> {
    table: &'t EventTable,
    shape: usize,
    number: usize,
    batch: &'t RecordBatch,
}

impl Place<'_> {
    /// False only if no row of the batch can fulfil the condition: it needs a column that the batch lacks, or a value
    /// that its column does not hold.
    fn may_match(&self, condition: &Expr) -> bool {
        match condition {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                self.may_match(left) && self.may_match(right)
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                self.may_match(left) || self.may_match(right)
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match column_name(left) {
                Some(name) => self.may_hold(name, std::slice::from_ref(right.as_ref())),
                None => true,
            },
            Expr::InList(list) if !list.negated => match column_name(&list.expr) {
                Some(name) => self.may_hold(name, &list.list),
                None => true,
            },
            other => needed_column(other).is_none_or(|name| self.batch.column_by_name(name).is_some()),
        }
    }

    /// False only if the column holds none of the values.
    fn may_hold(&self, name: &str, wanted: &[Expr]) -> bool {
        let Some(column) = self.batch.column_by_name(name) else { return false };
        let literals: Option<Vec<&ScalarValue>> = wanted.iter().map(literal).collect();
        let Some(literals) = literals else { return true };
        if column.as_primitive_opt::<Int64Type>().is_some() {
            let ranges = self.table.ranges(name);
            let range = ranges.get(self.shape).and_then(|batches| batches.get(self.number)).copied().flatten();
            let Some((least, greatest)) = range else { return false };
            return literals.iter().any(|literal| match literal {
                ScalarValue::Int64(Some(wanted)) => least <= *wanted && *wanted <= greatest,
                _ => true,
            });
        }
        let values = column.as_dictionary_opt::<Int32Type>().and_then(|texts| texts.values().as_string_opt::<i32>());
        match values {
            // A column with many values is not worth the search.
            Some(values) if values.len() <= MOST_VALUES => literals.iter().any(|literal| match literal.try_as_str() {
                Some(Some(wanted)) => values.iter().flatten().any(|value| value == wanted),
                _ => true,
            }),
            _ => true,
        }
    }
}

/// How many different values of a column are compared with those that a condition wants.
const MOST_VALUES: usize = 64;

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}
