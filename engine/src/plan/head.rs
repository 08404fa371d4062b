//! `head`: the first rows.

use spelunk_grammar::spl::commands::head::Head;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::PlanResult;
use super::frame::Frame;

/// How many rows are kept where the search does not say.
const DEFAULT_LIMIT: u64 = 10;

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Head, span: Span) -> PlanResult<()> {
    let Head { limit, condition, keeplast, null } = command;
    if let Some(condition) = condition {
        return Err(unsupported("`head` with a condition is not supported yet", condition.span));
    }
    if keeplast.is_some() || null.is_some() {
        return Err(unsupported("`keeplast` and `null` need a condition, which is not supported yet", span));
    }
    frame.limit(usize::try_from(limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(usize::MAX))?;
    Ok(())
}

fn unsupported(message: &str, span: Span) -> super::PlanError {
    Diagnostic::error(Code::Unsupported, message, span).into()
}
