//! Aggregates over the rows so far, for `streamstats`.
//!
//! Without a window an accumulator lives as long as its group and sees each row once. With a window the rows
//! in it are counted anew for each row: taking rows back out of a sum would leave its rounding errors in.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, new_empty_array};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;

use super::running::{Computation, Stream, is_true, truth};
use crate::values::Value;

/// What has been seen so far.
pub struct State {
    computation: Arc<Computation>,
    stream: Stream,
    groups: HashMap<Arc<str>, Group>,
    /// The window that all groups share.
    shared: VecDeque<Entry>,
    /// The group of the row before.
    previous: Option<Arc<str>>,
    clock: Clock,
}

#[derive(Default)]
struct Group {
    /// Empty as long as there is a window.
    accumulators: Vec<Box<dyn Accumulator>>,
    window: VecDeque<Entry>,
}

/// A row in a window.
struct Entry {
    prepared: Arc<Prepared>,
    row: usize,
    group: Arc<str>,
    time: i64,
}

/// What the accumulators take from a batch.
struct Prepared {
    values: Vec<Vec<ArrayRef>>,
    masks: Vec<Option<BooleanArray>>,
}

/// Which way the times of the rows go.
#[derive(Default)]
struct Clock {
    last: Option<i64>,
    direction: Option<Ordering>,
}

impl Clock {
    /// Notes the time of a row, in microseconds.
    fn tick(&mut self, time: i64) -> Result<()> {
        if let Some(last) = self.last.replace(time)
            && time != last
        {
            let direction = time.cmp(&last);
            if *self.direction.get_or_insert(direction) != direction {
                return exec_err!(
                    "`streamstats time_window` needs rows in the order of `_time`; put `sort 0 _time` before it"
                );
            }
        }
        Ok(())
    }
}

impl State {
    pub fn new(computation: Arc<Computation>, stream: Stream) -> Self {
        Self {
            computation,
            stream,
            groups: HashMap::new(),
            shared: VecDeque::new(),
            previous: None,
            clock: Clock::default(),
        }
    }

    /// A batch with the results of its rows.
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let computation = Arc::clone(&self.computation);
        let keys: Vec<Option<Arc<str>>> = computation.keys(batch)?.into_iter().map(|key| key.map(Arc::from)).collect();
        let resets = computation.reset_before.as_ref().map(|condition| truth(condition, batch)).transpose()?;
        let prepared = Arc::new(Prepared {
            values: computation.aggregates.iter().map(|lowered| lowered.values(batch)).collect::<Result<_>>()?,
            masks: computation.aggregates.iter().map(|lowered| lowered.mask(batch)).collect::<Result<_>>()?,
        });
        let types: Vec<_> = computation.aggregates.iter().map(|lowered| lowered.data_type()).collect();
        let mut columns: Vec<Vec<ScalarValue>> = types.iter().map(|_| Vec::with_capacity(batch.num_rows())).collect();
        for (row, key) in keys.into_iter().enumerate() {
            let results = match key {
                None => types.iter().map(ScalarValue::try_from).collect::<Result<Vec<_>>>()?,
                Some(group) => {
                    if resets.as_ref().is_some_and(|resets| is_true(resets, row)) {
                        self.reset();
                    }
                    let time = self.time(batch, row)?;
                    let results = self.row(Entry { prepared: Arc::clone(&prepared), row, group, time })?;
                    if self.ends(batch, row, &results)? {
                        self.reset();
                    }
                    results
                }
            };
            for (column, result) in columns.iter_mut().zip(results) {
                column.push(result);
            }
        }
        let new = columns
            .into_iter()
            .zip(&types)
            .map(|(column, data_type)| match column.is_empty() {
                true => Ok(new_empty_array(data_type)),
                false => ScalarValue::iter_to_array(column),
            })
            .collect::<Result<_>>()?;
        computation.extend(batch, new)
    }

    fn reset(&mut self) {
        self.groups.clear();
        self.shared.clear();
    }

    /// The time of a row in microseconds, where a time window asks for it.
    fn time(&mut self, batch: &RecordBatch, row: usize) -> Result<i64> {
        if self.stream.time_window.is_none() {
            return Ok(0);
        }
        let time = batch.column_by_name("_time").and_then(|column| Value::read(column.as_ref(), row).number());
        match time {
            Some(seconds) => {
                let time = (seconds * 1e6).round() as i64;
                self.clock.tick(time)?;
                Ok(time)
            }
            None => exec_err!("`streamstats time_window` met a row without `_time`"),
        }
    }

    /// Whether everything starts anew after this row.
    fn ends(&self, batch: &RecordBatch, row: usize, results: &[ScalarValue]) -> Result<bool> {
        let Some(condition) = &self.computation.reset_after else { return Ok(false) };
        let new = results.iter().map(ScalarValue::to_array).collect::<Result<_>>()?;
        let one = self.computation.extend(&batch.slice(row, 1), new)?;
        Ok(is_true(&truth(condition, &one)?, 0))
    }

    fn row(&mut self, entry: Entry) -> Result<Vec<ScalarValue>> {
        if self.stream.reset_on_change && self.previous.as_ref().is_some_and(|previous| *previous != entry.group) {
            self.reset();
        }
        if self.stream.reset_on_change {
            self.previous = Some(Arc::clone(&entry.group));
        }
        if self.stream.window.is_some() || self.stream.time_window.is_some() {
            self.windowed(entry)
        } else {
            self.growing(&entry)
        }
    }

    /// The result over all rows of the group so far.
    fn growing(&mut self, entry: &Entry) -> Result<Vec<ScalarValue>> {
        let group = match self.groups.get_mut(&entry.group) {
            Some(group) => group,
            None => {
                let accumulators = fresh(&self.computation)?;
                self.groups.entry(Arc::clone(&entry.group)).or_insert(Group { accumulators, window: VecDeque::new() })
            }
        };
        if self.stream.current {
            update(&mut group.accumulators, &entry.prepared, entry.row, 1)?;
            return evaluate(&mut group.accumulators);
        }
        let results = evaluate(&mut group.accumulators)?;
        update(&mut group.accumulators, &entry.prepared, entry.row, 1)?;
        Ok(results)
    }

    /// The result over the rows of the group in the window.
    fn windowed(&mut self, entry: Entry) -> Result<Vec<ScalarValue>> {
        let window = match self.stream.global {
            true => &mut self.shared,
            false => &mut self.groups.entry(Arc::clone(&entry.group)).or_default().window,
        };
        let (time, group) = (entry.time, Arc::clone(&entry.group));
        if let Some(span) = self.stream.time_window {
            while window.front().is_some_and(|oldest| oldest.time.abs_diff(time) >= span.unsigned_abs()) {
                window.pop_front();
            }
        }
        let most = self.stream.window.unwrap_or(usize::MAX);
        if self.stream.current {
            window.push_back(entry);
            while window.len() > most {
                window.pop_front();
            }
            return over(&self.computation, window, &group);
        }
        let results = over(&self.computation, window, &group)?;
        window.push_back(entry);
        while window.len() > most {
            window.pop_front();
        }
        Ok(results)
    }
}

fn fresh(computation: &Computation) -> Result<Vec<Box<dyn Accumulator>>> {
    computation.aggregates.iter().map(|lowered| lowered.aggregate.create_accumulator()).collect()
}

fn evaluate(accumulators: &mut [Box<dyn Accumulator>]) -> Result<Vec<ScalarValue>> {
    accumulators.iter_mut().map(|accumulator| accumulator.evaluate()).collect()
}

/// The result over the rows of a group in a window.
fn over(computation: &Computation, window: &VecDeque<Entry>, group: &Arc<str>) -> Result<Vec<ScalarValue>> {
    let mut accumulators = fresh(computation)?;
    let mut run: Option<(&Arc<Prepared>, usize, usize)> = None;
    for entry in window.iter().filter(|entry| entry.group == *group) {
        run = match run {
            Some((prepared, start, rows)) if Arc::ptr_eq(prepared, &entry.prepared) && start + rows == entry.row => {
                Some((prepared, start, rows + 1))
            }
            run => {
                if let Some((prepared, start, rows)) = run {
                    update(&mut accumulators, prepared, start, rows)?;
                }
                Some((&entry.prepared, entry.row, 1))
            }
        };
    }
    if let Some((prepared, start, rows)) = run {
        update(&mut accumulators, prepared, start, rows)?;
    }
    evaluate(&mut accumulators)
}

/// Counts consecutive rows of a batch.
fn update(accumulators: &mut [Box<dyn Accumulator>], prepared: &Prepared, start: usize, rows: usize) -> Result<()> {
    for ((accumulator, values), mask) in accumulators.iter_mut().zip(&prepared.values).zip(&prepared.masks) {
        let slices: Vec<ArrayRef> = values.iter().map(|array| array.slice(start, rows)).collect();
        match mask {
            None => accumulator.update_batch(&slices)?,
            Some(mask) if rows == 1 => {
                if is_true(mask, start) {
                    accumulator.update_batch(&slices)?;
                }
            }
            Some(mask) => {
                let mask = mask.slice(start, rows);
                let kept: Vec<ArrayRef> =
                    slices.iter().map(|slice| arrow::compute::filter(slice, &mask)).collect::<Result<_, _>>()?;
                if kept.first().is_none_or(|array| !array.is_empty()) {
                    accumulator.update_batch(&kept)?;
                }
            }
        }
    }
    Ok(())
}
