//! The operator that counts what passes it, and ends it when the search is ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use super::Watch;
use crate::operators::passing::{Passing, PassingExec};

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
        Ok(Transformed::yes(WatchedExec::over(node, Watched { watch, count: Arc::default() })))
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

/// The operator.
pub(crate) type WatchedExec = PassingExec<Watched>;

/// What it does.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    /// Of a scan, who may end it.
    watch: Option<Arc<Watch>>,
    count: Arc<Count>,
}

impl Watched {
    pub(crate) fn count(&self) -> &Count {
        &self.count
    }
}

impl Passing for Watched {
    const NAME: &'static str = "WatchedExec";

    fn execute(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut input = input.execute(partition, context)?;
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
