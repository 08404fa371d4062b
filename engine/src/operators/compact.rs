//! The operator that gives batches dictionaries with only the values that they have.
//!
//! The batches of a file share dictionaries, which may be larger than they are. A sort counts and writes every batch
//! with all that it refers to, so it would take a multiple of what the rows need.
//!
//! A sort that keeps the first rows only takes few from each batch, but with these the dictionaries of all: there the
//! operator looks at batches that have far fewer rows than their dictionaries have values.
//!
//! And so does a filter: it gathers rows until they are as many as a batch has, and while they are few, the dictionaries
//! of all that it has passed stay with them, a megabyte for each row group of a file. So the operator gathers them in its
//! place.
//!
//! And one sort takes the place of one a core whose results are merged: under a limit, the first of these would leave
//! nothing to the merge, which cannot do without. The batches are sorted on all cores all the same.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, RecordBatch, RecordBatchOptions};
use arrow::compute::{BatchCoalescer, take};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::BinaryExpr;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use futures::stream::try_unfold;

use super::passing::{Passing, PassingExec};

/// So many values a row are far too many.
const SPARSE: usize = 4;
/// So many a row are too many for rows that wait for others.
const SCARCE: usize = 64;

/// Puts the operator before every sort and behind every filter, and makes one sort of what is merged whole.
///
/// # Errors
/// DataFusion's, of a plan that cannot be put together.
pub fn put(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let changed = plan.transform_up(|node| {
        if let Some(merge) = node.downcast_ref::<SortPreservingMergeExec>()
            && let Some(sort) = merge.input().downcast_ref::<SortExec>()
            && (merge.fetch(), sort.fetch()) == (None, None)
        {
            let input = Arc::new(CoalescePartitionsExec::new(Arc::clone(sort.input())));
            return Ok(Transformed::yes(Arc::new(SortExec::new(sort.expr().clone(), input)) as _));
        }
        if let Some(filter) = node.downcast_ref::<FilterExec>().filter(|filter| filter.fetch().is_none())
            && has_dictionaries(&node)
        {
            // It then gathers nothing: what it finds in a batch is a batch.
            let filter = FilterExecBuilder::from(filter).with_predicate(nested(filter.predicate())).with_batch_size(1);
            return Ok(Transformed::yes(CompactExec::over(Arc::new(filter.build()?), Compact::Gathered)));
        }
        if let Some(sort) = node.downcast_ref::<SortExec>()
            && has_dictionaries(sort.input())
        {
            let compact = if sort.fetch().is_some() { Compact::Sparse } else { Compact::Whole };
            let input = CompactExec::over(Arc::clone(sort.input()), compact);
            return Ok(Transformed::yes(replace_children_if_necessary(node, vec![input])?));
        }
        Ok(Transformed::no(node))
    })?;
    Ok(changed.data)
}

/// The same conditions, of which each is asked about the rows that all before it have left. As they come, those left by the
/// first are asked about the second and put back among the others, and so on.
fn nested(condition: &Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    let parts = split_conjunction(condition).into_iter().cloned();
    let nested = parts.rev().reduce(|rest, first| Arc::new(BinaryExpr::new(first, Operator::And, rest)));
    nested.unwrap_or_else(|| Arc::clone(condition))
}

fn has_dictionaries(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.schema().fields().iter().any(|field| matches!(field.data_type(), DataType::Dictionary(..)))
}

/// The operator.
pub(crate) type CompactExec = PassingExec<Compact>;

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Compact {
    /// Every column gets a dictionary of its own.
    Whole,
    /// Columns with far fewer rows than values get one.
    Sparse,
    /// Batches of few rows become larger ones. They wait with their dictionaries, unless these are far too large for them.
    Gathered,
}

impl Passing for Compact {
    const NAME: &'static str = "CompactExec";

    fn execute(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = context.session_config().batch_size();
        let input = input.execute(partition, context)?;
        let schema = input.schema();
        let most = match self {
            Compact::Whole => 0,
            Compact::Sparse => SPARSE,
            Compact::Gathered => return Ok(gathered(input, rows)),
        };
        let output = input.map(move |batch| compact(&batch?, most));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, output)))
    }

    fn described(&self) -> Option<String> {
        (*self == Compact::Gathered).then(|| "gathered".to_owned())
    }
}

/// Batches of about so many rows.
fn gathered(input: SendableRecordBatchStream, rows: usize) -> SendableRecordBatchStream {
    let schema = input.schema();
    let gathering = BatchCoalescer::new(Arc::clone(&schema), rows).with_biggest_coalesce_batch_size(Some(rows / 2));
    let output = try_unfold((Some(input), gathering), async |(mut input, mut gathering)| {
        loop {
            if let Some(batch) = gathering.next_completed_batch() {
                return Ok(Some((batch, (input, gathering))));
            }
            let Some(stream) = &mut input else { return Ok(None) };
            match stream.next().await {
                Some(batch) => gathering.push_batch(compact(&batch?, SCARCE)?)?,
                None => {
                    gathering.finish_buffered_batch()?;
                    input = None;
                }
            }
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, output))
}

/// The same rows; dictionaries with more values a row become small ones.
fn compact(batch: &RecordBatch, most: usize) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| compact_column(column, most)).collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
}

fn compact_column(column: &ArrayRef, most: usize) -> Result<ArrayRef> {
    let Some(dictionary) = column.as_dictionary_opt::<Int32Type>() else { return Ok(Arc::clone(column)) };
    let known = dictionary.values().len();
    if dictionary.len().saturating_mul(most) >= known && most > 0 {
        return Ok(Arc::clone(column));
    }
    let (keys, used) = match dictionary.len().saturating_mul(SPARSE) < known {
        true => by_search(dictionary.keys()),
        false => by_place(dictionary.keys(), known),
    };
    if used.len() == known {
        return Ok(Arc::clone(column));
    }
    if used.is_empty() {
        return Ok(arrow::array::new_null_array(column.data_type(), column.len()));
    }
    let values = take(dictionary.values(), &Int32Array::from(used), None)?;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
}

/// New keys, and which old ones they stand for, in the order in which these come up.
fn by_place(keys: &Int32Array, known: usize) -> (Int32Array, Vec<i32>) {
    let mut places: Vec<i32> = vec![-1; known];
    let mut used: Vec<i32> = Vec::new();
    let keys = keys.iter().map(|key| {
        let key = key?;
        let place = places.get_mut(usize::try_from(key).ok()?)?;
        if *place < 0 {
            *place = i32::try_from(used.len()).unwrap_or(i32::MAX);
            used.push(key);
        }
        Some(*place)
    });
    (keys.collect(), used)
}

/// The same for few keys of many, in order.
fn by_search(keys: &Int32Array) -> (Int32Array, Vec<i32>) {
    let mut used: Vec<i32> = keys.iter().flatten().collect();
    used.sort_unstable();
    used.dedup();
    let place = |key: i32| i32::try_from(used.binary_search(&key).ok()?).ok();
    (keys.iter().map(|key| place(key?)).collect(), used)
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::datatypes::{Field, Schema};
    use futures::TryStreamExt;

    fn texts(array: &ArrayRef) -> ArrayRef {
        arrow::compute::cast(array, &DataType::Utf8).unwrap()
    }

    #[test]
    fn only_values_in_use_are_left() {
        let all: DictionaryArray<Int32Type> = [Some("a"), Some("b"), None, Some("c"), Some("b")].into_iter().collect();
        let part: ArrayRef = Arc::new(all.slice(1, 3));
        let compacted = compact_column(&part, 0).unwrap();
        assert_eq!(compacted.as_dictionary::<Int32Type>().values().len(), 2);
        assert_eq!(&texts(&compacted), &texts(&part));
        let nulls: ArrayRef = Arc::new(all.slice(2, 1));
        assert_eq!(compact_column(&nulls, 0).unwrap().null_count(), 1);
    }

    #[test]
    fn few_rows_do_not_keep_many_values() {
        let values: Vec<String> = (0..1_000).map(|number| format!("value {number}")).collect();
        let all: DictionaryArray<Int32Type> = values.iter().rev().map(|value| Some(value.as_str())).collect();
        let keys = Int32Array::from(vec![Some(998), None, Some(3), Some(998)]);
        let few: ArrayRef = Arc::new(DictionaryArray::try_new(keys, Arc::clone(all.values())).unwrap());
        for most in [0, SPARSE, SCARCE] {
            let compacted = compact_column(&few, most).unwrap();
            assert_eq!(compacted.as_dictionary::<Int32Type>().values().len(), 2);
            assert_eq!(&texts(&compacted), &texts(&few));
        }
        let many: ArrayRef = Arc::new(all.slice(0, 100));
        assert_eq!(compact_column(&many, SCARCE).unwrap().as_dictionary::<Int32Type>().values().len(), 1_000);
        assert_eq!(compact_column(&many, SPARSE).unwrap().as_dictionary::<Int32Type>().values().len(), 100);
    }

    #[tokio::test]
    async fn batches_are_gathered_in_order() {
        let values: ArrayRef = Arc::new(arrow::array::StringArray::from_iter_values((0..5_000).map(|n| n.to_string())));
        let column = |keys: std::ops::Range<i32>| -> ArrayRef {
            Arc::new(DictionaryArray::try_new(Int32Array::from_iter_values(keys), Arc::clone(&values)).unwrap())
        };
        let schema = Arc::new(Schema::new(vec![Field::new("k", column(0..1).data_type().clone(), true)]));
        let batches: Vec<RecordBatch> = [0..3, 3..4, 4..4, 4..1_000, 1_000..1_007, 1_007..1_100]
            .map(|keys| RecordBatch::try_new(Arc::clone(&schema), vec![column(keys)]).unwrap())
            .into();
        let stream = futures::stream::iter(batches.into_iter().map(Ok));
        let gathered = gathered(Box::pin(RecordBatchStreamAdapter::new(schema, stream)), 512);
        let gathered: Vec<RecordBatch> = gathered.try_collect().await.unwrap();
        let rows: Vec<String> = gathered
            .iter()
            .flat_map(|batch| {
                texts(batch.column(0)).as_string::<i32>().iter().flatten().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(rows, (0..1_100).map(|n| n.to_string()).collect::<Vec<_>>());
        assert!(gathered.len() <= 4 && gathered.iter().all(|batch| batch.num_rows() > 0), "{}", gathered.len());
    }
}
