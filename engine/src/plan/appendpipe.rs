//! `appendpipe`: the present rows, and below them what commands make of them.
//!
//! Source: Splunk Search Reference, "appendpipe".

use spelunk_grammar::spl::commands::appendpipe::Appendpipe;

use super::frame::Frame;
use super::{PlanResult, Planner, barrier, combine};

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Appendpipe) -> PlanResult<()> {
    // There are no previews.
    let Appendpipe { run_in_preview: _, subpipe } = command;
    // The rows are part of both halves of the result. A plan that stood there twice would be run twice, with other
    // values where it asks for random ones, and one `appendpipe` after the other would double it every time.
    barrier::materialise(planner, frame).await?;
    let lower = combine::pipe(planner, frame.clone(), &subpipe.query.commands).await?;
    combine::stack(frame, lower)
}
