//! DataFusion as spelunk sets it up, and running parts of a search while it is planned.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;
use spelunk_grammar::spl::Command;

use super::SessionOptions;
use crate::memory::{Ledger, Memory, Sizes};
use crate::operators::SplQueryPlanner;
use crate::operators::single::SingleRow;
use crate::plan::Runner;
use crate::watch::Watch;
use crate::watch::exec::watched;
use crate::watch::trail::Trail;

/// DataFusion without a limit of memory.
pub fn session_state() -> SessionState {
    state_of(SessionStateBuilder::new(), SessionConfig::new())
}

/// DataFusion with the memory of a session.
pub(super) fn state_in(memory: &Memory, options: &SessionOptions) -> SessionState {
    let builder = SessionStateBuilder::new().with_runtime_env(memory.runtime());
    let config = memory.configure(SessionConfig::new());
    #[cfg(feature = "cluster")]
    if let Some(cluster) = &options.cluster {
        return naming_state(builder, crate::cluster::configure(config, cluster));
    }
    #[cfg(not(feature = "cluster"))]
    let _ = options;
    state_of(builder, config)
}

/// The one place where DataFusion is set up: rules, options. Plans hold their functions; nobody looks for these by name.
pub(crate) fn state_of(builder: SessionStateBuilder, config: SessionConfig) -> SessionState {
    let mut state = builder
        .with_config(config.with_information_schema(false))
        .with_optimizer_rules(crate::plan::pushdown::rules())
        .with_physical_optimizer_rules(crate::plan::pushdown::physical_rules())
        .with_query_planner(Arc::new(SplQueryPlanner))
        .build();
    state.add_analyzer_rule(Arc::new(SingleRow));
    state
}

/// The same where functions are found by their names, as in plans that came from elsewhere.
#[cfg(feature = "cluster")]
pub(crate) fn naming_state(builder: SessionStateBuilder, config: SessionConfig) -> SessionState {
    let mut state = state_of(builder.with_default_features(), config);
    for udf in crate::functions::udfs() {
        // A function that is there already is replaced, which cannot fail.
        let _ = datafusion::execution::FunctionRegistry::register_udf(&mut state, udf);
    }
    for udaf in crate::functions::udafs() {
        let _ = datafusion::execution::FunctionRegistry::register_udaf(&mut state, udaf);
    }
    for udwf in crate::functions::udwfs() {
        let _ = datafusion::execution::FunctionRegistry::register_udwf(&mut state, udwf);
    }
    state
}

pub(super) struct ContextRunner {
    pub(super) state: Arc<SessionState>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) watch: Arc<Watch>,
    pub(super) trail: Arc<Trail>,
    pub(super) measured: bool,
    /// What of all that was run for the search ran on a cluster, line by line.
    pub(super) remote: Arc<Mutex<Vec<String>>>,
}

/// What of a plan runs on a cluster, line by line.
pub(super) fn remote(plan: &Arc<dyn ExecutionPlan>, state: &SessionState) -> Result<Vec<String>, DataFusionError> {
    #[cfg(feature = "cluster")]
    {
        crate::cluster::explained(plan, state.config_options())
    }
    #[cfg(not(feature = "cluster"))]
    {
        let _ = (plan, state);
        Ok(Vec::new())
    }
}

#[async_trait]
impl Runner for ContextRunner {
    async fn collect(&self, plan: LogicalPlan) -> Result<(SchemaRef, Vec<RecordBatch>), DataFusionError> {
        let physical = self.state.create_physical_plan(&plan).await?;
        let lines = remote(&physical, &self.state)?;
        self.remote.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
        let physical = watched(physical, &self.watch, self.measured)?;
        self.watch.run(&physical);
        let schema = physical.schema();
        let context = Arc::new(TaskContext::from(self.state.as_ref()));
        let mut stream = execute_stream(Arc::clone(&physical), context)?;
        let mut batches = Vec::new();
        let mut sizes = Sizes::default();
        while let Some(batch) = stream.try_next().await? {
            self.ledger.hold(sizes.add(&batch))?;
            batches.push(batch);
        }
        self.trail.ran(self.measured.then_some((plan, physical)));
        Ok((schema, batches))
    }

    fn hold(&self, bytes: usize) -> Result<(), DataFusionError> {
        self.ledger.hold(bytes)
    }

    fn enter(&self, command: &Command) {
        self.trail.now(command.kind.doc().name);
        self.ledger.enter(command.kind.doc().name, command.span);
    }
}
