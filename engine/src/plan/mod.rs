//! From the syntax tree of a search to a DataFusion plan: one file a command.
//!
//! A [`Planner`] walks the commands from left to right and changes a [`Frame`]. Adding a command is a file
//! here and a line in [`Planner::command`].

mod accum;
pub mod aggregate;
mod autoregress;
mod barrier;
mod dedup;
mod delta;
mod eval;
mod eventstats;
pub mod expression;
mod fields;
mod foreach;
mod format;
pub mod frame;
mod head;
mod inline;
mod iplocation;
mod makeresults;
pub mod needs;
mod rename;
mod return_;
mod reverse;
mod rex;
mod rows;
mod running;
mod search;
mod sort;
mod stats;
mod streamstats;
pub mod subsearch;
pub mod suggest;
mod table;
mod tail;
mod template;
mod totals;
mod where_;
mod window;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::{Command, Query};
use spelunk_grammar::{Code, Diagnostic, Span};

use frame::{Frame, OrderKey, SERIAL, column};

/// Loaded events as the planner sees them.
#[derive(Debug, Clone)]
pub struct Events {
    /// The table.
    pub table: Arc<dyn TableProvider>,
    /// The distinct values of `index`, `source`, `sourcetype` and `host`, as far as they were loaded.
    pub metadata: HashMap<String, Vec<String>>,
}

/// What "now" and "here" mean to a search.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The time the search started.
    pub now: Timestamp,
    /// The zone in which times are read and shown.
    pub time_zone: TimeZone,
}

/// Runs a plan while another is being made: for subsearches, and for columns that depend on data.
#[async_trait]
pub trait Runner: Send + Sync {
    /// All rows of the plan.
    async fn collect(&self, plan: LogicalPlan) -> Result<(SchemaRef, Vec<RecordBatch>), DataFusionError>;
}

/// Why a command could not be planned.
#[derive(Debug)]
pub enum PlanError {
    /// The query is at fault.
    Query(Diagnostic),
    /// DataFusion refused the plan, or failed to run a part of it.
    DataFusion(DataFusionError),
}

impl From<Diagnostic> for PlanError {
    fn from(diagnostic: Diagnostic) -> Self {
        PlanError::Query(diagnostic)
    }
}

impl From<DataFusionError> for PlanError {
    fn from(error: DataFusionError) -> Self {
        PlanError::DataFusion(error)
    }
}

/// The result of planning something.
pub type PlanResult<T> = Result<T, PlanError>;

/// Turns queries into plans.
pub struct Planner<'a> {
    /// The events that a search without a generating command looks at; `None` to plan without data.
    pub events: Option<&'a Events>,
    /// The clock.
    pub clock: &'a Clock,
    /// Whether index and sourcetype mean exactly what they say.
    pub strict: bool,
    /// The earliest and latest event time (microseconds, exclusive) where a search names none.
    pub bounds: (Option<i64>, Option<i64>),
    /// The MaxMind database that `iplocation` asks.
    pub geoip: Option<PathBuf>,
    /// Runs parts of the query; `None` to plan without data.
    pub runner: Option<&'a dyn Runner>,
    /// Warnings and notes so far.
    pub diagnostics: Vec<Diagnostic>,
}

impl Planner<'_> {
    /// Plans a query whose subsearches are resolved (see [`subsearch::resolve`]).
    ///
    /// # Errors
    /// Every finding that stops it, or DataFusion's own error.
    pub async fn plan(&mut self, query: &Query) -> Result<Frame, Vec<PlanError>> {
        let mut errors = Vec::new();
        let (mut frame, rest) = match self.generate(query) {
            Ok(start) => start,
            Err(error) => {
                errors.push(error);
                (self.open_frame().map_err(|error| vec![error])?, query.commands.get(1..).unwrap_or_default())
            }
        };
        for command in rest {
            if let Err(error) = self.command(&mut frame, command).await {
                // What follows is planned all the same, so that its mistakes show too.
                frame.open = true;
                errors.push(error);
            }
            self.report_missing(&frame);
        }
        if errors.is_empty() { Ok(frame) } else { Err(errors) }
    }

    /// The registry of commands that work on rows.
    async fn command(&mut self, frame: &mut Frame, command: &Command) -> PlanResult<()> {
        match &command.kind {
            CommandKind::Accum(accum) => accum::plan(frame, accum),
            CommandKind::Addcoltotals(addcoltotals) => totals::plan_columns(self, frame, addcoltotals).await,
            CommandKind::Addtotals(addtotals) => totals::plan(self, frame, addtotals).await,
            CommandKind::Autoregress(autoregress) => autoregress::plan(frame, autoregress),
            CommandKind::Dedup(dedup) => dedup::plan(frame, dedup),
            CommandKind::Delta(delta) => delta::plan(frame, delta),
            CommandKind::Eval(eval) => eval::plan(self, frame, eval).await,
            CommandKind::Eventstats(eventstats) => eventstats::plan(frame, eventstats),
            CommandKind::Fields(fields) => fields::plan(frame, fields),
            CommandKind::Foreach(foreach) => foreach::plan(self, frame, foreach).await,
            CommandKind::Format(format) => format::plan(self, frame, format).await,
            CommandKind::Head(head) => head::plan(frame, head),
            CommandKind::Iplocation(iplocation) => iplocation::plan(self, frame, iplocation),
            CommandKind::Makeresults(_) => Err(Diagnostic::error(
                Code::InvalidArgument,
                "`makeresults` generates rows, so it has to be the first command",
                command.name_span,
            )
            .into()),
            CommandKind::Rename(rename) => rename::plan(frame, rename),
            CommandKind::Return(returned) => return_::plan(self, frame, returned).await,
            CommandKind::Reverse(reverse) => reverse::plan(frame, reverse),
            CommandKind::Rex(rex) => rex::plan(frame, rex),
            CommandKind::Search(search) => search::plan(self, frame, search),
            CommandKind::Sort(sort) => sort::plan(frame, sort),
            CommandKind::Stats(stats) => stats::plan(frame, stats),
            CommandKind::Streamstats(streamstats) => streamstats::plan(frame, streamstats),
            CommandKind::Table(table) => table::plan(frame, table),
            CommandKind::Tail(tail) => tail::plan(frame, tail),
            CommandKind::Where(condition) => where_::plan(frame, condition),
        }
    }

    /// The rows that the first command makes, and the commands that follow.
    fn generate<'q>(&mut self, query: &'q Query) -> PlanResult<(Frame, &'q [Command])> {
        let Some((first, rest)) = query.commands.split_first() else {
            return Err(Diagnostic::error(Code::Syntax, "the query is empty", query.span).into());
        };
        match &first.kind {
            CommandKind::Search(search) => {
                let mut frame = self.scan()?;
                search::plan_first(self, &mut frame, search)?;
                self.report_missing(&frame);
                Ok((frame, rest))
            }
            CommandKind::Makeresults(makeresults) => Ok((makeresults::plan(self, makeresults)?, rest)),
            _ => Err(Diagnostic::error(
                Code::InvalidArgument,
                "the first command has to find or generate rows",
                first.name_span,
            )
            .with_help("begin with a search, such as `index=*`, or with `| makeresults`")
            .into()),
        }
    }

    /// All loaded events, newest first.
    fn scan(&self) -> PlanResult<Frame> {
        let Some(events) = self.events else { return self.open_frame() };
        let mut frame = Frame::new(scan_of("events", Arc::clone(&events.table))?, newest_first());
        frame.events = true;
        frame.metadata = events.metadata.clone();
        Ok(frame)
    }

    /// A frame in which every field is assumed to exist.
    fn open_frame(&self) -> PlanResult<Frame> {
        let mut frame = makeresults::rows(self, 1)?;
        frame.open = true;
        frame.events = true;
        Ok(frame)
    }

    /// Tells about the fields that a command named and no event has, once each.
    fn report_missing(&mut self, frame: &Frame) {
        for (name, span) in frame.take_missing() {
            if frame.open
                || self
                    .diagnostics
                    .iter()
                    .any(|d| d.code == Code::UnknownField && d.message.contains(&format!("\"{name}\"")))
            {
                continue;
            }
            self.diagnostics.push(missing_field(&name, span, frame));
        }
    }
}

/// All columns of a table, without qualifiers.
fn scan_of(name: &str, table: Arc<dyn TableProvider>) -> PlanResult<LogicalPlan> {
    let scan = LogicalPlanBuilder::scan(name, provider_as_source(table), None)?;
    let columns: Vec<Expr> = scan
        .schema()
        .iter()
        .map(|(qualifier, field)| Expr::Column(Column::new(qualifier.cloned(), field.name())).alias(field.name()))
        .collect();
    Ok(scan.project(columns)?.build()?)
}

/// The initial order: newest first, and of the same time the one read last.
fn newest_first() -> Vec<OrderKey> {
    ["_time", SERIAL].map(|name| OrderKey { column: name.to_string(), descending: true }).to_vec()
}

fn missing_field(name: &str, span: Span, frame: &Frame) -> Diagnostic {
    let fields = frame.fields();
    let warning = Diagnostic::warning(Code::UnknownField, format!("no event has a field {name:?}"), span);
    match suggest::nearest(name, fields.iter().map(String::as_str)) {
        Some(near) => warning.with_help(format!("did you mean {near:?}?")),
        None => warning,
    }
}

/// The column of that name as an expression, for commands that take field names.
pub(crate) fn existing(frame: &Frame, name: &str, span: Span) -> Option<Expr> {
    if frame.data_type(name).is_some() {
        return Some(column(name));
    }
    if !frame.open {
        frame.note_missing(name, span);
    }
    None
}
