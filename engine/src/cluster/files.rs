//! The operator above a scan that runs on a cluster: it looks whether the worker sees the files that the client saw.
//!
//! Paths mean the same on all machines of a cluster, or a search would find nothing, or something else.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_err};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};

use super::finding;

#[derive(Debug)]
pub(super) struct FilesExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl FilesExec {
    /// Above a scan.
    pub(super) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self { properties: Arc::clone(input.properties()), input }
    }
}

/// The scan of files that an operator is.
pub(super) fn scan(plan: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    let source = plan.downcast_ref::<DataSourceExec>()?.data_source();
    (source.as_ref() as &dyn std::any::Any).downcast_ref::<FileScanConfig>()
}

/// Whether the files of a part of a scan are there, and as large as the client saw them.
fn check(plan: &Arc<dyn ExecutionPlan>, partition: usize) -> Result<()> {
    let Some(scan) = scan(plan) else { return Ok(()) };
    for file in scan.file_groups.get(partition).into_iter().flat_map(|group| group.files()) {
        let path = format!("/{}", file.object_meta.location);
        let wrong = match std::fs::metadata(&path) {
            Ok(found) if found.len() == file.object_meta.size => continue,
            Ok(found) => format!("it has {} bytes there instead of {}", found.len(), file.object_meta.size),
            Err(error) => error.to_string(),
        };
        let message = format!(
            "a worker on {} cannot read {path} as it is seen here ({wrong}): a store has to be at the same path on every \
             machine",
            machine()
        );
        return exec_err!("{}", finding(&message));
    }
    Ok(())
}

/// The name of this machine.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "another machine".to_owned(),
        name => name.to_owned(),
    }
}

impl DisplayAs for FilesExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FilesExec")
    }
}

impl ExecutionPlan for FilesExec {
    fn name(&self) -> &str {
        "FilesExec"
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
        let Some(input) = children.pop() else { return exec_err!("FilesExec has one input") };
        Ok(Arc::new(Self::new(input)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        check(&self.input, partition)?;
        self.input.execute(partition, context)
    }
}
