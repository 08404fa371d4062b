//! The published DCOM detection over a raw event log, beside the evtx crate reading every record of it on all cores and
//! doing nothing else: the floor for any tool that decodes all of a log.
//!
//! The ratio is the time of the search, from the file to its rows, over that of the crate: below 1 the search is faster.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use evtx::{EvtxChunkData, EvtxRecord, ParserSettings};
use spelunk_benches::{SEED, rows};
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::{Session, SessionOptions};
use tokio::runtime::Runtime;

const EVENTS: u64 = 500_000;
const RUNS: usize = 5;
const FILE_HEADER: usize = 4096;
const CHUNK: usize = 65_536;

/// What the crate does with a record.
type Reading = (&'static str, fn(EvtxRecord<'_>));

const FLOORS: [Reading; 2] = [
    ("every record checked", |record| {
        std::hint::black_box(record);
    }),
    ("every record as JSON", |record| {
        std::hint::black_box(record.into_json_bytes().unwrap());
    }),
];

fn main() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.evtx");
    spelunk_datasets::generate_evtx(std::fs::File::create(&path).unwrap(), SEED, EVENTS).unwrap();
    let search = || {
        let inputs = vec![Input { location: Location::Path(path.clone()), index: None }];
        let session = Session::new(SessionOptions::default(), inputs).unwrap();
        let found = runtime.block_on(rows(&session, spelunk_datasets::DCOM_SPL)).unwrap();
        assert_eq!(found as u64, EVENTS / 10_000);
    };
    println!("{:<28} {:>11} {:>8} {:>7}", "500,000 events", "spelunk ms", "evtx ms", "ratio");
    for (name, read) in FLOORS {
        search();
        assert_eq!(read_all(&path, read) as u64, EVENTS);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            ours.push(timed(search));
            theirs.push(timed(|| {
                read_all(&path, read);
            }));
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!("{name:<28} {ours:>11.1} {theirs:>8.1} {:>7.2}", ours / theirs);
    }
}

/// Reads every record of a log, chunks side by side, and counts them.
fn read_all(path: &Path, read: fn(EvtxRecord<'_>)) -> usize {
    let bytes = std::fs::read(path).unwrap();
    let chunks: Vec<&[u8]> = bytes.get(FILE_HEADER..).unwrap().chunks_exact(CHUNK).collect();
    let (next, records) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let settings = Arc::new(ParserSettings::default().num_threads(1).indent(false));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(chunk) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut data = EvtxChunkData::new(chunk.to_vec(), false).unwrap();
                    let mut chunk = data.parse(Arc::clone(&settings)).unwrap();
                    for record in chunk.iter() {
                        read(record.unwrap());
                        records.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    records.into_inner()
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
