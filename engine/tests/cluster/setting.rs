//! A cluster in this process, and searches on it and beside it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::TryStreamExt;
use jiff::tz::TimeZone;
use spelunk_engine::cluster::Cluster;
use spelunk_engine::cluster::roles::{Place, Scheduler, Worker};
use spelunk_engine::ingest::{FieldSelection, IndexOptions, Input, Location, ReadOptions, index};
use spelunk_engine::knowledge::apps::Apps;
use spelunk_engine::lookups::{Lookups, Writable};
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Error, Language, Session, SessionOptions};
use tokio::runtime::Runtime;

/// As in the binary: plans nest, and those who walk over them recurse.
const STACK: usize = 16 << 20;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build().unwrap()
}

/// Where the scheduler is, which runs as long as the tests do.
pub fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        let scheduler = Scheduler::listen(&Place::here(0), None).unwrap();
        let url = scheduler.url();
        start(scheduler, 2);
        url
    })
}

/// Runs a scheduler and so many workers.
pub fn start(scheduler: Scheduler, workers: usize) {
    let url = scheduler.url();
    std::thread::spawn(move || {
        runtime().block_on(async move {
            let mut all = vec![tokio::spawn(scheduler.run())];
            for _ in 0..workers {
                all.push(tokio::spawn(worker(&url).run()));
            }
            for one in all {
                one.await.unwrap().unwrap();
            }
        });
    });
}

pub fn worker(url: &str) -> Worker {
    let cluster = Cluster::at(url, None).unwrap();
    Worker {
        cluster,
        place: Place::here(0),
        cores: 1,
        memory: Some(512 << 20),
        temp: Some(env!("CARGO_TARGET_TMPDIR").into()),
    }
}

/// The cluster of the tests, with few parts: the data is small.
pub fn cluster() -> Option<Cluster> {
    Some(Cluster::at(url(), None).unwrap().divided(3))
}

pub fn local() -> Option<Cluster> {
    None
}

/// A store of what is in a folder.
pub fn indexed(folder: &Path) -> PathBuf {
    let store = folder.join("store");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let inputs = files.map(|path| Input { location: Location::Path(path), index: None }).collect();
    indexed_as(&store, inputs);
    store
}

pub fn indexed_as(store: &Path, mut inputs: Vec<Input>) {
    inputs.sort_by_key(|input| format!("{:?}", input.location));
    let reading = ReadOptions {
        fields: FieldSelection::All,
        wanted: None,
        sourcetype: None,
        host: None,
        source: None,
        strict: false,
        time_zone: TimeZone::UTC,
        cancelled: Default::default(),
        temp: None,
        pool: None,
        watch: Default::default(),
    };
    // Small row groups make several parts of a scan.
    index(store, &inputs, &reading, &IndexOptions { group_rows: Some(200), memory: None }).unwrap();
}

/// What a search gives.
#[derive(Debug)]
pub struct Found {
    pub rows: Vec<Vec<String>>,
    pub findings: Vec<String>,
    pub remote: bool,
}

/// Where searches are started.
pub struct Setting(Runtime);

impl Setting {
    pub fn new() -> Self {
        Self(runtime())
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.0.block_on(work)
    }

    pub fn session(&self, path: &Path, language: Language, cluster: Option<Cluster>) -> Session {
        let now = "2026-01-01T00:00:00Z".parse().ok();
        let options = SessionOptions { now, language, cluster, ..SessionOptions::default() };
        Session::new(options, vec![Input { location: Location::Path(path.to_owned()), index: None }]).unwrap()
    }

    /// The same with lookups.
    pub fn session_with(&self, path: &Path, language: Language, cluster: Option<Cluster>, app: &Path) -> Session {
        let lookups = Arc::new(Lookups::load(&[app.to_owned()], Writable::Refused).unwrap());
        let apps = Arc::new(Apps::load(&[app.to_owned()]).unwrap());
        let options = SessionOptions { language, cluster, lookups, apps, ..SessionOptions::default() };
        Session::new(options, vec![Input { location: Location::Path(path.to_owned()), index: None }]).unwrap()
    }

    pub fn run(&self, session: &Session, query: &str) -> Result<Found, Error> {
        self.block_on(found(session, query))
    }
}

async fn found(session: &Session, query: &str) -> Result<Found, Error> {
    let search = session.search(query).await?;
    let mut rows = vec![search.schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>()];
    let findings = search.diagnostics.iter().map(ToString::to_string).collect();
    for batch in search.stream.try_collect::<Vec<_>>().await? {
        for row in 0..batch.num_rows() {
            let text = |column| match cell(column, row, &TimeZone::UTC) {
                Cell::Null => "(null)".to_owned(),
                Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
                Cell::Many(texts) => texts.join("+"),
            };
            rows.push(batch.columns().iter().map(text).collect());
        }
    }
    Ok(Found { rows, findings, remote: search.remote })
}

/// Whether searches give the same on the cluster and here. How many of them had a part that ran there.
pub fn assert_same(store: &Path, language: Language, searches: &[&str]) -> usize {
    let setting = Setting::new();
    let (mut remote, mut different) = (0, Vec::new());
    for query in searches {
        let here = setting.run(&setting.session(store, language, local()), query);
        let there = setting.run(&setting.session(store, language, cluster()), query);
        match (here, there) {
            (Ok(here), Ok(there)) => {
                remote += usize::from(there.remote);
                if !same(&here, &there) {
                    different.push(format!("{query}\n  here  {:?}\n  there {:?}", told(&here), told(&there)));
                }
            }
            (Err(here), Err(there)) if here.to_string() == there.to_string() => {}
            (here, there) => different.push(format!(
                "{query}\n  here  {:?}\n  there {:?}",
                here.map(|found| found.rows.len()),
                there.map(|found| found.rows.len())
            )),
        }
    }
    assert!(
        different.is_empty(),
        "{} of {} searches differ:\n{}",
        different.len(),
        searches.len(),
        different.join("\n")
    );
    remote
}

/// The columns, the number of rows and the first rows.
fn told(found: &Found) -> (usize, &[Vec<String>], &[String]) {
    (found.rows.len(), &found.rows[..found.rows.len().min(4)], &found.findings)
}

fn same(here: &Found, there: &Found) -> bool {
    let cells = |found: &Found| found.rows.iter().flatten().cloned().collect::<Vec<_>>();
    let (one, other) = (cells(here), cells(there));
    here.findings == there.findings
        && here.rows.len() == there.rows.len()
        && one.len() == other.len()
        && one.iter().zip(&other).all(|(one, other)| same_cell(one, other))
}

/// Long fractions may differ in their last digits: sums of fractions depend on the order in which they are added, from run to
/// run on one machine too.
fn same_cell(one: &str, other: &str) -> bool {
    let long = |text: &str| text.len() >= 9 && text.contains('.');
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(x), Ok(y)) if long(one) && long(other) => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
        _ => one == other,
    }
}

/// Gives up where something takes longer than anybody would wait.
pub fn within<T>(setting: &Setting, seconds: u64, work: impl Future<Output = T>) -> T {
    setting.block_on(async { tokio::time::timeout(Duration::from_secs(seconds), work).await.unwrap() })
}
