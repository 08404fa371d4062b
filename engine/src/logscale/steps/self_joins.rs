//! Events that share a key: `selfJoin`, `selfJoinFilter`. Where the vendor's are probabilistic, these are exact.
//!
//! Source: the pages of `selfJoin` and `selfJoinFilter`.

use std::collections::HashMap;

use datafusion::functions_aggregate::bool_and_or::bool_or_udaf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, WindowFunctionDefinition, is_not_true, is_true, lit};
use spelunk_grammar::logscale::query::{Argument, Call, Element, Expression, ExpressionKind, Pipeline};
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::Run;
use super::super::aggregates::{Part, combine};
use super::super::arguments::{Arguments, expected};
use super::super::filter::text_of;
use super::super::functions::{Function, Makes};
use super::super::rows::{Arm, Rows};
use crate::plan::frame::{Frame, column};
use crate::plan::{PlanResult, join, window};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "selfJoin",
        parameters: &["field", "where", "collect", "select", "limit", "prefilter", "postfilter"],
        makes: Makes::Step(|run, frame, a| Box::pin(self_join(run, frame, a))),
    },
    Function {
        name: "selfJoinFilter",
        parameters: &["field", "where", "prefilter"],
        makes: Makes::Step(|run, frame, a| Box::pin(self_join_filter(run, frame, a))),
    },
];

/// `selfJoin`: a row for each key of which every clause finds an event, with all values of some fields (`collect`) or
/// the newest ones (`select`).
async fn self_join(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    a.without_name()?;
    let fields = a.need_names("field")?;
    let clauses = clauses(a)?;
    let prefilter = a.flag("prefilter", false)?;
    let postfilter = a.flag("postfilter", false)?;
    let calls: Vec<Call> = [("collect", "collect"), ("select", "selectLast")]
        .into_iter()
        .filter_map(|(argument, function)| {
            let wanted: Expression = a.take(argument)?.clone();
            let name = Spanned::new(function.to_owned(), wanted.span);
            Some(Call { name, span: wanted.span, arguments: vec![Argument::Unnamed(wanted)] })
        })
        .collect();
    let limit = a.count("limit")?;
    a.done()?;
    keep(run, frame, &fields, &clauses, prefilter, false).await?;
    let parts = calls.iter().map(|call| Part::call(call, None)).collect();
    combine(run, frame, &fields, parts, limit).await?;
    if postfilter {
        for step in clauses.iter().flat_map(|clause| &clause.steps) {
            run.row_step(frame, None, step).await?;
        }
    }
    Ok(())
}

/// `selfJoinFilter`: the events of whose key every clause finds one.
async fn self_join_filter(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    a.without_name()?;
    let negated = a.negation();
    let fields = a.need_names("field")?;
    let clauses = clauses(a)?;
    let prefilter = a.flag("prefilter", false)?;
    a.done()?;
    keep(run, frame, &fields, &clauses, prefilter, negated).await
}

async fn keep(
    run: &mut Run<'_, '_>,
    frame: &mut Frame,
    fields: &[Spanned<String>],
    clauses: &[&Pipeline],
    prefilter: bool,
    negated: bool,
) -> PlanResult<()> {
    let keys = fields.iter().map(|field| text_of(&Rows::of(frame).field(&field.node, field.span))).collect();
    let key = join::key_of(frame, keys)?;
    let mut any: Option<Expr> = None;
    let mut every = column(&key).is_not_null();
    for clause in clauses {
        let mut arm = Arm { guard: lit(true), assigned: HashMap::new() };
        for step in &clause.steps {
            run.row_step(frame, Some(&mut arm), step).await?;
        }
        let satisfied = frame.hidden_name();
        frame.set(vec![(satisfied.clone(), is_true(arm.guard))])?;
        let found = WindowFunctionDefinition::AggregateUDF(bool_or_udaf());
        let found = Expr::from(WindowFunction::new(found, vec![column(&satisfied)]));
        let found = found.partition_by(vec![column(&key)]).build()?;
        every = every.and(is_true(window::add(frame, found)?));
        let satisfied = column(&satisfied);
        any = Some(any.map_or(satisfied.clone(), |before| before.or(satisfied)));
    }
    let keep = match (prefilter, any) {
        (true, Some(any)) => every.and(any),
        _ => every,
    };
    frame.filter(if negated { is_not_true(keep) } else { keep })?;
    Ok(())
}

fn clauses<'c>(a: &Arguments<'c>) -> Result<Vec<&'c Pipeline>, Diagnostic> {
    let value = a.need("where")?;
    match &value.kind {
        ExpressionKind::Block(pipeline) => Ok(vec![pipeline]),
        ExpressionKind::Array(elements) => elements
            .iter()
            .map(|element| match element {
                Element::Value(value) => match &value.kind {
                    ExpressionKind::Block(pipeline) => Ok(pipeline),
                    _ => Err(expected("filters in braces", value.span)),
                },
                _ => Err(expected("filters in braces", value.span)),
            })
            .collect(),
        _ => Err(expected("filters in braces: where=[{...}, {...}]", value.span)),
    }
}
