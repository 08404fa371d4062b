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
mod names;
pub mod opened;
pub(crate) mod place;
mod threads;
pub(crate) mod writer;

use std::fs;
use std::io;
use std::path::Path;

use manifest::Manifest;
pub(crate) use manifest::NAME;
use names::generation_of;
use place::Place;
pub use writer::Added;

/// The folder of the events.
const EVENTS: &str = "events";
/// The folder of files that are being written.
const ASIDE: &str = "aside";
/// What a store has beside its events.
const OWN: [&str; 4] = [manifest::NAME, manifest::ASIDE, lock::NAME, ASIDE];

/// Whether a folder is a store.
pub(crate) fn is_store(folder: &Path) -> bool {
    folder.join(manifest::NAME).is_file()
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
