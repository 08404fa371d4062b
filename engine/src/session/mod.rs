//! The public interface: open logs, run searches.

mod check;
mod loading;
mod options;
mod planning;
mod searching;
mod state;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use jiff::Timestamp;
use spelunk_grammar::logscale;
use spelunk_grammar::spl::Query;
use spelunk_grammar::{Diagnostic, Span};

use crate::error::Error;
use crate::ingest::{Input, Location, ReadReport};
use crate::knowledge::Knowledge;
use crate::lookups::write::Write;
use crate::memory::{Ledger, Memory};
use crate::plan::Clock;
use crate::plan::possible::Possible;
use crate::store::scans::Scans;
use crate::time;
use crate::watch::Watch;
use crate::watch::profile::Profile;
use crate::watch::trail::Trail;

pub use check::{Checked, check, check_in, check_logscale};
pub(crate) use loading::Loaded;
pub use options::{Context, SessionOptions};
pub(crate) use planning::{asked_of, failure};
#[cfg(feature = "cluster")]
#[cfg(feature = "cluster")]
pub(crate) use state::naming_state;
pub use state::session_state;

/// A query language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Splunk's.
    #[default]
    Spl,
    /// LogScale's.
    LogScale,
}

/// A query, in its language.
#[derive(Clone)]
enum Parsed {
    Spl(Query),
    LogScale(logscale::Query),
}

impl Parsed {
    /// The place of its first command.
    fn begin(&self) -> Span {
        match self {
            Parsed::Spl(query) => query.commands.first().map_or(query.span, |first| first.span),
            Parsed::LogScale(query) => query.span,
        }
    }
}

/// The column in which [`Session::trace`] tells the events that rows come from.
pub const EVENT: &str = "_serial";

/// Logs to search, and how.
#[derive(Debug)]
pub struct Session {
    options: SessionOptions,
    context: Mutex<Context>,
    /// The language of the next search; a shell changes it.
    language: Mutex<Language>,
    inputs: Mutex<Vec<Input>>,
    cancelled: Arc<AtomicBool>,
    watch: Arc<Watch>,
    /// Whether the next searches measure their commands.
    measured: AtomicBool,
    kept: Mutex<Option<Loaded>>,
    pub(crate) memory: Memory,
    /// Made at the first search: it takes as long as a small search.
    state: OnceLock<Arc<SessionState>>,
    /// The same for searches that run side by side, each on one core.
    pub(crate) pack_state: OnceLock<Arc<SessionState>>,
}

/// A search that is running.
pub struct Search {
    /// The columns of the result, in order.
    pub schema: SchemaRef,
    /// The result. Dropping it cancels the search.
    pub stream: SendableRecordBatchStream,
    /// Whether the rows are raw events, rather than a table that a command made.
    pub events: bool,
    /// Warnings and notes about the query, found before it ran.
    pub diagnostics: Vec<Diagnostic>,
    /// What may show while it runs.
    pub possible: Vec<Possible>,
    /// What was read for it.
    pub report: Arc<ReadReport>,
    /// What was left out of stores, which is complete when the stream is.
    pub scans: Arc<Scans>,
    /// How long reading took.
    pub read_time: Duration,
    /// How long planning took, with what had to be run for it.
    pub plan_time: Duration,
    /// Whether all of the input was read; not where [`Watch::end`] ended reading.
    pub complete: bool,
    /// The command whose rows depend on all events, where there is one: what comes after [`Watch::end`] is then no part
    /// of the result. Of other searches it is.
    pub whole: Option<String>,
    /// Whether a part of it runs on a cluster, so that not all of what was left out and looked at is known here.
    pub remote: bool,
    /// What its commands take, if [`Session::measure`] asked for that.
    pub profile: Profile,
}

/// A search as the planner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The query in canonical form.
    pub canonical: String,
    /// DataFusion's logical plan, optimised.
    pub logical: String,
    /// DataFusion's physical plan.
    pub physical: String,
    /// What of it runs on a cluster, stage by stage.
    pub remote: Vec<String>,
    /// What is left out of stores and event logs, line by line.
    pub stores: Vec<String>,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a result is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Programs.
    Rows,
    /// People.
    Listing,
    /// Further searches.
    Export,
    /// Finding the events that rows come from.
    Trace,
    /// One of many searches that run side by side.
    Pack,
    /// Finding out what there is to search, whatever bounds of time the session has.
    Census,
}

/// A planned query, ready to run.
pub(crate) struct Planned {
    canonical: String,
    state: Arc<SessionState>,
    plan: LogicalPlan,
    events: bool,
    pub(crate) diagnostics: Vec<Diagnostic>,
    possible: Vec<Possible>,
    report: Arc<ReadReport>,
    scans: Arc<Scans>,
    read_time: Duration,
    plan_time: Duration,
    complete: bool,
    trail: Arc<Trail>,
    /// What is written before the first row of the result is there.
    writes: Vec<Write>,
    /// What is told of it.
    written: Vec<Diagnostic>,
    ledger: Arc<Ledger>,
    /// What of that which ran while it was planned ran on a cluster, line by line.
    remote: Arc<Mutex<Vec<String>>>,
}

impl Session {
    /// A session over the given inputs; nothing is read yet.
    ///
    /// # Errors
    /// A time modifier in the options that cannot be read, a folder to write to that holds an input, or a temporary
    /// folder that is not there.
    pub fn new(options: SessionOptions, inputs: Vec<Input>) -> Result<Self, Error> {
        let paths = inputs.iter().filter_map(|input| match &input.location {
            Location::Path(path) => Some(path.as_path()),
            Location::Stdin => None,
        });
        options.lookups.writable.keep_away_from(paths).map_err(|path| Error::Input {
            path,
            reason: "it is searched, so nothing may be written beside it: name another folder with --allow-write"
                .to_owned(),
        })?;
        let memory = Memory::new(options.memory, options.temp.as_deref())?;
        let session = Self {
            language: Mutex::new(options.language),
            context: Mutex::new(Context {
                time_zone: options.time_zone.clone(),
                now: options.now,
                earliest: options.earliest.clone(),
                latest: options.latest.clone(),
            }),
            options,
            memory,
            inputs: Mutex::new(inputs),
            cancelled: Arc::new(AtomicBool::new(false)),
            watch: Arc::default(),
            measured: AtomicBool::new(false),
            kept: Mutex::new(None),
            state: OnceLock::new(),
            pack_state: OnceLock::new(),
        };
        session.bounds()?;
        Ok(session)
    }

    /// The same logs, and what was read of them, for searches with other knowledge. The flag that stops reading is the
    /// same too.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn renewed(&self, options: SessionOptions) -> Result<Self, Error> {
        let mut session = Self::new(options, self.inputs())?;
        session.surround(self.context())?;
        session.speak(self.language());
        session.cancelled = Arc::clone(&self.cancelled);
        session.watch = Arc::clone(&self.watch);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = &mut kept {
            kept.events.summaries = Arc::default();
        }
        session.kept = Mutex::new(kept);
        Ok(session)
    }

    /// The options it was made with.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// The language of the next search.
    pub fn language(&self) -> Language {
        *self.language.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the next searches ones of that language.
    pub fn speak(&self, language: Language) {
        *self.language.lock().unwrap_or_else(PoisonError::into_inner) = language;
    }

    /// What is searched.
    pub fn inputs(&self) -> Vec<Input> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Searches these inputs too from now on; all are read anew.
    ///
    /// # Errors
    /// A folder to write to that holds an input.
    pub fn open(&self, more: Vec<Input>) -> Result<(), Error> {
        let paths = more.iter().filter_map(|input| match &input.location {
            Location::Path(path) => Some(path.as_path()),
            Location::Stdin => None,
        });
        self.options.lookups.writable.keep_away_from(paths).map_err(|path| Error::Input {
            path,
            reason: "searches may write there, so it cannot be searched".to_owned(),
        })?;
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).extend(more);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Takes back what [`Session::open`] added, down to so many inputs.
    pub fn forget(&self, left: usize) {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).truncate(left);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What searches take from their surroundings.
    pub fn context(&self) -> Context {
        self.context.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what the next searches take from their surroundings.
    ///
    /// # Errors
    /// A time modifier that cannot be read; nothing is changed then.
    pub fn surround(&self, context: Context) -> Result<(), Error> {
        Self::bounds_in(&context, &Self::clock_in(&context))?;
        *self.context.lock().unwrap_or_else(PoisonError::into_inner) = context;
        Ok(())
    }

    /// The flag that stops reading when set; the session clears it at the start of each search.
    pub fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// How far the search is that runs, and the way to end it with what came so far.
    pub fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    /// Whether the next searches measure what their commands take, which costs some time itself.
    pub fn measure(&self, measured: bool) {
        self.measured.store(measured, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        Self::clock_in(&self.context())
    }

    fn clock_in(context: &Context) -> Clock {
        Clock { now: context.now.unwrap_or_else(Timestamp::now), time_zone: context.time_zone.clone() }
    }

    pub(crate) fn knowledge(&self) -> Knowledge<'_> {
        Knowledge {
            macros: &self.options.macros,
            saved_searches: &self.options.saved_searches,
            apps: &self.options.apps,
            lookups: Some(&self.options.lookups),
        }
    }

    /// The bounds of time of searches that name none (microseconds).
    ///
    /// # Errors
    /// A time modifier that cannot be read.
    pub fn bounds(&self) -> Result<(Option<i64>, Option<i64>), Error> {
        let context = self.context();
        Self::bounds_in(&context, &Self::clock_in(&context))
    }

    fn bounds_in(context: &Context, clock: &Clock) -> Result<(Option<i64>, Option<i64>), Error> {
        let resolve = |modifier: &Option<String>| {
            modifier
                .as_ref()
                .map(|text| time::resolve(text, clock.now, &clock.time_zone).map_err(Error::Run))
                .transpose()
        };
        Ok((resolve(&context.earliest)?, resolve(&context.latest)?))
    }
}
