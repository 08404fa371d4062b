//! `eval`: computes fields, from left to right.

use datafusion::logical_expr::Expr;
use spelunk_grammar::spl::commands::eval::{Eval, Target, TargetPart};
use spelunk_grammar::spl::expression::Expression;

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::Frame;
use super::{PlanResult, Planner, barrier, needs, trace};
use crate::functions::operators;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Eval) -> PlanResult<()> {
    let mut batch = Batch::default();
    for assignment in &command.assignments {
        match plain_name(&assignment.target) {
            Some(name) => {
                if frame.setting.trace.is_some() {
                    batch.flush(frame)?;
                    trace::spl::choice(frame, &name, &assignment.value);
                }
                batch.assign(frame, name, &assignment.value)?;
            }
            None => {
                batch.flush(frame)?;
                let typed = ExpressionPlanner::new(frame).plan(&assignment.value)?;
                barrier::assign_by_row(planner, frame, &assignment.target, typed.stored()?).await?;
            }
        }
    }
    batch.flush(frame)?;
    Ok(())
}

/// Assignments that do not look at each other, so that one step of the plan makes all of them.
#[derive(Default)]
pub struct Batch {
    pending: Vec<(String, Expr)>,
}

impl Batch {
    /// Plans an assignment. Says whether those before it had to be made first.
    pub fn assign(&mut self, frame: &mut Frame, name: String, value: &Expression) -> PlanResult<bool> {
        let mut fields = Vec::new();
        needs::expression_fields(value, &mut fields);
        let waits = self.pending.iter().any(|(target, _)| *target == name || fields.contains(target));
        if waits {
            self.flush(frame)?;
        }
        let typed = ExpressionPlanner::new(frame).plan(value)?;
        let value = stored(&name, &typed)?;
        self.pending.push((name, value));
        Ok(waits)
    }

    /// Makes the assignments.
    pub fn flush(&mut self, frame: &mut Frame) -> PlanResult<()> {
        if !self.pending.is_empty() {
            frame.set(std::mem::take(&mut self.pending))?;
        }
        Ok(())
    }
}

/// The value as the field of that name stores it: `_time` holds times, anything else seconds. A number written out
/// (`_time=5`) shows as it was written.
pub fn stored(name: &str, typed: &Typed) -> PlanResult<Expr> {
    Ok(match (name, typed.kind) {
        ("_time", Kind::Time) => typed.expr.clone(),
        ("_time", Kind::Integer | Kind::Number) if matches!(typed.expr, Expr::Literal(..)) => typed.expr.clone(),
        ("_time", Kind::Integer | Kind::Number | Kind::Text) => operators::to_time(typed.number()),
        _ => typed.stored()?,
    })
}

/// The name of a target without `{field}` parts.
pub fn plain_name(target: &Target) -> Option<String> {
    target
        .parts
        .iter()
        .map(|part| match part {
            TargetPart::Text(text) => Some(text.as_str()),
            TargetPart::FieldValue(_) => None,
        })
        .collect()
}
