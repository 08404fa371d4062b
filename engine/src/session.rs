//! The public interface: open logs, run searches.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{displayable, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use spelunk_grammar::logscale;
use spelunk_grammar::spl::{Command, Query};
use spelunk_grammar::{Diagnostic, Severity};

use crate::error::Error;
use crate::functions;
use crate::ingest::{self, Conditions, FieldSelection, Input, Location, Prefilter, ReadOptions, ReadReport};
use crate::knowledge::{Apps, Definitions, Expanded, Knowledge, Macros, SavedSearches};
use crate::logscale::tables::Tables;
use crate::lookups::Lookups;
use crate::lookups::write::Write;
use crate::memory::{Ledger, Memory, Sizes};
use crate::operators::SplQueryPlanner;
use crate::operators::single::SingleRow;
use crate::plan::calculated::{self, Reading};
use crate::plan::frame::{Frame, SERIAL};
use crate::plan::possible::Possible;
use crate::plan::summary::Summary;
use crate::plan::trace::{Judged, Row, Tracer, Verdict};
use crate::plan::{
    Clock, Events, PlanError, Planner, Runner, conditions, fieldformat, needs, outputlookup, prefilter, subsearch,
};
use crate::store::Store;
use crate::store::parquet::ParquetTable;
use crate::store::scans::Scans;
use crate::store::table::EventTable;
use crate::time;
use crate::views::{Asked, Serving, View};
use crate::vocabulary::{self, KnownField};
use crate::watch::Watch;
use crate::watch::exec::watched;
use crate::watch::profile::Profile;
use crate::watch::trail::Trail;

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
enum Parsed {
    Spl(Query),
    LogScale(logscale::Query),
}

/// How searches are run.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// The language of the searches.
    pub language: Language,
    /// The zone in which times are read and shown.
    pub time_zone: TimeZone,
    /// The time that `now()` and relative times mean; `None` for the clock's.
    pub now: Option<Timestamp>,
    /// The earliest event time that is searched (SPL time modifier), where a search names none.
    pub earliest: Option<String>,
    /// The latest event time that is searched (SPL time modifier, exclusive), where a search names none.
    pub latest: Option<String>,
    /// Nothing is forgiven: damaged input is an error, index and sourcetype mean what they say.
    pub strict: bool,
    /// The sourcetype of all events.
    pub sourcetype: Option<String>,
    /// The host of all events.
    pub host: Option<String>,
    /// The source of all events, instead of the one that they or their file have.
    pub source: Option<String>,
    /// The MaxMind database that `iplocation` asks; `None` for the file that `SPELUNK_GEOIP` names.
    pub geoip: Option<PathBuf>,
    /// Keep what was read for the next search (a shell), instead of reading only what one search needs.
    pub keep: bool,
    /// What macro calls stand for.
    pub macros: Arc<Macros>,
    /// The searches that have names.
    pub saved_searches: Arc<SavedSearches>,
    /// The parameters and saved queries of LogScale.
    pub logscale: Definitions,
    /// What apps bring besides: event types, tags, fields and data models.
    pub apps: Arc<Apps>,
    /// The lookup tables, and where searches may write.
    pub lookups: Arc<Lookups>,
    /// Which view serves searches that were written for another telemetry.
    pub view: View,
    /// How many bytes of memory the session may use; `None` for 60 % of the machine's.
    pub memory: Option<usize>,
    /// The folder for what does not fit into that; `None` for the system's.
    pub temp: Option<PathBuf>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            language: Language::Spl,
            time_zone: TimeZone::UTC,
            now: None,
            earliest: None,
            latest: None,
            strict: false,
            sourcetype: None,
            host: None,
            source: None,
            geoip: None,
            keep: false,
            macros: Arc::default(),
            saved_searches: Arc::default(),
            logscale: Definitions::default(),
            apps: Apps::own(),
            lookups: Arc::default(),
            view: View::Auto,
            memory: None,
            temp: None,
        }
    }
}

/// The column in which [`Session::trace`] tells the events that rows come from.
pub const EVENT: &str = "_serial";

/// What searches take from their surroundings; a shell changes it between them.
#[derive(Debug, Clone)]
pub struct Context {
    /// The zone in which times are shown and read in searches. Times of logs that name no zone stay in the zone in
    /// which they were read.
    pub time_zone: TimeZone,
    /// The time that `now()` and relative times mean; `None` for the clock's.
    pub now: Option<Timestamp>,
    /// As [`SessionOptions::earliest`].
    pub earliest: Option<String>,
    /// As [`SessionOptions::latest`].
    pub latest: Option<String>,
}

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
    state: OnceLock<SessionState>,
    /// The same for searches that run side by side, each on one core.
    pub(crate) pack_state: OnceLock<SessionState>,
}

/// Events that were read, and which fields of them.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    fields: FieldSelection,
    store: Arc<Store>,
    pub(crate) events: Events,
    pub(crate) report: Arc<ReadReport>,
    /// Whether all was read, rather than what came until the search was ended.
    complete: bool,
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
    state: SessionState,
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

    /// Reads the inputs now (with [`SessionOptions::keep`]) and says what was found.
    ///
    /// # Errors
    /// As [`crate::ingest::read`].
    pub async fn load(&self) -> Result<Arc<ReadReport>, Error> {
        self.cancelled.store(false, Ordering::SeqCst);
        Ok(self.events(FieldSelection::AllButRaw, None, None).await?.report)
    }

    /// The fields of the events that were loaded, with frequent values of each, those that most events have first;
    /// `None` until something was loaded and kept. It looks at a sample of the events, which takes a while.
    pub fn known_fields(&self) -> Option<Vec<KnownField>> {
        let loaded = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(vocabulary::fields(&loaded.store, &loaded.events.metadata))
    }

    /// What is read for a search that wants these fields: more of them where the next search is to find them kept.
    fn to_read(&self, wanted: FieldSelection) -> FieldSelection {
        // Standard input cannot be read again for another field.
        let once = || self.inputs().iter().any(|input| matches!(input.location, Location::Stdin));
        match (self.options.keep, &wanted) {
            (false, _) => wanted,
            (true, _) if once() => FieldSelection::All,
            (true, FieldSelection::Only(names)) if !names.iter().any(|name| name == "_raw") => {
                FieldSelection::AllButRaw
            }
            (true, FieldSelection::AllButRaw) => FieldSelection::AllButRaw,
            (true, _) => FieldSelection::All,
        }
    }

    /// The kept events, if they have these fields.
    fn kept(&self, wanted: &FieldSelection) -> Option<Loaded> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| kept.fields.covers(wanted)).cloned()
    }

    /// Keeps what was computed of the loaded events for the next searches.
    pub(crate) fn summarised(&self, summaries: Vec<Summary>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_mut() {
            kept.events.summaries = Arc::new(summaries);
        }
    }

    /// The events with at least these fields: the kept ones if they have them, else read, without those that do not fulfil
    /// the conditions.
    pub(crate) async fn events(
        &self,
        wanted: FieldSelection,
        prefilter: Option<Prefilter>,
        conditions: Option<Arc<Conditions>>,
    ) -> Result<Loaded, Error> {
        match self.kept(&wanted) {
            Some(kept) => Ok(kept),
            None => self.read(self.to_read(wanted), prefilter, conditions).await,
        }
    }

    /// Reads the events with these fields.
    pub(crate) async fn read(
        &self,
        wanted: FieldSelection,
        prefilter: Option<Prefilter>,
        conditions: Option<Arc<Conditions>>,
    ) -> Result<Loaded, Error> {
        let options = ReadOptions {
            fields: wanted.clone(),
            // What is kept for the next search must be there whole.
            conditions: conditions.filter(|_| !self.options.keep),
            prefilter: prefilter.filter(|_| !self.options.keep).map(Arc::new),
            sourcetype: self.options.sourcetype.clone(),
            host: self.options.host.clone(),
            source: self.options.source.clone(),
            strict: self.options.strict,
            time_zone: self.options.time_zone.clone(),
            cancelled: Arc::clone(&self.cancelled),
            temp: self.options.temp.clone(),
            pool: Some(Arc::clone(self.memory.pool())),
            watch: Arc::clone(&self.watch),
        };
        let inputs = self.inputs();
        self.watch.reads(true);
        let read = tokio::task::spawn_blocking(move || ingest::read(&inputs, &options)).await;
        self.watch.reads(false);
        let (store, report) = read.map_err(|error| Error::Run(format!("reading stopped: {error}")))??;
        let store = Arc::new(store);
        let events = describe(Arc::clone(&store));
        let complete = !self.watch.settle();
        let loaded = Loaded { fields: wanted, store, events, report: Arc::new(report), complete };
        if self.options.keep && complete {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(loaded.clone());
        }
        Ok(loaded)
    }

    /// Starts a search.
    ///
    /// # Errors
    /// A wrong query, an input that cannot be read, or a plan that cannot be made.
    pub async fn search(&self, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare(text, Purpose::Rows).await?;
        self.start(planned, expanded).await
    }

    /// Starts a search in any language whose rows tell the serial number of the event that they come from, in the
    /// last column [`EVENT`]; it is not there where a command makes rows of many events.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn trace(&self, language: Language, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare_in(language, text, Purpose::Trace, None).await?;
        self.start(planned, expanded).await
    }

    /// Starts a search in any language that writes nothing, whatever its commands say: to look at what is in the middle
    /// of another.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn probe(&self, language: Language, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare_in(language, text, Purpose::Rows, None).await?;
        self.start(Planned { writes: Vec::new(), written: Vec::new(), ..planned }, expanded).await
    }

    /// Starts an SPL search over all events, whatever bounds of time the session has.
    pub(crate) async fn unbounded(&self, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare_in(Language::Spl, text, Purpose::Census, None).await?;
        self.start(planned, expanded).await
    }

    /// The values of `index`, `source`, `sourcetype` and `host` that the events have.
    ///
    /// # Errors
    /// An input that cannot be read.
    pub async fn metadata(&self) -> Result<HashMap<String, Vec<String>>, Error> {
        let wanted = ["index", "source", "sourcetype", "host"].map(str::to_owned).to_vec();
        Ok(self.events(FieldSelection::Only(wanted), None, None).await?.events.metadata)
    }

    /// A LogScale query with its parameters and saved queries put in, and what was found about it.
    pub(crate) fn read_logscale(&self, text: &str) -> Result<(logscale::Query, Vec<Diagnostic>), Error> {
        read_logscale(text, &self.options.logscale, self.options.strict, false).map_err(|(_, f)| Error::Query(f))
    }

    /// Says for events, by serial number, which condition of a query they fail first. Events that were not loaded are
    /// left out.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn judge(&self, language: Language, text: &str, serials: Vec<i64>) -> Result<Vec<Judged>, Error> {
        let tracer = Arc::new(Tracer::new(serials));
        let traced = Some(Arc::clone(&tracer));
        let (planned, expanded) = self.prepare_in(language, text, Purpose::Trace, traced).await?;
        let seen = tracer.seen();
        let search = self.start(Planned { writes: Vec::new(), ..planned }, Expanded::unchanged(text)).await?;
        let mut judged = Vec::new();
        for batch in search.stream.try_collect::<Vec<_>>().await.map_err(Error::from)? {
            let rows = (0..batch.num_rows()).map(|row| Row { batch: &batch, row });
            judged.extend(rows.filter_map(|row| row.judge(SERIAL, &seen)));
        }
        for Judged { verdict, unchosen, .. } in &mut judged {
            unchosen.iter_mut().for_each(|unchosen| unchosen.reason.relocate(&|span| expanded.place(span)));
            match verdict {
                Verdict::Kept => {}
                Verdict::Fails(reason) => reason.relocate(&|span| expanded.place(span)),
                Verdict::Reaches(ended) => ended.span = expanded.place(ended.span),
            }
        }
        Ok(judged)
    }

    /// Starts a search whose result is for people: with fields as `fieldformat` shows them.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn listing(&self, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare(text, Purpose::Listing).await?;
        self.start(planned, expanded).await
    }

    /// Starts a search whose result is to be searched again: events keep the serial number that orders those of the
    /// same time.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn export(&self, text: &str) -> Result<Search, Error> {
        let (planned, expanded) = self.prepare(text, Purpose::Export).await?;
        self.start(planned, expanded).await
    }

    /// Shows how a search would be run.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn explain(&self, text: &str) -> Result<Explanation, Error> {
        let (planned, _) = self.prepare(text, Purpose::Rows).await?;
        let logical = planned.state.optimize(&planned.plan)?;
        let physical = planned.state.create_physical_plan(&planned.plan).await?;
        let mut stores = planned.scans.explained();
        let passed_over: u64 = planned.report.files.iter().map(|file| file.passed_over).sum();
        if passed_over > 0 {
            let all: u64 = planned.report.files.iter().map(|file| file.events).sum();
            stores.push(format!(
                "event logs: {passed_over} of {all} events are passed over, which are of another event code, channel, \
                 source or time"
            ));
        }
        Ok(Explanation {
            canonical: planned.canonical,
            logical: logical.display_indent().to_string(),
            physical: displayable(physical.as_ref()).indent(false).to_string(),
            stores,
            diagnostics: planned.diagnostics,
        })
    }

    /// From a text to a plan, with every finding at its place in the text.
    async fn prepare(&self, text: &str, purpose: Purpose) -> Result<(Planned, Expanded), Error> {
        self.prepare_in(self.language(), text, purpose, None).await
    }

    pub(crate) async fn prepare_in(
        &self,
        language: Language,
        text: &str,
        purpose: Purpose,
        trace: Option<Arc<Tracer>>,
    ) -> Result<(Planned, Expanded), Error> {
        if language == Language::LogScale {
            let (query, found) = self.read_logscale(text)?;
            let mut planned = self.plan(Parsed::LogScale(query), purpose, false, trace).await?;
            planned.diagnostics.splice(0..0, found);
            return Ok((planned, Expanded::unchanged(text)));
        }
        let expanded = self.options.macros.expand(text, &self.clock());
        let query = expanded.parse().map_err(Error::Query)?;
        match self.plan(Parsed::Spl(query), purpose, expanded.failed(), trace).await {
            Ok(mut planned) => {
                for possible in &mut planned.possible {
                    possible.finding = expanded.placed(possible.finding.clone());
                }
                planned.diagnostics = expanded.report(planned.diagnostics);
                planned.written = expanded.report(planned.written);
                Ok((planned, expanded))
            }
            Err(Error::Query(findings)) => Err(Error::Query(expanded.report(findings))),
            Err(other) => Err(located(other, &expanded)),
        }
    }

    async fn plan(
        &self,
        mut query: Parsed,
        purpose: Purpose,
        only_mistakes: bool,
        trace: Option<Arc<Tracer>>,
    ) -> Result<Planned, Error> {
        self.cancelled.store(false, Ordering::SeqCst);
        self.watch.begin();
        let begun = Instant::now();
        let canonical = match &query {
            Parsed::Spl(query) => query.to_string(),
            Parsed::LogScale(query) => query.to_string(),
        };
        let ledger = Arc::new(Ledger::new(&self.memory));
        let failure = |errors| failure(errors, Some(&ledger));
        let (asked, named) = match &query {
            Parsed::Spl(query) => {
                let Reading { fields, named } = calculated::reading(query, self.knowledge(), &self.clock());
                (asked_of(query, fields), named)
            }
            Parsed::LogScale(query) => (crate::logscale::needs::of(query), Vec::new()),
        };
        let view = self.options.view;
        let wanted = Serving::read(view, &asked);
        // Mistakes show before anything is read; where nothing is left to read, the plan itself shows them.
        if only_mistakes || self.kept(&wanted).is_none() {
            let checked = match &query {
                Parsed::Spl(query) => plan_without_data(query.clone(), &self.clock(), self.knowledge(), false).await,
                Parsed::LogScale(query) => logscale_without_data(query, &self.clock(), self.knowledge()).await,
            };
            drop(checked.map_err(failure)?);
        }
        if only_mistakes {
            return Err(Error::Query(Vec::new()));
        }
        let started = Instant::now();
        let clock = self.clock();
        let bounds = match purpose {
            Purpose::Census => (None, None),
            _ => Self::bounds_in(&self.context(), &clock)?,
        };
        let prefilter = match &query {
            // Whoever traces events asks for those too that are left out.
            _ if purpose == Purpose::Trace => None,
            Parsed::Spl(query) => prefilter::of(query, self.knowledge(), &clock, bounds),
            Parsed::LogScale(query) => crate::logscale::prefilter::of(query, self.knowledge(), bounds),
        };
        let conditions = match &query {
            // Why an event is not found can only be told of one that was read.
            Parsed::Spl(query) if trace.is_none() => conditions::of(query, self.knowledge(), &asked, view),
            _ => None,
        };
        let loaded = self.events(wanted, prefilter, conditions).await.map_err(|error| at_begin(error, &query))?;
        let scans = Arc::new(Scans::default());
        let events = loaded.events.noting(&scans).asked(&asked, view).naming(named);
        let mut read_time = started.elapsed();
        // Outlives the planner, which may come to look at it.
        let more: Events;
        let state = self.state_for(purpose);
        let trail = Arc::<Trail>::default();
        let runner = ContextRunner {
            state: state.clone(),
            ledger: Arc::clone(&ledger),
            watch: Arc::clone(&self.watch),
            trail: Arc::clone(&trail),
            measured: self.measured.load(Ordering::SeqCst),
        };
        let mut planner = self.planner(&events, &clock, &runner, purpose)?;
        planner.trail = Arc::clone(&trail);
        planner.written = match &query {
            Parsed::Spl(search) => outputlookup::names(search),
            Parsed::LogScale(_) => Vec::new(),
        };
        let mut report = loaded.report;
        let mut complete = loaded.complete;
        let mut frame = match &mut query {
            Parsed::Spl(search) => {
                subsearch::resolve(&mut planner, search).await.map_err(failure)?;
                let Reading { fields, named } = calculated::reading(search, self.knowledge(), &clock);
                if !asked.fields.covers(&fields) {
                    // A subsearch found conditions on fields that nothing in the query named.
                    let started = Instant::now();
                    let asked = asked_of(search, asked.fields.and(fields));
                    let loaded = self.events(Serving::read(view, &asked), None, None).await?;
                    read_time = read_time.saturating_add(started.elapsed());
                    more = loaded.events.noting(&scans).asked(&asked, view).naming(named);
                    planner.events = Some(&more);
                    (report, complete) = (loaded.report, loaded.complete);
                } else if events.named != named {
                    more = events.clone().naming(named);
                    planner.events = Some(&more);
                }
                // Subsearches have run; what follows is the search that is asked about.
                planner.trace.clone_from(&trace);
                trail.begin();
                planner.plan(search).await.map_err(failure)?
            }
            Parsed::LogScale(search) => {
                planner.trace.clone_from(&trace);
                crate::logscale::plan(&mut planner, search).await.map_err(failure)?
            }
        };
        let served = planner.events.and_then(|events| events.serving.as_ref()).map(|serving| serving.notes.clone());
        planner.diagnostics.splice(0..0, served.unwrap_or_default());
        if purpose == Purpose::Listing {
            fieldformat::apply(&mut frame).map_err(|error| failure(vec![error]))?;
        }
        let diagnostics = std::mem::take(&mut planner.diagnostics);
        let possible = std::mem::take(&mut planner.possible);
        let writes = std::mem::take(&mut planner.writes);
        let written = writes.iter().map(|write| write.note.clone()).collect();
        let events = frame.events;
        let plan = match purpose {
            Purpose::Trace if trace.is_some() => frame.finish_judged()?,
            Purpose::Trace => frame.finish_traced()?,
            Purpose::Export => frame.finish_numbered()?,
            Purpose::Rows | Purpose::Listing | Purpose::Census | Purpose::Pack => frame.finish()?,
        };
        Ok(Planned {
            canonical,
            state,
            plan,
            events,
            diagnostics,
            possible,
            report,
            scans,
            read_time,
            plan_time: begun.elapsed().saturating_sub(read_time),
            complete,
            trail,
            writes,
            written,
            ledger,
        })
    }

    /// DataFusion as a search of this purpose needs it.
    pub(crate) fn state_for(&self, purpose: Purpose) -> SessionState {
        match purpose {
            Purpose::Pack => self.pack_state.get_or_init(|| {
                let config = SessionConfig::new().with_target_partitions(1);
                state_of(
                    SessionStateBuilder::new().with_runtime_env(self.memory.runtime()),
                    self.memory.configure(config),
                )
            }),
            _ => self.state.get_or_init(|| state_in(&self.memory)),
        }
        .clone()
    }

    /// A planner over events.
    ///
    /// # Errors
    /// As [`Session::bounds`].
    pub(crate) fn planner<'a>(
        &'a self,
        events: &'a Events,
        clock: &'a Clock,
        runner: &'a dyn Runner,
        purpose: Purpose,
    ) -> Result<Planner<'a>, Error> {
        Ok(Planner {
            events: Some(events),
            clock,
            strict: self.options.strict,
            assume_macros: false,
            bounds: if purpose == Purpose::Census { (None, None) } else { self.bounds()? },
            geoip: self.options.geoip.clone().or_else(|| std::env::var_os("SPELUNK_GEOIP").map(PathBuf::from)),
            lookups: Some(Arc::clone(&self.options.lookups)),
            tables: Tables::default(),
            writes: Vec::new(),
            written: Vec::new(),
            runner: Some(runner),
            knowledge: Some(self.knowledge()),
            running: Vec::new(),
            diagnostics: Vec::new(),
            possible: Vec::new(),
            trace: None,
            trail: Arc::default(),
        })
    }

    /// What runs parts of a search while it is planned.
    pub(crate) fn runner(&self, purpose: Purpose) -> impl Runner + use<> {
        ContextRunner {
            state: self.state_for(purpose),
            ledger: Arc::new(Ledger::new(&self.memory)),
            watch: Arc::clone(&self.watch),
            trail: Arc::default(),
            measured: false,
        }
    }

    /// Writes what the search writes, and starts it.
    pub(crate) async fn start(&self, planned: Planned, expanded: Expanded) -> Result<Search, Error> {
        let Planned {
            canonical: _,
            state,
            plan,
            events,
            diagnostics,
            possible,
            report,
            scans,
            read_time,
            plan_time,
            complete,
            trail,
            writes,
            written,
            ledger,
        } = planned;
        let whole = trail.whole(&plan);
        if self.watch.has_ended() {
            // What ran already saw a part of the events, and took it for all.
            if let Some(command) = trail.ahead().or_else(|| whole.clone()) {
                return Err(Error::Unfinished(command));
            }
        }
        let diagnostics = [diagnostics, written].concat();
        for write in writes {
            write.run(&state, &self.options.lookups).await.map_err(Error::Run)?;
        }
        let schema: SchemaRef = Arc::clone(plan.schema().inner());
        let started = Instant::now();
        let measured = self.measured.load(Ordering::SeqCst);
        let physical = watched(state.create_physical_plan(&plan).await?, &self.watch, measured)?;
        self.watch.run(&physical);
        let profile = match measured {
            true => Profile { runs: trail.runs(plan, Arc::clone(&physical)) },
            false => Profile::default(),
        };
        let plan_time = plan_time.saturating_add(started.elapsed());
        let context = SessionContext::new_with_state(state).task_ctx();
        // The ledger lives as long as the rows that it counts: until the stream is dropped.
        // So does the plan, which tells how far the search is.
        let running = Arc::clone(&physical);
        let explain = move |error| {
            let _ = &running;
            DataFusionError::External(Box::new(located(ledger.explain(error), &expanded)))
        };
        let stream = execute_stream(physical, context)?;
        let stream = RecordBatchStreamAdapter::new(stream.schema(), stream.map_err(explain));
        Ok(Search {
            schema,
            stream: Box::pin(stream),
            events,
            diagnostics,
            possible,
            report,
            scans,
            read_time,
            plan_time,
            complete,
            whole,
            profile,
        })
    }
}

/// Where memory ran out, at its place in the text that the user wrote.
fn located(error: Error, expanded: &Expanded) -> Error {
    match error {
        Error::Memory(finding) => Error::Memory(Box::new(expanded.placed(*finding))),
        other => other,
    }
}

/// What an SPL search asks of the events. Where it names them is not known: its begin stands for that.
pub(crate) fn asked_of(query: &Query, fields: FieldSelection) -> Asked {
    let place = query.commands.first().map_or(query.span, |first| first.span);
    let names = needs::names(query).into_iter().map(|name| (name, place)).collect();
    Asked { names, fields, types: Vec::new(), falcon: false }
}

/// A lack of memory while reading, laid at the door of the query's first command.
fn at_begin(error: Error, query: &Parsed) -> Error {
    let place = match query {
        Parsed::Spl(query) => query.commands.first().map_or(query.span, |first| first.span),
        Parsed::LogScale(query) => query.span,
    };
    match error {
        Error::Memory(finding) => Error::Memory(Box::new(Diagnostic { span: place, ..*finding })),
        other => other,
    }
}

/// Every finding as an error; DataFusion's own where there is none.
pub(crate) fn failure(errors: Vec<PlanError>, ledger: Option<&Arc<Ledger>>) -> Error {
    let mut findings = Vec::new();
    let mut failed = None;
    let mut left = std::collections::VecDeque::from(errors);
    while let Some(error) = left.pop_front() {
        match error {
            PlanError::Query(diagnostic) => findings.push(diagnostic),
            PlanError::DataFusion(error) => failed = Some(error),
            PlanError::Several(errors) => errors.into_iter().rev().for_each(|error| left.push_front(error)),
        }
    }
    match failed {
        Some(error) if findings.is_empty() => match ledger {
            Some(ledger) => ledger.explain(error),
            None => Error::from(error),
        },
        _ => Error::Query(findings),
    }
}

/// DataFusion without a limit of memory.
pub fn session_state() -> SessionState {
    state_of(SessionStateBuilder::new(), SessionConfig::new())
}

/// DataFusion with the memory of a session.
fn state_in(memory: &Memory) -> SessionState {
    let builder = SessionStateBuilder::new().with_runtime_env(memory.runtime());
    state_of(builder, memory.configure(SessionConfig::new()))
}

/// The one place where DataFusion is set up: functions, options.
fn state_of(builder: SessionStateBuilder, config: SessionConfig) -> SessionState {
    let mut state = builder
        .with_config(config.with_information_schema(false))
        .with_default_features()
        .with_optimizer_rules(crate::plan::pushdown::rules())
        .with_physical_optimizer_rules(crate::plan::pushdown::physical_rules())
        .with_query_planner(Arc::new(SplQueryPlanner))
        .build();
    state.add_analyzer_rule(Arc::new(SingleRow));
    for udf in functions::udfs() {
        // A function that is there already is replaced, which cannot fail.
        let _ = datafusion::execution::FunctionRegistry::register_udf(&mut state, udf);
    }
    for udaf in functions::udafs() {
        let _ = datafusion::execution::FunctionRegistry::register_udaf(&mut state, udaf);
    }
    for udwf in functions::udwfs() {
        let _ = datafusion::execution::FunctionRegistry::register_udwf(&mut state, udwf);
    }
    state
}

struct ContextRunner {
    state: SessionState,
    ledger: Arc<Ledger>,
    watch: Arc<Watch>,
    trail: Arc<Trail>,
    measured: bool,
}

#[async_trait]
impl Runner for ContextRunner {
    async fn collect(&self, plan: LogicalPlan) -> Result<(SchemaRef, Vec<RecordBatch>), DataFusionError> {
        let physical = watched(self.state.create_physical_plan(&plan).await?, &self.watch, self.measured)?;
        self.watch.run(&physical);
        let schema = physical.schema();
        let context = SessionContext::new_with_state(self.state.clone()).task_ctx();
        let mut stream = execute_stream(Arc::clone(&physical), context)?;
        let mut batches = Vec::new();
        let mut sizes = Sizes::default();
        while let Some(batch) = stream.try_next().await? {
            self.ledger.hold(sizes.add(&batch))?;
            batches.push(batch);
        }
        self.trail.ran(self.measured.then_some((plan, physical)));
        Ok((schema, batches))
    }

    fn hold(&self, bytes: usize) -> Result<(), DataFusionError> {
        self.ledger.hold(bytes)
    }

    fn enter(&self, command: &Command) {
        self.trail.now(command.kind.doc().name);
        self.ledger.enter(command.kind.doc().name, command.span);
    }
}

/// The loaded events with the distinct values of their metadata.
fn describe(store: Arc<Store>) -> Events {
    let mut metadata: HashMap<String, Vec<String>> = HashMap::new();
    for name in ["index", "source", "sourcetype", "host"] {
        if store.schema.column_with_name(name).is_none() {
            continue;
        }
        let mut values = BTreeSet::new();
        let batches = store.shapes.iter().flat_map(|shape| &shape.batches);
        for dictionary in batches
            .filter_map(|batch| batch.column_by_name(name))
            .filter_map(|column| column.as_dictionary_opt::<Int32Type>())
        {
            let texts = dictionary.values().as_string_opt::<i32>();
            values.extend(texts.into_iter().flat_map(|texts| texts.iter().flatten()).map(str::to_string));
        }
        if name == "host" {
            values.extend(store.hosts.iter().cloned());
        }
        metadata.insert(name.to_string(), values.into_iter().collect());
    }
    for (name, values) in store.files.iter().flat_map(|file| &file.metadata) {
        let known = metadata.entry(name.clone()).or_default();
        known.extend(values.iter().cloned());
        known.sort_unstable();
        known.dedup();
    }
    for (name, values) in store.stored.iter().flat_map(|stored| stored.metadata()) {
        let known = metadata.entry(name).or_default();
        known.extend(values);
        known.sort_unstable();
        known.dedup();
    }
    for (name, values) in &store.noted.metadata {
        let known = metadata.entry(name.clone()).or_default();
        known.extend(values.iter().cloned());
        known.sort_unstable();
        known.dedup();
    }
    let unread = store.unread.clone();
    let loaded: usize = store.shapes.iter().flat_map(|shape| &shape.batches).map(RecordBatch::num_rows).sum();
    let loaded = loaded.saturating_add(store.noted.events);
    let in_files = store.files.iter().map(|file| usize::try_from(file.rows).unwrap_or(usize::MAX));
    let in_stores = store.stored.iter().map(|stored| usize::try_from(stored.rows()).unwrap_or(usize::MAX));
    let rows = in_files.chain(in_stores).fold(loaded, usize::saturating_add);
    let has_files = !store.files.is_empty() || !store.stored.is_empty();
    let on_disk = has_files.then(|| Arc::new(ParquetTable::new(Arc::clone(&store))));
    let table: Arc<dyn TableProvider> = match &on_disk {
        Some(table) => Arc::clone(table) as _,
        None => Arc::new(EventTable::new(store)),
    };
    let fields = FieldSelection::All;
    let summaries = Arc::default();
    Events { table, on_disk, metadata, fields, unread, rows, serving: None, named: Vec::new(), summaries }
}

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It parses and plans; the findings are warnings and notes.
    Ok(Vec<Diagnostic>),
    /// It does not parse.
    ParseError(Vec<Diagnostic>),
    /// It parses, but uses something that cannot be planned.
    PlanError(Vec<Diagnostic>),
}

/// Parses and plans a query without data: every field is assumed to exist, and every macro and lookup where none
/// were given; a macro that was assumed is told as a warning.
pub fn check(text: &str, knowledge: Knowledge<'_>) -> Checked {
    check_in(Language::Spl, text, knowledge)
}

/// The same for a query in any language.
pub fn check_in(language: Language, text: &str, knowledge: Knowledge<'_>) -> Checked {
    if language == Language::LogScale {
        return check_logscale(text, knowledge, &Definitions::default(), false);
    }
    let clock = Clock { now: Timestamp::now(), time_zone: TimeZone::UTC };
    let assumed = !knowledge.macros.given();
    let expanded = knowledge.macros.expand(text, &clock).assuming(assumed);
    let query = match expanded.parse() {
        Ok(query) => query,
        Err(findings) => return Checked::ParseError(findings),
    };
    // Without data nothing waits: the future is ready at its first poll.
    match futures::executor::block_on(plan_without_data(query, &clock, knowledge, assumed)) {
        Ok((_, diagnostics)) if expanded.failed() => Checked::PlanError(expanded.report(diagnostics)),
        Ok((_, diagnostics)) => Checked::Ok(expanded.report(diagnostics)),
        Err(errors) => match refused(errors) {
            Checked::PlanError(findings) => Checked::PlanError(expanded.report(findings)),
            other => other,
        },
    }
}

/// The same for a LogScale query: parameters and saved queries that are not given are assumed, which is told as a
/// warning. A strict check refuses what is not the vendor's language.
pub fn check_logscale(text: &str, knowledge: Knowledge<'_>, definitions: &Definitions, strict: bool) -> Checked {
    let (query, found) = match read_logscale(text, definitions, strict, true) {
        Ok(read) => read,
        Err((true, findings)) => return Checked::ParseError(findings),
        Err((false, findings)) => return Checked::PlanError(findings),
    };
    let clock = Clock { now: Timestamp::now(), time_zone: TimeZone::UTC };
    match futures::executor::block_on(logscale_without_data(&query, &clock, knowledge)) {
        Ok((_, diagnostics)) => Checked::Ok([found, diagnostics].concat()),
        Err(errors) => refused(errors),
    }
}

/// Parses a LogScale query and puts in what it names, or says whether it is the text that is wrong, and why.
fn read_logscale(
    text: &str,
    definitions: &Definitions,
    strict: bool,
    assume: bool,
) -> Result<(logscale::Query, Vec<Diagnostic>), (bool, Vec<Diagnostic>)> {
    let (query, warnings) = logscale::parse_with_warnings(text).map_err(|findings| (true, findings))?;
    if strict {
        let found = logscale::strict::deviations(&query, text);
        if !found.is_empty() {
            return Err((true, found));
        }
    }
    let resolved = crate::logscale::resolve(query, definitions, assume);
    let (query, notes) = resolved.map_err(|findings| (false, findings))?;
    Ok((query, [warnings, notes].concat()))
}

/// Why a query cannot be planned.
fn refused(errors: Vec<PlanError>) -> Checked {
    match failure(errors, None) {
        Error::Query(findings) => Checked::PlanError(findings),
        other => Checked::PlanError(vec![Diagnostic {
            severity: Severity::Error,
            ..Diagnostic::error(spelunk_grammar::Code::Unsupported, other.to_string(), Default::default())
        }]),
    }
}

async fn logscale_without_data(
    query: &logscale::Query,
    clock: &Clock,
    knowledge: Knowledge<'_>,
) -> Result<(Frame, Vec<Diagnostic>), Vec<PlanError>> {
    let mut planner = without_data(clock, knowledge, false);
    let frame = crate::logscale::plan(&mut planner, query).await?;
    Ok((frame, planner.diagnostics))
}

/// A planner that assumes any field to exist.
fn without_data<'k>(clock: &'k Clock, knowledge: Knowledge<'k>, assume_macros: bool) -> Planner<'k> {
    Planner {
        events: None,
        clock,
        strict: false,
        assume_macros,
        bounds: (None, None),
        geoip: None,
        lookups: knowledge.lookups.map(Arc::clone),
        tables: Tables::default(),
        writes: Vec::new(),
        written: Vec::new(),
        runner: None,
        knowledge: Some(knowledge),
        running: Vec::new(),
        diagnostics: Vec::new(),
        possible: Vec::new(),
        trace: None,
        trail: Arc::default(),
    }
}

async fn plan_without_data(
    mut query: Query,
    clock: &Clock,
    knowledge: Knowledge<'_>,
    assume_macros: bool,
) -> Result<(Frame, Vec<Diagnostic>), Vec<PlanError>> {
    let mut planner = without_data(clock, knowledge, assume_macros);
    planner.written = outputlookup::names(&query);
    subsearch::resolve(&mut planner, &mut query).await?;
    let frame = planner.plan(&query).await?;
    Ok((frame, planner.diagnostics))
}
