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
    // The plan is part of both halves of the result: it would be run twice with different values, and a search with
    // many of these would have a plan twice as large for each.
    if is_volatile(frame.plan()) || is_large(frame.plan()) {
        match planner.runner {
            Some(_) => barrier::materialise(planner, frame).await.map(drop)?,
            None => barrier::stand_in(frame)?,
        }
    }
    let lower = combine::pipe(planner, frame.clone(), &subpipe.query.commands).await?;
    combine::stack(frame, lower)
}

/// How many nodes of a plan may be planned twice.
const MOST_NODES: usize = 40;

fn is_large(plan: &LogicalPlan) -> bool {
    let mut nodes: usize = 0;
    let looked = plan.apply(|_| {
        nodes = nodes.saturating_add(1);
        Ok(if nodes > MOST_NODES { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    nodes > MOST_NODES || looked.is_err()
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
