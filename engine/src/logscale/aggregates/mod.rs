//! Aggregates: over all rows, by group, by stretch of time.

mod charts;
mod combine;
mod functions;
mod parts;
mod sequences;
mod time;
mod top;

pub use time::milliseconds;

use datafusion::logical_expr::Expr;
use spelunk_grammar::logscale::query::{Assignment, Element, ExpressionKind, Target};
use spelunk_grammar::spl::commands::stats::Aggregate;
use spelunk_grammar::{Diagnostic, Span, Spanned};

use super::Run;
use super::arguments::{Arguments, expected};
use super::functions::{Function, Makes};
use crate::plan::PlanResult;
use crate::plan::aggregate::{self, Manner};
use crate::plan::expression::Typed;
use crate::plan::frame::Frame;
pub use combine::combine;
pub use parts::{Part, condition};
pub use sequences::ordered;
pub use time::length;

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
        parameters: &["field", "span", "buckets", "function", "limit", "minSpan", "timezone", "unit"],
        makes: Makes::Step(|run, frame, a| Box::pin(time::bucket(run, frame, a))),
    },
    Function {
        name: "collect",
        parameters: &["fields", "separator", "limit", "multival"],
        makes: Makes::Aggregate(functions::collect),
    },
    Function { name: "count", parameters: &["field", "distinct", "as"], makes: Makes::Aggregate(functions::count) },
    Function {
        name: "counterAsRate",
        parameters: &["field", "as"],
        makes: Makes::Aggregate(functions::counter_as_rate),
    },
    Function {
        name: "groupBy",
        parameters: &["field", "function", "limit"],
        makes: Makes::Step(|run, frame, a| Box::pin(group_by(run, frame, a))),
    },
    Function {
        name: "linReg",
        parameters: &["x", "y", "prefix"],
        makes: Makes::Aggregate(functions::linear_regression),
    },
    Function { name: "max", parameters: &["field", "as"], makes: Makes::Aggregate(functions::greatest) },
    Function { name: "min", parameters: &["field", "as"], makes: Makes::Aggregate(functions::least) },
    Function {
        name: "partition",
        parameters: &["function", "condition", "split"],
        makes: Makes::Step(|run, frame, a| Box::pin(sequences::partition(run, frame, a))),
    },
    Function {
        name: "percentile",
        parameters: &["field", "percentiles", "accuracy", "as"],
        makes: Makes::Aggregate(functions::percentile),
    },
    Function { name: "range", parameters: &["field", "as"], makes: Makes::Aggregate(functions::range) },
    Function {
        name: "sankey",
        parameters: &["source", "target", "weight"],
        makes: Makes::Step(|run, frame, a| Box::pin(charts::sankey(run, frame, a))),
    },
    Function {
        name: "selectFromMax",
        parameters: &["field", "include"],
        makes: Makes::Aggregate(functions::select_from_max),
    },
    Function {
        name: "selectFromMin",
        parameters: &["field", "include"],
        makes: Makes::Aggregate(functions::select_from_min),
    },
    Function { name: "selectLast", parameters: &["fields"], makes: Makes::Aggregate(functions::select_last) },
    Function { name: "series", parameters: sequences::SERIES, makes: sequences::SERIES_MAKES },
    Function {
        name: "session",
        parameters: &["function", "maxpause"],
        makes: Makes::Step(|run, frame, a| Box::pin(sequences::session(run, frame, a))),
    },
    Function {
        name: "stats",
        parameters: &["function"],
        makes: Makes::Step(|run, frame, a| Box::pin(all_rows(run, frame, a))),
    },
    Function { name: "stdDev", parameters: &["field", "as"], makes: Makes::Aggregate(functions::deviation) },
    Function { name: "sum", parameters: &["field", "as"], makes: Makes::Aggregate(functions::sum) },
    Function {
        name: "timeChart",
        parameters: &["series", "span", "buckets", "function", "limit", "minSpan", "timezone", "unit"],
        makes: Makes::Step(|run, frame, a| Box::pin(time::chart(run, frame, a))),
    },
    Function {
        name: "top",
        parameters: &["field", "limit", "sum", "max", "as", "percent", "rest", "error"],
        makes: Makes::Step(|run, frame, a| Box::pin(top::plan(run, frame, a))),
    },
    Function {
        name: "worldMap",
        parameters: &["ip", "lat", "lon", "magnitude", "precision"],
        makes: Makes::Step(|run, frame, a| Box::pin(charts::world_map(run, frame, a))),
    },
];

async fn group_by(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let groups = a.need_names("field")?;
    let parts = parts_of(a, "function")?;
    let limit = a.count("limit")?;
    a.done()?;
    combine(run, frame, &groups, parts, limit).await
}

async fn all_rows(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let parts = parts_of(a, "function")?;
    a.done()?;
    combine(run, frame, &[], parts, None).await
}

/// `[f(), g()]`
pub async fn stats(run: &mut Run<'_, '_>, frame: &mut Frame, elements: &[Element]) -> PlanResult<()> {
    let parts = elements.iter().map(part).collect::<Result<Vec<_>, _>>()?;
    combine(run, frame, &[], parts, None).await
}

/// The functions of an argument; `count()` where there is none.
///
/// # Errors
/// What is no function.
pub fn parts_of<'c>(a: &Arguments<'c>, name: &str) -> Result<Vec<Part<'c>>, Diagnostic> {
    let Some(value) = a.take(name) else { return Ok(vec![Part::count()]) };
    match &value.kind {
        ExpressionKind::Array(elements) => elements.iter().map(part).collect(),
        _ => Ok(vec![Part::of(None, value)?]),
    }
}

fn part(element: &Element) -> Result<Part<'_>, Diagnostic> {
    match element {
        Element::Value(value) => Part::of(None, value),
        Element::Assign(Assignment { target: Target::Field(name), value }) => Part::of(Some(name), value),
        Element::Assign(Assignment { value, .. }) => Err(expected("a field", value.span)),
        Element::Labelled(labelled) => Err(expected("an aggregate", labelled.name.span)),
    }
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
