//! Keeps conditions away from what is below an aggregate over all rows.
//!
//! DataFusion moves a condition that looks at no column, such as one on a field that was set to a constant, below any
//! aggregate. Below one without groups it takes away the rows that are counted, and not the one row of the result.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::AnalyzerRule;

/// Takes the first row of every aggregate that has only one: nothing moves below a limit.
#[derive(Debug)]
pub struct SingleRow;

impl AnalyzerRule for SingleRow {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let limited = plan.transform_up(|plan| match &plan {
            LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => {
                Ok(Transformed::yes(LogicalPlanBuilder::new(plan).limit(0, Some(1))?.build()?))
            }
            _ => Ok(Transformed::no(plan)),
        })?;
        Ok(limited.data)
    }

    fn name(&self) -> &str {
        "single_row"
    }
}
