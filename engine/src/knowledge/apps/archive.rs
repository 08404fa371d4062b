//! Packed apps: what Splunk installs as `.tgz`, `.tar.gz` or `.spl`, unpacked for as long as it is used.
//!
//! Whoever packed it is not trusted: a member that would lie elsewhere, a link, and what is larger than any app are named
//! and left out, and the rest loads.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use super::failed;
use crate::error::Error;
use crate::ingest::decode::Peeked;

/// The most bytes that a member may have.
const MOST_BYTES: u64 = 512 << 20;
/// The most bytes that are written.
const MOST_WRITTEN: u64 = 1 << 30;
/// The most bytes that are looked at, written or not.
const MOST_READ: u64 = 4 << 30;
/// The most members that are looked at.
const MOST_MEMBERS: usize = 200_000;
/// How deep a member may lie.
const DEEPEST: usize = 16;

/// The endings of files that say something of an app.
const ENDINGS: [&str; 10] =
    [".conf", ".csv", ".csv.gz", ".json", ".yml", ".yaml", ".spl", ".cql", ".logscale", ".jsonl"];

/// An app that was unpacked. Its files are gone when it is dropped.
#[derive(Debug)]
pub struct Unpacked {
    /// Holds the files.
    folder: TempDir,
    /// The folders of the apps in it.
    pub apps: Vec<PathBuf>,
}

impl Unpacked {
    /// Unpacks an archive. What is left out is told.
    ///
    /// # Errors
    /// It cannot be read, is no archive, or there is no room to unpack it.
    pub fn read(path: &Path, problems: &mut Vec<String>) -> Result<Self, Error> {
        let of = |error: io::Error| failed(path, error);
        let folder = tempfile::Builder::new().prefix("spelunk-app-").tempdir().map_err(of)?;
        let file: Box<dyn Read + Send> = Box::new(File::open(path).map_err(of)?);
        let peeked = Peeked::new(file).and_then(Peeked::decompressed).map_err(of)?;
        if !is_tar(&peeked.head) {
            return Err(failed(path, "it is no packed app: expected a tar, compressed or not"));
        }
        let mut unpacking = Unpacking { archive: path, folder: folder.path(), problems, written: 0 };
        unpacking.members(peeked.into_reader());
        let mut apps = Vec::new();
        if is_app(folder.path()) {
            apps.push(folder.path().to_owned());
        } else {
            for entry in fs::read_dir(folder.path()).map_err(of)? {
                apps.push(entry.map_err(of)?.path());
            }
            apps.retain(|app| app.is_dir());
            apps.sort();
        }
        Ok(Self { folder, apps })
    }

    /// The same text with the place where the archive is unpacked called by the archive's name.
    pub fn renamed(&self, archive: &Path, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), &format!("{}!", archive.display()))
    }
}

/// Whether a file is called like a packed app.
pub fn is_archive(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    [".tgz", ".tar.gz", ".spl", ".tar"].iter().any(|ending| name.ends_with(ending))
}

fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// Whether a folder is an app itself, rather than one that holds apps.
fn is_app(folder: &Path) -> bool {
    ["default", "local", "lookups", "macros", "detections"].iter().any(|part| folder.join(part).is_dir())
}

struct Unpacking<'a> {
    archive: &'a Path,
    folder: &'a Path,
    problems: &'a mut Vec<String>,
    written: u64,
}

impl Unpacking<'_> {
    fn problem(&mut self, what: &str) {
        self.problems.push(format!("{}: {what}", self.archive.display()));
    }

    fn members(&mut self, reader: Box<dyn Read + Send>) {
        let mut archive = tar::Archive::new(Counted { reader, left: MOST_READ });
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return self.problem(&format!("it cannot be read: {error}")),
        };
        for (position, entry) in entries.enumerate() {
            if position >= MOST_MEMBERS {
                return self.problem(&format!("only its first {MOST_MEMBERS} members are looked at"));
            }
            match entry {
                Ok(mut entry) => {
                    if let Err(reason) = self.member(&mut entry) {
                        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                        self.problem(&format!("the member {name:?} is left out: {reason}"));
                    }
                }
                Err(error) => return self.problem(&format!("the rest of it cannot be read: {error}")),
            }
        }
    }

    fn member<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<(), String> {
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            return Ok(());
        }
        let path = entry.path().map_err(|error| error.to_string())?.into_owned();
        let mut inside = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(name) => inside.push(name),
                Component::CurDir => {}
                _ => return Err("its path leads out of the app".to_owned()),
            }
        }
        if kind.is_symlink() || kind.is_hard_link() {
            return Err("it is a link, which could lead elsewhere".to_owned());
        }
        let name = inside.to_string_lossy().to_ascii_lowercase();
        if !ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            return Ok(());
        }
        if !kind.is_file() {
            return Err("it is no file".to_owned());
        }
        if inside.components().count() > DEEPEST {
            return Err(format!("it lies more than {DEEPEST} folders deep"));
        }
        let room = MOST_BYTES.min(MOST_WRITTEN.saturating_sub(self.written));
        if entry.size() > room {
            return Err(format!("it has {} bytes, and there is room for {room}", entry.size()));
        }
        let target = self.folder.join(&inside);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(|error| error.to_string())?;
        }
        let mut file = File::create(&target).map_err(|error| error.to_string())?;
        let written = io::copy(&mut entry.take(room), &mut file).map_err(|error| error.to_string())?;
        self.written = self.written.saturating_add(written);
        Ok(())
    }
}

/// Ends with an error where there is more than anyone packs.
struct Counted {
    reader: Box<dyn Read + Send>,
    left: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        if self.left == 0 {
            return Err(io::Error::other(format!("it has more than {} GiB inside", MOST_READ >> 30)));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, EntryType, Header};

    use super::*;

    fn header(kind: EntryType, name: &str, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        // The crate would refuse such a path.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        header
    }

    fn packed(members: &[(EntryType, &str, &str)]) -> tempfile::NamedTempFile {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (kind, name, text) in members {
            builder.append(&header(*kind, name, text.len() as u64), text.as_bytes()).unwrap();
        }
        let mut file = tempfile::NamedTempFile::with_suffix(".tgz").unwrap();
        file.write_all(&builder.into_inner().unwrap().finish().unwrap()).unwrap();
        file
    }

    #[test]
    fn what_would_lie_elsewhere_is_left_out() {
        let file = packed(&[
            (EntryType::Regular, "TA-x/default/macros.conf", "[m]\ndefinition = a=1\n"),
            (EntryType::Regular, "../outside.conf", "x"),
            (EntryType::Regular, "/etc/outside.conf", "x"),
            (EntryType::Symlink, "TA-x/lookups/passwd.csv", ""),
            (EntryType::Regular, "TA-x/bin/run.py", "x"),
        ]);
        let mut problems = Vec::new();
        let unpacked = Unpacked::read(file.path(), &mut problems).unwrap();
        assert_eq!(unpacked.apps.len(), 1, "{unpacked:?}");
        assert!(unpacked.apps[0].join("default/macros.conf").is_file());
        assert!(!unpacked.apps[0].join("bin").exists());
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems.iter().filter(|problem| problem.contains("leads out of the app")).count() == 2);
        assert!(problems.iter().any(|problem| problem.contains("it is a link")));
    }

    #[test]
    fn what_is_too_large_is_left_out() {
        let mut large = header(EntryType::Regular, "app/lookups/large.csv", MOST_BYTES + 1);
        large.set_cksum();
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        builder.append(&header(EntryType::Regular, "app/default/props.conf", 3), "[x]".as_bytes()).unwrap();
        // Only the begin of it is there.
        builder.get_mut().write_all(large.as_bytes()).unwrap();
        let tar = builder.into_inner().unwrap();
        let mut file = tempfile::NamedTempFile::with_suffix(".spl").unwrap();
        file.write_all(&tar.finish().unwrap()).unwrap();
        let mut problems = Vec::new();
        let unpacked = Unpacked::read(file.path(), &mut problems).unwrap();
        assert!(unpacked.apps[0].join("default/props.conf").is_file());
        assert!(problems.iter().any(|problem| problem.contains("there is room for")), "{problems:?}");
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let mut file = tempfile::NamedTempFile::with_suffix(".tgz").unwrap();
        file.write_all(b"no archive").unwrap();
        let refused = Unpacked::read(file.path(), &mut Vec::new()).unwrap_err().to_string();
        assert!(refused.contains("it is no packed app"), "{refused}");
    }
}
