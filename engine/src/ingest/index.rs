//! Logs into a store on disk.
//!
//! Every file is told by its content: one that was added before is left out, wherever it lies now and whatever it is
//! called. All fields of all events are kept, their text included.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use sha2::{Digest as _, Sha256};

use super::pipeline;
use super::{FieldSelection, Input, Location, ReadOptions, ReadReport};
use crate::error::Error;
use crate::memory;
use crate::store::bucket;
use crate::store::disk::Added;
use crate::store::disk::manifest::StoredInput;
use crate::store::disk::writer::{Admitted, Writer};

/// How a store is filled.
#[derive(Debug, Clone, Default)]
pub struct IndexOptions {
    /// How many bytes of memory it may take; `None` for 60 % of the machine's.
    pub memory: Option<usize>,
    /// The most rows of a row group; `None` for what suits most searches.
    pub group_rows: Option<usize>,
}

/// What became of the inputs.
#[derive(Debug, Clone, Default)]
pub struct Indexed {
    /// What was read.
    pub report: ReadReport,
    /// What was added.
    pub added: Added,
    /// The files whose content the store had.
    pub known: Vec<String>,
    /// What the store has now: files, row groups, events and bytes.
    pub store: Added,
}

/// Adds the inputs to the store in a folder, or begins one there. Which fields are selected, and what memory events may
/// take, is not asked of `reading`.
///
/// # Errors
/// An input that does not exist or contains the store; a folder that is no store; another writer; a disk that is full;
/// with `strict` also the first damaged place; [`Error::Interrupted`]. The store then has what was committed before.
pub fn index(store: &Path, inputs: &[Input], reading: &ReadOptions, options: &IndexOptions) -> Result<Indexed, Error> {
    for input in inputs {
        check(input, store)?;
    }
    if let Some(folder) = &reading.temp {
        memory::check_folder(folder)?;
    }
    let mut writer = Writer::open(store, memory::limit(options.memory), options.group_rows, reading.temp.as_deref())?;
    let reading = ReadOptions { fields: FieldSelection::All, pool: None, ..reading.clone() };
    let mut known = Vec::new();
    let mut seen = writer.known();
    let admitted = Arc::clone(&writer.admitted);
    let admit = Box::new(|ordinal: u32, path: &Path, index: Option<&str>| {
        // Whoever reads the file tells why it cannot be read.
        let Ok((sha256, bytes)) = digest(path) else { return true };
        let said = said(index, &reading);
        if !seen.insert((sha256.clone(), said.clone())) {
            known.push(path.display().to_string());
            return false;
        }
        let input = StoredInput { path: path.display().to_string(), sha256, bytes, events: 0, said };
        admitted.lock().unwrap_or_else(PoisonError::into_inner).push(Admitted { ordinal, input });
        true
    });
    let report = pipeline::read_into(inputs, &reading, admit, &mut writer)?;
    let (added, store) = writer.finish(report.files.len())?;
    Ok(Indexed { report, added, known, store })
}

/// Evidence is only read: a store cannot lie in what it is made of.
fn check(input: &Input, store: &Path) -> Result<(), Error> {
    let refused = |path: &Path, reason: &str| Err(Error::Input { path: path.to_owned(), reason: reason.to_owned() });
    let Location::Path(path) = &input.location else {
        return refused(Path::new("-"), "standard input has no content to be told by: index a file");
    };
    if bucket::is_address(path) {
        return refused(path, "what is in a bucket is a store already: name files and folders of this machine");
    }
    let whole = path.canonicalize().map_err(|error| Error::Input { path: path.clone(), reason: error.to_string() })?;
    let store = lasting(store);
    if whole.is_dir() && store.starts_with(&whole) && store != whole {
        return refused(&store, "the store would lie in a folder that is indexed: name another place for it");
    }
    if whole == store || whole.starts_with(&store) {
        return refused(path, "it is or lies in the store that is to be filled");
    }
    Ok(())
}

/// The path that a folder has or would have.
fn lasting(path: &Path) -> PathBuf {
    if bucket::is_address(path) {
        return path.to_owned();
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut missing = Vec::new();
    let mut there = absolute.as_path();
    loop {
        if let Ok(found) = there.canonicalize() {
            return missing.iter().rev().fold(found, |path, part| path.join(part));
        }
        let (Some(parent), Some(name)) = (there.parent(), there.file_name()) else { return absolute };
        missing.push(name.to_owned());
        there = parent;
    }
}

/// The SHA-256 of a file's content, and how many bytes that is.
///
/// # Errors
/// A file that cannot be read, or is none.
pub fn digest(path: &Path) -> io::Result<(String, u64)> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("a pipe can be read once only"));
    }
    let mut file = file;
    let mut digest = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 20];
    let mut bytes = 0_u64;
    loop {
        let count = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else { break };
        digest.update(part);
        bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(0));
    }
    Ok((digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect(), bytes))
}

/// What the user said of the events, in one text.
fn said(index: Option<&str>, reading: &ReadOptions) -> String {
    let zone = reading.time_zone.iana_name().map_or_else(|| format!("{:?}", reading.time_zone), str::to_owned);
    let parts = [
        ("index", index),
        ("sourcetype", reading.sourcetype.as_deref()),
        ("host", reading.host.as_deref()),
        ("source", reading.source.as_deref()),
    ];
    let said = parts.iter().filter_map(|(name, value)| Some(format!("{name}={:?} ", (*value)?)));
    said.chain([format!("tz={zone}")]).collect()
}
