//! Adds events to a store: gathers them by shape, writes the largest shapes when memory runs out, and commits.
//!
//! A commit is one step: the files of events are written aside, put where they belong, and count from the moment that
//! the manifest names them. Whatever happens before, the store is what it was.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ahash::RandomState;
use hashbrown::{HashMap, HashSet};

use super::EVENTS;
use super::file::{GROUP_ROWS, Job, Written};
use super::lock::Lock;
use super::manifest::{METADATA, Manifest, StoredColumn, StoredField, StoredFile, StoredInput};
use super::names::{file_name, file_part, folder_name};
use super::place::{Aside, Place, Version};
use super::threads::Threads;
use crate::error::Error;
use crate::ingest::Sink;
use crate::store::builder::{Block, Kind, MAX_BYTES, MAX_FIELDS, Piece};
use crate::store::columns::MAX_STORE_FIELDS;
use crate::store::skeleton::{GAPS, SKELETON, fold};

/// A shape with fewer events shares a file with others.
const OWN_FILE: usize = 256;
/// The most memory that events are gathered in.
const MOST_GATHERED: usize = 1 << 30;
/// The most bytes of a file's events.
const MOST_FILE: usize = 256 << 20;
/// What is said of shapes that share a file.
const OTHERS: &str = "others";
/// After so many times the memory for gathering, what was read is committed.
const COMMIT_AFTER: usize = 16;
/// How far the serial numbers of two inputs are apart, in bits.
const SERIALS_AN_INPUT: u32 = 40;
/// The most inputs of a store: serial numbers are signed.
const MOST_INPUTS: u32 = 1 << 22;

/// An input that is about to be read.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    /// Its place among the files of this run.
    pub(crate) ordinal: u32,
    pub(crate) input: StoredInput,
}

/// What was added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// The files of logs that gave events.
    pub inputs: u64,
    /// The events.
    pub events: u64,
    /// The files that were written.
    pub files: u64,
    /// Their row groups.
    pub groups: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Added {
    fn count(&mut self, events: u64, groups: usize, bytes: u64) {
        self.events = self.events.saturating_add(events);
        self.files = self.files.saturating_add(1);
        self.groups = self.groups.saturating_add(u64::try_from(groups).unwrap_or(0));
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The events of one shape that were not written yet.
struct Gathered {
    source: String,
    code: String,
    plain: bool,
    pieces: Vec<Piece>,
    rows: usize,
    bytes: usize,
    fields: HashSet<Arc<str>, RandomState>,
}

/// Adds to a store.
pub(crate) struct Writer {
    /// Stopped first: what they wrote and nobody committed goes with the folder aside.
    threads: Threads,
    /// As the user named it.
    root: PathBuf,
    place: Place,
    aside: Aside,
    manifest: Manifest,
    /// The manifest that is there.
    version: Version,
    /// How many inputs were numbered before.
    numbered: u32,
    gathered: Vec<Gathered>,
    by_shape: HashMap<(String, String, bool), usize, RandomState>,
    by_name: HashMap<Arc<str>, usize, RandomState>,
    /// The bytes that are gathered.
    bytes: usize,
    most: usize,
    /// The bytes since the last commit.
    uncommitted: usize,
    group_rows: usize,
    written: Vec<Written>,
    files: u32,
    /// Who is being read, and how many events each input gave.
    current: u32,
    events: BTreeMap<u32, u64>,
    pub(crate) admitted: Arc<Mutex<Vec<Admitted>>>,
    pub(crate) added: Added,
    /// Given back last.
    _lock: Lock,
}

impl Writer {
    /// Opens a store for writing, or begins one where nothing is. Of a bucket, files are made in a folder of `temp`.
    ///
    /// # Errors
    /// Something else is there, or somebody is writing to it.
    pub(crate) fn open(
        root: &Path,
        memory: usize,
        group_rows: Option<usize>,
        temp: Option<&Path>,
    ) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Input { path: root.to_owned(), reason: error.to_string() };
        let place = Place::of(root).map_err(failed)?;
        if !place.begin().map_err(failed)? {
            let reason = "it is neither a store nor an empty folder: name another place for the store".to_owned();
            return Err(Error::Input { path: root.to_owned(), reason });
        }
        let lock = Lock::take(&place).map_err(failed)?;
        // Only whoever has the lock knows what is there.
        let (manifest, version) = match place.is_store().map_err(failed)? {
            true => Manifest::read(&place).map_err(failed)?,
            false => {
                let manifest = Manifest::empty();
                let version = manifest.write(&place, None).map_err(failed)?;
                (manifest, version)
            }
        };
        super::sweep(&place, &manifest).map_err(failed)?;
        let aside = place.aside(temp).map_err(failed)?;
        let threads = Threads::start().map_err(failed)?;
        let mut manifest = manifest;
        for name in [SKELETON, GAPS] {
            if !manifest.fields.iter().any(|field| field.name == name) {
                manifest.fields.push(StoredField { name: name.to_owned(), kind: Kind::EMPTY });
            }
        }
        let positions = manifest.fields.iter().enumerate();
        let by_name = positions.map(|(at, field)| (Arc::from(field.name.as_str()), at)).collect();
        Ok(Self {
            root: root.to_owned(),
            place,
            aside,
            numbered: manifest.numbered,
            manifest,
            version,
            gathered: Vec::new(),
            by_shape: HashMap::default(),
            by_name,
            bytes: 0,
            // A file's values are there up to three times while it is sorted and written.
            most: (memory / 4).min(MOST_GATHERED),
            uncommitted: 0,
            group_rows: group_rows.unwrap_or(GROUP_ROWS).max(1),
            threads,
            written: Vec::new(),
            files: 0,
            current: 0,
            events: BTreeMap::new(),
            admitted: Arc::default(),
            added: Added::default(),
            _lock: lock,
        })
    }

    /// What was added before.
    pub(crate) fn known(&self) -> BTreeSet<(String, String)> {
        self.manifest.inputs.iter().map(|input| (input.sha256.clone(), input.said.clone())).collect()
    }

    /// Writes what is left, and commits all; `inputs` files were read in this run. Gives what was added, and what is
    /// there now.
    pub(crate) fn finish(mut self, inputs: usize) -> Result<(Added, Added), Error> {
        self.commit(u32::try_from(inputs).unwrap_or(u32::MAX))?;
        let mut all = Added { inputs: u64::try_from(self.manifest.inputs.len()).unwrap_or(0), ..Added::default() };
        self.manifest.files.iter().for_each(|file| all.count(file.rows, file.groups.len(), file.bytes));
        Ok((self.added, all))
    }

    fn most_file(&self) -> usize {
        (self.most / 4).clamp(1, MOST_FILE)
    }

    fn failed(&self, error: &io::Error) -> Error {
        let reason = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                format!("{error}; what was committed before is there, make room and index again")
            }
            _ => error.to_string(),
        };
        Error::Input { path: self.root.clone(), reason }
    }

    fn add_piece(&mut self, mut piece: Piece, plain: bool) -> Result<usize, Error> {
        let shape = Arc::clone(&piece.shape);
        // The source of other events is a file, and there may be as many shapes as files.
        let is_windows = !shape.code.is_empty() && shape.code.bytes().all(|byte| byte.is_ascii_digit());
        let source = if is_windows { shape.source.clone() } else { String::new() };
        let key = (source, shape.code.clone(), plain);
        let next = self.gathered.len();
        let at = *self.by_shape.entry(key.clone()).or_insert(next);
        if at == next {
            let (source, code, plain) = key;
            let fields = HashSet::default();
            self.gathered.push(Gathered { source, code, plain, pieces: Vec::new(), rows: 0, bytes: 0, fields });
        }
        let Some(gathered) = self.gathered.get_mut(at) else { return Ok(0) };
        let by_name = &self.by_name;
        let new = |name: &Arc<str>| !gathered.fields.contains(name);
        let unknown = piece.columns.iter().any(|(name, _)| !by_name.contains_key(name));
        let added = piece.columns.iter().filter(|(name, _)| new(name)).count();
        if unknown || gathered.fields.len().saturating_add(added) > MAX_FIELDS {
            // The text needs the columns that its values were left in.
            fold::unfold(&mut piece);
        }
        let before = piece.columns.len();
        piece.columns.retain(|(name, _)| {
            if gathered.fields.contains(name) {
                return true;
            }
            let has_room = **name == *"_raw" || gathered.fields.len() < MAX_FIELDS;
            has_room && by_name.contains_key(name) && gathered.fields.insert(Arc::clone(name))
        });
        let dropped = before.saturating_sub(piece.columns.len());
        for (name, column) in &piece.columns {
            if let Some(field) = self.by_name.get(name).and_then(|&at| self.manifest.fields.get_mut(at)) {
                field.kind = field.kind.and(column.kind());
            }
        }
        let bytes = piece.size();
        gathered.rows = gathered.rows.saturating_add(piece.rows());
        gathered.bytes = gathered.bytes.saturating_add(bytes);
        gathered.pieces.push(piece);
        self.bytes = self.bytes.saturating_add(bytes);
        self.uncommitted = self.uncommitted.saturating_add(bytes);
        Ok(dropped)
    }

    /// Writes the largest shapes until there is room again.
    fn make_room(&mut self) -> Result<(), Error> {
        self.collect(false)?;
        loop {
            let most_file = self.most_file();
            let is_full = self.bytes.saturating_add(self.threads.held()) > self.most;
            let largest = self.gathered.iter().enumerate().max_by_key(|(_, gathered)| gathered.bytes);
            let Some((at, bytes)) = largest.map(|(at, gathered)| (at, gathered.bytes)) else { return Ok(()) };
            if bytes == 0 || (!is_full && bytes < most_file) {
                return Ok(());
            }
            if is_full && self.threads.are_busy() && bytes < most_file / 4 {
                // Small files cost more than waiting for the large ones that are being written.
                self.collect(true)?;
                continue;
            }
            let Some(gathered) = self.gathered.get_mut(at) else { return Ok(()) };
            let pieces = gathered.take();
            let (source, code, plain) = (gathered.source.clone(), gathered.code.clone(), gathered.plain);
            self.write(&source, &code, plain, pieces, bytes)?;
        }
    }

    /// Hands events to the writing threads.
    fn write(&mut self, source: &str, code: &str, plain: bool, pieces: Vec<Piece>, bytes: usize) -> Result<(), Error> {
        // The texts of a column are counted in 32 bits.
        let mut parts: Vec<Vec<Piece>> = vec![Vec::new()];
        let mut widest = 0_usize;
        for piece in pieces {
            widest = widest.saturating_add(piece.widest());
            if widest > MAX_BYTES {
                widest = piece.widest();
                parts.push(Vec::new());
            }
            if let Some(part) = parts.last_mut() {
                part.push(piece);
            }
        }
        let shape = [source, code].join(" ").trim().to_owned();
        self.bytes = self.bytes.saturating_sub(bytes);
        for pieces in parts.into_iter().filter(|pieces| !pieces.is_empty()) {
            let held = pieces.iter().map(Piece::size).fold(0, usize::saturating_add);
            let name = file_name(self.manifest.generation.saturating_add(1), self.files);
            let path = [EVENTS, &folder_name(source, code, plain), &name].join("/");
            let aside = self.aside.path().join(name);
            self.files = self.files.saturating_add(1);
            let job = Job { shape: shape.clone(), path, held, plain, pieces, group_rows: self.group_rows };
            self.threads.write(job, aside)?;
        }
        Ok(())
    }

    /// Takes what was written; waits for one file if told to.
    fn collect(&mut self, wait: bool) -> Result<(), Error> {
        let mut wait = wait;
        while let Some(outcome) = self.threads.next(wait)? {
            wait = false;
            self.written.push(outcome.map_err(|error| self.failed(&error))?);
        }
        Ok(())
    }

    /// Writes all that is gathered. Shapes of few events are put together, first by source, then all.
    fn write_all(&mut self) -> Result<(), Error> {
        let mut few: BTreeMap<(bool, String), Gathered> = BTreeMap::new();
        for gathered in std::mem::take(&mut self.gathered) {
            if gathered.rows >= OWN_FILE {
                self.write_gathered(gathered)?;
                continue;
            }
            let key = (gathered.plain, gathered.source.clone());
            self.pool(&mut few, key, gathered)?;
        }
        let mut rest: BTreeMap<(bool, String), Gathered> = BTreeMap::new();
        for gathered in few.into_values() {
            if gathered.rows >= OWN_FILE {
                self.write_gathered(gathered)?;
                continue;
            }
            let gathered = Gathered { source: String::new(), ..gathered };
            self.pool(&mut rest, (gathered.plain, String::new()), gathered)?;
        }
        for gathered in rest.into_values() {
            self.write_gathered(gathered)?;
        }
        self.by_shape.clear();
        while self.threads.are_busy() {
            self.collect(true)?;
        }
        Ok(())
    }

    fn pool(
        &mut self,
        pools: &mut BTreeMap<(bool, String), Gathered>,
        key: (bool, String),
        gathered: Gathered,
    ) -> Result<(), Error> {
        let Some(pool) = pools.get_mut(&key) else {
            pools.insert(key, gathered);
            return Ok(());
        };
        let fields = pool.fields.union(&gathered.fields).count();
        if fields > MAX_FIELDS || pool.bytes.saturating_add(gathered.bytes) > self.most_file() {
            let full = std::mem::replace(pool, gathered);
            return self.write_gathered(full);
        }
        if pool.code != gathered.code {
            pool.code = OTHERS.to_owned();
        }
        pool.rows = pool.rows.saturating_add(gathered.rows);
        pool.bytes = pool.bytes.saturating_add(gathered.bytes);
        pool.pieces.extend(gathered.pieces);
        pool.fields.extend(gathered.fields);
        Ok(())
    }

    fn write_gathered(&mut self, mut gathered: Gathered) -> Result<(), Error> {
        let (bytes, pieces) = (gathered.bytes, gathered.take());
        match pieces.is_empty() {
            true => Ok(()),
            false => self.write(&gathered.source, &gathered.code, gathered.plain, pieces, bytes),
        }
    }

    /// Makes what was read of the inputs before `complete` part of the store.
    fn commit(&mut self, complete: u32) -> Result<(), Error> {
        self.write_all()?;
        if self.written.is_empty() {
            return Ok(());
        }
        let mut written = std::mem::take(&mut self.written);
        // Which thread was faster decides nothing.
        written.sort_by(|one, other| file_part(&one.path).cmp(file_part(&other.path)));
        let paths = written.iter().map(|file| file.path.as_str());
        self.place.place(self.aside.path(), paths).map_err(|error| self.failed(&error))?;
        for written in written {
            self.enter(written);
        }
        let admitted = std::mem::take(&mut *self.admitted.lock().unwrap_or_else(PoisonError::into_inner));
        let (done, later): (Vec<_>, Vec<_>) = admitted.into_iter().partition(|admitted| admitted.ordinal < complete);
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner).extend(later);
        for Admitted { ordinal, input } in done {
            let events = self.events.remove(&ordinal).unwrap_or(0);
            if events > 0 {
                self.manifest.inputs.push(StoredInput { events, ..input });
                self.added.inputs = self.added.inputs.saturating_add(1);
            }
        }
        self.manifest.generation = self.manifest.generation.saturating_add(1);
        self.manifest.numbered = self.numbered.saturating_add(complete);
        let version = self.manifest.write(&self.place, self.version.take());
        self.version = version.map_err(|error| self.failed(&error))?;
        self.files = 0;
        self.uncommitted = 0;
        Ok(())
    }

    /// Names a file in the manifest.
    fn enter(&mut self, written: Written) {
        let position = |name: &Arc<str>| self.by_name.get(name).and_then(|at| u32::try_from(*at).ok());
        let columns: Vec<StoredColumn> =
            written.columns.iter().filter_map(|(name, kind)| Some(StoredColumn(position(name)?, *kind))).collect();
        let schemas = &mut self.manifest.schemas;
        let schema = schemas.iter().position(|known| *known == columns).unwrap_or_else(|| {
            schemas.push(columns);
            schemas.len().saturating_sub(1)
        });
        let mut values = Vec::with_capacity(written.values.len());
        for (at, (found, known)) in written.values.into_iter().zip(&mut self.manifest.values).enumerate() {
            let nulls = found.nulls;
            let told = found.told;
            if !told && at >= METADATA {
                values.push(None);
                continue;
            }
            let mut positions = Vec::with_capacity(found.texts.len());
            for text in found.texts {
                let at = known.iter().position(|known| *known == text).unwrap_or_else(|| {
                    known.push(text);
                    known.len().saturating_sub(1)
                });
                positions.push(u32::try_from(at).ok());
            }
            if nulls {
                positions.push(None);
            }
            values.push(told.then_some(positions));
        }
        let in_text = written.in_text.into_iter().filter_map(|name| position(&Arc::from(name))).collect();
        self.added.count(written.rows, written.groups.len(), written.bytes);
        self.manifest.files.push(StoredFile {
            path: written.path,
            bytes: written.bytes,
            rows: written.rows,
            shape: written.shape,
            plain: written.plain,
            schema: u32::try_from(schema).unwrap_or(u32::MAX),
            groups: written.groups,
            untimed: written.untimed,
            values,
            in_text,
        });
    }
}

impl Sink for Writer {
    fn add(&mut self, file: u32, block: Block, base: i64) -> Result<usize, Error> {
        if file > self.current {
            // All blocks of the files before were added.
            if self.uncommitted > self.most.saturating_mul(COMMIT_AFTER) {
                self.commit(file)?;
            }
            self.current = file;
        }
        let number = self.numbered.saturating_add(file);
        if number >= MOST_INPUTS {
            let reason = format!("the store has {MOST_INPUTS} files of logs, and no room for more: begin another one");
            return Err(Error::Input { path: self.root.clone(), reason });
        }
        let base = base.saturating_add(i64::from(self.numbered) << SERIALS_AN_INPUT);
        for name in block.names {
            let next = self.manifest.fields.len();
            if next >= MAX_STORE_FIELDS && !self.by_name.contains_key(&name) {
                continue;
            }
            let at = *self.by_name.entry(Arc::clone(&name)).or_insert(next);
            if at == next {
                self.manifest.fields.push(StoredField { name: name.as_ref().to_owned(), kind: Kind::EMPTY });
            }
        }
        let mut dropped = 0_usize;
        for mut piece in block.pieces {
            for serial in &mut piece.serials {
                *serial = serial.saturating_add(base);
            }
            let events = self.events.entry(file).or_default();
            *events = events.saturating_add(u64::try_from(piece.rows()).unwrap_or(0));
            dropped = dropped.saturating_add(self.add_piece(piece, block.plain)?);
        }
        self.make_room()?;
        Ok(dropped)
    }
}

impl Gathered {
    fn take(&mut self) -> Vec<Piece> {
        self.rows = 0;
        self.bytes = 0;
        self.fields = HashSet::default();
        std::mem::take(&mut self.pieces)
    }
}
