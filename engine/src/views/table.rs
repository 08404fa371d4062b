//! Events seen through views, as a table: the columns of the events and those that views make.
//!
//! A table rather than a projection in the plan, because the optimizer would put the expressions in the place of the
//! columns wherever a condition looks at them, and a search looks at the same few fields many times.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::datasource::TableType;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;

use super::expressions::{kind, kind_name, made};
use super::serving::Serving;
use crate::plan::frame::column;
use crate::store::known::Hints;
use crate::store::parquet::ParquetTable;

/// The prefix of columns that conditions look at before the others are made.
const TESTED: &str = "__made_";

/// Events seen through views.
#[derive(Debug)]
pub struct ViewTable {
    events: Arc<dyn TableProvider>,
    /// The columns of the events, and those that views make.
    schema: SchemaRef,
    /// The columns that classify events.
    kinds: Vec<(String, Expr)>,
    /// What views make, of the columns of the events and those that classify them.
    made: HashMap<String, Expr>,
}

impl ViewTable {
    /// The events of a table through the views that serve.
    pub fn new(serving: &Serving, events: Arc<dyn TableProvider>) -> Self {
        let native = events.schema();
        let mut fields: Vec<Arc<Field>> = native.fields().iter().cloned().collect();
        let mut expressions = HashMap::new();
        let mut add = |name: &str, value: Expr, data_type: DataType| {
            let field = Arc::new(Field::new(name, data_type, true));
            match fields.iter_mut().find(|known| known.name() == name) {
                Some(known) => *known = field,
                None => fields.push(field),
            }
            expressions.insert(name.to_owned(), value);
        };
        for name in &serving.targets {
            if let Some((value, data_type)) = made(&native, serving, name) {
                add(name, value, data_type);
            }
        }
        for (name, field) in &serving.aliases {
            if let Ok(own) = native.field_with_name(field) {
                add(name, column(field), own.data_type().clone());
            }
        }
        let kinds = serving.directions.iter().map(|&direction| (kind_name(direction), kind(&native, direction)));
        let kinds = kinds.collect();
        Self { events, schema: Arc::new(Schema::new(fields)), kinds, made: expressions }
    }

    /// The conditions on what is made, which choose files of a store.
    fn hints(&self, filters: &[Expr], named: &BTreeSet<String>) -> Hints {
        let is_made = |filter: &&Expr| filter.column_refs().iter().any(|column| self.made.contains_key(&column.name));
        let conditions: Vec<Expr> = filters.iter().filter(is_made).cloned().collect();
        if conditions.is_empty() {
            return Hints::default();
        }
        let made = named.iter().filter_map(|name| Some((name.clone(), self.made.get(name)?.clone())));
        // All are made of the columns of the events, which one of them may hide.
        Hints { kinds: self.kinds.clone(), made: made.collect(), conditions }
    }

    /// The columns of the events that expressions are made of.
    fn sources<'e>(&self, expressions: impl Iterator<Item = &'e Expr>) -> BTreeSet<String> {
        let kinds = |name: &str| self.kinds.iter().any(|(known, _)| known == name);
        let columns = expressions.flat_map(|value| value.column_refs()).map(|column| column.name.clone());
        columns.filter(|name| !kinds(name)).collect()
    }
}

#[async_trait]
impl TableProvider for ViewTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters are applied here, before the values that only the result needs are made.
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
        let wanted: Vec<String> = match projection {
            Some(columns) => {
                columns.iter().filter_map(|&at| self.schema.fields().get(at)).map(|f| f.name().clone()).collect()
            }
            None => self.schema.fields().iter().map(|field| field.name().clone()).collect(),
        };
        // Conditions on columns of the events alone choose what is read of them at all.
        let is_native =
            |filter: &&Expr| filter.column_refs().iter().all(|column| !self.made.contains_key(&column.name));
        let native: Vec<Expr> = filters.iter().filter(is_native).cloned().collect();
        let named: BTreeSet<String> = filters
            .iter()
            .flat_map(|filter| filter.column_refs())
            .map(|column| column.name.clone())
            .chain(wanted.iter().cloned())
            .collect();
        let makes = named.iter().filter_map(|name| self.made.get(name));
        let uses_kinds = makes.clone().next().is_some();
        let kinds = self.kinds.iter().filter(|_| uses_kinds);
        let mut read = self.sources(makes.chain(kinds.clone().map(|(_, value)| value)));
        read.extend(named.iter().filter(|name| !self.made.contains_key(*name)).cloned());
        let events = self.events.schema();
        let indices = (0..events.fields().len()).filter(|&at| read.contains(events.field(at).name())).collect();
        let scan = match (self.events.as_ref() as &dyn Any).downcast_ref::<ParquetTable>() {
            Some(events) => events.scan_with(session, Some(&indices), &native, &self.hints(filters, &named)).await?,
            None => self.events.scan(session, Some(&indices), &native, None).await?,
        };

        let mut columns: Vec<(String, Expr)> = names(&scan).map(|name| (name.clone(), column(&name))).collect();
        columns.extend(kinds.cloned());
        let mut plan = project(session, scan, columns)?;
        let mut tested: BTreeSet<String> = BTreeSet::new();
        let filters = filters.iter().map(|filter| self.tested(filter, &mut tested)).collect::<Result<Vec<_>>>()?;
        if let Some(condition) = conjunction(filters) {
            let mut columns: Vec<(String, Expr)> = names(&plan).map(|name| (name.clone(), column(&name))).collect();
            for name in &tested {
                columns.extend(self.made.get(name).map(|value| (format!("{TESTED}{name}"), value.clone())));
            }
            plan = project(session, plan, columns)?;
            let schema = DFSchema::try_from(plan.schema())?;
            plan = Arc::new(FilterExec::try_new(session.create_physical_expr(condition, &schema)?, plan)?);
        }
        let columns = wanted.into_iter().map(|name| {
            let value = match self.made.get(&name) {
                Some(_) if tested.contains(&name) => column(&format!("{TESTED}{name}")),
                Some(value) => value.clone(),
                None => column(&name),
            };
            (name, value)
        });
        project(session, plan, columns.collect())
    }
}

impl ViewTable {
    /// A condition on what was made for it before.
    fn tested(&self, filter: &Expr, tested: &mut BTreeSet<String>) -> Result<Expr> {
        let rewritten = filter.clone().transform(|part| {
            Ok(match &part {
                Expr::Column(found) if self.made.contains_key(&found.name) => {
                    tested.insert(found.name.clone());
                    Transformed::yes(column(&format!("{TESTED}{}", found.name)))
                }
                Expr::Column(found) if found.relation.is_some() => Transformed::yes(column(&found.name)),
                _ => Transformed::no(part),
            })
        });
        rewritten.map(|rewritten| rewritten.data)
    }
}

fn names(plan: &Arc<dyn ExecutionPlan>) -> impl Iterator<Item = String> {
    let schema = plan.schema();
    (0..schema.fields().len()).map(move |at| schema.field(at).name().clone())
}

fn project(
    session: &dyn Session,
    input: Arc<dyn ExecutionPlan>,
    columns: Vec<(String, Expr)>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = DFSchema::try_from(input.schema())?;
    let mut made = Vec::with_capacity(columns.len());
    for (name, value) in columns {
        made.push((session.create_physical_expr(value, &schema)?, name));
    }
    Ok(Arc::new(ProjectionExec::try_new(made, input)?))
}
