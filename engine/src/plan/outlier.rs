//! `outlier`: takes away or caps numbers that lie far out.
//!
//! Source: Splunk Search Reference, "outlier": beyond so many interquartile ranges from the nearer quartile.

use datafusion::functions_aggregate::expr_fn::percentile_cont;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::outlier::{Action, Outlier};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::Frame;
use super::{PlanResult, Planner, barrier, totals};
use crate::values::{Value, format_number};

/// How many interquartile ranges are far out where the search does not say.
const DEFAULT_PARAM: f64 = 2.5;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Outlier, span: Span) -> PlanResult<()> {
    let Outlier { action, mark, param, uselower, fields } = command;
    let names = totals::named(frame, fields);
    let numeric = |kind: Kind| matches!(kind, Kind::Integer | Kind::Number | Kind::Text);
    let fields = |frame: &Frame| -> Vec<(String, Typed)> {
        let expressions = ExpressionPlanner::new(frame);
        let typed = names.iter().map(|name| (name.clone(), expressions.field(name, span)));
        typed.filter(|(_, value)| numeric(value.kind)).collect()
    };
    let mut quartiles: Vec<Expr> = Vec::new();
    for (position, (_, value)) in fields(frame).iter().enumerate() {
        for percent in [25, 75] {
            let sort = Sort::new(value.number(), true, false);
            let share = lit(f64::from(percent) / 100.0);
            quartiles.push(percentile_cont(sort, share).alias(format!("{position}_{percent}")));
        }
    }
    // The rows are looked at twice, and have to be the same both times.
    let (Some(runner), false) = (planner.runner, quartiles.is_empty()) else { return Ok(()) };
    barrier::materialise(planner, frame).await?;
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(Vec::<Expr>::new(), quartiles)?.build()?;
    let (_, batches) = runner.collect(plan).await?;
    let quartile = |position: usize, percent: u8| {
        let batch = batches.iter().find(|batch| batch.num_rows() > 0)?;
        Value::read(batch.column_by_name(&format!("{position}_{percent}"))?.as_ref(), 0).number()
    };
    let mut assignments = Vec::new();
    for (position, (name, value)) in fields(frame).into_iter().enumerate() {
        let (Some(lower), Some(upper)) = (quartile(position, 25), quartile(position, 75)) else { continue };
        let far = param.unwrap_or(DEFAULT_PARAM) * (upper - lower);
        let (least, most) = (lower - far, upper + far);
        let put = |threshold: f64| match action.unwrap_or(Action::Transform) {
            Action::Remove => Typed::null(span),
            Action::Transform if mark.unwrap_or(false) => {
                Typed::new(lit(format!("000{}", format_number(threshold))), Kind::Text, span)
            }
            Action::Transform => Typed::new(lit(threshold), Kind::Number, span),
        };
        let mut branches = vec![(value.number().gt(lit(most)), put(most))];
        if uselower.unwrap_or(false) {
            branches.push((value.number().lt(lit(least)), put(least)));
        }
        let chosen = ExpressionPlanner::new(frame).choice(branches, Some(value), span);
        assignments.push((name, chosen.expr));
    }
    frame.set(assignments)?;
    Ok(())
}
