//! What operators have in common that look at the batches of one input, partition by partition, and hold no expressions.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};

/// What such an operator does.
pub(crate) trait Passing: fmt::Debug + Clone + Send + Sync + 'static {
    /// The name of the operator in plans.
    const NAME: &'static str;
    /// Whether rows come out in the order in which they went in.
    const KEEPS_ORDER: bool = true;

    /// What plans may count on above the operator.
    fn properties(input: &Arc<dyn ExecutionPlan>) -> Arc<PlanProperties> {
        Arc::clone(input.properties())
    }

    /// What stands behind the name in plans.
    fn described(&self) -> Option<String> {
        None
    }

    /// The rows of a partition.
    fn execute(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream>;
}

/// The operator.
#[derive(Debug)]
pub(crate) struct PassingExec<P> {
    input: Arc<dyn ExecutionPlan>,
    passing: P,
    properties: Arc<PlanProperties>,
}

impl<P: Passing> PassingExec<P> {
    /// Above a plan.
    pub(crate) fn over(input: Arc<dyn ExecutionPlan>, passing: P) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { properties: P::properties(&input), input, passing })
    }

    /// What it stands above.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// What it does.
    pub(crate) fn passing(&self) -> &P {
        &self.passing
    }
}

impl<P: Passing> DisplayAs for PassingExec<P> {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.passing.described() {
            Some(described) => write!(f, "{}: {described}", P::NAME),
            None => f.write_str(P::NAME),
        }
    }
}

impl<P: Passing> ExecutionPlan for PassingExec<P> {
    fn name(&self) -> &str {
        P::NAME
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![P::KEEPS_ORDER]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else { return exec_err!("{} has one input", P::NAME) };
        Ok(Self::over(input, self.passing.clone()))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.passing.execute(&self.input, partition, context)
    }
}
