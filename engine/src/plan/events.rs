//! The loaded events at the begin of a plan.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection};

use super::frame::{Frame, OrderKey, SERIAL};
use super::summary::Summary;
use super::{PlanResult, Planner, calculated, makeresults};
use crate::ingest::{FieldSelection, Selection};
use crate::store::parquet::ParquetTable;
use crate::store::scans::Scans;
use crate::views::{Asked, Serving, View, ViewTable};

/// Loaded events as the planner sees them.
#[derive(Debug, Clone)]
pub struct Events {
    /// The table.
    pub table: Arc<dyn TableProvider>,
    /// The table, where events in it stay on disk.
    pub on_disk: Option<Arc<ParquetTable>>,
    /// The distinct values of `index`, `source`, `sourcetype` and `host`, as far as they were loaded.
    pub metadata: HashMap<String, Vec<String>>,
    /// Which fields the query can name; the others of the table stay out of its plan.
    pub fields: FieldSelection,
    /// Fields that the events have and that the query does not name.
    pub unread: Vec<String>,
    /// How many there are.
    pub rows: usize,
    /// The views that they are seen through.
    pub serving: Option<Serving>,
    /// The fields that the query can name, for what apps make of the events.
    pub named: Vec<String>,
    /// Objects of data models that were computed from them before.
    pub summaries: Arc<Vec<Summary>>,
}

impl Events {
    /// The same events with only the fields that a query can name: plans are made faster over few columns.
    pub fn narrowed(&self, fields: FieldSelection) -> Self {
        let mut events = Self { fields, ..self.clone() };
        let schema = events.table.schema();
        let is_shown = events.shown();
        let hidden = schema.fields().iter().map(|field| field.name()).filter(|name| !is_shown(name));
        let hidden: Vec<String> =
            hidden.filter(|name| *name != STORED_SERIAL && !self.unread.contains(name)).cloned().collect();
        events.unread.extend(hidden);
        events
    }

    /// The same events as a query wants to see them: only what it can name, through the views that serve it.
    pub fn asked(&self, asked: &Asked, view: View) -> Self {
        let narrowed = self.narrowed(asked.fields.clone());
        let serving = Serving::of(view, asked, &narrowed);
        let table: Arc<dyn TableProvider> = match &serving {
            Some(serving) => Arc::new(ViewTable::new(serving, Arc::clone(&narrowed.table))),
            None => Arc::clone(&narrowed.table),
        };
        Self { serving, table, ..narrowed }
    }

    /// The same events; what is left out of stores is noted there.
    pub fn noting(self, scans: &Arc<Scans>) -> Self {
        match &self.on_disk {
            Some(table) => Self { table: Arc::new(table.noting(scans)), ..self },
            None => self,
        }
    }

    /// The same events for a query that can name these fields.
    pub fn naming(self, named: Vec<String>) -> Self {
        Self { named, ..self }
    }

    /// Tells whether the query can name a field.
    fn shown(&self) -> impl Fn(&str) -> bool + use<> {
        let selection = Selection::new(&self.fields);
        move |name| name == "_time" || selection.wants(name)
    }
}

impl Planner<'_> {
    /// All loaded events, newest first, with the fields that apps make of them.
    pub(crate) fn scan(&self) -> PlanResult<Frame> {
        let mut frame = self.scan_as_read()?;
        if let Some(events) = self.events.filter(|events| !events.named.is_empty()) {
            calculated::apply(self, &mut frame, &events.named)?;
        }
        Ok(frame)
    }

    /// All loaded events as they were read, newest first.
    pub(super) fn scan_as_read(&self) -> PlanResult<Frame> {
        let Some(events) = self.events else { return self.open_frame() };
        let schema = events.table.schema();
        let names = schema.fields().iter().map(|field| field.name()).enumerate();
        let is_shown = events.shown();
        let shown = names.filter(|(_, name)| *name == STORED_SERIAL || is_shown(name));
        let shown = shown.map(|(index, _)| index).collect();
        let plan = scan_columns("events", Arc::clone(&events.table), Some(shown), planned_name)?;
        let mut frame = Frame::new(plan, newest_first(), self.setting());
        frame.events = true;
        frame.numbered = true;
        frame.metadata = events.metadata.clone();
        if let Some(serving) = &events.serving {
            serving.add_metadata(&mut frame.metadata);
        }
        if let Some(tracer) = &self.trace {
            frame.restrict(tracer.wanted())?;
        }
        Ok(frame)
    }

    /// A frame in which every field is assumed to exist.
    pub(super) fn open_frame(&self) -> PlanResult<Frame> {
        let mut frame = makeresults::rows(self, 1)?;
        frame.open = true;
        frame.events = true;
        Ok(frame)
    }
}

/// The events' serial number as they are stored.
pub(super) const STORED_SERIAL: &str = "_serial";

/// The initial order: newest first, and of the same time the one read last.
pub(super) fn newest_first() -> Vec<OrderKey> {
    ["_time", SERIAL].map(|name| OrderKey { column: name.to_string(), descending: true }).to_vec()
}

/// All columns of a table, without qualifiers.
pub(super) fn scan_of(name: &str, table: Arc<dyn TableProvider>) -> PlanResult<LogicalPlan> {
    scan_columns(name, table, None, |name| name)
}

/// The name that a column of events has in plans.
fn planned_name(name: &str) -> &str {
    if name == STORED_SERIAL { SERIAL } else { name }
}

/// Columns of a table, without qualifiers and under other names.
fn scan_columns(
    name: &str,
    table: Arc<dyn TableProvider>,
    columns: Option<Vec<usize>>,
    named: fn(&str) -> &str,
) -> PlanResult<LogicalPlan> {
    let scan = LogicalPlanBuilder::scan(name, provider_as_source(table), columns)?;
    let columns: Vec<Expr> = scan
        .schema()
        .iter()
        .map(|(qualifier, field)| {
            Expr::Column(Column::new(qualifier.cloned(), field.name())).alias(named(field.name()))
        })
        .collect();
    // Its columns are qualified in full, so there is nothing to resolve.
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(scan.build()?))?))
}
