//! How long each command took, and how many rows came out of it.
//!
//! DataFusion moves conditions towards the events and computes columns where they are needed, so that commands which look
//! at one row after the other become one operator. What aggregates, sorts for a limit, numbers or joins rows stays where
//! it is: such anchors divide a plan, as the query has it and as it runs, into the same parts. Commands of one part are
//! one line; where the parts differ, or a condition was moved over an anchor, so are all the parts that it went through.

use std::sync::Arc;
use std::time::Duration;

use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::physical_expr::split_conjunction as split_physical;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::sorts::sort::SortExec;

use super::exec::WatchedExec;
use super::trail::{Run, Step, spine};

/// What is measured of a search.
#[derive(Debug, Default)]
pub struct Profile {
    pub(crate) runs: Vec<Run>,
}

/// Commands that were measured together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The commands in canonical form, from left to right; of some, only a part is in this line.
    pub commands: Vec<Share>,
    /// The rows that came out of the last of them.
    pub rows: u64,
    /// How long they took, all cores added up.
    pub busy: Duration,
    /// The command that ran this before the rest was planned, because it had to look at rows first.
    pub ahead: Option<String>,
}

/// A command in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The command in canonical form.
    pub text: String,
    /// Its place in the search.
    pub span: spelunk_grammar::Span,
    /// Whether other lines have a part of it too.
    pub divided: bool,
}

impl Profile {
    /// What was measured until now, in the order in which it ran.
    pub fn lines(&self) -> Vec<Line> {
        self.runs.iter().flat_map(lines).collect()
    }
}

/// What divides a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Aggregate,
    Window,
    Limit,
    Unnest,
    Union,
    Own(&'static str),
}

/// A node of a plan, as it was planned or as it ran.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    anchor: Option<Anchor>,
    /// How many conditions it filters by.
    filters: usize,
    /// Whether it begins what the next anchor ends.
    begins: bool,
    rows: u64,
    busy: Duration,
}

/// The nodes between two anchors, or those of an anchor.
#[derive(Debug, Clone, Default)]
struct Part {
    nodes: Vec<usize>,
    filters: usize,
    /// Whether it is an anchor.
    fixed: bool,
}

/// A part of a plan as the query has it, and the operators that it runs as.
type Pair = (Part, Vec<usize>);

fn lines(run: &Run) -> Vec<Line> {
    let planned: Vec<Node> = spine(&run.logical).into_iter().map(planned).collect();
    let ran = ran(&run.physical);
    let mut lines: Vec<Line> = Vec::new();
    for (part, nodes) in matched(&planned, &ran) {
        let steps = owned(run, &part, planned.len()).into_iter().filter_map(|step| run.steps.get(step));
        let share = |step: &Step| Share { text: step.text.clone(), span: step.span, divided: false };
        let commands: Vec<Share> = steps.map(share).collect();
        let nodes: Vec<&Node> = nodes.iter().filter_map(|node| ran.get(*node)).collect();
        let busy = nodes.iter().map(|node| node.busy).fold(Duration::ZERO, Duration::saturating_add);
        let rows = nodes.last().map_or(0, |node| node.rows);
        let within = |some: &[Share], all: &[Share]| some.iter().all(|share| all.contains(share));
        match lines.last_mut() {
            // What a command does after its own operator, and the order of the result.
            Some(last) if !part.fixed && within(&commands, &last.commands) => {
                (last.busy, last.rows) = (last.busy.saturating_add(busy), rows);
            }
            // What it does before.
            Some(last) if part.fixed && within(&last.commands, &commands) => {
                *last = Line { commands, rows, busy: last.busy.saturating_add(busy), ahead: run.by.clone() };
            }
            _ => lines.push(Line { commands, rows, busy, ahead: run.by.clone() }),
        }
    }
    let all: Vec<Share> = lines.iter().flat_map(|line| line.commands.clone()).collect();
    for share in lines.iter_mut().flat_map(|line| &mut line.commands) {
        share.divided = all.iter().filter(|other| other.span == share.span && other.text == share.text).count() > 1;
    }
    lines
}

/// The parts in which both plans agree.
fn matched(planned: &[Node], ran: &[Node]) -> Vec<Pair> {
    let ((anchors, parts), (measured, shares)) = (divide(planned), divide(ran));
    if anchors != measured {
        let all = Part { nodes: (0..planned.len()).collect(), ..Part::default() };
        return vec![(all, (0..ran.len()).collect())];
    }
    let mut matched: Vec<Pair> = Vec::new();
    for (part, share) in parts.into_iter().zip(shares) {
        let pair = (part.clone(), share.nodes);
        if part.filters > share.filters && !matched.is_empty() {
            // A condition runs somewhere below: no line before this one is what its commands alone give.
            let all = matched.drain(..).fold((Part::default(), Vec::new()), join);
            matched.push(join(all, pair));
        } else if pair.1.is_empty()
            && let Some(last) = matched.pop()
        {
            matched.push(join(last, pair));
        } else {
            matched.push(pair);
        }
    }
    matched.retain(|(part, nodes)| !part.nodes.is_empty() || !nodes.is_empty());
    matched
}

fn join(one: Pair, other: Pair) -> Pair {
    let filters = one.0.filters.saturating_add(other.0.filters);
    let fixed = one.0.fixed || other.0.fixed;
    (Part { nodes: [one.0.nodes, other.0.nodes].concat(), filters, fixed }, [one.1, other.1].concat())
}

/// The commands that a part of the planned spine comes from. One that left no node of its own, such as `sort`, shows in
/// the next one.
fn owned(run: &Run, part: &Part, length: usize) -> Vec<usize> {
    let mut begin = 0;
    let mut found = Vec::new();
    for (number, step) in run.steps.iter().enumerate() {
        let last = length.saturating_sub(1);
        let nodes = if step.end > begin { begin..step.end } else { begin.min(last)..begin.min(last).saturating_add(1) };
        if part.nodes.iter().any(|node| nodes.contains(node)) {
            found.push(number);
        }
        begin = begin.max(step.end);
    }
    found
}

/// The anchors, and what lies between them and in them: part, anchor, part, and so on.
fn divide(nodes: &[Node]) -> (Vec<Anchor>, Vec<Part>) {
    let mut anchors: Vec<Anchor> = Vec::new();
    let mut parts = vec![Part::default()];
    let mut begun = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        let between = parts.last().is_none_or(|part| part.nodes.is_empty());
        match node.anchor {
            // Several limits in a row are one; the only row of an aggregate needs none.
            Some(Anchor::Limit) if between && matches!(anchors.last(), Some(Anchor::Limit | Anchor::Aggregate)) => {
                let place = parts.len().saturating_sub(2);
                if let Some(part) = parts.get_mut(place) {
                    part.nodes.append(&mut begun);
                    part.nodes.push(number);
                }
            }
            Some(anchor) => {
                anchors.push(anchor);
                begun.push(number);
                parts.push(Part { nodes: std::mem::take(&mut begun), filters: 0, fixed: true });
                parts.push(Part::default());
            }
            None if node.begins || !begun.is_empty() => begun.push(number),
            None => {
                if let Some(part) = parts.last_mut() {
                    part.nodes.push(number);
                    part.filters = part.filters.saturating_add(node.filters);
                }
            }
        }
    }
    if let Some(part) = parts.last_mut() {
        part.nodes.append(&mut begun);
    }
    (anchors, parts)
}

fn planned(node: &LogicalPlan) -> Node {
    let anchor = match node {
        LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) => Some(Anchor::Aggregate),
        LogicalPlan::Window(_) => Some(Anchor::Window),
        LogicalPlan::Limit(_) => Some(Anchor::Limit),
        LogicalPlan::Sort(sort) if sort.fetch.is_some() => Some(Anchor::Limit),
        LogicalPlan::Unnest(_) => Some(Anchor::Unnest),
        LogicalPlan::Union(_) => Some(Anchor::Union),
        LogicalPlan::Extension(extension) => own(extension.node.name()),
        _ => None,
    };
    let filters = match node {
        LogicalPlan::Filter(filter) => split_conjunction(&filter.predicate).len(),
        _ => 0,
    };
    Node { anchor, filters, ..Node::default() }
}

/// An operator of this crate.
fn own(name: &str) -> Option<Anchor> {
    const OWN: [&str; 3] = ["Leading", "Running", "Transaction"];
    OWN.into_iter().find(|known| name.starts_with(known)).map(Anchor::Own)
}

/// The operators from the bottom to the top, through the first input of each.
fn ran(plan: &Arc<dyn ExecutionPlan>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut above = plan;
    while let Some(watched) = above.downcast_ref::<WatchedExec>() {
        let operator = watched.input();
        let inputs = operator.children();
        let bottom = inputs.is_empty() || operator.name().contains("Join");
        let sides = if bottom { inputs.as_slice() } else { inputs.get(1..).unwrap_or_default() };
        let busy = sides.iter().map(|side| all(side)).fold(alone(watched), Duration::saturating_add);
        nodes.push(Node { rows: watched.passing().count().rows(), busy, ..classified(operator) });
        match inputs.first() {
            Some(below) if !bottom => above = *below,
            _ => break,
        }
    }
    nodes.reverse();
    nodes
}

fn classified(operator: &Arc<dyn ExecutionPlan>) -> Node {
    let name = operator.name();
    if let Some(aggregate) = operator.downcast_ref::<AggregateExec>() {
        // The first of two stages, which may have others between them.
        let begins = *aggregate.mode() == datafusion::physical_plan::aggregates::AggregateMode::Partial;
        return Node { anchor: (!begins).then_some(Anchor::Aggregate), begins, ..Node::default() };
    }
    if let Some(filter) = operator.downcast_ref::<FilterExec>() {
        return Node { filters: split_physical(filter.predicate()).len(), ..Node::default() };
    }
    if name == "LocalLimitExec"
        || operator
            .downcast_ref::<SortExec>()
            .is_some_and(|sort| sort.fetch().is_some() && sort.preserve_partitioning())
    {
        // So many of each core, of which so many are taken in the end.
        return Node { begins: true, ..Node::default() };
    }
    const LIMITS: [&str; 4] = ["CoalescePartitionsExec", "GlobalLimitExec", "SortExec", "SortPreservingMergeExec"];
    let limits = operator.fetch().is_some() && LIMITS.contains(&name);
    let anchor = match name {
        _ if limits => Some(Anchor::Limit),
        "WindowAggExec" | "BoundedWindowAggExec" => Some(Anchor::Window),
        "UnnestExec" => Some(Anchor::Unnest),
        "UnionExec" | "InterleaveExec" => Some(Anchor::Union),
        name => own(name),
    };
    Node { anchor, ..Node::default() }
}

/// How long an operator took without what it calls.
fn alone(watched: &WatchedExec) -> Duration {
    let operator = watched.input();
    // These wait for what others do on other cores.
    let waits = ["RepartitionExec", "CoalescePartitionsExec", "SortPreservingMergeExec"].contains(&operator.name());
    let called = operator.children().into_iter().filter_map(|child| child.downcast_ref::<WatchedExec>());
    let below = called.map(|child| child.passing().count().busy()).fold(Duration::ZERO, Duration::saturating_add);
    let busy = watched.passing().count().busy();
    if waits { Duration::ZERO } else { busy.saturating_sub(below) }
}

/// How long an operator and everything below it took.
fn all(plan: &Arc<dyn ExecutionPlan>) -> Duration {
    let Some(watched) = plan.downcast_ref::<WatchedExec>() else { return Duration::ZERO };
    watched.input().children().into_iter().map(all).fold(alone(watched), Duration::saturating_add)
}
