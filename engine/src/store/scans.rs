//! What searches leave out of stores, for people.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricValue};

use super::disk::manifest::StoredFile;
use super::disk::opened::StoredEvents;
use super::pruning::{Reason, Test};
use crate::ingest::Problem;

/// How many files are named that were found to be damaged.
const NAMED: usize = Problem::KEPT;
/// The counters of Parquet scans that tell of row groups that were left out.
const COUNTERS: [&str; 3] =
    ["row_groups_pruned_statistics", "row_groups_pruned_bloom_filter", "limit_pruned_row_groups"];

/// The scans of stores in one search.
#[derive(Debug, Default)]
pub struct Scans {
    notes: Mutex<Vec<Note>>,
}

/// What one scan of a store left out.
#[derive(Debug)]
pub struct Note {
    store: String,
    all: Extent,
    /// What has to be opened.
    opened: Extent,
    /// How many row groups of that are of another time.
    of_another_time: u64,
    /// The shapes that are opened.
    shapes: BTreeMap<String, Extent>,
    skipped: BTreeMap<Reason, Extent>,
    counted: Vec<ExecutionPlanMetricsSet>,
    damaged: Vec<Problem>,
    damaged_files: u64,
}

/// Some files of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many.
    pub files: u64,
    /// Their row groups.
    pub groups: u64,
    /// Their events.
    pub events: u64,
}

impl Extent {
    fn add(&mut self, file: &StoredFile) {
        self.files = self.files.saturating_add(1);
        self.groups = self.groups.saturating_add(u64::try_from(file.groups.len()).unwrap_or(u64::MAX));
        self.events = self.events.saturating_add(file.rows);
    }

    fn and(self, other: Extent) -> Extent {
        Extent {
            files: self.files.saturating_add(other.files),
            groups: self.groups.saturating_add(other.groups),
            events: self.events.saturating_add(other.events),
        }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, groups, events } = *self;
        let many = |count: u64, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        write!(out, "{}, {}, {}", many(files, "file"), many(groups, "row group"), many(events, "event"))
    }
}

impl Note {
    /// Of a store of which nothing was looked at yet.
    pub(crate) fn of(events: &StoredEvents) -> Self {
        let mut all = Extent::default();
        events.present().for_each(|(_, file)| all.add(file));
        Self {
            store: events.shown.clone(),
            all,
            opened: Extent::default(),
            of_another_time: 0,
            shapes: BTreeMap::new(),
            skipped: BTreeMap::new(),
            counted: Vec::new(),
            damaged: Vec::new(),
            damaged_files: 0,
        }
    }

    pub(crate) fn skip(&mut self, file: &StoredFile, reason: Reason) {
        self.skipped.entry(reason).or_default().add(file);
    }

    pub(crate) fn open(&mut self, file: &StoredFile, tests: &[Test]) {
        self.opened.add(file);
        self.shapes.entry(file.shape.clone()).or_default().add(file);
        let other = file.groups.iter().filter(|group| !tests.iter().all(|test| test.meets(group.1)));
        self.of_another_time = self.of_another_time.saturating_add(u64::try_from(other.count()).unwrap_or(0));
    }

    pub(crate) fn damaged(&mut self, file: &StoredFile, error: &io::Error) {
        self.damaged_files = self.damaged_files.saturating_add(1);
        if self.damaged.len() < NAMED {
            let place = [self.store.as_str(), file.path.as_str()].join("/");
            self.damaged.push(Problem { place, reason: format!("{error}: its {} events are missing", file.rows) });
        }
    }

    /// Takes note of counters that fill while the search runs.
    pub(crate) fn counts(&mut self, counters: ExecutionPlanMetricsSet) {
        self.counted.push(counters);
    }

    /// How many row groups were read.
    fn read(&self) -> u64 {
        let mut left_out = 0_u64;
        let mut ran = false;
        for metric in
            self.counted.iter().flat_map(|counters| counters.clone_inner().iter().cloned().collect::<Vec<_>>())
        {
            ran = true;
            if let MetricValue::PruningMetrics { name, pruning_metrics } = metric.value()
                && COUNTERS.contains(&name.as_ref())
            {
                left_out = left_out.saturating_add(u64::try_from(pruning_metrics.pruned()).unwrap_or(0));
            }
        }
        // A count of all events, say, is known without opening a file.
        if ran { self.opened.groups.saturating_sub(left_out) } else { 0 }
    }

    fn lines(&self, into: &mut Vec<String>) {
        /// Shapes beyond these are only counted.
        const SHOWN: usize = 20;
        into.push(format!("{}: {}", self.store, self.all));
        into.push(format!("  opened   {}", self.opened));
        if self.of_another_time > 0 {
            let groups = self.of_another_time;
            into.push(format!("           {groups} of these row groups are of another time and are left out"));
        }
        for (shape, extent) in self.shapes.iter().take(SHOWN) {
            into.push(format!("    {shape}: {extent}"));
        }
        let more = self.shapes.len().saturating_sub(SHOWN);
        if more > 0 {
            into.push(format!("    and {more} more shapes"));
        }
        for (reason, extent) in &self.skipped {
            into.push(format!("  skipped  {extent}: {reason}"));
        }
        if self.damaged_files > 0 {
            into.push(format!("  damaged  {} files", self.damaged_files));
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Field(name) => write!(out, "no event there has the field {name:?}"),
            Reason::Value(name) => write!(out, "{name:?} has other values there"),
            Reason::Time => write!(out, "the events are of another time"),
            Reason::Several => write!(out, "none of several conditions can be met there"),
            Reason::Made => write!(out, "what is calculated of the fields there cannot meet the conditions"),
        }
    }
}

/// How much of the stores was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The row groups that were read.
    pub groups: u64,
    /// The files that could not be left closed.
    pub files: u64,
    /// All there is.
    pub all: Extent,
}

impl Scans {
    pub(crate) fn add(&self, note: Note) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// How much was read so far; nothing where no store was searched. A store that was looked at twice counts twice.
    pub fn read(&self) -> Option<Read> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = Read { groups: 0, files: 0, all: Extent::default() };
        for note in notes.iter() {
            read.groups = read.groups.saturating_add(note.read());
            read.files = read.files.saturating_add(note.opened.files);
            read.all = read.all.and(note.all);
        }
        (!notes.is_empty()).then_some(read)
    }

    /// Files of stores that turned out to be damaged when they were opened: the first of them, and how many.
    pub fn damaged(&self) -> (Vec<Problem>, u64) {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut problems: Vec<Problem> = Vec::new();
        let mut count = 0_u64;
        for note in notes.iter() {
            // A second look finds the same.
            let new = note.damaged.iter().filter(|problem| !problems.contains(problem)).cloned().collect::<Vec<_>>();
            if !new.is_empty() {
                count = count.saturating_add(note.damaged_files);
            }
            problems.extend(new);
        }
        (problems, count)
    }

    /// What was left out and why, line by line.
    pub fn explained(&self) -> Vec<String> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        notes.iter().for_each(|note| note.lines(&mut lines));
        lines
    }
}
