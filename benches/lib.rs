//! What the benches share: sessions over generated events, and running a search to its end.

use std::fs::File;
use std::io;

use futures::TryStreamExt;
use spelunk_datasets::Format;
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::{Error, Session, SessionOptions};

/// The seed of the generated events, so that every run measures the same ones.
pub const SEED: u64 = 7;

/// A session that holds so many generated events in memory, read from JSON lines.
///
/// # Errors
/// The temporary file cannot be written, or the events cannot be read.
pub async fn loaded(events: u64) -> io::Result<Session> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("events.jsonl");
    spelunk_datasets::generate(File::create(&path)?, Format::JsonLines, SEED, events)?;
    let inputs = vec![Input { location: Location::Path(path), index: None }];
    let session = Session::new(SessionOptions { keep: true, ..SessionOptions::default() }, inputs).map_err(other)?;
    session.load().await.map_err(other)?;
    Ok(session)
}

/// Runs a search to its end, and counts the rows.
///
/// # Errors
/// The search fails.
pub async fn rows(session: &Session, query: &str) -> io::Result<usize> {
    let search = session.search(query).await.map_err(other)?;
    let batches: Vec<_> = search.stream.try_collect().await.map_err(io::Error::other)?;
    Ok(batches.iter().map(|batch| batch.num_rows()).sum())
}

fn other(error: Error) -> io::Error {
    io::Error::other(error.to_string())
}
