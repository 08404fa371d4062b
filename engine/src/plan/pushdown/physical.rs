//! The same for the plan that runs, where conditions move once more: into the readers of files.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

/// How many nodes a condition may come to have.
const LARGEST: usize = 4096;

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// One of DataFusion's rules that move conditions, for plans in which all of them stay small.
#[derive(Debug)]
struct PushDownSmall(Rule);

/// The rules of DataFusion's optimizer of plans that run, with this one in the place of those that move conditions: the
/// written ones, and at the end those that joins, sorts and aggregates find out while they run.
pub fn physical_rules() -> Vec<Rule> {
    let (written, found) = (FilterPushdown::new(), FilterPushdown::new_post_optimization());
    let replaced = |rule: Rule| -> Rule {
        let moves = [written.name(), found.name()].contains(&rule.name());
        if moves { Arc::new(PushDownSmall(rule)) } else { rule }
    };
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
/// size of the largest condition so written, or of what may become one while the plan runs.
fn sizes(plan: &Arc<dyn ExecutionPlan>, largest: &mut usize) -> Result<Vec<usize>> {
    let mut below = Vec::new();
    for child in plan.children() {
        below.push(sizes(child, largest)?);
    }
    if let (Some(join), [left, right]) = (plan.downcast_ref::<HashJoinExec>(), below.as_slice()) {
        for (one, other) in join.on() {
            *largest = (*largest).max(size(one, left)?).max(size(other, right)?);
        }
    }
    if let [below] = below.as_slice() {
        let mut conditions = Vec::new();
        if let Some(sort) = plan.downcast_ref::<SortExec>() {
            conditions.extend(sort.expr().iter().map(|key| Arc::clone(&key.expr)));
        }
        if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            conditions.extend(aggregate.aggr_expr().iter().flat_map(|function| function.expressions()));
        }
        for condition in conditions {
            *largest = (*largest).max(size(&condition, below)?);
        }
    }
    let columns = plan.schema().fields().len();
    if let (Some(projection), [below]) = (plan.downcast_ref::<ProjectionExec>(), below.as_slice()) {
        return projection.expr().iter().map(|column| size(&column.expr, below)).collect();
    }
    if let (Some(filter), [below]) = (plan.downcast_ref::<FilterExec>(), below.as_slice()) {
        *largest = (*largest).max(size(filter.predicate(), below)?);
        if let Some(kept) = filter.projection() {
            return Ok(kept.iter().map(|&column| below.get(column).copied().unwrap_or(1)).collect());
        }
    }
    let renumbers = plan.is::<AggregateExec>() || plan.is::<HashJoinExec>();
    if !renumbers && below.iter().all(|below| below.len() == columns) {
        // One input whose columns are passed on, or several of which each has all of them.
        return Ok((0..columns)
            .map(|column| below.iter().filter_map(|below| below.get(column)).copied().max().unwrap_or(1))
            .collect());
    }
    // A condition may move through a join or through groups, and which column is which is theirs to know.
    let most = below.iter().flatten().copied().max().unwrap_or(1);
    Ok(vec![most; columns])
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
        assert_eq!(replaced, 2);
    }
}
