//! Archives, member by member.
//!
//! A thread unpacks an archive and hands its members over through bounded channels, so that nothing but the member that
//! is read is in memory, and unpacking and reading go side by side. Nothing is written where the archive lies; a zip
//! that is no file of its own has to be in a temporary file, because its directory stands at its end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use zip::ZipArchive;
use zip::read::read_zipfile_from_stream;

use super::decode::Budget;

/// How deep archives may lie in each other. Bombs nest; evidence seldom does more than once.
pub(crate) const MAX_DEPTH: usize = 4;

/// How many members of an archive are looked at.
const MAX_MEMBERS: usize = 1 << 20;

/// A zip inside something else takes at most so much room in the temporary folder.
const MAX_SPOOLED: u64 = 16 << 30;

const PART: usize = 256 << 10;

/// How many parts of a member wait to be read.
const PARTS_AHEAD: usize = 4;

/// An archive that was recognised.
pub(crate) enum Archive {
    Zip(File),
    Tar(Box<dyn Read + Send>),
}

/// What an archive holds.
pub(crate) enum Member {
    Readable(Content),
    /// One that cannot be read, by name, and why.
    Broken(String, String),
    /// Why nothing more can be read.
    Rest(String),
}

/// A member that can be read.
pub(crate) struct Content {
    pub(crate) name: String,
    /// When it was last written, as far as the archive knows.
    pub(crate) written: Option<jiff::Timestamp>,
    pub(crate) reader: Box<dyn Read + Send>,
}

/// The members of an archive that are still to come.
pub(crate) struct Members {
    receiver: Receiver<Member>,
}

/// Whether a file begins like a zip, be it an empty one.
pub(crate) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// Whether a file begins like a tar.
pub(crate) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

impl Archive {
    /// What the format is called.
    pub(crate) fn format(&self) -> &'static str {
        match self {
            Archive::Zip(_) => "zip",
            Archive::Tar(_) => "tar",
        }
    }

    /// Begins to unpack.
    pub(crate) fn members(self) -> io::Result<Members> {
        let (sender, receiver) = sync_channel(1);
        std::thread::Builder::new().name("unpack".to_owned()).spawn(move || {
            let unpack = || match self {
                Archive::Zip(file) => unpack_zip(file, &sender),
                Archive::Tar(reader) => unpack_tar(reader, &sender),
            };
            // The bytes are anyone's, and the crates are not ours.
            let reason = match catch_unwind(AssertUnwindSafe(unpack)) {
                Ok(Ok(())) => return,
                Ok(Err(reason)) => reason,
                Err(_) => "the archive is damaged in a way that stopped the reader".to_owned(),
            };
            // Nobody listens where reading was given up.
            let _ = sender.send(Member::Rest(reason));
        })?;
        Ok(Members { receiver })
    }
}

impl Members {
    /// The next member; `None` at the end.
    pub(crate) fn next(&self) -> Option<Member> {
        self.receiver.recv().ok()
    }
}

/// The path under which a member is shown: `a.zip!b.evtx`.
pub(crate) fn member_path(archive: &str, member: &str) -> String {
    // A name is anyone's text, and is shown on a terminal.
    let shown: String = member.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    [archive, "!", &shown].concat()
}

/// A file in the temporary folder that holds the stream and that no name leads to.
pub(crate) fn spooled(reader: Box<dyn Read + Send>, temp: Option<&Path>) -> io::Result<File> {
    let mut file = match temp {
        Some(folder) => tempfile::tempfile_in(folder)?,
        None => tempfile::tempfile()?,
    };
    let written = io::copy(&mut reader.take(MAX_SPOOLED), &mut file)?;
    if written >= MAX_SPOOLED {
        let reason = format!("a zip inside something else is larger than {} GiB: unpack it first", MAX_SPOOLED >> 30);
        return Err(io::Error::other(reason));
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Why unpacking ended before the end of the archive; `Ok` also where nobody listens any more.
type Outcome = Result<(), String>;

fn unpack_zip(mut file: File, members: &SyncSender<Member>) -> Outcome {
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let mut budget = Budget::of(size);
    let mut archive = match ZipArchive::new(&file) {
        Ok(archive) => archive,
        Err(error) => {
            let reason = format!("the directory at the end of the zip cannot be read ({error})");
            file.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
            return unpack_cut_zip(&mut file, members, &mut budget, reason);
        }
    };
    for at in 0..archive.len().min(MAX_MEMBERS) {
        let known = archive.name_for_index(at).map(|name| name.map(|name| name.into_owned()));
        let name = known.and_then(Result::ok).unwrap_or_else(|| format!("member {at}"));
        let outcome = match archive.by_index(at) {
            Ok(member) if member.is_dir() => continue,
            Ok(member) => {
                let content = (name, member.last_modified().and_then(instant));
                give(content, member, members, &mut budget)?
            }
            Err(error) => members.send(Member::Broken(name, error.to_string())).is_ok(),
        };
        if !outcome {
            return Ok(());
        }
    }
    too_many(archive.len())
}

/// What stands before the place where a zip was cut off.
fn unpack_cut_zip(file: &mut File, members: &SyncSender<Member>, budget: &mut Budget, reason: String) -> Outcome {
    for _ in 0..MAX_MEMBERS {
        match read_zipfile_from_stream(file) {
            Ok(Some(member)) if member.is_dir() => {}
            Ok(Some(member)) => {
                let name = member.name().map_or_else(|_| "member".to_owned(), |name| name.into_owned());
                let content = (name, member.last_modified().and_then(instant));
                if !give(content, member, members, budget)? {
                    return Ok(());
                }
            }
            Ok(None) => return Err(reason),
            Err(error) => return Err(format!("{reason}, and after the members before it: {error}")),
        }
    }
    Err(reason)
}

fn unpack_tar(reader: Box<dyn Read + Send>, members: &SyncSender<Member>) -> Outcome {
    // What is compressed is bounded where it is decompressed.
    let mut budget = Budget::unbounded();
    let mut archive = tar::Archive::new(reader);
    let mut count = 0_usize;
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        count = count.saturating_add(1);
        if count > MAX_MEMBERS {
            return too_many(count);
        }
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let seconds = entry.header().mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
        let written = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        if !give((name, written), entry, members, &mut budget)? {
            return Ok(());
        }
    }
    Ok(())
}

fn too_many(count: usize) -> Outcome {
    if count > MAX_MEMBERS { Err(format!("only the first {MAX_MEMBERS} members were read")) } else { Ok(()) }
}

/// Hands a member over, and says whether anyone wants the next one.
fn give(
    (name, written): (String, Option<jiff::Timestamp>),
    mut reader: impl Read,
    members: &SyncSender<Member>,
    budget: &mut Budget,
) -> Result<bool, String> {
    let (sender, parts) = sync_channel(PARTS_AHEAD);
    let content = Content { name, written, reader: Box::new(Parts { parts, current: io::Cursor::new(Vec::new()) }) };
    if members.send(Member::Readable(content)).is_err() {
        return Ok(false);
    }
    loop {
        let mut part = Vec::new();
        let outcome = reader.by_ref().take(u64::try_from(PART).unwrap_or(u64::MAX)).read_to_end(&mut part);
        let length = part.len();
        // Whoever reads it may have seen enough, of a picture for example.
        if length > 0 && sender.send(Ok(part)).is_err() {
            return Ok(true);
        }
        if let Err(error) = outcome {
            let _ = sender.send(Err(error));
            return Ok(true);
        }
        if length < PART {
            return Ok(true);
        }
        if let Err(error) = budget.spend(u64::try_from(length).unwrap_or(u64::MAX)) {
            let reason = error.to_string();
            let _ = sender.send(Err(error));
            return Err(reason);
        }
    }
}

fn instant(time: zip::DateTime) -> Option<jiff::Timestamp> {
    let field = |value: u8| i8::try_from(value).ok();
    let date =
        jiff::civil::Date::new(i16::try_from(time.year()).ok()?, field(time.month())?, field(time.day())?).ok()?;
    // In the zone of whoever packed it, which is not told.
    let time = jiff::civil::Time::new(field(time.hour())?, field(time.minute())?, field(time.second())?, 0).ok()?;
    Some(date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// A member as it comes.
struct Parts {
    parts: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.parts.recv() {
                Ok(part) => self.current = io::Cursor::new(part?),
                Err(_) => return Ok(0),
            }
        }
    }
}
