//! `spelunk hunt`: a pack of detections over logs.

use std::panic;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use spelunk_engine::Session;
use spelunk_engine::ingest::ReadReport;
use spelunk_engine::pack::{Gathered, Wants};

use crate::cli::{DataArgs, HuntArgs};
use crate::commands::inputs;
use crate::exit::{Exit, Failure};
use crate::hunt::saving::Saving;
use crate::hunt::{NotRun, Report, running};
use crate::interrupt::Interrupt;
use crate::pack::forms::Target;
use crate::pack::{Pack, Rule};
use crate::progress::Progress;
use crate::report::{self as told, Cost};
use crate::search;
use crate::terminal;

/// Hunts, and reports.
///
/// # Errors
/// A wrong command line, logs that cannot be read, a failure while writing, Ctrl-C.
pub async fn run(args: HuntArgs) -> Result<Exit, Failure> {
    let HuntArgs { rules, paths, save, fail_on, report: form, data } = args;
    let started = Instant::now();
    let pack = Pack::read(&rules)?;
    let searched = searched(&data, &paths);
    let saving = save.map(|folder| Saving::new(&folder, &searched)).transpose()?.map(Arc::new);
    let session = open(data, paths, &pack).await?;
    let interrupt = Interrupt::listen(session.cancelled());
    let rules = pack.rules.clone();
    let quiet = form.quiet;
    let progress = Arc::new(Progress::counting(!quiet, session.watch(), "rule", Some(rules.len() as u64)));
    let (shared, telling) = (Arc::clone(&session), Arc::clone(&progress));
    // A query that brings the engine down is reported as what became of its detection.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = interrupt.guard(move || async move {
        let (gathered, wants) = gather(&shared, &rules).await?;
        let outcomes = running::all(shared, rules, wants, saving, telling).await?;
        Ok::<_, Failure>((gathered, outcomes))
    });
    let done = done.await;
    panic::set_hook(hook);
    progress.end();
    let (gathered, outcomes) = done??;
    let report = Report { outcomes, events: gathered.events as u64, least: fail_on };
    Target { form: form.output, file: form.out, layer: form.attack_layer }.write(&report)?;
    if !quiet {
        tell(&gathered.report, &report, started);
    }
    let damaged = told_damage(&gathered.report);
    Ok(match () {
        () if report.alarms() => Exit::Runtime,
        () if damaged || report.not_run().next().is_some() => Exit::Partial,
        () => Exit::Ok,
    })
}

/// Everything that is searched, which nothing may be written beside.
fn searched(data: &DataArgs, paths: &[PathBuf]) -> Vec<PathBuf> {
    paths.iter().chain(data.index.iter().map(|index| &index.path)).cloned().collect()
}

/// A session over the logs that has what the pack brings along.
///
/// # Errors
/// No logs, an app that cannot be read, a clock that cannot be set.
pub async fn open(mut data: DataArgs, paths: Vec<PathBuf>, pack: &Pack) -> Result<Arc<Session>, Failure> {
    if paths.is_empty() && data.index.is_empty() {
        return Err(Failure::Usage("no logs: name files, folders or stores".into()));
    }
    // What is named with --app counts before what a pack brings along.
    let own = pack.apps.iter().filter(|app| !data.app.contains(app)).cloned().collect::<Vec<_>>();
    data.app.splice(0..0, own);
    let now = data.now;
    let session = inputs::session_of_pack(data, paths, true)?;
    inputs::set_clock(&session, now).await?;
    Ok(session)
}

/// Reads what the detections need, and says what each of them needs.
///
/// # Errors
/// Logs that cannot be read.
pub async fn gather(session: &Session, rules: &[Rule]) -> Result<(Gathered, Vec<Result<Wants, NotRun>>), Failure> {
    let wants = running::wants(session, rules);
    let known: Vec<Wants> = wants.iter().filter_map(|wants| wants.as_ref().ok().cloned()).collect();
    let gathered = session.gather(&known).await.map_err(|error| Failure::Search(error, String::new()))?;
    Ok((gathered, wants))
}

fn tell(read: &ReadReport, report: &Report, started: Instant) {
    let rows = report.ran().map(|(_, ran)| ran.seen.rows).fold(0, u64::saturating_add);
    let cost = Cost {
        rows,
        elapsed: started.elapsed(),
        read: Duration::ZERO,
        plan: Duration::ZERO,
        stores: Default::default(),
        remote: false,
        peak: told::peak_memory(),
        warnings: 0,
    };
    terminal::summary(&told::summary(&cost, read));
}

/// Tells what could not be read; whether there was any such thing.
pub fn told_damage(read: &ReadReport) -> bool {
    search::tell_damage(read);
    told::damaged(read).next().is_some()
}
