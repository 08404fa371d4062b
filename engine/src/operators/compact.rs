//! The operator that stands before sorts: it gives each batch dictionaries with only the values that it has.
//!
//! The batches of a file share dictionaries, which may be larger than they are. A sort counts and writes every batch
//! with all that it refers to, so it would take a multiple of what the rows need.
//!
//! A sort that keeps the first rows only takes few from each batch, but with these the dictionaries of all: there the
//! operator looks at batches that have far fewer rows than their dictionaries have values.
//!
//! And one sort takes the place of one a core whose results are merged: under a limit, the first of these would leave
//! nothing to the merge, which cannot do without. The batches are sorted on all cores all the same.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, RecordBatch, RecordBatchOptions};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use super::passing::{Passing, PassingExec};

/// So many values a row are far too many.
const SPARSE: usize = 4;

/// Puts the operator before every sort that holds all its rows, and makes it one sort.
pub fn before_sorts(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let changed = plan.transform_up(|node| {
        if let Some(merge) = node.downcast_ref::<SortPreservingMergeExec>()
            && let Some(sort) = merge.input().downcast_ref::<SortExec>()
            && (merge.fetch(), sort.fetch()) == (None, None)
        {
            let input = Arc::new(CoalescePartitionsExec::new(Arc::clone(sort.input())));
            return Ok(Transformed::yes(Arc::new(SortExec::new(sort.expr().clone(), input)) as _));
        }
        let Some(sort) = node.downcast_ref::<SortExec>() else { return Ok(Transformed::no(node)) };
        let input = Arc::clone(sort.input());
        let schema = input.schema();
        let mut types = schema.fields().iter().map(|field| field.data_type());
        if !types.any(|data_type| matches!(data_type, DataType::Dictionary(..))) {
            return Ok(Transformed::no(node));
        }
        let compact = Compact { sparse: sort.fetch().is_some() };
        Ok(Transformed::yes(replace_children_if_necessary(node, vec![CompactExec::over(input, compact)])?))
    })?;
    Ok(changed.data)
}

/// The operator.
pub(crate) type CompactExec = PassingExec<Compact>;

/// What it does.
#[derive(Debug, Clone)]
pub(crate) struct Compact {
    /// Whether only columns with far fewer rows than values get dictionaries of their own.
    pub(crate) sparse: bool,
}

impl Passing for Compact {
    const NAME: &'static str = "CompactExec";

    fn execute(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = input.execute(partition, context)?;
        let schema = input.schema();
        let sparse = self.sparse;
        let output = input.map(move |batch| compact(&batch?, sparse));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, output)))
    }
}

/// The same rows with small dictionaries.
fn compact(batch: &RecordBatch, sparse: bool) -> Result<RecordBatch> {
    let compacted = |column: &ArrayRef| match sparse && !is_sparse(column) {
        true => Ok(Arc::clone(column)),
        false => compact_column(column),
    };
    let columns = batch.columns().iter().map(compacted).collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
}

fn is_sparse(column: &ArrayRef) -> bool {
    let dictionary = column.as_dictionary_opt::<Int32Type>();
    dictionary.is_some_and(|dictionary| dictionary.len().saturating_mul(SPARSE) < dictionary.values().len())
}

fn compact_column(column: &ArrayRef) -> Result<ArrayRef> {
    let Some(dictionary) = column.as_dictionary_opt::<Int32Type>() else { return Ok(Arc::clone(column)) };
    // The new place of each value that is used, in the order in which they come up.
    let mut places: Vec<i32> = vec![-1; dictionary.values().len()];
    let mut used: Vec<i32> = Vec::new();
    let keys = dictionary.keys().iter().map(|key| {
        let key = key?;
        let place = places.get_mut(usize::try_from(key).ok()?)?;
        if *place < 0 {
            *place = i32::try_from(used.len()).unwrap_or(i32::MAX);
            used.push(key);
        }
        Some(*place)
    });
    let keys: Int32Array = keys.collect();
    if used.len() == dictionary.values().len() {
        return Ok(Arc::clone(column));
    }
    if used.is_empty() {
        return Ok(arrow::array::new_null_array(column.data_type(), column.len()));
    }
    let values = take(dictionary.values(), &Int32Array::from(used), None)?;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_in_use_are_left() {
        let all: DictionaryArray<Int32Type> = [Some("a"), Some("b"), None, Some("c"), Some("b")].into_iter().collect();
        let part: ArrayRef = Arc::new(all.slice(1, 3));
        let compacted = compact_column(&part).unwrap();
        assert_eq!(compacted.as_dictionary::<Int32Type>().values().len(), 2);
        let texts = |array: &ArrayRef| arrow::compute::cast(array, &DataType::Utf8).unwrap();
        assert_eq!(&texts(&compacted), &texts(&part));
        let nulls: ArrayRef = Arc::new(all.slice(2, 1));
        assert_eq!(compact_column(&nulls).unwrap().null_count(), 1);
    }
}
