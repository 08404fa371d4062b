//! Nodes of plans whose columns have no qualifiers, made without DataFusion's builder.
//!
//! The builder resolves each column of an expression against joins with USING, and walks through the whole plan below to
//! find them: once a column. Plans here name every column exactly, so there is nothing to resolve.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::expr::Sort as SortKey;
use datafusion::logical_expr::{Aggregate, Expr, Filter, LogicalPlan, LogicalPlanBuilder, Projection, Sort};

/// The plan with these columns. A plan with qualifiers gets what the builder makes of it.
///
/// # Errors
/// DataFusion's own.
pub fn project(input: Arc<LogicalPlan>, expressions: Vec<Expr>) -> Result<LogicalPlan> {
    if is_plain(&input) && !computes_aggregates(&expressions)? {
        return Projection::try_new(expressions, input).map(LogicalPlan::Projection);
    }
    LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).project(expressions)?.build()
}

/// The rows of the plan for which the condition is true.
///
/// # Errors
/// DataFusion's own.
pub fn filter(input: Arc<LogicalPlan>, condition: Expr) -> Result<LogicalPlan> {
    match is_plain(&input) {
        true => Filter::try_new(condition, input).map(LogicalPlan::Filter),
        false => LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).filter(condition)?.build(),
    }
}

/// The groups of the plan's rows.
///
/// # Errors
/// DataFusion's own.
pub fn aggregate(input: Arc<LogicalPlan>, groups: Vec<Expr>, aggregates: Vec<Expr>) -> Result<LogicalPlan> {
    match is_plain(&input) {
        true => Aggregate::try_new(input, groups, aggregates).map(LogicalPlan::Aggregate),
        false => LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).aggregate(groups, aggregates)?.build(),
    }
}

/// The rows of the plan sorted by columns that it has; the first of them, where that is said.
///
/// # Errors
/// DataFusion's own.
pub fn sort(input: Arc<LogicalPlan>, keys: Vec<SortKey>, fetch: Option<usize>) -> Result<LogicalPlan> {
    let has = |key: &SortKey| match &key.expr {
        Expr::Column(column) => column.relation.is_none() && input.schema().has_column(column),
        _ => false,
    };
    match is_plain(&input) && keys.iter().all(has) {
        true => Ok(LogicalPlan::Sort(Sort { expr: keys, input, fetch })),
        false => LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).sort_with_limit(keys, fetch)?.build(),
    }
}

/// Whether no column of the plan has a qualifier.
fn is_plain(plan: &LogicalPlan) -> bool {
    plan.schema().iter().all(|(qualifier, _)| qualifier.is_none())
}

/// Whether an expression names what an aggregate or a window below computes by how it is computed.
fn computes_aggregates(expressions: &[Expr]) -> Result<bool> {
    for expression in expressions {
        if expression.exists(|part| Ok(matches!(part, Expr::AggregateFunction(_) | Expr::WindowFunction(_))))? {
            return Ok(true);
        }
    }
    Ok(false)
}
