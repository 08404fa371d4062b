//! `eval`: computes fields, from left to right.

use datafusion::logical_expr::Expr;
use spelunk_grammar::spl::commands::eval::{Assignment, Eval, Target, TargetPart};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::Frame;
use super::{PlanResult, Planner, barrier};
use crate::functions::operators;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Eval) -> PlanResult<()> {
    for Assignment { target, value } in &command.assignments {
        let typed = ExpressionPlanner::new(frame).plan(value)?;
        match plain_name(target) {
            Some(name) => {
                let value = stored(&name, &typed)?;
                frame.set(vec![(name, value)])?;
            }
            None => barrier::assign_by_row(planner, frame, target, typed.stored()?).await?,
        }
    }
    Ok(())
}

/// The value as the field of that name stores it: `_time` holds times, anything else seconds.
pub fn stored(name: &str, typed: &Typed) -> PlanResult<Expr> {
    Ok(match (name, typed.kind) {
        ("_time", Kind::Time) => typed.expr.clone(),
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
