//! `head`: the first rows.
//!
//! Source: Splunk Search Reference, "head".

use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, is_false, is_not_true, lit};
use spelunk_grammar::spl::commands::head::Head;

use super::expression::ExpressionPlanner;
use super::frame::{Frame, column};
use super::{PlanResult, window};

/// How many rows are kept where the search does not say.
const DEFAULT_LIMIT: u64 = 10;

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Head) -> PlanResult<()> {
    let Head { limit, condition, keeplast, null } = command;
    let limit = match condition {
        // Without a condition no row ends the result, so `keeplast` and `null` change nothing.
        None => Some(limit.unwrap_or(DEFAULT_LIMIT)),
        Some(condition) => {
            let condition = ExpressionPlanner::new(frame).condition(condition)?;
            let ends = if null.unwrap_or(false) { is_false(condition) } else { is_not_true(condition) };
            keep_until(frame, ends, keeplast.unwrap_or(false))?;
            *limit
        }
    };
    if let Some(limit) = limit {
        frame.limit(usize::try_from(limit).unwrap_or(usize::MAX))?;
    }
    Ok(())
}

/// Keeps the rows before the first one for which `ends` is true, and with `inclusive` that one.
fn keep_until(frame: &mut Frame, ends: Expr, inclusive: bool) -> PlanResult<()> {
    let name = frame.hidden_name();
    let case = Case::new(None, vec![(Box::new(ends), Box::new(lit(1_i64)))], Some(Box::new(lit(0_i64))));
    frame.set(vec![(name.clone(), Expr::Case(case))])?;
    let ended = window::running_sum(frame, column(&name))?;
    let kept = if inclusive { (ended - column(&name)).eq(lit(0_i64)) } else { ended.eq(lit(0_i64)) };
    frame.filter(kept)?;
    Ok(())
}
