//! Whether the rows that came until a search was ended are rows of its result.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;

/// Whether a node gives of a part of its rows a part of its result.
pub(crate) fn keeps_parts(node: &LogicalPlan) -> bool {
    match node {
        LogicalPlan::Sort(sort) => sort.fetch.is_none(),
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Unnest(_) => true,
        _ => false,
    }
}

/// Whether a plan gives of a part of the events a part of its result.
pub(crate) fn is_divisible(plan: &LogicalPlan) -> bool {
    let mut divisible = true;
    // The closure gives no error.
    let _ = plan.apply(|node| {
        divisible &= keeps_parts(node);
        Ok(if divisible { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    divisible
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::functions_aggregate::expr_fn::count;
    use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};

    #[test]
    fn what_counts_is_not_divisible() {
        let rows = || LogicalPlanBuilder::values(vec![vec![lit(1_i64)], vec![lit(2_i64)]]).unwrap();
        let kept = rows().filter(col("column1").gt(lit(1_i64))).unwrap().sort(vec![col("column1").sort(true, false)]);
        assert!(is_divisible(&kept.unwrap().build().unwrap()));
        let counted = rows().aggregate(Vec::<datafusion::logical_expr::Expr>::new(), vec![count(lit(1_i64))]);
        assert!(!is_divisible(&counted.unwrap().build().unwrap()));
        assert!(!is_divisible(&rows().limit(0, Some(1)).unwrap().build().unwrap()));
    }
}
