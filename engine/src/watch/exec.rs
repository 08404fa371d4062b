//! The operator that counts what passes it, and ends it when the search is ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};
use futures::{StreamExt, stream};

use super::Watch;

/// Puts the operator above every scan, and above every other operator where the plan is to be measured.
pub(crate) fn watched(
    plan: Arc<dyn ExecutionPlan>,
    watch: &Arc<Watch>,
    measured: bool,
) -> Result<Arc<dyn ExecutionPlan>> {
    let changed = plan.transform_up(|node| {
        let scan = node.children().is_empty();
        if !scan && !measured {
            return Ok(Transformed::no(node));
        }
        let watch = scan.then(|| Arc::clone(watch));
        let properties = Arc::clone(node.properties());
        Ok(Transformed::yes(Arc::new(WatchedExec { input: node, properties, watch, count: Arc::default() }) as _))
    })?;
    Ok(changed.data)
}

/// What passed an operator.
#[derive(Debug, Default)]
pub(crate) struct Count {
    rows: AtomicU64,
    /// How long it and what it calls took, in nanoseconds, all cores added up.
    nanoseconds: AtomicU64,
}

impl Count {
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }
}

#[derive(Debug)]
pub(crate) struct WatchedExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    /// Of a scan, who may end it.
    watch: Option<Arc<Watch>>,
    count: Arc<Count>,
}

impl WatchedExec {
    /// What it stands above.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    pub(crate) fn count(&self) -> &Count {
        &self.count
    }
}

impl DisplayAs for WatchedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WatchedExec")
    }
}

impl ExecutionPlan for WatchedExec {
    fn name(&self) -> &str {
        "WatchedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else { return exec_err!("WatchedExec has one input") };
        let (watch, count) = (self.watch.clone(), Arc::clone(&self.count));
        Ok(Arc::new(Self { properties: Arc::clone(input.properties()), input, watch, count }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut input = self.input.execute(partition, context)?;
        let schema = input.schema();
        let (watch, count) = (self.watch.clone(), Arc::clone(&self.count));
        let output = stream::poll_fn(move |context| {
            if watch.as_ref().is_some_and(|watch| watch.stops()) {
                return Poll::Ready(None);
            }
            let started = Instant::now();
            let polled = input.poll_next_unpin(context);
            let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            count.nanoseconds.fetch_add(took, Ordering::Relaxed);
            if let Poll::Ready(Some(Ok(batch))) = &polled {
                count.rows.fetch_add(u64::try_from(batch.num_rows()).unwrap_or(u64::MAX), Ordering::Relaxed);
                if let Some(watch) = &watch {
                    watch.scanned(batch.num_rows());
                }
            }
            polled
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, output)))
    }
}
