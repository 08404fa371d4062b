//! From the syntax tree of a search to a DataFusion plan: one file a command.
//!
//! A [`Planner`] walks the commands from left to right and changes a [`Frame`]. Adding a command is a file
//! here and a line in `dispatch.rs`.

mod accum;
mod addinfo;
pub mod aggregate;
mod analyzefields;
mod annotated;
mod anomalies;
mod anomalousvalue;
mod anomalydetection;
mod append;
mod appendcols;
mod appendpipe;
mod arules;
mod associate;
mod autoregress;
pub(crate) mod barrier;
mod bin;
mod bins;
pub mod calculated;
pub mod call;
mod chart;
mod cluster;
mod cofilter;
mod collect;
pub mod combine;
mod concurrency;
pub mod constant;
mod contingency;
mod convert;
mod correlate;
pub(crate) mod datamodel;
mod dataset;
mod dedup;
mod delta;
mod diff;
mod dispatch;
pub(crate) mod emptiness;
mod erex;
mod eval;
mod events;
mod eventstats;
pub mod expression;
mod extract;
pub mod fieldformat;
mod fields;
mod fieldsummary;
mod filldown;
mod fillnull;
mod foreach;
mod format;
pub mod frame;
mod fromjson;
mod gauge;
mod gentimes;
mod geostats;
pub mod grid;
mod head;
mod iconify;
mod inline;
pub mod inputlookup;
mod iplocation;
pub mod join;
mod kmeans;
mod localize;
pub mod lookup;
mod makecontinuous;
mod makejson;
mod makemv;
mod makeresults;
mod map;
mod metadata;
mod missing;
mod multikv;
mod mvcombine;
mod mvexpand;
pub mod needs;
pub(crate) mod nodes;
mod nomv;
mod outlier;
pub(crate) mod outputlookup;
mod outputtext;
mod pivot;
pub mod possible;
mod predict;
pub mod pushdown;
mod rangemap;
mod regex;
mod relevancy;
mod reltime;
mod rename;
mod replace;
mod require;
mod return_;
mod reverse;
mod rex;
mod rows;
mod running;
mod saved;
pub mod search;
mod select;
mod selfjoin;
mod set;
mod setfields;
mod sort;
mod sparkline;
mod spath;
pub(crate) mod stats;
mod strcat;
mod streamstats;
pub mod subsearch;
mod substituted;
pub mod suggest;
pub mod summary;
mod table;
mod tags;
mod tail;
mod template;
mod terms;
mod timechart;
mod timewrap;
mod tojson;
mod top;
mod totals;
pub mod trace;
mod transaction;
mod transpose;
mod trendline;
mod tstats;
pub mod typed;
mod union;
mod uniq;
mod untable;
pub mod wanted;
mod where_;
pub mod window;
mod x11;
mod xmlkv;
mod xmlunescape;
mod xpath;
mod xyseries;

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use spelunk_grammar::spl::commands::Unexpanded;
use spelunk_grammar::spl::{Command, Query};
use spelunk_grammar::{Code, Diagnostic};

use crate::knowledge::Knowledge;
use crate::knowledge::apps::Apps;
use crate::logscale::tables::Tables;
use crate::lookups::Lookups;
use crate::lookups::write::Write;
use crate::watch::trail::Trail;
pub use events::Events;
use events::{newest_first, scan_of};
use frame::Frame;
use missing::METADATA;
pub(crate) use missing::{Scope, existing};
use possible::Possible;
use trace::Tracer;

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
    /// The lookups; `None` if they are assumed to exist.
    pub lookups: Option<Arc<Lookups>>,
    /// The tables that the query itself defines.
    pub tables: Tables,
    /// The MaxMind database that is asked where an address is.
    pub geoip: Option<String>,
    /// The earliest and latest event time (microseconds, exclusive) that the user asks for.
    pub bounds: (Option<i64>, Option<i64>),
    /// Who wants to know why an event is not in the result.
    pub trace: Option<Arc<Tracer>>,
    /// What apps bring, where there are any.
    pub apps: Option<Arc<Apps>>,
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
    /// The lookups, and where may be written; `None` if they are assumed to exist and writing to be allowed.
    pub lookups: Option<Arc<Lookups>>,
    /// The tables that the query itself has defined so far.
    pub tables: Tables,
    /// What is written when the search runs, in this order.
    pub writes: Vec<Write>,
    /// The lookups that the query writes, wherever in it.
    pub written: Vec<String>,
    /// Runs parts of the query; `None` to plan without data.
    pub runner: Option<&'a dyn Runner>,
    /// What macro calls and names of saved searches stand for.
    pub knowledge: Option<Knowledge<'a>>,
    /// The saved searches that are being planned, one inside the other.
    pub running: Vec<String>,
    /// Warnings and notes so far.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings that may show while the search runs.
    pub possible: Vec<Possible>,
    /// Who wants to know why an event is not in the result.
    pub trace: Option<Arc<Tracer>>,
    /// Which command makes which part of the plan.
    pub trail: Arc<Trail>,
}

impl Planner<'_> {
    /// Whether the query writes a lookup of that name, which need not be there before it.
    pub(crate) fn writes_lookup(&self, name: &str) -> bool {
        self.written.iter().any(|written| written == name)
    }

    /// What frames pass on to the expressions in them.
    pub fn setting(&self) -> Setting {
        Setting {
            clock: self.clock.clone(),
            strict: self.strict,
            assume_macros: self.assume_macros,
            planning: self.runner.is_none(),
            lookups: self.lookups.clone(),
            tables: self.tables.clone(),
            geoip: self.geoip.as_ref().map(|path| path.to_string_lossy().into_owned()),
            bounds: self.bounds,
            trace: self.trace.clone(),
            apps: self.knowledge.map(|knowledge| Arc::clone(knowledge.apps)),
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
        if let (Some(tracer), Some(first)) = (&self.trace, query.commands.first())
            && !trace::spl::begins(first)
        {
            tracer.end(first.kind.doc().name, first.span);
            return self.scan().map_err(|error| vec![error]);
        }
        let mut errors = Vec::new();
        self.trail.enter();
        let generated = self.generate(query).await;
        if let (Ok((frame, rest)), Some(first)) = (&generated, query.commands.first())
            && rest.len() < query.commands.len()
        {
            self.note_step(first, frame);
        }
        self.trail.leave();
        let (frame, rest) = match generated {
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
        self.trail.enter();
        for command in commands {
            if !trace::spl::passes(&frame, command) {
                continue;
            }
            let scope = Scope::of(&frame);
            self.runner.inspect(|runner| runner.enter(command));
            if let Err(error) = self.command(&mut frame, command).await {
                // What follows is planned all the same, so that its mistakes show too.
                frame.open = true;
                errors.push(error);
            }
            self.report_missing(&frame, &scope);
            self.note_step(command, &frame);
        }
        self.trail.leave();
        if errors.is_empty() { Ok(frame) } else { Err(errors) }
    }

    /// Remembers what a command made of the plan.
    fn note_step(&self, command: &Command, frame: &Frame) {
        if self.runner.is_none() {
            // Without data nothing runs.
            return;
        }
        let text = || {
            let alone = Query { commands: vec![command.clone()], span: command.span }.to_string();
            alone.trim_start_matches("| ").to_owned()
        };
        self.trail.record(command.kind.doc().name, text, command.span, frame.plan());
    }

    /// A command with a macro that is not defined: what comes of it nobody knows.
    fn unexpanded(&self, frame: &mut Frame, command: &Unexpanded) -> PlanResult<()> {
        for name in &command.macros {
            expression::assumed_macro(frame, &name.node, name.span)?;
        }
        frame.open = true;
        Ok(())
    }

    /// A frame that was generated, after what it has to tell.
    fn told(&mut self, frame: Frame) -> Frame {
        let scope = Scope::of(&frame);
        self.report_missing(&frame, &scope);
        frame
    }
}
