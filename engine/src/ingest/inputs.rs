//! From what the user named to parts of files: walks folders, buckets and archives, and opens one file after another.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::archive::{self, Content, Member, Members};
use super::event::FileContext;
use super::parquet::{Opener, Readable};
use super::payload::{Open, Opened, Payload, Source, open_file, open_source};
use super::sniff::NOT_A_LOG;
use super::time::Clock;
use super::{FileReport, Input, Location, Problem, ReadOptions};
use crate::error::Error;
use crate::store::bucket::{self, Bucket, Object};
use crate::store::disk;
use crate::store::disk::opened::StoredEvents;
use crate::store::disk::place::Place;
use crate::store::parquet::ParquetFile;

/// How far the serial numbers of two files are apart, in bits.
const SERIALS_A_FILE: u32 = 40;

/// Why a file is not read into a store.
const SEARCHED_WHERE_IT_IS: &str =
    "it has events in columns already, and is searched where it is: name it beside the store";

/// Decides whether a file is read, by its place among the files, its path and the index that its events are given.
pub(crate) type Admit<'a> = Box<dyn FnMut(u32, &Path, Option<&str>) -> bool + 'a>;

/// Work for one worker.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) file: Arc<FileContext>,
    pub(crate) payload: Payload,
}

/// Something to open.
#[derive(Debug)]
enum Entry {
    Stdin,
    /// Named by the user.
    Named(PathBuf),
    /// Found in a folder.
    Found(PathBuf),
    /// A store, named or found, with its path.
    Store(Place, String),
    /// An object in a bucket, with its address.
    Object(Object, String),
    /// Found in a folder, and not readable.
    Unreadable(PathBuf, String),
}

/// What is known of a file before it is looked into.
struct Origin {
    path: String,
    /// Where it lies on the disk, if it does.
    location: Option<PathBuf>,
    written: Option<jiff::Timestamp>,
    bytes: u64,
    is_named: bool,
}

/// All inputs, unit by unit, in reading order.
pub(crate) struct Inputs<'a> {
    options: &'a ReadOptions,
    inputs: std::slice::Iter<'a, Input>,
    index: Option<String>,
    walk: Option<walkdir::IntoIter>,
    /// What is in the buckets that are to come, and in the one that is being read.
    buckets: std::vec::IntoIter<Vec<Entry>>,
    found: std::vec::IntoIter<Entry>,
    open: Option<(Arc<FileContext>, Open)>,
    /// The archives that are being read, each a member of the one before it.
    archives: Vec<(Arc<FileContext>, Members)>,
    /// By file, that of the archive on the disk that it is a member of, or its own.
    pub(crate) owners: Vec<u32>,
    /// One report a file, filled by whoever reads the units.
    pub(crate) reports: Vec<FileReport>,
    /// The files that are read while they are searched.
    pub(crate) parquet: Vec<ParquetFile>,
    /// The stores, which are searched where they are.
    pub(crate) stored: Vec<Arc<StoredEvents>>,
    /// Fields of these that were not selected.
    pub(crate) unread: BTreeSet<String>,
    /// By file, the serial number of its first event; and that of the next file.
    pub(crate) serials: Vec<i64>,
    next_serial: i64,
    /// Asked before a file is read into a store.
    admit: Option<Admit<'a>>,
    /// Why a file was not read although it is no damage.
    pub(crate) ignored: Vec<bool>,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(inputs: &'a [Input], options: &'a ReadOptions) -> Result<Self, Error> {
        let mut buckets = Vec::new();
        for input in inputs {
            let Location::Path(path) = &input.location else { continue };
            let failed = |error: io::Error| Error::Input { path: path.clone(), reason: error.to_string() };
            match bucket::is_address(path) {
                true => buckets.push(found_in_bucket(path).map_err(failed)?),
                false => std::fs::metadata(path).map(|_| ()).map_err(failed)?,
            }
        }
        Ok(Inputs {
            options,
            inputs: inputs.iter(),
            index: None,
            walk: None,
            buckets: buckets.into_iter(),
            found: Vec::new().into_iter(),
            open: None,
            archives: Vec::new(),
            owners: Vec::new(),
            reports: Vec::new(),
            parquet: Vec::new(),
            stored: Vec::new(),
            unread: BTreeSet::new(),
            serials: Vec::new(),
            next_serial: 0,
            admit: None,
            ignored: Vec::new(),
        })
    }

    /// Only what is admitted is read, and nothing that is searched where it is.
    pub(crate) fn admitting(self, admit: Admit<'a>) -> Self {
        Inputs { admit: Some(admit), ..self }
    }

    /// The next part to read.
    pub(crate) fn next(&mut self) -> Option<Unit> {
        loop {
            if let Some((file, open)) = &mut self.open {
                let file = Arc::clone(file);
                let (payload, is_last) = open.next();
                if is_last {
                    self.open = None;
                }
                match payload {
                    Some(payload) => return Some(Unit { file, payload }),
                    None => {
                        self.open = None;
                        continue;
                    }
                }
            }
            if let Some((archive, members)) = self.archives.last() {
                let archive = Arc::clone(archive);
                let unit = match members.next() {
                    Some(member) => self.open_member(archive, member),
                    None => {
                        self.archives.pop();
                        None
                    }
                };
                match unit {
                    Some(unit) => return Some(unit),
                    None => continue,
                }
            }
            let entry = self.next_entry()?;
            if let Some(unit) = self.open_entry(entry) {
                return Some(unit);
            }
        }
    }

    fn next_entry(&mut self) -> Option<Entry> {
        loop {
            if let Some(walk) = &mut self.walk {
                let next = walk.next();
                if let Some(Ok(entry)) = &next
                    && entry.file_type().is_dir()
                    && disk::is_store(entry.path())
                {
                    walk.skip_current_dir();
                    return Some(Entry::store(entry.path()));
                }
                match next.and_then(found) {
                    Some(Some(entry)) => return Some(entry),
                    Some(None) => continue,
                    None => self.walk = None,
                }
            }
            if let Some(entry) = self.found.next() {
                return Some(entry);
            }
            let input = self.inputs.next()?;
            self.index.clone_from(&input.index);
            match &input.location {
                Location::Stdin => return Some(Entry::Stdin),
                Location::Path(path) if bucket::is_address(path) => {
                    self.found = self.buckets.next().unwrap_or_default().into_iter();
                }
                Location::Path(path) if disk::is_store(path) => return Some(Entry::store(path)),
                Location::Path(path) if path.is_dir() => {
                    self.walk = Some(WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter());
                }
                Location::Path(path) => return Some(Entry::Named(path.clone())),
            }
        }
    }

    /// Opens a file; what comes back is a problem with it, if there is one.
    fn open_entry(&mut self, entry: Entry) -> Option<Unit> {
        let (path, is_named) = match &entry {
            Entry::Stdin => ("-".to_owned(), true),
            Entry::Named(path) => (path.display().to_string(), true),
            Entry::Found(path) | Entry::Unreadable(path, _) => (path.display().to_string(), false),
            Entry::Store(_, path) | Entry::Object(_, path) => (path.clone(), true),
        };
        let ordinal = u32::try_from(self.reports.len()).unwrap_or(u32::MAX);
        let location = match &entry {
            Entry::Named(path) | Entry::Found(path) => Some(path.clone()),
            Entry::Stdin | Entry::Unreadable(..) | Entry::Object(..) => None,
            Entry::Store(place, _) => {
                let problems = self.add_store(place, path);
                return problems.map(|(file, problem)| Unit { file, payload: Payload::Problem(problem) });
            }
        };
        if let (Some(admit), Some(path)) = (&mut self.admit, &location)
            && !admit(ordinal, path, self.index.as_deref())
        {
            return None;
        }
        let opened = match entry {
            Entry::Stdin => Ok((Source::Stream(Box::new(io::stdin())), None)),
            Entry::Named(path) | Entry::Found(path) => open_file(&path),
            Entry::Unreadable(_, reason) => Err(io::Error::other(reason)),
            Entry::Object(object, _) => Ok((Source::Object(object), None)),
            Entry::Store(..) => return None,
        };
        let metadata = opened.as_ref().ok().and_then(|(_, metadata)| metadata.as_ref());
        let bytes = metadata.map_or(0, Metadata::len);
        let written = metadata.and_then(|metadata| jiff::Timestamp::try_from(metadata.modified().ok()?).ok());
        let bytes = match &opened {
            Ok((Source::Object(object), _)) => object.bytes,
            _ => bytes,
        };
        let location = Origin { path, location, written, bytes, is_named };
        self.begin(location, opened.map(|(source, _)| source))
    }

    /// Opens a member of the archive that is read; what comes back is a problem, if there is one.
    fn open_member(&mut self, archive: Arc<FileContext>, member: Member) -> Option<Unit> {
        let (name, written, source) = match member {
            Member::Readable(Content { name, written, reader }) => (name, written, Ok(Source::Stream(reader))),
            Member::Broken(name, reason) => (name, None, Err(io::Error::other(reason))),
            Member::Rest(reason) => {
                let payload = Payload::Problem(Problem { place: String::new(), reason });
                return Some(Unit { file: archive, payload });
            }
        };
        let path = archive::member_path(&archive.path, &name);
        // Its bytes are among those of the archive.
        self.begin(Origin { path, location: None, written, bytes: 0, is_named: false }, source)
    }

    /// Begins to read; what comes back is a problem, if there is one.
    fn begin(&mut self, origin: Origin, source: io::Result<Source>) -> Option<Unit> {
        let Origin { path, location, written, bytes, is_named } = origin;
        let ordinal = u32::try_from(self.reports.len()).unwrap_or(u32::MAX);
        let mut report = FileReport {
            path: path.clone(),
            format: "",
            bytes,
            events: 0,
            passed_over: 0,
            skipped: 0,
            problems: Vec::new(),
        };
        let clock =
            Clock { zone: self.options.time_zone.clone(), latest: written.unwrap_or_else(jiff::Timestamp::now) };
        let file = Arc::new(FileContext { ordinal, path, index: self.index.clone(), clock });
        let temp = self.options.temp.as_deref();
        let outcome = source.and_then(|source| open_source(source, &file, is_named, temp));
        let owner = if self.archives.is_empty() { None } else { self.owners.last().copied() };
        let (reason, is_ignored) = match outcome {
            Ok(Opened::Reading(open, format)) => {
                report.format = format;
                self.open = Some((Arc::clone(&file), open));
                (None, false)
            }
            Ok(Opened::Archive(_)) if self.archives.len() >= archive::MAX_DEPTH => {
                (Some(format!("archives lie more than {} deep in each other", archive::MAX_DEPTH)), false)
            }
            Ok(Opened::Archive(archive)) => {
                report.format = archive.format();
                match archive.members() {
                    Ok(members) => {
                        self.archives.push((Arc::clone(&file), members));
                        (None, false)
                    }
                    Err(error) => (Some(error.to_string()), false),
                }
            }
            Ok(Opened::Parquet(_)) if self.admit.is_some() => (Some(SEARCHED_WHERE_IT_IS.to_owned()), false),
            Ok(Opened::Parquet(object)) => {
                let from = object
                    .map_or_else(|| location.as_deref().map(Readable::of), |object| Some(Ok(Readable::Object(object))));
                (from.and_then(|from| self.add_parquet(from, &file, &mut report)), false)
            }
            Ok(Opened::Ignored(reason)) => (Some(reason.to_owned()), !is_named && reason == NOT_A_LOG),
            Err(error) => (Some(error.to_string()), false),
        };
        self.options.watch.opened();
        self.reports.push(report);
        self.owners.push(owner.unwrap_or(ordinal));
        self.ignored.push(is_ignored);
        self.number(1);
        let payload = Payload::Problem(Problem { place: String::new(), reason: reason? });
        Some(Unit { file, payload })
    }

    /// Gives serial numbers to the file that was reported last, as many as that many files need.
    fn number(&mut self, files: u32) {
        self.serials.push(self.next_serial);
        self.next_serial = self.next_serial.saturating_add(i64::from(files) << SERIALS_A_FILE);
    }

    /// Notes a store; what comes back is why it cannot be searched.
    fn add_store(&mut self, place: &Place, path: String) -> Option<(Arc<FileContext>, Problem)> {
        let ordinal = u32::try_from(self.reports.len()).unwrap_or(u32::MAX);
        let clock = Clock { zone: self.options.time_zone.clone(), latest: jiff::Timestamp::now() };
        let file = Arc::new(FileContext { ordinal, path: path.clone(), index: self.index.clone(), clock });
        let mut report =
            FileReport { path, format: "", bytes: 0, events: 0, passed_over: 0, skipped: 0, problems: Vec::new() };
        let said =
            [&self.options.sourcetype, &self.options.host, &self.options.source].iter().any(|said| said.is_some());
        let opened = match (&self.admit, said) {
            (Some(_), _) => Err(io::Error::other(SEARCHED_WHERE_IT_IS)),
            (None, true) => Err(io::Error::other(
                "the events of a store have their sourcetype and host: say others when you index them",
            )),
            (None, false) => {
                let index = self.index.as_deref();
                disk::opened::open(place.clone(), &file.path, self.next_serial, index, &self.options.fields)
            }
        };
        let mut numbered = 1;
        let failed = match opened {
            Ok(opened) => {
                report.format = "store";
                report.bytes = opened.bytes;
                report.events = opened.events.rows();
                report.skipped = opened.skipped;
                report.problems = opened.problems;
                numbered = opened.events.manifest.numbered.max(1);
                self.unread.extend(opened.events.unread.iter().cloned());
                self.stored.push(Arc::new(opened.events));
                // Whoever gathers makes it an error.
                report.problems.first().filter(|_| self.options.strict).cloned()
            }
            Err(error) => Some(Problem { place: String::new(), reason: error.to_string() }),
        };
        self.options.watch.opened();
        self.reports.push(report);
        self.owners.push(ordinal);
        self.ignored.push(false);
        self.number(numbered);
        failed.map(|problem| (file, problem))
    }

    /// Notes a Parquet file, and gives what is wrong with it.
    fn add_parquet(
        &mut self,
        from: io::Result<Readable>,
        file: &FileContext,
        report: &mut FileReport,
    ) -> Option<String> {
        let opener = Opener { options: self.options, file, base: self.next_serial };
        let opened = match from.and_then(|from| opener.open(&from)) {
            Ok(opened) => opened,
            Err(error) => return Some(error.to_string()),
        };
        report.format = "parquet";
        report.events = opened.file.rows;
        self.parquet.push(opened.file);
        self.unread.extend(opened.unread);
        let refused = opened.refused;
        (!refused.is_empty()).then(|| format!("columns of types that no field can hold: {}", refused.join(", ")))
    }
}

/// The entry of a folder, if it is one to read. `None` for the end.
fn found(entry: walkdir::Result<DirEntry>) -> Option<Option<Entry>> {
    Some(match entry {
        // What is no file, a socket say, may never end.
        Ok(entry) => entry.file_type().is_file().then(|| Entry::Found(entry.into_path())),
        // A link to a folder that it is in: everything there is read anyway.
        Err(error) if error.loop_ancestor().is_some() => None,
        Err(error) => {
            let path = error.path().unwrap_or(Path::new("")).to_owned();
            let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
            Some(Entry::Unreadable(path, reason))
        }
    })
}

impl Entry {
    /// A store in a folder.
    fn store(path: &Path) -> Self {
        match Place::of(path) {
            Ok(place) => Entry::Store(place, path.display().to_string()),
            Err(error) => Entry::Unreadable(path.to_owned(), error.to_string()),
        }
    }
}

/// The stores at an address, and the objects that are in none.
fn found_in_bucket(address: &Path) -> io::Result<Vec<Entry>> {
    let bucket = Bucket::at(address)?;
    let shown = address.display().to_string();
    let shown = shown.trim_end_matches('/');
    let at = |path: &str| if path.is_empty() { shown.to_owned() } else { format!("{shown}/{path}") };
    if bucket.has(disk::NAME)? {
        return Ok(vec![Entry::Store(Place::Bucket(bucket), shown.to_owned())]);
    }
    let found = bucket.found()?;
    let of_store = |path: &str| path.strip_suffix(disk::NAME).map(str::to_owned);
    let stores: Vec<String> = found.iter().filter_map(|object| of_store(&object.path)).collect();
    let mut entries: Vec<Entry> = Vec::new();
    for prefix in &stores {
        let place = Place::Bucket(bucket.below(prefix));
        entries.push(Entry::Store(place, at(prefix.trim_end_matches('/'))));
    }
    for object in found {
        // Empty ones stand for folders.
        if object.bytes > 0 && !stores.iter().any(|prefix| object.path.starts_with(prefix.as_str())) {
            let path = bucket.object(&object.path);
            entries.push(Entry::Object(Object { bucket: bucket.clone(), path, bytes: object.bytes }, at(&object.path)));
        }
    }
    Ok(entries)
}
