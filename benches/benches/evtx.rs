//! The published DCOM detection over a raw event log, beside the evtx crate reading every record of it on all cores and
//! doing nothing else: the floor for any tool that decodes all of a log.
//!
//! The ratio is the time of the search, from the file to its rows, over that of the crate: below 1 the search is faster.
//! Processor time of both is told too, where the system says it (Linux): it does not depend on what else runs.

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
    println!(
        "{:<28} {:>11} {:>8} {:>7} {:>15} {:>12} {:>7}",
        "500,000 events", "spelunk ms", "evtx ms", "ratio", "spelunk CPU ms", "evtx CPU ms", "ratio"
    );
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
        let wall = |times: &[Cost]| median(times.iter().map(|cost| cost.wall).collect());
        let processor = |times: &[Cost]| median(times.iter().map(|cost| cost.processor).collect());
        let (our_wall, their_wall) = (wall(&ours), wall(&theirs));
        let (our_time, their_time) = (processor(&ours), processor(&theirs));
        println!(
            "{name:<28} {our_wall:>11.1} {their_wall:>8.1} {:>7.2} {our_time:>15.0} {their_time:>12.0} {:>7.2}",
            our_wall / their_wall,
            our_time / their_time
        );
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

/// What a run took.
struct Cost {
    wall: Duration,
    processor: Duration,
}

fn timed(run: impl FnOnce()) -> Cost {
    let (start, before) = (Instant::now(), processor_time());
    run();
    Cost { wall: start.elapsed(), processor: processor_time().saturating_sub(before) }
}

/// The processor time of this process, in steps of 10 ms; zero where it is not known.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name of the program, which may hold anything: user and system time are the 12th and 13th.
    let fields = told.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks.saturating_mul(10))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
