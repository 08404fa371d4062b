//! The rows that open transactions hold on to.
//!
//! Rows stay in the columns they came in, and are known by their place. Where few rows of a batch are still
//! wanted they are copied out, so that one old event does not keep thousands of rows in memory.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::Result;

/// The place of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    batch: u32,
    row: u32,
}

/// Batches by their number.
#[derive(Debug, Default)]
pub struct Rows {
    batches: HashMap<u32, Batch>,
    next: u32,
    /// How many rows are held in memory, and how many of them are wanted.
    held: usize,
    wanted: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Batch {
    columns: Vec<ArrayRef>,
    rows: usize,
    wanted: usize,
    bytes: usize,
}

/// So many rows may be held in vain.
const SLACK: usize = 32_768;

impl Rows {
    /// Takes a batch, of which no row is wanted yet, and gives its number.
    pub fn add(&mut self, columns: Vec<ArrayRef>, rows: usize) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.insert(number, Batch { bytes: bytes(&columns), columns, rows, wanted: 0 });
        number
    }

    fn insert(&mut self, number: u32, batch: Batch) {
        self.held = self.held.saturating_add(batch.rows);
        self.wanted = self.wanted.saturating_add(batch.wanted);
        self.bytes = self.bytes.saturating_add(batch.bytes);
        self.batches.insert(number, batch);
    }

    fn remove(&mut self, number: u32) -> Option<Batch> {
        let batch = self.batches.remove(&number)?;
        self.held = self.held.saturating_sub(batch.rows);
        self.wanted = self.wanted.saturating_sub(batch.wanted);
        self.bytes = self.bytes.saturating_sub(batch.bytes);
        Some(batch)
    }

    /// Holds on to a row.
    pub fn hold(&mut self, batch: u32, row: usize) -> Place {
        if let Some(batch) = self.batches.get_mut(&batch) {
            batch.wanted = batch.wanted.saturating_add(1);
            self.wanted = self.wanted.saturating_add(1);
        }
        Place { batch, row: u32::try_from(row).unwrap_or(u32::MAX) }
    }

    /// Lets go of rows.
    pub fn release(&mut self, places: &[Place]) {
        for place in places {
            if let Some(batch) = self.batches.get_mut(&place.batch) {
                batch.wanted = batch.wanted.saturating_sub(1);
                self.wanted = self.wanted.saturating_sub(1);
            }
        }
    }

    /// The column of that position and the row in it.
    pub fn cell(&self, place: Place, column: usize) -> Option<(&dyn Array, usize)> {
        let batch = self.batches.get(&place.batch)?;
        let column = batch.columns.get(column)?;
        let row = usize::try_from(place.row).ok()?;
        (row < column.len()).then_some((column.as_ref(), row))
    }

    /// How much memory the rows take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops what is not wanted any more. The places that are still wanted are given, and changed where their
    /// rows have moved.
    pub fn tidy<'p>(&mut self, places: impl Fn() -> Box<dyn Iterator<Item = Place> + 'p>) -> Result<Vec<Moved>> {
        let empty: Vec<u32> = self.batches.iter().filter(|(_, batch)| batch.wanted == 0).map(|(n, _)| *n).collect();
        for number in empty {
            self.remove(number);
        }
        if self.held <= self.wanted.saturating_mul(2).saturating_add(SLACK) {
            return Ok(Vec::new());
        }
        let mut kept: HashMap<u32, Vec<u32>> = HashMap::new();
        for place in places() {
            let sparse =
                self.batches.get(&place.batch).is_some_and(|batch| batch.wanted.saturating_mul(2) < batch.rows);
            if sparse {
                kept.entry(place.batch).or_default().push(place.row);
            }
        }
        let mut moved = Vec::with_capacity(kept.len());
        for (number, mut rows) in kept {
            rows.sort_unstable();
            rows.dedup();
            let Some(batch) = self.remove(number) else { continue };
            let positions = UInt32Array::from(rows.clone());
            let columns: Vec<ArrayRef> =
                batch.columns.iter().map(|column| take(column, &positions, None)).collect::<Result<_, _>>()?;
            self.insert(number, Batch { bytes: bytes(&columns), columns, rows: rows.len(), wanted: batch.wanted });
            moved.push(Moved { batch: number, rows });
        }
        Ok(moved)
    }
}

/// The rows of a batch that were copied out, in order.
#[derive(Debug)]
pub struct Moved {
    batch: u32,
    rows: Vec<u32>,
}

/// Where moved rows are found now.
pub fn relocate<'p>(moved: &[Moved], places: impl Iterator<Item = &'p mut Place>) {
    let by_batch: HashMap<u32, &Vec<u32>> = moved.iter().map(|moved| (moved.batch, &moved.rows)).collect();
    for place in places {
        if let Some(rows) = by_batch.get(&place.batch)
            && let Ok(row) = rows.binary_search(&place.row)
        {
            place.row = u32::try_from(row).unwrap_or(u32::MAX);
        }
    }
}

/// What columns take. The values of a dictionary are shared with where they came from.
fn bytes(columns: &[ArrayRef]) -> usize {
    columns.iter().map(size).fold(0, usize::saturating_add)
}

fn size(column: &ArrayRef) -> usize {
    match column.data_type() {
        DataType::Dictionary(..) => column.len().saturating_mul(size_of::<i32>()),
        _ => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    #[test]
    fn rows_are_found_after_they_moved() {
        let mut rows = Rows::default();
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
        let number = rows.add(vec![column], 100_000);
        let mut places: Vec<Place> = [99_999, 7, 500].map(|row| rows.hold(number, row)).to_vec();
        let before = places.clone();
        let moved = rows.tidy(|| Box::new(before.clone().into_iter())).unwrap();
        relocate(&moved, places.iter_mut());
        let values: Vec<i64> = places
            .iter()
            .map(|place| {
                let (column, row) = rows.cell(*place, 0).unwrap();
                column.as_primitive::<Int64Type>().value(row)
            })
            .collect();
        assert_eq!(values, [99_999, 7, 500]);
        assert!(rows.bytes() < 1_000);
        rows.release(&places);
        rows.tidy(|| Box::new(std::iter::empty())).unwrap();
        assert_eq!(rows.bytes(), 0);
    }
}
