//! The operator that stands for the part of a plan that runs on a cluster.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ballista_scheduler::planner::{DefaultDistributedPlanner, DistributedPlanner};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, exec_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PhysicalExpr, PlanProperties,
    displayable,
};
use futures::StreamExt;

use super::Cluster;
use super::client::Job;

/// How often whoever waits for the cluster looks whether the search was ended.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct RemoteExec {
    plan: Arc<dyn ExecutionPlan>,
    written: Arc<Vec<u8>>,
    cluster: Arc<Cluster>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RemoteExec {
    /// For a plan, and its written form.
    pub(super) fn new(plan: Arc<dyn ExecutionPlan>, written: Vec<u8>, cluster: Arc<Cluster>) -> Self {
        // The order of one partition is kept on the way; several come one after the other.
        let equivalences = match plan.output_partitioning().partition_count() {
            1 => plan.equivalence_properties().clone(),
            _ => EquivalenceProperties::new(plan.schema()),
        };
        let properties = PlanProperties::new(
            equivalences,
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { plan, written: Arc::new(written), cluster, properties: Arc::new(properties), metrics }
    }

    /// The stages that it runs in, from the first to the last, as far as that is known before it runs.
    fn stages(&self, config: &ConfigOptions) -> Vec<String> {
        let stages =
            DefaultDistributedPlanner::new().plan_query_stages(&"explained".into(), Arc::clone(&self.plan), config);
        let shown = |plan: &dyn ExecutionPlan| displayable(plan).indent(false).to_string();
        match stages {
            Ok(stages) => stages
                .iter()
                .map(|stage| shown(stage.as_ref().children().first().map_or(self, |input| input.as_ref())))
                .collect(),
            Err(_) => vec![shown(self.plan.as_ref())],
        }
    }
}

/// What of a plan runs on the cluster, line by line.
pub(crate) fn explained(plan: &Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut parts: usize = 0;
    plan.apply(|node| {
        if let Some(remote) = node.downcast_ref::<RemoteExec>() {
            parts = parts.saturating_add(1);
            for (number, stage) in remote.stages(config).into_iter().enumerate() {
                lines.push(format!("part {parts}, stage {} on {}:", number.saturating_add(1), remote.cluster.url()));
                lines.extend(stage.lines().map(|line| format!("  {line}")));
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(lines)
}

impl DisplayAs for RemoteExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RemoteExec: {}, {} bytes of plan", self.cluster.url(), self.written.len())
    }
}

impl ExecutionPlan for RemoteExec {
    fn name(&self) -> &str {
        "RemoteExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return exec_err!("what comes from a cluster is one partition, there is no {partition}");
        }
        let schema = self.plan.schema();
        let job = Job::new(Arc::clone(&self.cluster), context.session_config());
        let mut rows = job.run(Arc::clone(&self.written), Arc::clone(&schema)).boxed();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        // A cluster may be silent for long. What stands above has to be asked now and then whether the search was ended.
        let mut looks = tokio::time::interval(LOOK);
        let output = futures::stream::poll_fn(move |context| {
            let polled = metrics.record_poll(rows.poll_next_unpin(context));
            if polled.is_pending() {
                while looks.poll_tick(context).is_ready() {}
                return Poll::Pending;
            }
            polled
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, output)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
