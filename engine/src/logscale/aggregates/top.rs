//! `top`.

use datafusion::functions_aggregate::expr_fn::{max, sum};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, WindowFunctionDefinition, lit, when};
use spelunk_grammar::logscale::query::{Argument, Call, Expression, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::{Arguments, expected};
use super::super::rows::{Rows, settled};
use super::super::{Run, steps};
use super::{Part, combine};
use crate::plan::PlanResult;
use crate::plan::frame::{Frame, OrderKey, column};
use crate::plan::window;

/// How many rows `top` gives where the query does not say.
const TOP_ROWS: usize = 10;

/// `top`: the most frequent values, or those with the greatest sum or maximum of another field.
pub async fn plan(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let groups = a.need_names("field")?;
    let limit = a.count("limit")?.unwrap_or(TOP_ROWS);
    let (of_sum, of_max) = (a.text("sum")?, a.text("max")?);
    let (function, field) = match (of_sum, of_max) {
        (Some(both), Some(_)) => {
            let message = "`top` takes `sum` or `max`, not both";
            return Err(Diagnostic::error(Code::InvalidArgument, message, both.span).into());
        }
        (Some(field), None) => ("sum", Some(field)),
        (None, Some(field)) => ("max", Some(field)),
        (None, None) => ("count", None),
    };
    let name = a.output(&format!("_{function}"))?;
    let percent = a.flag("percent", false)?;
    let rest = a.text("rest")?;
    // What is counted is exact, whatever error would be accepted.
    if let Some(error) = a.text("error")?
        && error.node.parse::<f64>().is_err()
    {
        return Err(expected("a number of percent", error.span).into());
    }
    a.done()?;
    for group in &groups {
        let value = Rows::of(frame).field(&group.node, group.span);
        frame.filter(value.expr.is_not_null())?;
    }
    let field =
        field.map(|field| Argument::Unnamed(Expression { kind: ExpressionKind::Word(field.node), span: field.span }));
    let call = Call {
        name: Spanned::new(function.to_owned(), a.span()),
        arguments: field.into_iter().collect(),
        span: a.span(),
    };
    let part = Part::call(&call, Some(Spanned::new(name.clone(), a.span())));
    combine(run, frame, &groups, vec![part], None).await?;
    frame.order_by(vec![(column(&name), true)])?;
    if percent {
        let definition = WindowFunctionDefinition::AggregateUDF(sum_udaf());
        let total = Expr::from(WindowFunction::new(definition, vec![column(&name)]));
        let total = window::add(frame, total.partition_by(keys(run)).build()?)?;
        frame.set(vec![("percent".to_owned(), column(&name) * lit(100.0_f64) / total)])?;
    }
    match rest {
        None => steps::keep_first(run, frame, limit),
        Some(label) => with_rest(run, frame, &groups, &name, &label.node, limit),
    }
}

fn keys(run: &Run<'_, '_>) -> Vec<Expr> {
    run.keys.iter().map(|key| column(key)).collect()
}

/// The first rows, and one that stands for all others.
fn with_rest(
    run: &Run<'_, '_>,
    frame: &mut Frame,
    groups: &[Spanned<String>],
    name: &str,
    label: &str,
    limit: usize,
) -> PlanResult<()> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let number = row_number().partition_by(keys(run)).order_by(frame.sort_expressions()).build()?;
    let rank = window::add(frame, number)?;
    let kept = rank.clone().lt_eq(lit(most));
    let place = frame.hidden_name();
    let mut group = keys(run);
    let mut columns: Vec<Expr> = Vec::new();
    for (index, field) in groups.iter().enumerate() {
        let value = settled(&Rows::of(frame).field(&field.node, field.span));
        let value = match index {
            0 => when(kept.clone(), value.text()).otherwise(lit(label))?,
            _ => when(kept.clone(), value.expr).end()?,
        };
        group.push(value.alias(&field.node));
        columns.push(column(&field.node));
    }
    group.push(when(kept, rank).otherwise(lit(most.saturating_add(1)))?.alias(&place));
    let mut aggregates = Vec::new();
    for field in frame.fields().into_iter().filter(|field| field == name || field == "percent") {
        // The maximum of the others is one of theirs, their sum and their part of the whole add up.
        let value = if name == "_max" && field == name { max(column(&field)) } else { sum(column(&field)) };
        aggregates.push(value.alias(&field));
        columns.push(column(&field));
    }
    columns.push(column(&place));
    columns.extend(keys(run));
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(group, aggregates)?.project(columns)?.build()?;
    let open = frame.open;
    frame.replace(plan, vec![OrderKey { column: place, descending: false }]);
    frame.open = open;
    Ok(())
}
