//! Whether the functions in a plan are those that every worker has.
//!
//! A function is written as its name. One that holds something besides would be another function on a worker, or none; but
//! the table of a lookup is written too.
//!
//! A regular expression with look-around gives up after so many steps, which is counted and told after the search. What a
//! worker counts is not told, so such expressions are matched here.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::AggregateUDF;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::window::{
    PlainAggregateWindowExpr, SlidingAggregateWindowExpr, StandardWindowExpr, WindowExpr,
};
use datafusion::physical_expr::{HigherOrderFunctionExpr, ScalarFunctionExpr};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec, WindowUDFExpr};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

use super::lookups;
use crate::functions::geoip;
use crate::functions::pattern::Pattern;

/// Whether an operator calls only functions that are known by name.
pub(super) fn are_known(plan: &Arc<dyn ExecutionPlan>, session: &dyn Session) -> Result<bool> {
    let mut known = true;
    plan.apply_expressions(&mut |expression: &Arc<dyn PhysicalExpr>| {
        expression.apply(|part| {
            known &= is_known(part, session);
            Ok(if known { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
        })?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        known &= aggregate.aggr_expr().iter().all(|expr| is_aggregate(expr.fun(), session));
    }
    let windows = match (plan.downcast_ref::<WindowAggExec>(), plan.downcast_ref::<BoundedWindowAggExec>()) {
        (Some(window), _) => window.window_expr(),
        (_, Some(window)) => window.window_expr(),
        _ => &[],
    };
    Ok(known && windows.iter().all(|window| is_window(window, session)))
}

fn is_known(expression: &Arc<dyn PhysicalExpr>, session: &dyn Session) -> bool {
    if let Some(call) = expression.downcast_ref::<ScalarFunctionExpr>() {
        // A database of places may be another one on a worker.
        if call.fun().name() == geoip::NAME {
            return false;
        }
        let known = session.scalar_functions().get(call.fun().name()).is_some_and(|known| known.as_ref() == call.fun());
        return (known || lookups::travels(call.fun())) && !call.args().iter().any(may_give_up);
    }
    // Lambdas have no written form.
    !expression.is::<HigherOrderFunctionExpr>()
}

/// Whether an argument is a pattern that may take too many steps.
fn may_give_up(argument: &Arc<dyn PhysicalExpr>) -> bool {
    let literal = argument.downcast_ref::<Literal>().and_then(|literal| literal.value().try_as_str().flatten());
    let Some(text) = literal.filter(|text| text.contains("(?") || text.contains('\\')) else { return false };
    matches!(Pattern::new(text).as_deref(), Ok(Pattern::Backtracking(_)))
}

fn is_aggregate(function: &AggregateUDF, session: &dyn Session) -> bool {
    session.aggregate_functions().get(function.name()).is_some_and(|known| known.as_ref() == function)
}

fn is_window(window: &Arc<dyn WindowExpr>, session: &dyn Session) -> bool {
    if let Some(window) = window.as_any().downcast_ref::<PlainAggregateWindowExpr>() {
        return is_aggregate(window.get_aggregate_expr().fun(), session);
    }
    if let Some(window) = window.as_any().downcast_ref::<SlidingAggregateWindowExpr>() {
        return is_aggregate(window.get_aggregate_expr().fun(), session);
    }
    let standard = window.as_any().downcast_ref::<StandardWindowExpr>();
    let function = standard.and_then(|window| window.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>());
    function.is_some_and(|function| {
        session.window_functions().get(function.fun().name()).is_some_and(|known| known == function.fun())
    })
}
