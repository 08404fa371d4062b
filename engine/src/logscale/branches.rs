//! `case` and `match`: a row goes through the first arm that keeps it.

use std::collections::BTreeSet;

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::Span;
use spelunk_grammar::logscale::query::{Comparator, Comparison, Filter, Guard, MatchStep, Pipeline, ValueKind};

use super::arguments::Arguments;
use super::rows::{Arm, Effect, Rows, apply, held};
use super::{Run, functions};
use crate::plan::PlanResult;
use crate::plan::expression::ExpressionPlanner;
use crate::plan::frame::{Frame, column};
use spelunk_grammar::Spanned;

/// `case { a; b; * }`
pub async fn case(
    run: &mut Run<'_, '_>,
    frame: &mut Frame,
    arm: Option<&mut Arm>,
    arms: &[Pipeline],
) -> PlanResult<()> {
    let outer = arm.as_deref().cloned();
    let mut done = Vec::new();
    for pipeline in arms {
        let mut inner = Arm::inside(outer.as_ref());
        through(run, frame, &mut inner, pipeline).await?;
        done.push(inner);
    }
    close(frame, arm, done)
}

/// `field match { guard => pipeline; ... }`
pub async fn choose(
    run: &mut Run<'_, '_>,
    frame: &mut Frame,
    arm: Option<&mut Arm>,
    choice: &MatchStep,
) -> PlanResult<()> {
    let outer = arm.as_deref().cloned();
    let mut done = Vec::new();
    for branch in &choice.arms {
        let mut inner = Arm::inside(outer.as_ref());
        let rows = Rows { frame, arm: Some(&inner) };
        let effect = match &branch.guard {
            Guard::Value(value) if matches!(&value.kind, ValueKind::Pattern(p) if p == "*" || p == "true") => {
                Effect::keep(lit(true))
            }
            Guard::Value(value) => {
                let comparator = Spanned::new(Comparator::Is, value.span);
                let filter = Comparison { field: choice.field.clone(), comparator, value: value.clone() };
                let mut captures = Vec::new();
                let keep = rows.filter(&Filter::Comparison(filter), Some(&mut captures), false)?;
                Effect { keep: Some(keep), set: captures, ..Effect::default() }
            }
            Guard::Call(true, call) => {
                let filter = Filter::FieldCall(choice.field.clone(), true, call.clone());
                Effect::keep(rows.filter(&filter, None, false)?)
            }
            Guard::Call(false, call) => functions::row(&rows, Arguments::of(call)?.with_field(&choice.field))?,
        };
        apply(frame, Some(&mut inner), effect)?;
        through(run, frame, &mut inner, &branch.pipeline).await?;
        done.push(inner);
    }
    close(frame, arm, done)
}

async fn through(run: &mut Run<'_, '_>, frame: &mut Frame, arm: &mut Arm, pipeline: &Pipeline) -> PlanResult<()> {
    for step in &pipeline.steps {
        Box::pin(run.row_step(frame, Some(arm), step)).await?;
    }
    Ok(())
}

/// Puts the arms together: of each row the values of the first arm that kept it.
fn close(frame: &mut Frame, arm: Option<&mut Arm>, done: Vec<Arm>) -> PlanResult<()> {
    let names: BTreeSet<String> = done.iter().flat_map(|arm| arm.assigned.keys().cloned()).collect();
    let mut guards = Vec::new();
    for inner in &done {
        guards.push((frame.hidden_name(), held(inner.guard.clone())?));
    }
    let kept: Vec<Expr> = guards.iter().map(|(name, _)| column(name)).collect();
    frame.set(guards)?;
    let mut replace = Vec::new();
    for name in names {
        let before = Rows { frame, arm: arm.as_deref() }.field(&name, Span::default());
        let choices = done.iter().zip(&kept).map(|(inner, guard)| {
            let value = Rows { frame, arm: Some(inner) }.field(&name, Span::default());
            (guard.clone(), value)
        });
        let choices: Vec<_> = choices.collect();
        replace.push((name, ExpressionPlanner::new(frame).choice(choices, Some(before), Span::default())));
    }
    // An arm that keeps every row leaves nothing to drop: most have one, and a condition makes planning slow.
    let keep = match done.iter().any(|inner| inner.guard == lit(true)) {
        true => None,
        false => Some(kept.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false))),
    };
    // The values are chosen before rows are dropped: both look at the same columns.
    apply(frame, arm, Effect { keep, replace, ..Effect::default() })
}
