//! How much memory a session may use: one pool for everything that its searches hold, and what is said when it is
//! full.
//!
//! Sorts and aggregates write to files in a temporary folder when the pool is full. What cannot, fails with
//! [`Error::Memory`], which names the command that needs so much.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ahash::AHashSet;
use arrow::array::{Array, ArrayData, RecordBatch};
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use spelunk_grammar::{Code, Diagnostic, Span};

use crate::error::Error;
use crate::store::bucket::Registry;

/// The part of the machine's memory that is used where nothing is said, in percent.
const DEFAULT_PERCENT: usize = 60;
/// The machine's memory where it cannot be found out.
const ASSUMED: usize = 8 << 30;
/// The least limit: less does not hold the batches that are on their way.
pub const LEAST: usize = 16 << 20;
/// What each sorting thread keeps back for merging what it wrote to files, where the limit allows.
const MERGE: usize = 10 << 20;
/// A thread's memory for each row of a batch.
const ROW: usize = 64 << 10;
/// The most rows of a batch, and the least.
const MOST_ROWS: usize = 8_192;
const LEAST_ROWS: usize = 1_024;
/// How many of those who hold memory an error of the pool tells of.
const TOLD: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);

/// Who holds the events that were read.
pub const EVENTS: &str = "loaded events";
/// Who holds the rows that a command collected.
pub const COLLECTED: &str = "collected rows";

/// The memory and the temporary files of a session.
#[derive(Debug, Clone)]
pub struct Memory {
    limit: usize,
    runtime: Arc<RuntimeEnv>,
}

impl Memory {
    /// A pool of so many bytes, 60 % of the machine's memory if not given; and where temporary files go, the
    /// system's folder if not given.
    ///
    /// # Errors
    /// A temporary folder that is not there.
    pub fn new(limit: Option<usize>, folder: Option<&Path>) -> Result<Self, Error> {
        let limit = self::limit(limit);
        let mut files = DiskManagerBuilder::default();
        if let Some(folder) = folder {
            check_folder(folder)?;
            files.set_mode(DiskManagerMode::Directories(vec![PathBuf::from(folder)]));
        }
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(TrackConsumersPool::new(FairSpillPool::new(limit), TOLD)))
            .with_disk_manager_builder(files)
            .with_object_store_registry(Arc::new(Registry::default()))
            .build_arc()?;
        Ok(Self { limit, runtime })
    }

    /// Whom DataFusion asks for memory and files.
    pub fn runtime(&self) -> Arc<RuntimeEnv> {
        Arc::clone(&self.runtime)
    }

    /// The pool.
    pub fn pool(&self) -> &Arc<dyn MemoryPool> {
        &self.runtime.memory_pool
    }

    /// What the pool's size means for DataFusion's operators.
    pub fn configure(&self, mut config: SessionConfig) -> SessionConfig {
        let threads = config.target_partitions().max(1);
        let share = self.limit.checked_div(threads.saturating_mul(8)).unwrap_or(MERGE);
        let execution = &mut config.options_mut().execution;
        execution.sort_spill_reservation_bytes = MERGE.min(share);
        // What a thread holds at least are a few batches, which may be wide.
        let rows = self.limit.checked_div(threads.saturating_mul(ROW)).unwrap_or(MOST_ROWS);
        config.with_batch_size(rows.clamp(LEAST_ROWS, MOST_ROWS))
    }
}

/// Whether temporary files may go there.
pub(crate) fn check_folder(folder: &Path) -> Result<(), Error> {
    let input = |reason: String| Error::Input { path: folder.to_owned(), reason };
    let metadata = std::fs::metadata(folder).map_err(|error| input(error.to_string()))?;
    if metadata.is_dir() { Ok(()) } else { Err(input("temporary files need a folder".to_owned())) }
}

/// So many bytes, but no fewer than are needed; 60 % of the machine's memory if not given.
pub fn limit(given: Option<usize>) -> usize {
    given.unwrap_or_else(default_limit).max(LEAST)
}

fn default_limit() -> usize {
    (machine_memory().unwrap_or(ASSUMED) / 100).saturating_mul(DEFAULT_PERCENT)
}

/// The memory of the machine, or of the container where that has less.
fn machine_memory() -> Option<usize> {
    let bytes = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let information = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = information.as_deref().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
    });
    let limits = [machine, bytes("/sys/fs/cgroup/memory.max"), bytes("/sys/fs/cgroup/memory/memory.limit_in_bytes")];
    limits.into_iter().flatten().min()
}

/// Memory that a search holds as long as it runs, and the commands that it is made of.
#[derive(Debug)]
pub struct Ledger {
    limit: usize,
    held: MemoryReservation,
    commands: Mutex<Vec<Planned>>,
    /// The command that was being planned when the memory ran out.
    failed: Mutex<Option<Planned>>,
}

/// A command of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Planned {
    name: &'static str,
    place: Span,
}

impl Ledger {
    /// Nothing held yet.
    pub fn new(memory: &Memory) -> Self {
        let held = MemoryConsumer::new(COLLECTED).register(memory.pool());
        Self { limit: memory.limit, held, commands: Mutex::default(), failed: Mutex::default() }
    }

    /// Holds so many more bytes until the search ends.
    ///
    /// # Errors
    /// The limit is reached.
    pub fn hold(&self, bytes: usize) -> Result<(), DataFusionError> {
        self.held.try_grow(bytes).inspect_err(|_| {
            let last = self.commands.lock().unwrap_or_else(PoisonError::into_inner).last().copied();
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            *failed = failed.or(last);
        })
    }

    /// Notes that a command is planned now.
    pub fn enter(&self, name: &'static str, place: Span) {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).push(Planned { name, place });
    }

    /// An error of DataFusion as one of the search: names the command where the memory ran out.
    pub fn explain(&self, error: DataFusionError) -> Error {
        // An error that was explained before it went through a stream.
        let error = match error {
            DataFusionError::External(inner) => match inner.downcast::<Error>() {
                Ok(explained) => return *explained,
                Err(other) => DataFusionError::External(other),
            },
            other => other,
        };
        let DataFusionError::ResourcesExhausted(reason) = error.find_root() else { return Error::from(error) };
        Error::Memory(Box::new(self.finding(reason)))
    }

    fn finding(&self, reason: &str) -> Diagnostic {
        let limit = human(self.limit);
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if reason.contains("disk space") {
            let place = commands.last().map_or(Span::default(), |last| last.place);
            return Diagnostic::error(Code::MemoryLimit, "the temporary files became too large", place)
                .with_help("narrow the search: fewer events, fields or groups");
        }
        let (holds, refused) = consumers(reason);
        if holds.first() == Some(&EVENTS) {
            return too_many_events(self.limit, commands.first().map_or(Span::default(), |first| first.place));
        }
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let user = |consumer: &str| match consumer {
            COLLECTED => failed,
            consumer => commands.iter().find(|command| uses(command.name, consumer)).copied(),
        };
        // An operator of ours bears the name of its command, and cannot write to files: it is in the way of the others.
        let is_own = |name: &str| name == COLLECTED || commands.iter().any(|command| command.name == name);
        let own = refused.into_iter().chain(holds.iter().copied()).filter(|name| is_own(name));
        let suspects = own.chain(holds.iter().copied()).chain(refused);
        match suspects.into_iter().find_map(user) {
            Some(Planned { name, place }) => {
                let message = format!("`{name}` needs more memory than the limit of {limit}");
                let help = format!(
                    "raise the limit with --memory, or leave less to `{name}`: filter events, or name fewer fields, before it"
                );
                Diagnostic::error(Code::MemoryLimit, message, place).with_help(help)
            }
            None => {
                let start = commands.first().map_or(0, |first| first.place.start);
                let end = commands.iter().map(|command| command.place.end).max().unwrap_or(start);
                let message = format!("the search needs more memory than the limit of {limit}");
                Diagnostic::error(Code::MemoryLimit, message, Span::new(start, end.max(start)))
                    .with_help("raise the limit with --memory, or narrow the search: fewer events, fields or groups")
            }
        }
    }
}

/// What is said when the events that are read do not fit.
fn too_many_events(limit: usize, place: Span) -> Diagnostic {
    let message = format!("the events to search need more memory than the limit of {}", human(limit));
    Diagnostic::error(Code::MemoryLimit, message, place).with_help(
        "raise the limit with --memory, name fewer files or fields, or search Parquet, which is read bit by bit",
    )
}

/// Asks the pool for the memory of events that are being read.
///
/// # Errors
/// [`Error::Memory`], without a place: what is read for is not known here.
pub fn hold_events(
    held: Option<&MemoryReservation>,
    pool: Option<&Arc<dyn MemoryPool>>,
    bytes: usize,
) -> Result<(), Error> {
    let Some(held) = held else { return Ok(()) };
    held.try_grow(bytes).map_err(|_| {
        let limit = match pool.map(|pool| pool.memory_limit()) {
            Some(MemoryLimit::Finite(limit)) => limit,
            _ => 0,
        };
        Error::Memory(Box::new(too_many_events(limit, Span::default())))
    })
}

/// Who holds memory, most of it first; and who was refused more.
fn consumers(reason: &str) -> (Vec<&str>, Option<&str>) {
    // `  GroupedHashAggregateStream[1] (count(1))#7(can spill: true) consumed 4.0 MB, peak 4.0 MB,`
    let plain = |name| str::trim(str::split(name, '[').next().unwrap_or(name));
    let holds = reason.lines().filter_map(|line| line.trim().split_once('#'));
    // Whoever holds nothing is in nobody's way.
    let holds = holds.filter(|(_, rest)| !rest.contains("consumed 0.0 B")).map(|(name, _)| plain(name)).collect();
    let refused = reason.strip_prefix("Additional allocation failed for ");
    let refused = refused.and_then(|rest| rest.split_once(" with top memory consumers"));
    (holds, refused.map(|(name, _)| plain(name)))
}

/// Whether a command is planned with the operator that a consumer of memory belongs to.
fn uses(command: &str, consumer: &str) -> bool {
    const AGGREGATE: &[&str] = &[
        "stats",
        "chart",
        "timechart",
        "top",
        "rare",
        "tstats",
        "sistats",
        "sitop",
        "sirare",
        "sichart",
        "sitimechart",
        "mvcombine",
        "addcoltotals",
        "contingency",
        "ctable",
        "counttable",
        "xyseries",
        "dedup",
        "uniq",
        "transpose",
        "anomalydetection",
        "cluster",
        "associate",
        "correlate",
        "fieldsummary",
        "bin",
        "bucket",
        "join",
        "selfjoin",
        "lookup",
        "geostats",
    ];
    const ORDER: &[&str] = &[
        "sort",
        "streamstats",
        "dedup",
        "transaction",
        "accum",
        "autoregress",
        "delta",
        "filldown",
        "tail",
        "reverse",
        "head",
        "uniq",
        "trendline",
        "eventstats",
        "timechart",
        "chart",
        "top",
        "rare",
        "stats",
    ];
    const JOIN: &[&str] = &[
        "join",
        "selfjoin",
        "lookup",
        "appendcols",
        "append",
        "appendpipe",
        "map",
        "top",
        "rare",
        "chart",
        "timechart",
    ];
    if consumer == command {
        return true;
    }
    if consumer.contains("Aggregate") {
        return AGGREGATE.contains(&command);
    }
    if consumer.contains("Sort") || consumer.contains("TopK") {
        return ORDER.contains(&command);
    }
    if consumer.contains("Join") || consumer.starts_with("SMJ") {
        return JOIN.contains(&command);
    }
    false
}

/// `1.0 GiB`
fn human(bytes: usize) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes < 1024.0 { format!("{mebibytes:.0} MiB") } else { format!("{:.1} GiB", mebibytes / 1024.0) }
}

/// Counts the bytes of batches that are held together. Those that several share, as batches of one file share
/// dictionaries, count once.
#[derive(Debug, Default)]
pub struct Sizes {
    seen: AHashSet<usize>,
}

impl Sizes {
    /// The bytes that another batch adds.
    pub fn add(&mut self, batch: &RecordBatch) -> usize {
        batch.columns().iter().map(|column| self.count(&column.to_data())).fold(0, usize::saturating_add)
    }

    fn count(&mut self, data: &ArrayData) -> usize {
        let mut bytes = 0_usize;
        for buffer in data.buffers().iter().chain(data.nulls().map(|nulls| nulls.buffer())) {
            if self.seen.insert(buffer.data_ptr().as_ptr() as usize) {
                bytes = bytes.saturating_add(buffer.capacity());
            }
        }
        data.child_data().iter().fold(bytes, |bytes, child| bytes.saturating_add(self.count(child)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_pool_are_understood() {
        let memory = Memory::new(Some(LEAST), None).unwrap();
        let first = MemoryConsumer::new("GroupedHashAggregateStream[0] (count(1))").register(memory.pool());
        let second = MemoryConsumer::new("RepartitionExec[1]").register(memory.pool());
        first.try_grow(LEAST - 10).unwrap();
        let error = second.try_grow(100).unwrap_err();
        let DataFusionError::ResourcesExhausted(reason) = &error else { unreachable!("{error}") };
        assert_eq!(consumers(reason), (vec!["GroupedHashAggregateStream"], Some("RepartitionExec")));
        let ledger = Ledger::new(&memory);
        ledger.enter("search", Span::new(0, 1));
        ledger.enter("stats", Span::new(4, 9));
        let Error::Memory(finding) = ledger.explain(error) else { unreachable!("the limit was reached") };
        assert_eq!(finding.span.start, 4);
        assert_eq!(finding.message, "`stats` needs more memory than the limit of 16 MiB");
    }

    #[test]
    fn what_is_collected_counts_until_the_end() {
        let memory = Memory::new(Some(LEAST), None).unwrap();
        let ledger = Ledger::new(&memory);
        ledger.enter("transpose", Span::new(2, 5));
        ledger.hold(LEAST / 2).unwrap();
        assert_eq!(memory.pool().reserved(), LEAST / 2);
        let error = ledger.hold(LEAST).unwrap_err();
        ledger.enter("table", Span::new(6, 8));
        let Error::Memory(finding) = ledger.explain(error) else { unreachable!("the limit was reached") };
        assert_eq!(finding.message, "`transpose` needs more memory than the limit of 16 MiB");
        drop(ledger);
        assert_eq!(memory.pool().reserved(), 0);
    }

    #[test]
    fn a_folder_for_temporary_files_has_to_be_there() {
        assert!(Memory::new(None, Some(Path::new("/no/such/folder"))).is_err());
    }
}
