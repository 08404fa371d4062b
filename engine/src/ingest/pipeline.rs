//! Reads units side by side, and puts what they gave together in reading order.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};

use super::event::{BlockResult, EventBuilder, Shared};
use super::inputs::{Admit, Inputs, Unit};
use super::payload::{LineForm, Payload};
use super::select::Selection;
use super::{Input, Problem, ReadOptions, ReadReport, csv, evtx, json, text, w3c, xml, zeek};
use crate::error::Error;
use crate::memory::{self, Sizes};
use crate::store::Store;
use crate::store::builder::Block;
use crate::store::columns::StoreBuilder;
use crate::store::skeleton::fold;

/// What a worker made of a unit.
struct Done {
    /// The unit's place in the reading order.
    position: u64,
    file: u32,
    result: BlockResult,
}

/// Takes blocks in reading order.
pub(crate) trait Sink {
    /// Adds a block of a file. `base` is added to its serial numbers. Says how many columns were dropped because there
    /// are too many fields.
    fn add(&mut self, file: u32, block: Block, base: i64) -> Result<usize, Error>;
}

impl Sink for StoreBuilder {
    fn add(&mut self, _file: u32, block: Block, base: i64) -> Result<usize, Error> {
        Ok(StoreBuilder::add(self, block, base))
    }
}

pub(crate) fn read(inputs: &[Input], options: &ReadOptions) -> Result<(Store, ReadReport), Error> {
    let mut inputs = Inputs::new(inputs, options)?;
    let mut store = StoreBuilder::default();
    let held = options.pool.as_ref().map(|pool| Arc::new(MemoryConsumer::new(memory::EVENTS).register(pool)));
    let mut left_out = drive(&mut inputs, options, &mut store, held.as_deref(), false)?;
    let report = ReadReport { files: inputs.reports };
    left_out.unread.extend(inputs.unread);
    let unread = left_out.unread.into_iter().collect();
    let mut store = Store { unread, files: inputs.parquet, stored: inputs.stored, ..store.finish()? };
    if !left_out.hosts.is_empty() {
        store.noted.metadata.entry("host".to_owned()).or_default().extend(left_out.hosts);
    }
    if let Some(held) = held {
        // Until now it was an estimate.
        let mut sizes = Sizes::default();
        let batches = store.shapes.iter().flat_map(|shape| &shape.batches);
        held.resize(batches.map(|batch| sizes.add(batch)).fold(0, usize::saturating_add));
        store.held = Some(held);
    }
    Ok((store, report))
}

/// Reads all inputs into a sink that keeps its own account of memory, but those that are not admitted. The texts of
/// events come without the values that fields have.
pub(crate) fn read_into(
    inputs: &[Input],
    options: &ReadOptions,
    admit: Admit<'_>,
    sink: &mut dyn Sink,
) -> Result<ReadReport, Error> {
    let mut inputs = Inputs::new(inputs, options)?.admitting(admit);
    drive(&mut inputs, options, sink, None, true)?;
    Ok(ReadReport { files: inputs.reports })
}

/// What events have that was not read.
#[derive(Default)]
struct LeftOut {
    /// Fields that were not selected.
    unread: BTreeSet<String>,
    /// Hosts of events that were passed over.
    hosts: BTreeSet<String>,
}

/// Reads all units.
fn drive(
    inputs: &mut Inputs<'_>,
    options: &ReadOptions,
    sink: &mut dyn Sink,
    held: Option<&MemoryReservation>,
    folds: bool,
) -> Result<LeftOut, Error> {
    let shared = Shared { options, selection: Selection::new(&options.fields) };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let left_out = std::thread::scope(|scope| {
        // Threads of its own rather than a shared pool: this one waits for them, and must not wait for itself.
        let (unit_sender, unit_receiver) = mpsc::channel::<(u64, Unit)>();
        let (done_sender, done_receiver) = mpsc::channel::<Done>();
        let unit_receiver = Mutex::new(unit_receiver);
        let unit_receiver = Arc::new(unit_receiver);
        for _ in 0..workers {
            let (shared, units, done) = (&shared, Arc::clone(&unit_receiver), done_sender.clone());
            scope.spawn(move || work(shared, folds, &units, &done));
        }
        drop(done_sender);
        let mut gather = Gather {
            sink,
            options,
            held,
            next: 0,
            waiting: BTreeMap::new(),
            lines: None,
            left_out: LeftOut::default(),
        };
        let outcome = feed(inputs, &mut gather, &unit_sender, &done_receiver, workers.saturating_mul(2));
        // Without a sender the workers stop.
        drop(unit_sender);
        outcome.map(|()| gather.left_out)
    })?;
    if options.cancelled.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    Ok(left_out)
}

/// Hands out units, never more than `most` ahead of what was gathered, so that memory stays bounded.
fn feed(
    inputs: &mut Inputs<'_>,
    gather: &mut Gather<'_>,
    units: &mpsc::Sender<(u64, Unit)>,
    done: &mpsc::Receiver<Done>,
    most: usize,
) -> Result<(), Error> {
    let mut position = 0_u64;
    let mut in_flight = 0_usize;
    let mut has_more = true;
    while has_more || in_flight > 0 {
        if gather.options.cancelled.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        if has_more && in_flight < most {
            if gather.options.watch.stops() {
                // What is on its way is still taken.
                has_more = false;
                continue;
            }
            match inputs.next() {
                Some(unit) => {
                    gather.options.watch.read(unit.payload.size());
                    if units.send((position, unit)).is_err() {
                        return Err(Error::Run("the readers stopped".to_owned()));
                    }
                    position = position.saturating_add(1);
                    in_flight = in_flight.saturating_add(1);
                }
                None => has_more = false,
            }
            continue;
        }
        let Ok(result) = done.recv() else { return Err(Error::Run("the readers stopped".to_owned())) };
        let gathered = gather.add(result, inputs)?;
        in_flight = in_flight.saturating_sub(gathered);
    }
    Ok(())
}

fn work(shared: &Shared<'_>, folds: bool, units: &Mutex<mpsc::Receiver<(u64, Unit)>>, done: &mpsc::Sender<Done>) {
    let mut templates = evtx::Templates::default();
    loop {
        let next = match units.lock() {
            Ok(units) => units.recv(),
            Err(_) => return,
        };
        let Ok((position, unit)) = next else { return };
        let file = unit.file.ordinal;
        let result = if shared.options.cancelled.load(Ordering::Relaxed) {
            BlockResult::default()
        } else {
            // A worker that went away would leave everybody waiting.
            catch_unwind(AssertUnwindSafe(|| read_unit(shared, folds, unit, &mut templates))).unwrap_or_else(|_| {
                let mut result = BlockResult::default();
                result.skip(String::new(), "a part of the file stopped the reader, which is a defect of spelunk");
                result
            })
        };
        if done.send(Done { position, file, result }).is_err() {
            return;
        }
    }
}

fn read_unit(shared: &Shared<'_>, folds: bool, unit: Unit, templates: &mut evtx::Templates) -> BlockResult {
    let mut builder = EventBuilder::new(shared, &unit.file);
    match unit.payload {
        Payload::Evtx(chunks) => evtx::read_chunks(chunks, templates, &mut builder),
        Payload::Xml(lines) => xml::read_block(lines, &mut builder),
        Payload::JsonLines(lines) => {
            json::read_lines(lines, &mut builder);
        }
        Payload::JsonStream(lines, in_array) => json::read_stream(lines, in_array, &mut builder),
        Payload::Csv(lines, header) => csv::read_block(lines, &header, &mut builder),
        Payload::Zeek(lines, header) => zeek::read_block(lines, &header, &mut builder),
        Payload::W3c(lines, header) => w3c::read_block(lines, &header, &mut builder),
        Payload::Text(lines, kind) => text::read_block(lines, kind, &mut builder),
        Payload::Range(range, form) => {
            let (count, failed) = range.read(|lines| match form {
                LineForm::Json => json::read_lines(lines, &mut builder),
                LineForm::Text(kind) => {
                    let count = lines.count();
                    text::read_block(lines, kind, &mut builder);
                    count
                }
            });
            builder.result.lines = Some(count);
            if let Some((byte, error)) = failed {
                builder.result.skip(format!("byte {byte}"), error.to_string());
            }
        }
        Payload::Problem(Problem { place, reason }) => builder.result.skip(place, reason),
    }
    let mut result = builder.finish();
    let dropped = if folds { fold::fold(&mut result.block) } else { 0 };
    if dropped > 0 {
        let reason = "fields with the names of a store's own columns, _raw_skeleton and _raw_gaps, were not kept";
        result.skip(String::new(), reason);
    }
    result
}

/// Puts results in order.
struct Gather<'a> {
    sink: &'a mut dyn Sink,
    options: &'a ReadOptions,
    held: Option<&'a MemoryReservation>,
    next: u64,
    waiting: BTreeMap<u64, Done>,
    /// Of the file that is being added, how many lines were counted block by block.
    lines: Option<(u32, u64)>,
    left_out: LeftOut,
}

impl Gather<'_> {
    /// Adds what can be added now, and says how many units that were.
    fn add(&mut self, done: Done, inputs: &mut Inputs<'_>) -> Result<usize, Error> {
        self.waiting.insert(done.position, done);
        let mut gathered = 0_usize;
        while let Some(done) = self.waiting.remove(&self.next) {
            self.next = self.next.saturating_add(1);
            gathered = gathered.saturating_add(1);
            self.merge(done, inputs)?;
        }
        Ok(gathered)
    }

    fn merge(&mut self, done: Done, inputs: &mut Inputs<'_>) -> Result<(), Error> {
        let Done { file, result, .. } = done;
        // The blocks of a file come one after the other.
        let lines = self.lines.filter(|(of, _)| *of == file).map_or(0, |(_, lines)| lines);
        self.lines = result.lines.map(|own| (file, lines.saturating_add(own)));
        let is_ignored = inputs.ignored.get(file as usize).copied().unwrap_or(false);
        let Some(report) = inputs.reports.get_mut(file as usize) else { return Ok(()) };
        let mut problems =
            result.problems.into_iter().map(|(place, reason)| Problem { place: place.told(lines), reason });
        if self.options.strict
            && !is_ignored
            && let Some(problem) = problems.next()
        {
            let place = if problem.place.is_empty() { String::new() } else { format!("{}: ", problem.place) };
            let reason = format!("{place}{}", problem.reason);
            return Err(Error::Input { path: PathBuf::from(&report.path), reason });
        }
        let base = inputs.serials.get(file as usize).copied().unwrap_or_default();
        let base = base.saturating_add(i64::try_from(report.events).unwrap_or(0));
        report.events = report.events.saturating_add(result.events);
        self.options.watch.found(result.events);
        if !is_ignored {
            report.skipped = report.skipped.saturating_add(result.skipped);
        }
        report.passed_over = report.passed_over.saturating_add(result.passed_over);
        self.left_out.unread.extend(result.unread);
        self.left_out.hosts.extend(result.hosts);
        let room = Problem::KEPT.saturating_sub(report.problems.len());
        report.problems.extend(problems.take(room));
        memory::hold_events(self.held, self.options.pool.as_ref(), result.block.size())?;
        // What is a member of an archive was admitted with it.
        let owner = inputs.owners.get(file as usize).copied().unwrap_or(file);
        let dropped = self.sink.add(owner, result.block, base)?;
        if dropped > 0 {
            report.skipped = report.skipped.saturating_add(1);
            if report.problems.len() < Problem::KEPT {
                let reason = format!("{dropped} columns were not kept: the files have too many fields");
                report.problems.push(Problem { place: String::new(), reason });
            }
        }
        Ok(())
    }
}
