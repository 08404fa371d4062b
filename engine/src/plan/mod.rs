//! From the syntax tree of a search to a DataFusion plan: one file a command.
//!
//! A [`Planner`] walks the commands from left to right and changes a [`Frame`]. Adding a command is a file
//! here and a line in [`Planner::command`].

mod accum;
pub mod aggregate;
mod autoregress;
mod barrier;
pub mod call;
pub mod combine;
pub mod constant;
mod convert;
mod dedup;
mod delta;
mod eval;
mod eventstats;
pub mod expression;
mod extract;
pub mod fieldformat;
mod fields;
mod filldown;
mod fillnull;
mod foreach;
mod format;
pub mod frame;
mod fromjson;
pub mod grid;
mod head;
mod inline;
mod iplocation;
mod makemv;
mod makeresults;
mod multikv;
mod mvcombine;
mod mvexpand;
pub mod needs;
mod nomv;
mod rangemap;
mod regex;
mod rename;
mod replace;
mod return_;
mod reverse;
mod rex;
mod rows;
mod running;
pub mod search;
mod sort;
mod spath;
mod stats;
mod strcat;
mod streamstats;
pub mod subsearch;
pub mod suggest;
mod table;
mod tail;
mod template;
mod tojson;
mod totals;
pub mod typed;
mod uniq;
mod where_;
mod window;
mod xmlkv;
mod xpath;

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
use spelunk_grammar::spl::commands::{CommandKind, Refused, Unexpanded};
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
    /// Fields that the events have and that were not read, because the query does not name them.
    pub unread: Vec<String>,
    /// How many there are.
    pub rows: usize,
}

/// What "now" and "here" mean to a search.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The time the search started.
    pub now: Timestamp,
    /// The zone in which times are read and shown.
    pub time_zone: TimeZone,
}

/// What the planner of an expression has to know besides the fields.
#[derive(Debug, Clone)]
pub struct Setting {
    /// What "now" and "here" mean.
    pub clock: Clock,
    /// Whether index and sourcetype mean exactly what they say.
    pub strict: bool,
    /// Whether macros that are not defined are assumed to exist (planning without data).
    pub assume_macros: bool,
    /// Whether there is no data, so that subsearches were not run.
    pub planning: bool,
}

/// Runs a plan while another is being made: for subsearches, and for columns that depend on data.
#[async_trait]
pub trait Runner: Send + Sync {
    /// All rows of the plan.
    async fn collect(&self, plan: LogicalPlan) -> Result<(SchemaRef, Vec<RecordBatch>), DataFusionError>;

    /// Counts bytes that the search holds until it ends, beyond the batches that [`Runner::collect`] gave.
    ///
    /// # Errors
    /// The limit of the session's memory.
    fn hold(&self, bytes: usize) -> Result<(), DataFusionError>;

    /// Told of each command before it is planned, so that a lack of memory can be laid at its door.
    fn enter(&self, command: &Command);
}

/// Why a command could not be planned.
#[derive(Debug)]
pub enum PlanError {
    /// The query is at fault.
    Query(Diagnostic),
    /// DataFusion refused the plan, or failed to run a part of it.
    DataFusion(DataFusionError),
    /// All that was found in a search inside the search.
    Several(Vec<PlanError>),
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

/// The most commands of one search: DataFusion's planning time grows faster than their number.
const MOST_COMMANDS: usize = 500;

/// Turns queries into plans.
pub struct Planner<'a> {
    /// The events that a search without a generating command looks at; `None` to plan without data.
    pub events: Option<&'a Events>,
    /// The clock.
    pub clock: &'a Clock,
    /// Whether index and sourcetype mean exactly what they say.
    pub strict: bool,
    /// Whether macros that are not defined are assumed to exist, as fields are without data.
    pub assume_macros: bool,
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
    /// What frames pass on to the expressions in them.
    pub fn setting(&self) -> Setting {
        Setting {
            clock: self.clock.clone(),
            strict: self.strict,
            assume_macros: self.assume_macros,
            planning: self.runner.is_none(),
        }
    }

    /// Plans a query whose subsearches are resolved (see [`subsearch::resolve`]).
    ///
    /// # Errors
    /// Every finding that stops it, or DataFusion's own error.
    pub async fn plan(&mut self, query: &Query) -> Result<Frame, Vec<PlanError>> {
        if let Some(command) = query.commands.get(MOST_COMMANDS) {
            let message = format!("{} commands in one search; the most is {MOST_COMMANDS}", query.commands.len());
            return Err(vec![Diagnostic::error(Code::TooLarge, message, command.name_span).into()]);
        }
        let mut errors = Vec::new();
        let (frame, rest) = match self.generate(query).await {
            Ok(start) => start,
            Err(error) => {
                errors.push(error);
                (self.open_frame().map_err(|error| vec![error])?, query.commands.get(1..).unwrap_or_default())
            }
        };
        self.commands(frame, rest, errors).await
    }

    /// Plans commands that work on the rows of a frame, and whose subsearches are resolved.
    ///
    /// # Errors
    /// Every finding that stops it, or DataFusion's own error.
    pub async fn pipe(&mut self, frame: Frame, commands: &[Command]) -> Result<Frame, Vec<PlanError>> {
        self.commands(frame, commands, Vec::new()).await
    }

    async fn commands(
        &mut self,
        mut frame: Frame,
        commands: &[Command],
        mut errors: Vec<PlanError>,
    ) -> Result<Frame, Vec<PlanError>> {
        for command in commands {
            let scope = Scope::of(&frame);
            self.runner.inspect(|runner| runner.enter(command));
            if let Err(error) = self.command(&mut frame, command).await {
                // What follows is planned all the same, so that its mistakes show too.
                frame.open = true;
                errors.push(error);
            }
            self.report_missing(&frame, &scope);
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
            CommandKind::Convert(convert) => convert::plan(self, frame, convert),
            CommandKind::Dedup(dedup) => dedup::plan(frame, dedup),
            CommandKind::Delta(delta) => delta::plan(frame, delta),
            CommandKind::Eval(eval) => eval::plan(self, frame, eval).await,
            CommandKind::Eventstats(eventstats) => eventstats::plan(frame, eventstats),
            CommandKind::Extract(extract) => extract::plan(self, frame, extract, command.span).await,
            CommandKind::Fieldformat(format) => fieldformat::plan(frame, format),
            CommandKind::Fields(fields) => fields::plan(frame, fields),
            CommandKind::Filldown(filldown) => filldown::plan(frame, filldown),
            CommandKind::Fillnull(fillnull) => fillnull::plan(self, frame, fillnull).await,
            CommandKind::Foreach(foreach) => foreach::plan(self, frame, foreach).await,
            CommandKind::Format(format) => format::plan(self, frame, format).await,
            CommandKind::Fromjson(fromjson) => fromjson::plan(self, frame, fromjson).await,
            CommandKind::Head(head) => head::plan(frame, head),
            CommandKind::Iplocation(iplocation) => iplocation::plan(self, frame, iplocation),
            CommandKind::Makemv(makemv) => makemv::plan(frame, makemv),
            CommandKind::Makeresults(_) => Err(Diagnostic::error(
                Code::InvalidArgument,
                "`makeresults` generates rows, so it has to be the first command",
                command.name_span,
            )
            .into()),
            CommandKind::Multikv(multikv) => multikv::plan(self, frame, multikv, command.span).await,
            CommandKind::Mvcombine(mvcombine) => mvcombine::plan(frame, mvcombine),
            CommandKind::Mvexpand(mvexpand) => mvexpand::plan(frame, mvexpand),
            CommandKind::Nomv(nomv) => nomv::plan(frame, nomv),
            CommandKind::Rangemap(rangemap) => rangemap::plan(frame, rangemap),
            CommandKind::Regex(regex) => regex::plan(frame, regex),
            CommandKind::Refused(refused) => Err(refused_command(refused, command.name_span).into()),
            CommandKind::Rename(rename) => rename::plan(frame, rename),
            CommandKind::Replace(replace) => replace::plan(frame, replace),
            CommandKind::Return(returned) => return_::plan(self, frame, returned).await,
            CommandKind::Reverse(reverse) => reverse::plan(frame, reverse),
            CommandKind::Rex(rex) => rex::plan(frame, rex),
            CommandKind::Search(search) => search::plan(frame, search),
            CommandKind::Sort(sort) => sort::plan(frame, sort),
            CommandKind::Spath(spath) => spath::plan(self, frame, spath, command.span).await,
            CommandKind::Stats(stats) => stats::plan(frame, stats),
            CommandKind::Strcat(strcat) => strcat::plan(frame, strcat),
            CommandKind::Streamstats(streamstats) => streamstats::plan(frame, streamstats),
            CommandKind::Table(table) => table::plan(frame, table),
            CommandKind::Tail(tail) => tail::plan(frame, tail),
            CommandKind::Tojson(tojson) => tojson::plan(frame, tojson),
            CommandKind::Unexpanded(command) => self.unexpanded(frame, command),
            CommandKind::Uniq(_) => uniq::plan(frame),
            CommandKind::Where(condition) => where_::plan(frame, condition),
            CommandKind::Xmlkv(xmlkv) => xmlkv::plan(self, frame, xmlkv, command.span).await,
            CommandKind::Xpath(xpath) => xpath::plan(frame, xpath),
        }
    }

    /// The rows that the first command makes, and the commands that follow.
    async fn generate<'q>(&mut self, query: &'q Query) -> PlanResult<(Frame, &'q [Command])> {
        let Some((first, rest)) = query.commands.split_first() else {
            return Err(Diagnostic::error(Code::Syntax, "the query is empty", query.span).into());
        };
        self.runner.inspect(|runner| runner.enter(first));
        match &first.kind {
            CommandKind::Search(search) => {
                let mut frame = self.scan()?;
                let scope = Scope::of(&frame);
                search::plan_first(self, &mut frame, search)?;
                self.report_missing(&frame, &scope);
                Ok((frame, rest))
            }
            CommandKind::Makeresults(makeresults) => Ok((makeresults::plan(self, makeresults, first.span)?, rest)),
            CommandKind::Refused(refused) => Err(refused_command(refused, first.name_span).into()),
            CommandKind::Unexpanded(command) => {
                let mut frame = self.open_frame()?;
                self.unexpanded(&mut frame, command)?;
                Ok((frame, rest))
            }
            _ => {
                if self.events.is_some_and(|events| events.rows > 0) {
                    let message = "the search names no events to begin with: it looks at all that were loaded";
                    self.diagnostics.push(Diagnostic::note(Code::Note, message, first.name_span));
                }
                Ok((self.scan()?, query.commands.as_slice()))
            }
        }
    }

    /// A command with a macro that is not defined: what comes of it nobody knows.
    fn unexpanded(&self, frame: &mut Frame, command: &Unexpanded) -> PlanResult<()> {
        for name in &command.macros {
            expression::assumed_macro(frame, &name.node, name.span)?;
        }
        frame.open = true;
        Ok(())
    }

    /// All loaded events, newest first.
    fn scan(&self) -> PlanResult<Frame> {
        let Some(events) = self.events else { return self.open_frame() };
        let scan = scan_of("events", Arc::clone(&events.table))?;
        let columns = scan.schema().fields().iter().map(|field| match field.name().as_str() {
            STORED_SERIAL => column(STORED_SERIAL).alias(SERIAL),
            name => column(name),
        });
        let plan = LogicalPlanBuilder::new(scan.clone()).project(columns.collect::<Vec<_>>())?.build()?;
        let mut frame = Frame::new(plan, newest_first(), self.setting());
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

    /// Tells what was found while expressions were planned, and about the fields that a command named and no row
    /// had, once each.
    fn report_missing(&mut self, frame: &Frame, scope: &Scope) {
        for finding in frame.take_findings() {
            if !self.diagnostics.contains(&finding) {
                self.diagnostics.push(finding);
            }
        }
        // Of no events at all every field is missing, which goes without saying.
        let nothing_loaded = scope.events && self.events.is_some_and(|events| events.rows == 0);
        for (name, span) in frame.take_missing() {
            if nothing_loaded {
                continue;
            }
            let message = format!("no {} has a field {name:?}", if scope.events { "event" } else { "row" });
            if frame.open || self.diagnostics.iter().any(|known| known.message == message) {
                continue;
            }
            let unread = self.events.filter(|_| scope.events).map_or(&[][..], |events| &events.unread);
            let metadata = METADATA.iter().copied().filter(|_| scope.events);
            let known = scope.fields.iter().chain(unread).map(String::as_str).chain(metadata);
            let warning = Diagnostic::warning(Code::UnknownField, message, span);
            self.diagnostics.push(match suggest::nearest(&name, known) {
                Some(near) => warning.with_help(format!("did you mean {near:?}?")),
                None => warning,
            });
        }
    }
}

/// Why a command is refused that needs what spelunk is not.
fn refused_command(refused: &Refused, place: Span) -> Diagnostic {
    let message = format!("the command \"{}\" is refused: {}", refused.name, refused.reason);
    Diagnostic::error(Code::UnsupportedCommand, message, place)
}

/// The fields that every event has, read or not.
const METADATA: [&str; 6] = ["_raw", "_time", "host", "index", "source", "sourcetype"];

/// What a command had to work with.
struct Scope {
    events: bool,
    fields: Vec<String>,
}

impl Scope {
    fn of(frame: &Frame) -> Self {
        Self { events: frame.events, fields: frame.fields() }
    }
}

/// The events' serial number as they are stored.
const STORED_SERIAL: &str = "_serial";

/// The initial order: newest first, and of the same time the one read last.
fn newest_first() -> Vec<OrderKey> {
    ["_time", SERIAL].map(|name| OrderKey { column: name.to_string(), descending: true }).to_vec()
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
