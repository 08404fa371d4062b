//! Which command made which part of a plan.
//!
//! A plan that commands make one after the other is a spine: from the scan at its bottom to the last node, through the
//! first input of each. A command adds nodes on top, or begins anew with rows that were collected.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use spelunk_grammar::Span;

use super::partial::keeps_parts;

/// What the planner notes while it plans a query.
#[derive(Debug, Default)]
pub struct Trail(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    /// How many pipelines are being planned, one inside of the other.
    depth: usize,
    /// The commands of the query itself, from the last one that began anew.
    steps: Vec<Step>,
    /// What is at the bottom of the plan.
    bottom: usize,
    /// The command that is being planned.
    now: String,
    runs: Vec<Run>,
    /// Whether anything ran while the query was planned.
    ran: bool,
}

/// A command, and how far it brought the plan.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) span: Span,
    /// How long the spine was then.
    pub(crate) end: usize,
}

/// A part of a query that ran.
#[derive(Debug)]
pub(crate) struct Run {
    /// The command that asked for it before the rest was planned; none for the query itself.
    pub(crate) by: Option<String>,
    /// The commands that it consists of; none where it is a search of its own.
    pub(crate) steps: Vec<Step>,
    pub(crate) logical: LogicalPlan,
    pub(crate) physical: Arc<dyn ExecutionPlan>,
}

impl Trail {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pipeline is planned from here on.
    pub(crate) fn enter(&self) {
        let mut noted = self.noted();
        noted.depth = noted.depth.saturating_add(1);
    }

    /// And until here.
    pub(crate) fn leave(&self) {
        let mut noted = self.noted();
        noted.depth = noted.depth.saturating_sub(1);
    }

    /// The query itself is planned next; what came before were searches inside of it.
    pub(crate) fn begin(&self) {
        let mut noted = self.noted();
        (noted.depth, noted.bottom) = (0, 0);
        noted.steps.clear();
    }

    /// That command is planned now.
    pub(crate) fn now(&self, name: &str) {
        let mut noted = self.noted();
        if noted.depth < 2 {
            noted.now.clear();
            noted.now.push_str(name);
        }
    }

    /// A command made the plan what it is now.
    pub(crate) fn record(&self, name: &str, text: impl FnOnce() -> String, span: Span, plan: &LogicalPlan) {
        let mut noted = self.noted();
        if noted.depth != 1 {
            return;
        }
        let spine = spine(plan);
        let bottom = spine.first().map_or(0, |node| identity(node));
        if noted.bottom != bottom {
            // What was collected ran already, and is no part of this plan; what was joined is below its bottom.
            let collected = matches!(spine.first(), Some(LogicalPlan::TableScan(_)));
            if collected {
                noted.steps.clear();
            }
            noted.steps.iter_mut().for_each(|step| step.end = 0);
            noted.bottom = bottom;
        }
        let end = spine.len();
        noted.steps.iter_mut().for_each(|step| step.end = step.end.min(end));
        noted.steps.push(Step { name: name.to_owned(), text: text(), span, end });
    }

    /// A part of the query ran while it was planned.
    pub(crate) fn ran(&self, measured: Option<(LogicalPlan, Arc<dyn ExecutionPlan>)>) {
        let mut noted = self.noted();
        noted.ran = true;
        if let Some((logical, physical)) = measured {
            let steps = if noted.depth == 1 { noted.steps.clone() } else { Vec::new() };
            let by = Some(noted.now.clone());
            noted.runs.push(Run { by, steps, logical, physical });
        }
    }

    /// What ran, with what runs last: the query itself.
    pub(crate) fn runs(&self, logical: LogicalPlan, physical: Arc<dyn ExecutionPlan>) -> Vec<Run> {
        let mut noted = self.noted();
        let steps = noted.steps.clone();
        noted.runs.push(Run { by: None, steps, logical, physical });
        std::mem::take(&mut noted.runs)
    }

    /// The command whose rows depend on all events, where there is one.
    pub(crate) fn whole(&self, plan: &LogicalPlan) -> Option<String> {
        let noted = self.noted();
        let unknown = || "the search".to_owned();
        if super::partial::is_divisible(plan) {
            return None;
        }
        let spine = spine(plan);
        // What comes in from the side is the doing of some command too, but not told apart.
        let Some(place) = spine.iter().position(|node| !keeps_parts(node)) else { return Some(unknown()) };
        Some(noted.steps.iter().find(|step| step.end > place).map_or_else(unknown, |step| format!("`{}`", step.name)))
    }

    /// The command that ran something while it was planned, where one did.
    pub(crate) fn ahead(&self) -> Option<String> {
        let noted = self.noted();
        noted.ran.then(|| format!("`{}`", noted.now)).map(|name| if name == "``" { "the search".into() } else { name })
    }
}

/// The nodes from the bottom to the top, through the first input of each; a join is a bottom.
pub(crate) fn spine(plan: &LogicalPlan) -> Vec<&LogicalPlan> {
    let mut nodes = vec![plan];
    let mut node = plan;
    while !matches!(node, LogicalPlan::Join(_)) {
        let Some(below) = node.inputs().first().copied() else { break };
        nodes.push(below);
        node = below;
    }
    nodes.reverse();
    nodes
}

/// What tells one bottom from another.
fn identity(node: &LogicalPlan) -> usize {
    match node {
        LogicalPlan::TableScan(scan) => Arc::as_ptr(&scan.source).cast::<()>() as usize,
        LogicalPlan::Join(join) => Arc::as_ptr(&join.left) as usize,
        _ => 1,
    }
}
