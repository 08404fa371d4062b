//! `append`: the rows of a search below the present ones.
//!
//! Source: Splunk Search Reference, "append".

use spelunk_grammar::spl::commands::append::{Append, SubsearchOptions};

use super::combine::{self, MOST_ROWS};
use super::frame::Frame;
use super::{PlanResult, Planner};

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Append) -> PlanResult<()> {
    let Append { options, subsearch } = command;
    let lower = combine::frame_of(planner, subsearch).await?;
    let lower = combine::first_rows(planner, lower, most(options), "append", subsearch.span).await?;
    combine::stack(frame, lower)
}

/// How many rows are used. The other options say how long Splunk's server may take, and what time range it shows.
pub fn most(options: &SubsearchOptions) -> u64 {
    let SubsearchOptions { extendtimerange: _, maxtime: _, maxout, timeout: _ } = options;
    maxout.as_ref().map_or(MOST_ROWS, |most| most.node)
}
