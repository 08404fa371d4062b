//! Aggregates: over all rows, by group, by stretch of time.

mod functions;
mod time;
mod top;

pub use time::milliseconds;

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::logscale::query::{Assignment, Element, Expression, ExpressionKind, Target};
use spelunk_grammar::spl::commands::stats::Aggregate;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::arguments::{Arguments, expected};
use super::functions::{Function, Makes};
use super::rows::Rows;
use super::{Run, unsupported};
use crate::plan::PlanResult;
use crate::plan::aggregate::{self, Manner};
use crate::plan::expression::Typed;
use crate::plan::frame::{Frame, column};
use crate::plan::stats::order_by_groups;

/// The rows of a group, where a limit asks for the biggest ones.
const GROUP_ROWS: &str = "__order_group_rows";

/// A planned aggregate: what DataFusion computes, and the fields made of it.
pub struct Computed {
    /// What DataFusion computes.
    pub aggregates: Vec<Expr>,
    /// The fields of the result, over what was computed.
    pub results: Vec<(String, Expr)>,
    /// Whether there is no row where there is no value.
    pub drops: bool,
}

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "avg", parameters: &["field", "as"], makes: Makes::Aggregate(functions::average) },
    Function {
        name: "bucket",
        parameters: &["field", "span", "function", "limit"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { time::bucket(run, frame, a) })),
    },
    Function {
        name: "collect",
        parameters: &["fields", "separator", "limit", "multival"],
        makes: Makes::Aggregate(functions::collect),
    },
    Function { name: "count", parameters: &["field", "distinct", "as"], makes: Makes::Aggregate(functions::count) },
    Function {
        name: "groupBy",
        parameters: &["field", "function", "limit"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { group_by(run, frame, a) })),
    },
    Function { name: "max", parameters: &["field", "as"], makes: Makes::Aggregate(functions::greatest) },
    Function { name: "min", parameters: &["field", "as"], makes: Makes::Aggregate(functions::least) },
    Function {
        name: "percentile",
        parameters: &["field", "percentiles", "as"],
        makes: Makes::Aggregate(functions::percentile),
    },
    Function { name: "range", parameters: &["field", "as"], makes: Makes::Aggregate(functions::range) },
    Function { name: "selectLast", parameters: &["fields"], makes: Makes::Aggregate(functions::select_last) },
    Function {
        name: "stats",
        parameters: &["function"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { all_rows(run, frame, a) })),
    },
    Function { name: "stdDev", parameters: &["field", "as"], makes: Makes::Aggregate(functions::deviation) },
    Function { name: "sum", parameters: &["field", "as"], makes: Makes::Aggregate(functions::sum) },
    Function {
        name: "top",
        parameters: &["field", "limit", "sum", "max", "as"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { top::plan(run, frame, a) })),
    },
];

fn group_by(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let groups = a.need_names("field")?;
    let functions = functions_of(a)?;
    let limit = a.count("limit")?;
    a.done()?;
    run.aggregated = true;
    reduce(frame, &groups, functions, limit)
}

fn all_rows(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let functions = functions_of(a)?;
    a.done()?;
    run.aggregated = true;
    reduce(frame, &[], functions, None)
}

/// `[f(), g()]`
pub async fn stats(run: &mut Run<'_, '_>, frame: &mut Frame, elements: &[Element]) -> PlanResult<()> {
    let functions = elements.iter().map(function).collect::<Result<Vec<_>, _>>()?;
    reduce(frame, &[], functions, None)?;
    run.aggregated = true;
    Ok(())
}

/// A function, and the name of its result where one is given.
pub type Named<'c> = (Option<Spanned<String>>, &'c Expression);

pub fn functions_of<'c>(a: &Arguments<'c>) -> Result<Vec<Named<'c>>, Diagnostic> {
    let Some(value) = a.take("function") else {
        return Ok(vec![(None, &COUNT)]);
    };
    match &value.kind {
        ExpressionKind::Array(elements) => elements.iter().map(function).collect(),
        _ => Ok(vec![(None, value)]),
    }
}

/// `count()`, which is what is computed where nothing is named. A text stands for it: it has no place in the query.
static COUNT: Expression = Expression { kind: ExpressionKind::Word(String::new()), span: Span { start: 0, end: 0 } };

fn function(element: &Element) -> Result<Named<'_>, Diagnostic> {
    match element {
        Element::Value(value) => Ok((None, value)),
        Element::Assign(Assignment { target: Target::Field(name), value }) => Ok((Some(name.clone()), value)),
        Element::Assign(Assignment { value, .. }) => Err(expected("a field", value.span)),
        Element::Labelled(labelled) => Err(expected("an aggregate", labelled.name.span)),
    }
}

pub fn reduce(
    frame: &mut Frame,
    groups: &[Spanned<String>],
    functions: Vec<Named<'_>>,
    limit: Option<usize>,
) -> PlanResult<()> {
    let mut computed = Vec::new();
    for (position, (name, value)) in functions.into_iter().enumerate() {
        if matches!(&value.kind, ExpressionKind::Word(word) if word.is_empty()) {
            computed.push(counted(frame, None, "_count", Span::default(), position)?);
            continue;
        }
        let ExpressionKind::Call(call) = &value.kind else {
            let what = match value.kind {
                ExpressionKind::Block(_) => unsupported("a subquery as an aggregate", value.span),
                _ => expected("an aggregate such as `count()`", value.span),
            };
            return Err(what.into());
        };
        let arguments = Arguments::of(call)?;
        let arguments = match name {
            Some(name) => arguments.named_as(name),
            None => arguments,
        };
        let Makes::Aggregate(compute) = arguments.makes() else {
            let what = format!("`{}` as an aggregate", arguments.function.name);
            return Err(unsupported(&what, call.name.span).into());
        };
        computed.push(compute(frame, &arguments, position)?);
        arguments.done()?;
    }
    finish(frame, groups, computed, limit)
}

/// Runs the aggregates by group.
pub fn finish(
    frame: &mut Frame,
    groups: &[Spanned<String>],
    computed: Vec<Computed>,
    limit: Option<usize>,
) -> PlanResult<()> {
    let mut keys = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut present: Option<Expr> = None;
    for group in groups {
        if names.contains(&group.node) {
            continue;
        }
        let value = Rows::of(frame).field(&group.node, group.span);
        let there = value.expr.clone().is_not_null();
        present = Some(present.map_or(there.clone(), |before| before.or(there)));
        keys.push((group.node.clone(), super::rows::stored(&value)));
        names.push(group.node.clone());
    }
    // A row that has none of the fields belongs to no group.
    if let Some(present) = present {
        frame.filter(present)?;
    }
    let mut columns: Vec<Expr> = names.iter().map(|name| column(name)).collect();
    let mut aggregated = Vec::new();
    let mut results: Vec<String> = names.clone();
    // Of aggregates without a value the row of others is kept.
    let drops = groups.is_empty() && !computed.is_empty() && computed.iter().all(|computed| computed.drops);
    for computed in computed {
        for (name, result) in computed.results {
            if results.contains(&name) {
                let message = format!("two fields of the result would be named {name:?}");
                let place = groups.first().map(|group| group.span).unwrap_or_default();
                return Err(Diagnostic::error(Code::InvalidArgument, message, place)
                    .with_help("give one of them another name with `as=`")
                    .into());
            }
            columns.push(result.alias(&name));
            results.push(name);
        }
        aggregated.extend(computed.aggregates);
    }
    if keys.is_empty() && aggregated.is_empty() {
        return Err(expected("an aggregate", Span::default()).into());
    }
    let keys: Vec<Expr> = keys.into_iter().map(|(name, value)| value.alias(name)).collect();
    let limit = limit.filter(|limit| *limit < usize::MAX);
    if limit.is_some() {
        aggregated.push(count(lit(1_i64)).alias(GROUP_ROWS));
        columns.push(column(GROUP_ROWS));
    }
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(keys, aggregated)?.project(columns)?.build()?;
    let open = frame.open;
    frame.replace(plan, Vec::new());
    frame.open = open;
    if drops {
        let some = results.iter().map(|name| column(name).is_not_null()).reduce(Expr::or);
        frame.filter(some.unwrap_or_else(|| lit(true)))?;
    }
    if let Some(limit) = limit {
        // The biggest groups are kept.
        frame.order_by(vec![(column(GROUP_ROWS), true)])?;
        frame.limit(limit)?;
        let kept = results.iter().map(|name| (name.clone(), column(name))).collect();
        frame.select(kept)?;
    }
    order_by_groups(frame, &names)
}

pub fn counted(frame: &Frame, value: Option<Typed>, name: &str, span: Span, position: usize) -> PlanResult<Computed> {
    through(frame, "count", value, name, span, position)
}

/// An aggregate that SPL has too.
pub fn through(
    frame: &Frame,
    function: &str,
    value: Option<Typed>,
    name: &str,
    span: Span,
    position: usize,
) -> PlanResult<Computed> {
    let spl = Aggregate {
        function: Spanned::new(function.to_owned(), span),
        argument: None,
        alias: None,
        text: function.to_owned(),
        span,
    };
    let made = aggregate::plan_in(frame, &spl, value, name.to_owned(), position, Manner::default())?;
    let drops = !matches!(function, "count" | "dc");
    Ok(Computed { aggregates: made.aggregates, results: vec![(name.to_owned(), made.result)], drops })
}
