//! Operators that DataFusion lacks: a node of the logical plan each, and how it is executed.
//!
//! Adding one is a module here and a line in [`SplPlanner`].

pub(crate) mod compact;
pub mod groups;
pub mod leading;
pub mod occurrences;
pub(crate) mod passing;
pub mod running;
pub mod single;
mod stream;
pub mod transaction;
mod whole;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

/// DataFusion's planner with the operators of this module.
#[derive(Debug)]
pub struct SplQueryPlanner;

#[async_trait]
impl QueryPlanner for SplQueryPlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(SplPlanner)]);
        let plan = compact::put(planner.create_physical_plan(plan, session).await?)?;
        #[cfg(feature = "cluster")]
        let plan = crate::cluster::divide(plan, session)?;
        Ok(plan)
    }
}

#[derive(Debug)]
struct SplPlanner;

#[async_trait]
impl ExtensionPlanner for SplPlanner {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let [input] = inputs else { return Ok(None) };
        if let Some(leading) = node.as_any().downcast_ref::<leading::Leading>() {
            return Ok(Some(leading.execution(Arc::clone(input))));
        }
        if let Some(running) = node.as_any().downcast_ref::<running::Running>() {
            return Ok(Some(running.execution(Arc::clone(input), session)?));
        }
        if let Some(transactions) = node.as_any().downcast_ref::<transaction::Transactions>() {
            return Ok(Some(transactions.execution(Arc::clone(input), session)?));
        }
        Ok(None)
    }
}
