//! `spelunk index`: logs into a store.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use spelunk_engine::Error;
use spelunk_engine::ingest::{self, FieldSelection, IndexOptions, Indexed, Input, Location, ReadOptions};

use crate::cli::IndexArgs;
use crate::commands::inputs;
use crate::escape;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::report;
use crate::search;
use crate::terminal;

/// How many files that were there already are named.
const NAMED: usize = 5;

/// Adds the logs to the store.
///
/// # Errors
/// A wrong command line, an input that does not exist, a store that cannot be written, Ctrl-C.
pub async fn run(args: IndexArgs) -> Result<Exit, Failure> {
    let IndexArgs { output, paths, index, sourcetype, host, tz, memory, temp, row_group, strict, quiet } = args;
    let bound =
        index.into_iter().map(|index| Input { location: inputs::location(index.path), index: Some(index.name) });
    let free = paths.into_iter().map(|path| Input { location: inputs::location(path), index: None });
    let inputs: Vec<Input> = free.chain(bound).collect();
    if inputs.is_empty() {
        return Err(Failure::Usage("no logs: name files or folders to index".into()));
    }
    if inputs.iter().any(|input| input.location == Location::Stdin) {
        let message = "standard input cannot be indexed, because a log is told by its content, which is read twice: \
                       name a file";
        return Err(Failure::Usage(message.into()));
    }
    let cancelled = std::sync::Arc::default();
    let reading = ReadOptions {
        fields: FieldSelection::All,
        wanted: None,
        sourcetype,
        host,
        source: None,
        strict,
        time_zone: tz,
        cancelled: std::sync::Arc::clone(&cancelled),
        temp,
        pool: None,
        watch: std::sync::Arc::default(),
    };
    let options = IndexOptions { memory, group_rows: row_group.and_then(|rows| usize::try_from(rows).ok()) };
    let interrupt = Interrupt::listen(cancelled);
    let started = Instant::now();
    let store = output.clone();
    let indexed = interrupt
        .guard(move || async move { ingest::index(&store, &inputs, &reading, &options) })
        .await?
        .map_err(|error: Error| Failure::Search(error, String::new()))?;
    if !quiet {
        terminal::summary(&summary(&indexed, &output.display().to_string(), started.elapsed()));
    }
    if !indexed.known.is_empty() {
        terminal::say(&known(&indexed.known));
    }
    if indexed.report.files.is_empty() && indexed.known.is_empty() {
        terminal::warning("there is no file in the folders that were named");
    }
    // Where all was there already, nothing is missing.
    if !indexed.report.files.is_empty() {
        search::tell_damage(&indexed.report);
    }
    Ok(search::completeness(&indexed.report))
}

/// `30 events of 2 files added · store: 1,030 events, 12 row groups, 40 KiB · 0.12 s · peak 34 MiB`
fn summary(indexed: &Indexed, store: &str, elapsed: Duration) -> String {
    let Indexed { added, store: all, .. } = indexed;
    let mut out = format!(
        "{} of {} added to {}",
        report::count(added.events, "event"),
        report::count(added.inputs, "file"),
        escape::line(store)
    );
    let _ = write!(
        out,
        " · now {} in {}, {}",
        report::count(all.events, "event"),
        report::count(all.groups, "row group"),
        report::bytes(all.bytes)
    );
    let seconds = elapsed.as_secs_f64();
    let _ = write!(out, " · {seconds:.2} s");
    if seconds > 0.0 && added.events > 0 {
        let _ = write!(out, " · {} events/s", report::thousands((added.events as f64 / seconds) as u64));
    }
    if let Some(peak) = report::peak_memory() {
        let _ = write!(out, " · peak {}", report::bytes(peak));
    }
    out
}

/// What was left out because it was there.
fn known(paths: &[String]) -> String {
    let count = paths.len() as u64;
    let mut out = format!("{} added nothing, the store has the same content already: ", report::count(count, "file"));
    out.push_str(&paths.iter().take(NAMED).map(|path| escape::line(path)).collect::<Vec<_>>().join(", "));
    if paths.len() > NAMED {
        let _ = write!(out, " and {} more", paths.len() - NAMED);
    }
    out
}
