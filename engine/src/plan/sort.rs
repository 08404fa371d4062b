//! `sort`: orders the rows, and keeps the first 10,000 unless told otherwise.

use datafusion::logical_expr::Expr;
use spelunk_grammar::spl::commands::sort::{Sort, SortComparison, SortKey};

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use crate::functions::ordering;

/// How many rows are kept where the search does not say.
const DEFAULT_LIMIT: u64 = 10_000;

/// Plans the command. Rows that lack a field come last in both directions; ties keep their order.
pub fn plan(frame: &mut Frame, command: &Sort) -> PlanResult<()> {
    order_by(frame, &command.keys, command.reverse)?;
    match command.limit.unwrap_or(DEFAULT_LIMIT) {
        0 => {}
        limit => frame.limit(usize::try_from(limit).unwrap_or(usize::MAX))?,
    }
    Ok(())
}

/// Orders the rows by these keys.
pub fn order_by(frame: &mut Frame, keys: &[SortKey], reverse: bool) -> PlanResult<()> {
    let mut order = Vec::new();
    for SortKey { descending, comparison, field } in keys {
        let typed = ExpressionPlanner::new(frame).field(&field.text, field.span);
        let key: Expr = match (comparison, typed.kind) {
            (_, Kind::Null) => continue,
            (SortComparison::Number, _) => typed.number(),
            (SortComparison::Auto, Kind::Integer | Kind::Number | Kind::Time) => typed.expr.clone(),
            (SortComparison::Auto, _) => ordering::auto_key(typed.text()),
            (SortComparison::Text, _) => ordering::text_key(typed.text()),
            (SortComparison::Ip, _) => ordering::ip_key(typed.text()),
        };
        order.push((key, *descending != reverse));
    }
    frame.order_by(order)?;
    Ok(())
}
