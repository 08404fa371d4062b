//! `appendcols`: the fields of a search beside the present rows, row by row. Rows beyond the present ones follow
//! below.
//!
//! Source: Splunk Search Reference, "appendcols".

use datafusion::common::{Column, JoinType};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, when};
use spelunk_grammar::spl::commands::appendcols::Appendcols;

use super::expression::{Kind, Typed};
use super::frame::{Frame, column};
use super::{PlanResult, Planner, append, combine, window};

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Appendcols) -> PlanResult<()> {
    let Appendcols { overriding, options, subsearch } = command;
    let beside = combine::frame_of(planner, subsearch).await?;
    let beside = combine::first_rows(planner, beside, append::most(options), "appendcols", subsearch.span).await?;
    frame.open |= beside.open;
    put_beside(frame, beside, overriding.unwrap_or(false))
}

fn put_beside(frame: &mut Frame, mut beside: Frame, overriding: bool) -> PlanResult<()> {
    let ours = number(frame)?;
    let theirs = number(&mut beside)?;
    let position = frame.hidden_name();
    let mut columns = vec![theirs.alias(&position)];
    // Every column gets a name that the present rows do not have.
    let fields: Vec<(String, String)> = combine::shown(&beside)
        .into_iter()
        .filter(|name| !name.starts_with('_'))
        .map(|name| (frame.hidden_name(), name))
        .collect();
    columns.extend(fields.iter().map(|(hidden, name)| column(name).alias(hidden)));
    let beside = LogicalPlanBuilder::new(beside.plan().clone()).project(columns)?;
    let on = (vec![Column::new_unqualified(&position)], vec![Column::new_unqualified(name_of(&ours))]);
    // The smaller side comes first, because it is the one that is held in memory.
    frame.extend(beside.join(frame.plan().clone(), JoinType::Full, on, None)?.build()?);
    let either = when(ours.clone().is_not_null(), ours).otherwise(column(&position))?;
    frame.order_by(vec![(either, false)])?;
    let mut assignments = Vec::new();
    for (hidden, name) in fields {
        let new = typed(frame, &hidden);
        let value = match frame.data_type(&name) {
            None => column(&hidden),
            Some(_) if overriding => combine::either(frame, &name, new, typed(frame, &name)),
            Some(_) => combine::either(frame, &name, typed(frame, &name), new),
        };
        assignments.push((name, value));
    }
    frame.set(assignments)?;
    Ok(())
}

/// The position of each row, from 1, as a hidden column.
fn number(frame: &mut Frame) -> PlanResult<Expr> {
    window::add(frame, row_number().order_by(frame.sort_expressions()).build()?)
}

fn name_of(column: &Expr) -> &str {
    match column {
        Expr::Column(column) => &column.name,
        _ => "",
    }
}

/// Any column of a frame.
pub fn typed(frame: &Frame, name: &str) -> Typed {
    Typed::new(column(name), Kind::of(&combine::type_of(frame, name)), Default::default())
}
