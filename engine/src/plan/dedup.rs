//! `dedup`: the first rows of each combination of values.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, Extension, LogicalPlan, is_not_true, lit, when};
use spelunk_grammar::spl::commands::dedup::Dedup;

use super::frame::{Frame, column};
use super::{PlanResult, existing, sort, window};
use crate::operators::leading::{Choice, Leading};

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Dedup) -> PlanResult<()> {
    let Dedup { count, fields, keepevents, keepempty, consecutive, sortby } = command;
    if !sortby.is_empty() {
        sort::order_by(frame, sortby, false)?;
    }
    let mut keys: Vec<Expr> = Vec::new();
    let mut lacking = false;
    for field in fields {
        match existing(frame, &field.text, field.span) {
            Some(key) => keys.push(key),
            None => lacking = !frame.open,
        }
    }
    let all_present = if lacking {
        lit(false)
    } else {
        keys.iter().map(|key| key.clone().is_not_null()).reduce(Expr::and).unwrap_or_else(|| lit(true))
    };
    if !lacking && !consecutive.unwrap_or(false) && !keepevents.unwrap_or(false) {
        thin_out(frame, &keys, count.unwrap_or(1), keepempty.unwrap_or(false));
    }
    let first = if lacking {
        // No row is counted.
        lit(false)
    } else {
        let position = match consecutive.unwrap_or(false) {
            true => position_in_run(frame, &keys)?,
            false => position(frame, &keys)?,
        };
        position.lt_eq(lit(i64::try_from(count.unwrap_or(1)).unwrap_or(i64::MAX)))
    };
    let kept = all_present.clone().and(first);
    if keepevents.unwrap_or(false) {
        let cleared = fields
            .iter()
            .filter_map(|field| {
                let data_type = frame.data_type(&field.text)?;
                let null = ScalarValue::try_from(&data_type).map(lit).ok()?;
                let value = when(kept.clone(), column(&field.text)).otherwise(null).ok()?;
                Some((field.text.clone(), value))
            })
            .collect();
        frame.set(cleared)?;
    } else if keepempty.unwrap_or(false) {
        frame.filter(kept.or(is_not_true(all_present)))?;
    } else {
        frame.filter(kept)?;
    }
    Ok(())
}

/// Leaves out most rows that will not be kept, so that only the others have to be put in order.
fn thin_out(frame: &mut Frame, keys: &[Expr], count: u64, keep_empty: bool) {
    let mut names = Vec::new();
    for key in keys {
        match key {
            Expr::Column(column) => names.push(column.name.clone()),
            _ => return,
        }
    }
    // Rows in no order have no first one.
    if frame.order().is_empty() {
        return;
    }
    let order = frame.order().iter().map(|key| (key.column.clone(), key.descending)).collect();
    let count = usize::try_from(count).unwrap_or(usize::MAX).max(1);
    let choice = Choice { keys: names, order, count, keep_empty };
    let node = Arc::new(Leading::new(frame.plan().clone(), choice));
    frame.extend(LogicalPlan::Extension(Extension { node }));
}

/// The row's position among those of the same values, from 1.
fn position(frame: &mut Frame, keys: &[Expr]) -> PlanResult<Expr> {
    let number = row_number().partition_by(keys.to_vec()).order_by(frame.sort_expressions()).build()?;
    window::add(frame, number)
}

/// The row's position in its run of rows of the same values, from 1.
fn position_in_run(frame: &mut Frame, keys: &[Expr]) -> PlanResult<Expr> {
    let mut same = lit(true);
    for key in keys {
        let before = window::before(frame, key.clone(), 1)?;
        same = same.and(key.clone().eq(before));
    }
    let starts = when(is_not_true(same), lit(1_i64)).otherwise(lit(0_i64))?;
    let run = window::running_sum(frame, starts)?;
    position(frame, &[run])
}
