//! Loaded batches as a source of a plan.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::{DataSource, DataSourceExec};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, Partitioning};
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, PhysicalExpr};

/// DataFusion's source of batches in memory, without what that says of the columns: it counts the missing values of all
/// of them whenever a rule asks, several times a plan, which takes longer than most searches.
#[derive(Debug)]
pub(crate) struct Loaded(MemorySourceConfig);

impl Loaded {
    /// A plan that gives these batches.
    ///
    /// # Errors
    /// A batch with another schema.
    pub(crate) fn plan(partitions: &[Vec<RecordBatch>], schema: SchemaRef) -> Result<Arc<dyn ExecutionPlan>> {
        let memory = MemorySourceConfig::try_new(partitions, schema, None)?;
        Ok(DataSourceExec::from_data_source(Self(memory)))
    }

    fn again(source: &dyn Any) -> Option<Arc<dyn DataSource>> {
        Some(Arc::new(Self(source.downcast_ref::<MemorySourceConfig>()?.clone())))
    }
}

impl DataSource for Loaded {
    fn open(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.0.open(partition, context)
    }

    fn fmt_as(&self, form: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt_as(form, f)
    }

    fn repartitioned(
        &self,
        partitions: usize,
        least: usize,
        ordering: Option<LexOrdering>,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        let changed = self.0.repartitioned(partitions, least, ordering)?;
        Ok(changed.and_then(|changed| Self::again(changed.as_ref())))
    }

    fn output_partitioning(&self) -> Partitioning {
        self.0.output_partitioning()
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        self.0.eq_properties()
    }

    fn scheduling_type(&self) -> SchedulingType {
        self.0.scheduling_type()
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let partitions = self.0.partitions();
        let rows = |batches: &Vec<RecordBatch>| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        let rows = match partition {
            Some(partition) => partitions.get(partition).map_or(0, rows),
            None => partitions.iter().map(rows).sum(),
        };
        let unknown = Statistics::new_unknown(self.0.eq_properties().schema());
        Ok(Arc::new(unknown.with_num_rows(Precision::Exact(rows))))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        Self::again(self.0.with_fetch(limit)?.as_ref())
    }

    fn fetch(&self) -> Option<usize> {
        self.0.fetch()
    }

    fn try_swapping_with_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn DataSource>>> {
        let swapped = self.0.try_swapping_with_projection(projection)?;
        Ok(swapped.and_then(|swapped| Self::again(swapped.as_ref())))
    }

    fn apply_expressions(
        &self,
        act: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.0.apply_expressions(act)
    }
}
