//! `appendpipe`: the present rows, and below them what commands make of them.
//!
//! Source: Splunk Search Reference, "appendpipe".

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;
use spelunk_grammar::spl::commands::appendpipe::Appendpipe;

use super::frame::Frame;
use super::{PlanResult, Planner, barrier, combine};

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Appendpipe) -> PlanResult<()> {
    // There are no previews.
    let Appendpipe { run_in_preview: _, subpipe } = command;
    if is_volatile(frame.plan()) {
        // The plan is part of both halves of the result, and would be run twice with different values.
        barrier::materialise(planner, frame).await?;
    }
    let lower = combine::pipe(planner, frame.clone(), &subpipe.query.commands).await?;
    combine::stack(frame, lower)
}

/// Whether a plan may give other values when it is run again.
fn is_volatile(plan: &LogicalPlan) -> bool {
    let mut found = false;
    let looked = plan.apply(|node| {
        node.apply_expressions(|expression| {
            found |= expression.is_volatile();
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    });
    found || looked.is_err()
}
