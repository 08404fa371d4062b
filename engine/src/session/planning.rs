//! From a text to a plan, and from a plan to rows.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::physical_plan::EmptyRecordBatchStream;
use datafusion::physical_plan::execute_stream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;
#[cfg(feature = "cluster")]
use spelunk_grammar::Span;
use spelunk_grammar::spl::Query;
use spelunk_grammar::{Code, Diagnostic, Severity};

use super::Language;
use super::Parsed;
use super::Planned;
use super::Purpose;
use super::Search;
use super::Session;
use super::check::logscale_without_data;
use super::check::plan_without_data;
use super::state::ContextRunner;
use super::state::state_in;
use super::state::state_of;
use crate::error::Error;
use crate::ingest::FieldSelection;
use crate::knowledge::Expanded;
use crate::logscale::tables::Tables;
use crate::memory::Ledger;
use crate::plan::calculated::{self, Reading};
use crate::plan::trace::Tracer;
use crate::plan::{
    Clock, Events, PlanError, Planner, Runner, emptiness, fieldformat, needs, outputlookup, subsearch, wanted,
};
use crate::store::scans::Scans;
use crate::views::{Asked, Serving};
use crate::watch::Watch;
use crate::watch::exec::watched;
use crate::watch::profile::Profile;
use crate::watch::trail::Trail;

impl Session {
    /// From a text to a plan, with every finding at its place in the text.
    pub(super) async fn prepare(&self, text: &str, purpose: Purpose) -> Result<(Planned, Expanded), Error> {
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
        query: Parsed,
        purpose: Purpose,
        only_mistakes: bool,
        trace: Option<Arc<Tracer>>,
    ) -> Result<Planned, Error> {
        let planned = self.plan_reading(query.clone(), purpose, only_mistakes, trace.clone(), true).await?;
        let is_missed = |finding: &Diagnostic| match finding.code {
            Code::UnknownField => true,
            Code::UnknownMetadata => finding.severity == Severity::Warning,
            _ => false,
        };
        if planned.complete && planned.report.has_unread_lines() && planned.diagnostics.iter().any(is_missed) {
            // What is missed may be in lines that were not read on.
            return self.plan_reading(query, purpose, only_mistakes, trace, false).await;
        }
        Ok(planned)
    }

    /// `selective`: leaves events out that the search cannot want.
    async fn plan_reading(
        &self,
        mut query: Parsed,
        purpose: Purpose,
        only_mistakes: bool,
        trace: Option<Arc<Tracer>>,
        selective: bool,
    ) -> Result<Planned, Error> {
        self.cancelled.store(false, Ordering::SeqCst);
        self.watch.begin();
        #[cfg(feature = "cluster")]
        self.options.cluster.iter().for_each(|cluster| drop(cluster.take_done()));
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
        let fields = Serving::read(view, &asked);
        // Mistakes show before anything is read; where nothing is left to read, the plan itself shows them.
        if only_mistakes || self.kept(&fields).is_none() {
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
        let teller = wanted::Teller { knowledge: self.knowledge(), asked: &asked, view };
        let wanted = match &query {
            // Whoever traces events asks for those too that are left out.
            _ if purpose == Purpose::Trace || !selective => None,
            Parsed::Spl(query) => wanted::of(query, &teller, &clock, bounds),
            Parsed::LogScale(query) => crate::logscale::wanted::of(query, &teller, bounds),
        };
        let loaded = self.events(fields, wanted).await.map_err(|error| at_begin(error, &query))?;
        let scans = Arc::new(Scans::default());
        let events = loaded.events.noting(&scans).asked(&asked, view).naming(named);
        let mut read_time = started.elapsed();
        // Outlives the planner, which may come to look at it.
        let more: Events;
        let state = self.state_for(purpose);
        let trail = Arc::<Trail>::default();
        let runner = ContextRunner {
            state: Arc::clone(&state),
            ledger: Arc::clone(&ledger),
            watch: Arc::clone(&self.watch),
            trail: Arc::clone(&trail),
            measured: self.measured.load(Ordering::SeqCst),
            remote: Arc::default(),
        };
        let remote = Arc::clone(&runner.remote);
        let mut planner = self.planner(&events, &clock, &runner, purpose)?;
        planner.trail = Arc::clone(&trail);
        planner.written = match &query {
            Parsed::Spl(search) => outputlookup::names(search),
            Parsed::LogScale(_) => Vec::new(),
        };
        #[cfg(feature = "cluster")]
        planner.diagnostics.extend(self.not_remote(&events, query.begin()));
        let mut report = loaded.report;
        let mut complete = loaded.complete;
        let mut frame = match &mut query {
            Parsed::Spl(search) => {
                let before = search.clone();
                subsearch::resolve(&mut planner, search).await.map_err(failure)?;
                let Reading { fields, named } = match before == *search {
                    true => Reading { fields: asked.fields.clone(), named: events.named.clone() },
                    false => calculated::reading(search, self.knowledge(), &clock),
                };
                if !asked.fields.covers(&fields) {
                    // A subsearch found conditions on fields that nothing in the query named.
                    let started = Instant::now();
                    let asked = asked_of(search, asked.fields.and(fields));
                    let loaded = self.events(Serving::read(view, &asked), None).await?;
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
            remote,
        })
    }

    /// What is told where there is a cluster, and nothing that it could read.
    #[cfg(feature = "cluster")]
    fn not_remote(&self, events: &Events, place: Span) -> Option<Diagnostic> {
        let has_stores = events.on_disk.as_ref().is_some_and(|table| table.has_stores());
        if self.options.cluster.is_none() || self.inputs().is_empty() || has_stores {
            return None;
        }
        let message = "no store is searched, so nothing of this runs on the cluster";
        Some(Diagnostic::note(Code::Note, message, place).with_help("`spelunk index` makes a store of logs"))
    }

    /// DataFusion as a search of this purpose needs it.
    pub(crate) fn state_for(&self, purpose: Purpose) -> Arc<SessionState> {
        match purpose {
            Purpose::Pack => self.pack_state.get_or_init(|| {
                let config = SessionConfig::new().with_target_partitions(1);
                Arc::new(state_of(
                    SessionStateBuilder::new().with_runtime_env(self.memory.runtime()),
                    self.memory.configure(config),
                ))
            }),
            _ => self.state.get_or_init(|| Arc::new(state_in(&self.memory, &self.options))),
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
            remote: Arc::default(),
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
            remote,
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
        let physical = state.create_physical_plan(&plan).await?;
        let is_remote = !remote.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        let is_remote = is_remote || !super::state::remote(&physical, &state)?.is_empty();
        let physical = watched(physical, &self.watch, measured)?;
        self.watch.run(&physical);
        let profile = match measured {
            true => Profile { runs: trail.runs(plan, Arc::clone(&physical)) },
            false => Profile::default(),
        };
        let plan_time = plan_time.saturating_add(started.elapsed());
        let context = Arc::new(TaskContext::from(state.as_ref()));
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
            remote: is_remote,
            profile,
        })
    }
}

impl Planned {
    /// Whether the search certainly gives no rows and writes nothing, which is seen without planning it to its end.
    pub(crate) async fn gives_nothing(&self, watch: &Arc<Watch>) -> bool {
        // What goes wrong while looking goes wrong in the search itself, where it is reported.
        self.writes.is_empty() && emptiness::is_certain(&self.plan, &self.state, watch).await.unwrap_or(false)
    }

    /// The search without running it, where it is known to give no rows and to write nothing.
    pub(crate) fn without_rows(self) -> Search {
        let schema: SchemaRef = Arc::clone(self.plan.schema().inner());
        Search {
            stream: Box::pin(EmptyRecordBatchStream::new(Arc::clone(&schema))),
            schema,
            events: self.events,
            diagnostics: [self.diagnostics, self.written].concat(),
            possible: self.possible,
            report: self.report,
            scans: self.scans,
            read_time: self.read_time,
            plan_time: self.plan_time,
            complete: self.complete,
            whole: self.trail.whole(&self.plan),
            remote: false,
            profile: Profile::default(),
        }
    }
}

/// Where memory ran out, at its place in the text that the user wrote.
pub(super) fn located(error: Error, expanded: &Expanded) -> Error {
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
    match error {
        Error::Memory(finding) => Error::Memory(Box::new(Diagnostic { span: query.begin(), ..*finding })),
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
