//! The same for the plan that runs, where conditions move once more: into the readers of files.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

/// How many nodes a condition may come to have.
const LARGEST: usize = 4096;

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// DataFusion's rule, for plans in which all conditions stay small.
#[derive(Debug)]
struct PushDownSmall(Rule);

/// The rules of DataFusion's optimizer of plans that run, with this one in its place.
pub fn physical_rules() -> Vec<Rule> {
    let moves = FilterPushdown::new();
    let replaced =
        |rule: Rule| -> Rule { if rule.name() == moves.name() { Arc::new(PushDownSmall(rule)) } else { rule } };
    PhysicalOptimizer::new().rules.into_iter().map(replaced).collect()
}

impl PhysicalOptimizerRule for PushDownSmall {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let mut largest = 0;
        sizes(&plan, &mut largest)?;
        if largest > LARGEST { Ok(plan) } else { self.0.optimize(plan, config) }
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// How many nodes each column of a plan has when it is written out down to where it comes from. `largest` becomes the
/// size of the largest condition so written.
fn sizes(plan: &Arc<dyn ExecutionPlan>, largest: &mut usize) -> Result<Vec<usize>> {
    let mut below = Vec::new();
    for child in plan.children() {
        below.push(sizes(child, largest)?);
    }
    let columns = plan.schema().fields().len();
    let [below] = below.as_slice() else { return Ok(vec![1; columns]) };
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return projection.expr().iter().map(|column| size(&column.expr, below)).collect();
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        *largest = (*largest).max(size(filter.predicate(), below)?);
        if let Some(kept) = filter.projection() {
            return Ok(kept.iter().map(|&column| below.get(column).copied().unwrap_or(1)).collect());
        }
    }
    Ok(if below.len() == columns { below.clone() } else { vec![1; columns] })
}

fn size(expr: &Arc<dyn PhysicalExpr>, columns: &[usize]) -> Result<usize> {
    let mut nodes: usize = 0;
    expr.apply(|part| {
        let column = part.downcast_ref::<Column>().and_then(|column| columns.get(column.index()));
        nodes = nodes.saturating_add(column.copied().unwrap_or(1));
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_is_replaced_is_there() {
        let replaced = physical_rules().iter().filter(|rule| format!("{rule:?}").starts_with("PushDownSmall")).count();
        assert_eq!(replaced, 1);
    }
}
