//! A store: events on disk, in Parquet files of one shape each, and a manifest that says what is in them.
//!
//! ```text
//! STORE/spelunk-store.json                what counts, and what is in it
//! STORE/events/<shape>/<run>-<n>.parquet  events of one shape, sorted by time
//! STORE/aside/                            files that are being written
//! STORE/lock                              held by whoever writes
//! ```
//!
//! `writer` fills it through `file`; `opened` is what a search sees of it. A file counts if the manifest names it. One
//! of a later run than the manifest knows was not committed: it is not seen, and swept away by the next writer.

mod file;
mod lock;
pub(crate) mod manifest;
pub mod opened;
pub(crate) mod writer;

use std::fs;
use std::io;
use std::path::Path;

use manifest::Manifest;
pub use writer::Added;

/// The folder of the events.
const EVENTS: &str = "events";
/// The folder of files that are being written.
const ASIDE: &str = "aside";
/// How such files end.
const ENDING: &str = ".parquet";

/// Whether a folder is a store.
pub(crate) fn is_store(folder: &Path) -> bool {
    folder.join(manifest::NAME).is_file()
}

/// The name of the file with that number in that run.
fn file_name(generation: u64, number: u32) -> String {
    format!("{generation:06}-{number:06}{ENDING}")
}

/// The run that a file was written in, if it bears a name as [`file_name`] gives.
fn generation_of(name: &str) -> Option<u64> {
    let (generation, number) = name.strip_suffix(ENDING)?.split_once('-')?;
    let is_number = |text: &str| text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(generation) && is_number(number)).then(|| generation.parse().ok()).flatten()
}

/// Whether a store may begin in a folder: it has nothing but what another beginning leaves, or is about to make.
fn is_free(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if ![lock::NAME, manifest::NAME, manifest::ASIDE, ASIDE].iter().any(|own| name == *own) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes what an interrupted run left.
fn sweep(root: &Path, manifest: &Manifest) -> io::Result<()> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    gone(fs::remove_dir_all(root.join(ASIDE)))?;
    gone(fs::remove_file(root.join(manifest::ASIDE)))?;
    for file in listed(root)? {
        if generation_of(file.name()).is_some_and(|generation| generation > manifest.generation) {
            gone(fs::remove_file(root.join(&file.path)))?;
        }
    }
    Ok(())
}

/// A file that is in a store.
struct Listed {
    /// Its path in the store, with `/` between folders.
    path: String,
    bytes: u64,
}

impl Listed {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The files below the folder of events, in no order.
fn listed(root: &Path) -> io::Result<Vec<Listed>> {
    let mut files = Vec::new();
    if !root.join(EVENTS).is_dir() {
        return Ok(files);
    }
    for entry in walkdir::WalkDir::new(root.join(EVENTS)).follow_links(true) {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let Ok(path) = entry.path().strip_prefix(root) else { continue };
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let bytes = entry.metadata().map_err(io::Error::from)?.len();
        files.push(Listed { path: parts.join("/"), bytes });
    }
    Ok(files)
}
