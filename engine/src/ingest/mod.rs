//! Log files in, record batches out: one file a format.
//!
//! `inputs` walks what the user named, opens each file through `decode`, asks `sniff` what it is, and cuts it
//! into `blocks` of whole records; the members of an `archive` are files like others. `pipeline` hands the blocks to
//! workers; there `xml`, `evtx`, `json`, `csv` (with `forms` for what exports of tools have in common), `zeek`, `w3c` or
//! `text` (with `syslog`, `access` and `auditd`) takes a block apart and gives keys and values to an `event` builder,
//! which knows from `windows` what the keys of a Windows event mean and fills the columns of the store. What the
//! workers made is put together in reading order, so that nothing depends on which of them was faster.

mod access;
mod archive;
mod auditd;
mod blocks;
mod csv;
pub(crate) mod decode;
mod event;
mod evtx;
mod forms;
pub mod index;
mod inputs;
mod json;
mod judge;
pub(crate) mod parquet;
mod payload;
mod pipeline;
mod ranges;
mod scan;
mod select;
mod sniff;
mod syslog;
mod text;
mod time;
mod w3c;
pub(crate) mod wanted;
mod windows;
mod words;
mod xml;
mod zeek;

#[cfg(test)]
mod tests;

pub use index::{IndexOptions, Indexed, index};

pub use crate::store::bucket::is_address;
pub(crate) use judge::Glimpse;
pub(crate) use pipeline::Sink;
pub(crate) use select::Selection;
pub(crate) use time::EventClock;
pub use wanted::{Condition, Wanted};
pub(crate) use windows::spellings;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::execution::memory_pool::MemoryPool;

use crate::error::Error;
use crate::store::Store;
use crate::watch::Watch;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Where it is.
    pub location: Location,
    /// The index its events belong to, where the user said so.
    pub index: Option<String>,
}

/// Where an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file, or a folder that is read recursively; `s3://bucket/prefix` for a store in a bucket.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// What to read of each event, and how.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The fields that are kept. `_time` and `_serial` always are.
    pub fields: FieldSelection,
    /// Which events are wanted, so that others are passed over or not kept; `None` to keep all.
    pub wanted: Option<Arc<Wanted>>,
    /// The sourcetype of all events, instead of the one their format suggests.
    pub sourcetype: Option<String>,
    /// The host of all events, instead of the one they name.
    pub host: Option<String>,
    /// The source of all events, instead of the one that they or their file have.
    pub source: Option<String>,
    /// Whether a damaged record, chunk or file is an error.
    pub strict: bool,
    /// The zone of times that name none.
    pub time_zone: jiff::tz::TimeZone,
    /// Set from outside to make [`read`] stop with [`Error::Interrupted`].
    pub cancelled: Arc<AtomicBool>,
    /// Where members of archives go that cannot be read as they come; the system's temporary folder if not given.
    pub temp: Option<PathBuf>,
    /// Where memory for the events is asked for; `None` where nothing limits it.
    pub pool: Option<Arc<dyn MemoryPool>>,
    /// Who looks on, and may end reading with what was read until then.
    pub watch: Arc<Watch>,
}

/// Which fields are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldSelection {
    /// Every field but `_raw`, which costs as much as all the others.
    AllButRaw,
    /// Every field, `_raw` included.
    All,
    /// The named ones. A name may hold `*` wildcards, which never match names that begin with `_`.
    Only(Vec<String>),
}

impl FieldSelection {
    /// Whether it keeps a field of that name.
    pub fn wants(&self, name: &str) -> bool {
        select::Selection::new(self).wants(name)
    }

    /// Whether it keeps every field that the other one keeps.
    pub fn covers(&self, other: &FieldSelection) -> bool {
        match (self, other) {
            (FieldSelection::All, _) | (FieldSelection::AllButRaw, FieldSelection::AllButRaw) => true,
            (FieldSelection::AllButRaw, FieldSelection::Only(names)) => !names.iter().any(|name| name == "_raw"),
            (FieldSelection::Only(kept), FieldSelection::Only(names)) => names.iter().all(|name| kept.contains(name)),
            (_, _) => false,
        }
    }

    /// The fields of either.
    pub fn and(self, other: FieldSelection) -> FieldSelection {
        match (self, other) {
            (FieldSelection::Only(mut names), FieldSelection::Only(more)) => {
                for name in more {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                FieldSelection::Only(names)
            }
            (one, other) if one.covers(&other) => one,
            (one, other) if other.covers(&one) => other,
            _ => FieldSelection::All,
        }
    }
}

/// What was read, file by file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadReport {
    /// Each file that was opened, in reading order.
    pub files: Vec<FileReport>,
}

impl ReadReport {
    /// Whether lines of JSON were passed over, of which not all fields are known.
    pub(crate) fn has_unread_lines(&self) -> bool {
        self.files.iter().any(|file| file.passed_over > 0 && file.format == "json")
    }
}

/// What was read of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// The file's path as reached from the input, `a.zip!b.evtx` for a member of an archive; `-` for standard input.
    pub path: String,
    /// The name of its format (`evtx`, `xml`, `json`, `csv`, `zeek`, `w3c`, `syslog`, `access`, `auditd`, `text`, `parquet`,
    /// `store`, `zip`, `tar`); empty where it could not be read.
    pub format: &'static str,
    /// Its size in bytes as stored (compressed, if it is); 0 for a member, which is counted with its archive.
    pub bytes: u64,
    /// How many events it has.
    pub events: u64,
    /// How many of them were passed over, because the search cannot want them.
    pub passed_over: u64,
    /// How many places were skipped; 0 for a file of a folder that is no log.
    pub skipped: u64,
    /// The first of those places and what was wrong there; see [`Problem::KEPT`].
    pub problems: Vec<Problem>,
}

impl FileReport {
    /// Whether the file was found in a folder and left out because it is no log: nothing is lost with it.
    pub fn is_no_log(&self) -> bool {
        self.format.is_empty() && self.skipped == 0 && !self.problems.is_empty()
    }

    /// Whether it holds files rather than events.
    pub fn is_archive(&self) -> bool {
        matches!(self.format, "zip" | "tar")
    }

    /// Whether it lies in that archive, however deep.
    pub fn is_member_of(&self, archive: &FileReport) -> bool {
        self.path.strip_prefix(archive.path.as_str()).is_some_and(|rest| rest.starts_with('!'))
    }
}

/// A place that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: `line 17`, `chunk 3`, `record 4711 at offset 0x1200`; empty for the whole file.
    pub place: String,
    /// Why.
    pub reason: String,
}

impl Problem {
    /// How many problems of a file are kept; further ones are only counted.
    pub const KEPT: usize = 10;
}

/// Reads every input into a store.
///
/// # Errors
/// An input that does not exist; with `strict` also the first damaged place; [`Error::Interrupted`].
pub fn read(inputs: &[Input], options: &ReadOptions) -> Result<(Store, ReadReport), Error> {
    pipeline::read(inputs, options)
}
