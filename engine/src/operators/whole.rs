//! Aggregates over all rows of a group, for `eventstats`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::take;
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::GroupsAccumulatorAdapter;
use futures::stream::{Iter, StreamExt};

use super::running::{Computation, Lowered};
use crate::memory::Sizes;

/// Reads all rows, and gives them back with the results of their groups.
pub async fn compute(
    computation: Arc<Computation>,
    mut input: SendableRecordBatchStream,
    pool: Arc<dyn MemoryPool>,
) -> Result<Iter<std::vec::IntoIter<Result<RecordBatch>>>> {
    let reservation = MemoryConsumer::new("eventstats").register(&pool);
    let mut accumulators = computation.aggregates.iter().map(accumulator).collect::<Result<Vec<_>>>()?;
    let mut groups: HashMap<Option<String>, usize> = HashMap::new();
    let mut batches = Vec::new();
    let mut sizes = Sizes::default();
    while let Some(batch) = input.next().await {
        let batch = batch?;
        reservation.try_grow(sizes.add(&batch))?;
        let indices: Vec<usize> = computation
            .keys(&batch)?
            .into_iter()
            .map(|key| {
                let next = groups.len();
                *groups.entry(key).or_insert(next)
            })
            .collect();
        for (lowered, accumulator) in computation.aggregates.iter().zip(&mut accumulators) {
            let (values, mask) = (lowered.values(&batch)?, lowered.mask(&batch)?);
            accumulator.update_batch(&values, &indices, mask.as_ref(), groups.len())?;
        }
        batches.push((batch, indices));
    }
    if groups.is_empty() {
        return Ok(futures::stream::iter(Vec::new()));
    }
    let results: Vec<ArrayRef> =
        accumulators.iter_mut().map(|accumulator| accumulator.evaluate(EmitTo::All)).collect::<Result<_>>()?;
    let without = groups.get(&None).copied();
    let rows: Vec<Result<RecordBatch>> = batches
        .into_iter()
        .map(|(batch, indices)| {
            let wanted: UInt64Array =
                indices.into_iter().map(|group| Some(group as u64).filter(|_| Some(group) != without)).collect();
            let new = results.iter().map(|result| Ok(take(result, &wanted, None)?)).collect::<Result<_>>()?;
            computation.extend(&batch, new)
        })
        .collect();
    Ok(futures::stream::iter(rows))
}

fn accumulator(lowered: &Lowered) -> Result<Box<dyn GroupsAccumulator>> {
    let aggregate = &lowered.aggregate;
    if aggregate.groups_accumulator_supported() {
        return aggregate.create_groups_accumulator();
    }
    let aggregate = Arc::clone(aggregate);
    Ok(Box::new(GroupsAccumulatorAdapter::new(move || aggregate.create_accumulator())))
}
