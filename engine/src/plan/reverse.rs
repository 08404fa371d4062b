//! `reverse`: turns the order of the rows around.

use spelunk_grammar::spl::commands::reverse::Reverse;

use super::PlanResult;
use super::frame::Frame;

/// Plans the command.
pub fn plan(frame: &mut Frame, _: &Reverse) -> PlanResult<()> {
    frame.reverse()?;
    Ok(())
}
