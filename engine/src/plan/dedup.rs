//! `dedup`: the first rows of each combination of values.

use datafusion::common::ScalarValue;
use datafusion::functions_window::expr_fn::{lag, row_number};
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, lit, when};
use spelunk_grammar::spl::commands::dedup::Dedup;

use super::frame::{Frame, column};
use super::{PlanResult, existing, sort};

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
    let first = if consecutive.unwrap_or(false) {
        differs_from_before(frame, &keys, count.unwrap_or(1))?
    } else {
        position(frame, &keys)?.lt_eq(lit(i64::try_from(count.unwrap_or(1)).unwrap_or(i64::MAX)))
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
        frame.filter(kept.or(datafusion::logical_expr::is_not_true(all_present)))?;
    } else {
        frame.filter(kept)?;
    }
    Ok(())
}

/// The row's position among those of the same values, from 1, as a hidden column.
fn position(frame: &mut Frame, keys: &[Expr]) -> PlanResult<Expr> {
    let number = row_number().partition_by(keys.to_vec()).order_by(frame.sort_expressions()).build()?;
    add_window(frame, number)
}

/// Whether the row differs from the one that stands `count` rows before.
fn differs_from_before(frame: &mut Frame, keys: &[Expr], count: u64) -> PlanResult<Expr> {
    let distance = i64::try_from(count).unwrap_or(i64::MAX);
    let mut same = lit(true);
    for key in keys {
        let before = lag(key.clone(), Some(distance), None).order_by(frame.sort_expressions()).build()?;
        let before = add_window(frame, before)?;
        same = same.and(key.clone().eq(before));
    }
    Ok(datafusion::logical_expr::is_not_true(same))
}

/// Adds a window expression as a hidden column.
pub fn add_window(frame: &mut Frame, window: Expr) -> PlanResult<Expr> {
    let name = frame.hidden_name();
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).window(vec![window.alias(&name)])?.build()?;
    frame.extend(plan);
    Ok(column(&name))
}
