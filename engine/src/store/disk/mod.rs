//! A store: events on disk, in Parquet files of one shape each, and a manifest that says what is in them.
//!
//! ```text
//! STORE/spelunk-store.json                what counts, and what is in it
//! STORE/events/<shape>/<run>-<n>.parquet  events of one shape, sorted by time
//! STORE/aside/                            files that are being written
//! STORE/lock                              held by whoever writes
//! ```
//!
//! `writer` fills it through `file`; `opened` is what a search sees of it; `place` is the folder or the bucket that it is
//! in, where files are written aside on this machine. A file counts if the manifest names it. One
//! of a later run than the manifest knows was not committed: it is not seen, and swept away by the next writer.

mod file;
mod lock;
pub(crate) mod manifest;
pub mod opened;
pub(crate) mod place;
pub(crate) mod writer;

use std::fs;
use std::io;
use std::path::Path;

use manifest::Manifest;
pub(crate) use manifest::NAME;
use place::Place;
pub use writer::Added;

/// The folder of the events.
const EVENTS: &str = "events";
/// The folder of files that are being written.
const ASIDE: &str = "aside";
/// What a store has beside its events.
const OWN: [&str; 4] = [manifest::NAME, manifest::ASIDE, lock::NAME, ASIDE];
/// How files of events end.
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

/// Removes what an interrupted run left.
fn sweep(place: &Place, manifest: &Manifest) -> io::Result<()> {
    if let Place::Folder(root) = place {
        place::gone(fs::remove_dir_all(root.join(ASIDE)))?;
        place::gone(fs::remove_file(root.join(manifest::ASIDE)))?;
    }
    for file in place.listed()?.events {
        if generation_of(file.name()).is_some_and(|generation| generation > manifest.generation) {
            place.remove(&file.path)?;
        }
    }
    Ok(())
}
