//! Conditions that move towards the data, as far as they stay small.
//!
//! DataFusion puts the expression of each column in the place of its name when it moves a condition below a projection.
//! Where fields are assigned from each other step by step, ten steps would make it a thousand times as large.

mod physical;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan};
use datafusion::optimizer::eliminate_outer_join::EliminateOuterJoin;
use datafusion::optimizer::optimizer::{ApplyOrder, Optimizer};
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

pub use physical::physical_rules;

/// How many nodes a condition may have that has grown on its way.
const LARGEST: usize = 128;

/// DataFusion's rule, for conditions that stay small.
#[derive(Debug)]
struct PushDownSmall(PushDownFilter);

/// Rules of DataFusion's that spelunk's plans give nothing to do: they have no subqueries, no conditions on cross joins and no
/// structures. Each would look through each plan all the same, twice.
const IDLE: [&str; 8] = [
    "rewrite_set_comparison",
    "unions_to_filter",
    "decorrelate_predicate_subquery",
    "scalar_subquery_to_join",
    "decorrelate_lateral_join",
    "eliminate_cross_join",
    "extract_leaf_expressions",
    "push_down_leaf_projections",
];

/// The rules of DataFusion's optimizer, this one in its place.
///
/// Without the one that looks for conditions above outer joins: to see what they say of the joined columns, it writes
/// out a condition through all projections below it, in plans that join nothing too.
pub fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let moves = PushDownFilter::new();
    let writes_out = EliminateOuterJoin::new();
    let replaced = |rule: Arc<dyn OptimizerRule + Send + Sync>| -> Option<Arc<dyn OptimizerRule + Send + Sync>> {
        match rule.name() {
            name if name == moves.name() => Some(Arc::new(PushDownSmall(PushDownFilter::new()))),
            name if name == writes_out.name() || IDLE.contains(&name) => None,
            _ => Some(rule),
        }
    };
    Optimizer::new().rules.into_iter().filter_map(replaced).collect()
}

impl OptimizerRule for PushDownSmall {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let Some((small, large)) = divided(&plan)? else { return self.0.rewrite(plan, config) };
        let LogicalPlan::Filter(filter) = &plan else { return Ok(Transformed::no(plan)) };
        let (Some(small), Some(large)) = (conjunction(small), conjunction(large)) else {
            return Ok(Transformed::no(plan));
        };
        let small = LogicalPlan::Filter(Filter::try_new(small, Arc::clone(&filter.input))?);
        let moved = self.0.rewrite(small, config)?;
        if !moved.transformed {
            return Ok(Transformed::no(plan));
        }
        Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(large, Arc::new(moved.data))?)))
    }
}

/// The parts of a condition that stay small below the projection that it stands on, and those that would get too large;
/// `None` if none would.
///
/// A part that stays would keep all others from choosing the events that the projections are computed of.
fn divided(plan: &LogicalPlan) -> Result<Option<(Vec<Expr>, Vec<Expr>)>> {
    let LogicalPlan::Filter(filter) = plan else { return Ok(None) };
    let LogicalPlan::Projection(projection) = filter.input.as_ref() else { return Ok(None) };
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for (field, expr) in projection.schema.fields().iter().zip(&projection.expr) {
        sizes.insert(field.name(), size(expr, &HashMap::new())?);
    }
    let grows = |part: &Expr| -> Result<bool> {
        let grown = size(part, &sizes)?;
        Ok(grown > LARGEST && grown > size(part, &HashMap::new())?)
    };
    if !grows(&filter.predicate)? {
        return Ok(None);
    }
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for part in split_conjunction(&filter.predicate) {
        let place = if grows(part)? { &mut large } else { &mut small };
        place.push(part.clone());
    }
    // Each part is small, and together they are as large as the query.
    Ok(Some((small, large)).filter(|(_, large)| !large.is_empty()))
}

/// How many nodes an expression has, where a column counts as many as `sizes` says.
fn size(expr: &Expr, sizes: &HashMap<&str, usize>) -> Result<usize> {
    let mut nodes: usize = 0;
    expr.apply(|part| {
        nodes = nodes.saturating_add(match part {
            Expr::Alias(_) => 0,
            Expr::Column(column) => sizes.get(column.name.as_str()).copied().unwrap_or(1),
            _ => 1,
        });
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::logical_expr::{col, lit, table_scan};
    use datafusion::optimizer::OptimizerContext;

    use super::*;

    #[test]
    fn small_parts_of_a_condition_leave_large_ones_behind() {
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Int64, true)]);
        let large = (0..100).fold(col("b"), |sum, number| sum + lit(number));
        let condition = col("a").gt(lit(1_i64)).and(col("c").gt(lit(2_i64)));
        let below = table_scan(Some("t"), &schema, None).unwrap().project(vec![col("a"), large.alias("c")]).unwrap();
        let plan = below.filter(condition).unwrap().build().unwrap();
        let rule = PushDownSmall(PushDownFilter::new());
        let moved = rule.rewrite(plan, &OptimizerContext::new()).unwrap();
        let text = moved.data.display_indent().to_string();
        let lines: Vec<&str> = text.lines().map(|line| line.trim().split(" + ").next().unwrap_or_default()).collect();
        assert!(moved.transformed);
        assert_eq!(lines, ["Filter: c > Int64(2)", "Projection: t.a, t.b", "Filter: t.a > Int64(1)", "TableScan: t"]);
        assert!(!rule.rewrite(moved.data, &OptimizerContext::new()).unwrap().transformed);
    }

    #[test]
    fn the_rules_that_are_named_are_there() {
        let rules = Optimizer::new().rules;
        let known: Vec<&str> = rules.iter().map(|rule| rule.name()).collect();
        assert!(IDLE.iter().all(|name| known.contains(name)), "{known:?}");
        assert_eq!(super::rules().len(), known.len() - IDLE.len() - 1);
    }
}
