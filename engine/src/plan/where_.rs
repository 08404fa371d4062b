//! `where`: keeps the rows for which the condition is true.

use spelunk_grammar::spl::commands::where_::Where;

use super::expression::ExpressionPlanner;
use super::frame::Frame;
use super::{PlanResult, search, trace};

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Where) -> PlanResult<()> {
    trace::spl::condition(frame, command);
    let condition = ExpressionPlanner::new(frame).condition(&command.condition)?;
    search::filter(frame, condition, command.condition.span)
}
