//! `tail`: the last rows, last one first.

use spelunk_grammar::spl::commands::tail::Tail;

use super::PlanResult;
use super::frame::Frame;

/// How many rows are kept where the search does not say.
const DEFAULT_LIMIT: u64 = 10;

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Tail) -> PlanResult<()> {
    frame.reverse()?;
    frame.limit(usize::try_from(command.limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(usize::MAX))?;
    Ok(())
}
