//! Runs one search and writes its result: what `run`, `demo` and the shell share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use spelunk_engine::ingest::ReadReport;
use spelunk_engine::scans::Scans;
use spelunk_engine::watch::profile::Line;
use spelunk_engine::{Error, Possible, Search, Session, Watch, given_up};

use crate::cli::Form;
use crate::diagnostics;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::nothing;
use crate::pager;
use crate::profile;
use crate::progress::Progress;
use crate::render::fit;
use crate::report::{self, Cost};
use crate::terminal;

use crate::sink::KEPT_BYTES;
pub use crate::sink::{Kept, Sink};

/// Runs a search, writes its result, and says what it cost and what could not be read.
///
/// # Errors
/// A wrong query, an input that cannot be read at all, a failure while running or writing, Ctrl-C.
pub async fn run(
    session: &Arc<Session>,
    query: &str,
    sink: &Arc<Sink>,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let started = Instant::now();
    let before = given_up();
    let paged = pager::read_for();
    let (searched, text, target) = (Arc::clone(session), query.to_owned(), Arc::clone(sink));
    // Rows that are shown as they come would be mixed with it.
    let mixed = sink.form != Form::Table && sink.file.is_none() && terminal::stdout_is_terminal();
    // Who wants no lines and colours has a screen read to them, or keeps it.
    let quiet = sink.quiet || sink.plain || mixed;
    let watch = session.watch();
    let progress = Arc::new(Progress::start(!quiet, Arc::clone(&watch)));
    let telling = Arc::clone(&progress);
    let done = interrupt.guard_search(watch, move || write(searched, text, target, telling)).await;
    progress.end();
    let done = done??;
    if done.cut {
        let limit = report::count(done.rows, "row");
        terminal::say(&format!("the first {limit}; --limit left out the others"));
    }
    let stores = done.scans.read();
    let cost = Cost {
        rows: done.rows,
        elapsed: started.elapsed().saturating_sub(pager::read_for().saturating_sub(paged)),
        read: done.read,
        plan: done.plan,
        stores,
        remote: done.remote,
        peak: report::peak_memory(),
        warnings: done.warnings,
    };
    if !sink.quiet && (terminal::stderr_is_terminal() || !done.report.files.is_empty()) {
        terminal::summary(&report::summary(&cost, &done.report));
    }
    if let Some(profile) = &done.profile {
        terminal::say(profile::render(profile, done.read, done.plan, terminal::stderr_width()).trim_end());
        #[cfg(feature = "cluster")]
        match crate::commands::cluster::done(session) {
            stages if stages.is_empty() => {}
            stages => terminal::say(stages.trim_end()),
        }
    }
    let steps = given_up().saturating_sub(before);
    if steps > 0 {
        let values = report::count(steps, "value");
        terminal::warning(&format!("a regular expression needed too many steps on {values}, which count as no match"));
    }
    if !session.inputs().is_empty() && done.report.files.is_empty() {
        terminal::warning("there is no file in the folders that were named");
    }
    if sink.tell_damage {
        tell_damage(&done.report);
    }
    // What shows only when a file of a store is opened is told whenever it is.
    if let Some(warning) = report::torn(&done.scans) {
        if session.options().strict {
            return Err(Failure::Runtime(warning));
        }
        terminal::warning(&warning);
        if done.ended.is_none() {
            return Ok(Exit::Partial);
        }
    }
    match done.ended {
        Some(ended) => {
            terminal::warning(&ended);
            Ok(Exit::Interrupted)
        }
        None => Ok(completeness(&done.report)),
    }
}

/// Tells on standard error why a search finds what it finds.
///
/// # Errors
/// Whatever stops one of its parts, Ctrl-C.
pub async fn tell_why(session: &Arc<Session>, query: &str, interrupt: &Interrupt) -> Result<(), Failure> {
    let (searched, text) = (Arc::clone(session), query.to_owned());
    let language = session.language();
    let looking = move || async move { nothing::explain(&searched, language, &text).await };
    let found = interrupt.guard(looking).await??;
    let width = terminal::stderr_width();
    terminal::say(fit::narrow(&nothing::render(&found, width), width).trim_end());
    Ok(())
}

/// Warns of what could not be read.
pub fn tell_damage(report: &ReadReport) {
    for warning in report::warnings(report) {
        terminal::warning(&warning);
    }
}

/// Whether all input could be read.
pub fn completeness(report: &ReadReport) -> Exit {
    if report::damaged(report).next().is_some() { Exit::Partial } else { Exit::Ok }
}

struct Done {
    rows: u64,
    /// Whether the limit left out rows.
    cut: bool,
    report: Arc<ReadReport>,
    scans: Arc<Scans>,
    read: Duration,
    plan: Duration,
    /// Whether a part of it ran on a cluster.
    remote: bool,
    /// What there is to say if the search was ended with what came so far.
    ended: Option<String>,
    /// What the commands took, if that was asked for.
    profile: Option<Vec<Line>>,
    /// How many warnings there were about the query.
    warnings: u64,
}

async fn write(
    session: Arc<Session>,
    query: String,
    sink: Arc<Sink>,
    progress: Arc<Progress>,
) -> Result<Done, Failure> {
    let failed = |error: Error| Failure::Search(error, query.clone());
    let found = match sink.form {
        Form::Table | Form::Markdown | Form::Html => session.listing(&query).await,
        Form::Parquet => session.export(&query).await,
        Form::Csv | Form::Json | Form::Jsonl | Form::Timesketch => session.search(&query).await,
    };
    let mut search = found.map_err(failed)?;
    if !search.diagnostics.is_empty() {
        progress.pause();
    }
    diagnostics::print_all(&search.diagnostics, &query);
    let mut renderer = sink.renderer(&search.schema, search.events, session.context().time_zone)?;
    let (mut rows, mut cut) = (0, false);
    let (mut kept, mut bytes) = (Vec::new(), 0_usize);
    let mut partial = false;
    let watch = session.watch();
    while let Some(batch) = search.stream.next().await {
        if watch.has_ended() && search.whole.is_some() {
            // It was made of a part of the events, which is not what the search asks for.
            break;
        }
        let batch = batch.map_err(|error| failed(error.into()))?;
        let room = usize::try_from(sink.limit.unwrap_or(u64::MAX) - rows).unwrap_or(usize::MAX);
        let taken = batch.num_rows().min(room);
        cut = taken < batch.num_rows();
        if taken > 0 {
            renderer.batch(&batch.slice(0, taken))?;
            progress.add(taken as u64);
            if sink.last.is_some() {
                bytes = bytes.saturating_add(batch.get_array_memory_size());
                partial |= bytes > KEPT_BYTES;
                if !partial {
                    kept.push(batch.slice(0, taken));
                }
            }
            rows += taken as u64;
        }
        if cut {
            break;
        }
    }
    progress.end();
    let ended = (watch.has_ended() && !cut).then(|| ending(&search, &watch, rows));
    if let (Some(_), Some(command), 0) = (&ended, &search.whole, rows) {
        return Err(failed(Error::Unfinished(command.clone())));
    }
    renderer.finish()?;
    let late: Vec<_> = search.possible.iter().filter_map(Possible::found).collect();
    if let Some(mut last) = sink.kept() {
        let schema = Arc::clone(&search.schema);
        let language = session.language();
        *last = Some(Kept {
            query: query.clone(),
            language,
            schema,
            batches: kept,
            rows,
            cut: partial,
            ended: ended.is_some(),
            events: search.events,
            findings: search
                .diagnostics
                .iter()
                .chain(&late)
                .map(|found| diagnostics::one_line(found, &query))
                .collect(),
        });
    }
    diagnostics::print_all(&late, &query);
    let warned = |finding: &&spelunk_grammar::Diagnostic| finding.severity == spelunk_grammar::Severity::Warning;
    let warnings = search.diagnostics.iter().chain(&late).filter(warned).count() as u64;
    let profile = Some(search.profile.lines()).filter(|lines| !lines.is_empty());
    let (read, plan) = (search.read_time, search.plan_time);
    Ok(Done {
        rows,
        cut,
        report: search.report,
        scans: search.scans,
        read,
        plan,
        remote: search.remote,
        ended,
        profile,
        warnings,
    })
}

/// What is said of a search that was ended with what came so far.
fn ending(search: &Search, watch: &Watch, rows: u64) -> String {
    let rows = report::count(rows, "row");
    let events = report::events(&search.report);
    let seen = if search.remote {
        "the cluster had more to do".to_owned()
    } else if search.complete {
        let scanned = watch.progress().scanned;
        match scanned <= events {
            true => format!("{} of {} were looked at", report::thousands(scanned), report::count(events, "event")),
            // Generated rows, or events that were looked at more than once.
            false => format!("{} were looked at", report::count(scanned, "row")),
        }
    } else {
        format!("reading ended after {}", report::count(events, "event"))
    };
    format!("interrupted: {rows} and perhaps not all of them, because {seen}")
}
