//! The operator above a scan that runs on a cluster: it looks whether the worker sees the files that the client saw.
//!
//! Paths mean the same on all machines of a cluster, or a search would find nothing, or something else.

use std::sync::Arc;

use datafusion::common::{Result, exec_err};
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;

use super::finding;
use crate::operators::passing::{Passing, PassingExec};

/// The operator.
pub(super) type FilesExec = PassingExec<Files>;

/// What it does.
#[derive(Debug, Clone)]
pub(super) struct Files;

impl Passing for Files {
    const NAME: &'static str = "FilesExec";

    fn execute(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        check(input, partition)?;
        input.execute(partition, context)
    }
}

/// The scan of files that an operator is.
pub(super) fn scan(plan: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    let source = plan.downcast_ref::<DataSourceExec>()?.data_source();
    (source.as_ref() as &dyn std::any::Any).downcast_ref::<FileScanConfig>()
}

/// Whether the files of a part of a scan are there, and as large as the client saw them.
fn check(plan: &Arc<dyn ExecutionPlan>, partition: usize) -> Result<()> {
    // Buckets are the same everywhere.
    let Some(scan) = scan(plan).filter(|scan| scan.object_store_url == ObjectStoreUrl::local_filesystem()) else {
        return Ok(());
    };
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
