//! Which parts of a plan run on a cluster.
//!
//! A part is a whole tree of the physical plan that reads files and that a worker understands. It is taken as large as it can
//! be, so that little comes back. To be sent, it has to come back the same from its written form: what is lost there would be
//! a wrong result.
//!
//! The plan was made with the partitions and orders that its operators need of each other. The rows of a part come back as one
//! partition; where the operator above counts on more, they are dealt out again in the same way.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::ParquetSource;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::expressions::UnKnownColumn;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::InterleaveExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning, displayable};
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;

use super::codec::Codec;
use super::files::{self, Files, FilesExec};
use super::remote::RemoteExec;
use super::{Cluster, MOST_BYTES, functions};
use crate::memory::Sizes;
use crate::operators::compact::{Compact, CompactExec};

/// The most bytes of rows in memory that travel with a part.
pub(super) const MOST_ROWS: usize = 4 << 20;

/// The plan with the parts that run on the cluster, where the session has one.
pub(crate) fn divide(plan: Arc<dyn ExecutionPlan>, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
    match session.config().get_extension::<Cluster>() {
        Some(cluster) => Division { session, cluster }.of(plan),
        None => Ok(plan),
    }
}

struct Division<'s> {
    session: &'s dyn Session,
    cluster: Arc<Cluster>,
}

impl Division<'_> {
    fn of(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        if !is_needless(&plan)
            && self.is_understood(&plan)?
            && let Some(remote) = self.part(&plan)?
        {
            return Ok(remote);
        }
        let children =
            plan.children().into_iter().map(|child| self.of(Arc::clone(child))).collect::<Result<Vec<_>>>()?;
        replace_children_if_necessary(plan, children)
    }

    /// Whether a tree reads files, and workers understand all of it.
    fn is_understood(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
        let (mut reads, mut understood) = (false, true);
        plan.apply(|node| {
            reads |= files::scan(node).is_some();
            understood &= is_understood(node) && functions::are_known(node, self.session)?;
            Ok(if understood { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
        })?;
        Ok(reads && understood)
    }

    /// The operator that stands for a part; nothing if it does not come back the same from its written form.
    fn part(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let partitions = plan.output_partitioning().partition_count();
        if partitions > 1 && plan.output_ordering().is_some() {
            return Ok(None);
        }
        let checked = Arc::clone(plan).transform_up(|node| {
            Ok(match files::scan(&node) {
                Some(_) => Transformed::yes(FilesExec::over(node, Files)),
                None => Transformed::no(node),
            })
        })?;
        let Some(written) = self.written(&checked.data) else { return Ok(None) };
        let remote = Arc::new(RemoteExec::new(checked.data, written, Arc::clone(&self.cluster)));
        Ok(Some(match plan.output_partitioning() {
            _ if partitions <= 1 => remote,
            hashed @ Partitioning::Hash(keys, _) if !keys.iter().any(|key| key.is::<UnKnownColumn>()) => {
                Arc::new(RepartitionExec::try_new(remote, hashed.clone())?)
            }
            _ => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                Arc::new(RepartitionExec::try_new(remote, Partitioning::RoundRobinBatch(partitions.min(cores)))?)
            }
        }))
    }

    /// The written form, if it says the same.
    fn written(&self, plan: &Arc<dyn ExecutionPlan>) -> Option<Vec<u8>> {
        let codec = Codec::new();
        let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), &codec).ok()?;
        let mut written = Vec::new();
        node.try_encode(&mut written).ok()?;
        if written.len() > MOST_BYTES / 2 {
            return None;
        }
        let context = self.session.task_ctx();
        let read = PhysicalPlanNode::try_decode(&written).ok()?.try_into_physical_plan(&context, &codec).ok()?;
        let shown = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(true).to_string();
        (read.schema() == plan.schema() && shown(&read) == shown(plan)).then_some(written)
    }
}

/// Whether a tree begins with what is done as well here, on rows that come here anyway: bringing all of them into order.
fn is_needless(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(sort) = plan.downcast_ref::<SortExec>() {
        return sort.fetch().is_none();
    }
    if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
        return merge.fetch().is_none();
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return is_needless(projection.input());
    }
    let compact = plan.downcast_ref::<CompactExec>();
    plan.is::<CoalescePartitionsExec>() || compact.is_some_and(|compact| *compact.passing() != Compact::Gathered)
}

/// Whether an operator means the same on a worker, apart from its functions. Whether it has a written form is not asked here.
fn is_understood(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(scan) = files::scan(plan) {
        // Columns that the reader makes up, such as row numbers, have no written form.
        let source = scan.file_source();
        return (source.as_ref() as &dyn std::any::Any).is::<ParquetSource>()
            && source.table_schema().virtual_columns().is_empty();
    }
    if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
        let memory = (source.data_source().as_ref() as &dyn std::any::Any).downcast_ref::<MemorySourceConfig>();
        return memory.is_some_and(|memory| {
            let mut sizes = Sizes::default();
            let bytes = memory.partitions().iter().flatten().map(|batch| sizes.add(batch));
            bytes.fold(0, usize::saturating_add) <= MOST_ROWS
        });
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return *join.partition_mode() == PartitionMode::Partitioned && !join.null_aware;
    }
    // Their inputs have partitions in ways that Ballista's stages may not keep.
    !(plan.is::<InterleaveExec>() || plan.is::<CrossJoinExec>() || plan.is::<NestedLoopJoinExec>())
}
