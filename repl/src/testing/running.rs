//! Runs tests one after the other: each has data of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use spelunk_engine::ingest::{self, FieldSelection, IndexOptions, Input, Location, ReadOptions};
use spelunk_engine::values::{self, Cell};
use spelunk_engine::{Error, Session, SessionOptions};

use super::verdict::{self, LOOKED_AT};
use super::{Outcome, Tested, data};
use crate::exit::Failure;
use crate::hunt::running::not_run;
use crate::pack::Rule;
use crate::pack::about::{Test, TestData};
use crate::progress::Progress;

/// The sourcetypes of Windows events, whose sources and sourcetypes are those of their channels.
const WINDOWS: [&str; 3] = ["xmlwineventlog", "wineventlog", "sysmon:linux"];

/// A file of a test, and what its events are called.
struct Prepared {
    path: PathBuf,
    source: Option<String>,
    sourcetype: Option<String>,
    host: Option<String>,
    index: Option<String>,
}

/// Tests every detection. `base` has the knowledge, and no data.
///
/// # Errors
/// Ctrl-C.
pub async fn all(
    base: Arc<Session>,
    rules: Vec<Rule>,
    copies: Option<PathBuf>,
    progress: Arc<Progress>,
) -> Result<Vec<Tested>, Failure> {
    let mut done = Vec::new();
    for rule in rules {
        let tested = |test: &str, outcome: Outcome| {
            let (rule, test) = (rule.clone(), test.to_owned());
            Tested { rule, test, outcome, rows: 0, events: 0 }
        };
        if let Err(reason) = &rule.search {
            done.push(tested("", Outcome::Error(reason.clone())));
        } else if rule.about.tests.is_empty() {
            done.push(tested("", Outcome::Skipped("it has no test".to_owned())));
        }
        for test in rule.about.tests.iter().filter(|_| rule.search.is_ok()) {
            done.push(match prepare(&rule, test, copies.as_deref()) {
                Err(reason) => tested(&test.name, Outcome::Skipped(reason)),
                Ok(files) => match one(&base, &rule, &files).await {
                    Ok((outcome, rows, events)) => Tested { rows, events, ..tested(&test.name, outcome) },
                    Err(Error::Interrupted) => return Err(Failure::Interrupted),
                    Err(error) => {
                        let text = rule.search.as_ref().map_or("", |(_, text)| text.as_str());
                        tested(&test.name, Outcome::Error(not_run(error, text).reason))
                    }
                },
            });
        }
        progress.add(1);
    }
    Ok(done)
}

fn prepare(rule: &Rule, test: &Test, copies: Option<&Path>) -> Result<Vec<Prepared>, String> {
    if test.data.is_empty() {
        return Err("it names no attack data".to_owned());
    }
    let prepare = |data: &TestData| {
        let path = data::locate(&data.data, Path::new(&rule.file), copies)?;
        let windows = data.sourcetype.as_ref().is_some_and(|name| {
            WINDOWS.iter().any(|known| name.get(..known.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(known)))
        });
        let unless = |text: &Option<String>| text.clone().filter(|_| !windows);
        let (source, sourcetype) = (unless(&data.source), unless(&data.sourcetype));
        Ok(Prepared { path, source, sourcetype, host: data.host.clone(), index: data.index.clone() })
    };
    test.data.iter().map(prepare).collect()
}

/// Runs a test: its outcome, how many rows there were, and of how many events.
async fn one(base: &Session, rule: &Rule, files: &[Prepared]) -> Result<(Outcome, u64, u64), Error> {
    let Ok((language, text)) = &rule.search else { return Ok((Outcome::Error(String::new()), 0, 0)) };
    let alike = |file: &&Prepared| {
        let first = files.first();
        first.is_some_and(|first| {
            (&first.source, &first.sourcetype, &first.host) == (&file.source, &file.sourcetype, &file.host)
        })
    };
    let options = base.options().clone();
    // Events that are called differently are put into a store first, which keeps their names.
    let _store;
    let session = match (files.iter().all(|file| alike(&file)), files.first()) {
        (true, Some(first)) => {
            let (source, sourcetype, host) = (first.source.clone(), first.sourcetype.clone(), first.host.clone());
            let mut seen = BTreeSet::new();
            let once = files.iter().filter(|file| seen.insert(file.path.clone()));
            let inputs =
                once.map(|file| Input { location: Location::Path(file.path.clone()), index: file.index.clone() });
            Session::new(SessionOptions { source, sourcetype, host, ..options }, inputs.collect())?
        }
        _ => {
            let folder = tempfile::Builder::new().prefix("spelunk-test-").tempdir();
            let folder = folder.map_err(|error| Error::Run(error.to_string()))?;
            let store = folder.path().join("store");
            for file in files {
                index(base, file, &store)?;
            }
            _store = folder;
            Session::new(options, vec![Input { location: Location::Path(store), index: None }])?
        }
    };
    let mut search = session.probe(*language, text).await?;
    let columns: Vec<String> = search.schema.fields().iter().map(|field| field.name().clone()).collect();
    let zone = session.context().time_zone;
    let (mut rows, mut shown) = (0_u64, Vec::new());
    while let Some(batch) = search.stream.next().await {
        let batch = batch.map_err(Error::from)?;
        rows = rows.saturating_add(batch.num_rows() as u64);
        for row in 0..batch.num_rows().min(LOOKED_AT.saturating_sub(shown.len())) {
            let cells = batch.columns().iter().map(|column| values::cell(column, row, &zone));
            shown.push(cells.collect::<Vec<Cell>>());
        }
    }
    let events = crate::report::events(&search.report);
    let about = &rule.about;
    let outcome = match verdict::judge(&columns, &shown, rows, &about.risk_fields, &about.threat_fields) {
        Outcome::Fail(_) if events == 0 => Outcome::Fail("its attack data holds no event".to_owned()),
        outcome => outcome,
    };
    Ok((outcome, rows, events))
}

fn index(base: &Session, file: &Prepared, store: &Path) -> Result<(), Error> {
    let options = base.options();
    let reading = ReadOptions {
        fields: FieldSelection::All,
        wanted: None,
        sourcetype: file.sourcetype.clone(),
        host: file.host.clone(),
        source: file.source.clone(),
        strict: options.strict,
        time_zone: options.time_zone.clone(),
        cancelled: base.cancelled(),
        temp: options.temp.clone(),
        pool: None,
        watch: base.watch(),
    };
    let input = Input { location: Location::Path(file.path.clone()), index: file.index.clone() };
    ingest::index(store, &[input], &reading, &IndexOptions { memory: options.memory, group_rows: None })?;
    Ok(())
}
