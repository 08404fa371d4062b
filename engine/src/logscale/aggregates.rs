//! Aggregates: over all rows, by group, by stretch of time.

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, lit};
use spelunk_grammar::logscale::query::{Assignment, Element, Expression, ExpressionKind, Target};
use spelunk_grammar::spl::commands::stats::Aggregate;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::arguments::{Arguments, expected};
use super::rows::Rows;
use super::{Run, as_number, unsupported};
use crate::functions::{aggregates, rows as row_functions};
use crate::plan::PlanResult;
use crate::plan::aggregate::{self, Manner};
use crate::plan::expression::{Kind, Typed};
use crate::plan::frame::{Frame, column};
use crate::plan::stats::order_by_groups;

/// How many rows `top` gives where the query does not say.
const TOP_ROWS: usize = 10;

/// The rows of a group, where a limit asks for the biggest ones.
const GROUP_ROWS: &str = "__order_group_rows";

/// How many values `collect` keeps where the query does not say.
const COLLECTED: usize = 2_000;

/// A planned aggregate: what DataFusion computes, and the fields made of it.
struct Computed {
    aggregates: Vec<Expr>,
    results: Vec<(String, Expr)>,
    /// Whether there is no row where there is no value.
    drops: bool,
}

/// Plans a call of an aggregate.
pub async fn plan(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    match a.function {
        "groupBy" => {
            let groups = a.need_names("field")?;
            let functions = functions_of(a)?;
            let limit = a.count("limit")?;
            a.done()?;
            reduce(frame, &groups, functions, limit)?;
        }
        "stats" => {
            let functions = functions_of(a)?;
            a.done()?;
            reduce(frame, &[], functions, None)?;
        }
        "bucket" => {
            let span_text = a.need_text("span")?;
            let Some(milliseconds) = milliseconds(&span_text.node) else {
                let message = format!("{:?} is no length of time such as 1h", span_text.node);
                return Err(Diagnostic::error(Code::InvalidTime, message, span_text.span).into());
            };
            let mut groups = vec![Spanned::new("_bucket".to_owned(), a.span())];
            groups.extend(a.names("field")?.unwrap_or_default());
            let functions = functions_of(a)?;
            let limit = a.count("limit")?;
            a.done()?;
            let time = as_number(&Rows::of(frame).field("@timestamp", a.span()));
            let bucket = datafusion::functions::expr_fn::floor(time / lit(milliseconds)) * lit(milliseconds);
            frame.set(vec![("_bucket".to_owned(), bucket)])?;
            reduce(frame, &groups, functions, limit)?;
        }
        "top" => top(frame, a)?,
        _ => {
            let computed = compute(frame, a, 0)?;
            a.done()?;
            finish(frame, &[], vec![computed], None)?;
        }
    }
    run.aggregated = true;
    Ok(())
}

/// `[f(), g()]`
pub async fn stats(run: &mut Run<'_, '_>, frame: &mut Frame, elements: &[Element]) -> PlanResult<()> {
    let functions = elements.iter().map(function).collect::<Result<Vec<_>, _>>()?;
    reduce(frame, &[], functions, None)?;
    run.aggregated = true;
    Ok(())
}

/// A function, and the name of its result where one is given.
type Named<'c> = (Option<Spanned<String>>, &'c Expression);

fn functions_of<'c>(a: &Arguments<'c>) -> Result<Vec<Named<'c>>, Diagnostic> {
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

fn reduce(
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
        computed.push(compute(frame, &arguments, position)?);
        arguments.done()?;
    }
    finish(frame, groups, computed, limit)
}

/// Runs the aggregates by group.
fn finish(
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

fn counted(frame: &Frame, value: Option<Typed>, name: &str, span: Span, position: usize) -> PlanResult<Computed> {
    through(frame, "count", value, name, span, position)
}

/// An aggregate that SPL has too.
fn through(
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

fn compute(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let span = a.span();
    let rows = Rows::of(frame);
    let number = || -> Result<Typed, Diagnostic> {
        let field = a.need_field()?;
        Ok(Typed::new(as_number(&rows.field(&field.node, field.span)), Kind::Number, field.span))
    };
    match a.function {
        "count" => {
            let field = a.field()?;
            let distinct = a.flag("distinct", false)?;
            let value = field.map(|field| {
                let value = rows.field(&field.node, field.span);
                Typed::new(super::rows::stored(&value), super::rows::stored_kind(value.kind), field.span)
            });
            let name = a.output("_count")?;
            match distinct {
                true => through(frame, "dc", value, &name, span, position),
                false => counted(frame, value, &name, span, position),
            }
        }
        "sum" | "avg" | "min" | "max" | "range" | "stdDev" => {
            let value = number()?;
            let name = a.output(&format!("_{}", a.function.to_ascii_lowercase()))?;
            let function = if a.function == "stdDev" { "stdev" } else { a.function };
            through(frame, function, Some(value), &name, span, position)
        }
        "percentile" => {
            let value = number()?;
            let given = a.names("percentiles")?;
            let given = given.unwrap_or_else(|| ["50", "75", "99"].map(|n| Spanned::new(n.to_owned(), span)).to_vec());
            let prefix = a.output("")?;
            let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
            for (index, percent) in given.iter().enumerate() {
                if percent.node.parse::<f64>().is_err() {
                    return Err(expected("a number between 0 and 100", percent.span).into());
                }
                let name = format!("{prefix}_{}", percent.node);
                let place = position.saturating_mul(1_000).saturating_add(index).saturating_add(1_000);
                let function = format!("perc{}", percent.node);
                let made = through(frame, &function, Some(value.clone()), &name, span, place)?;
                all.aggregates.extend(made.aggregates);
                all.results.extend(made.results);
            }
            Ok(all)
        }
        "collect" => {
            let fields = a.need_names("fields")?;
            let separator = a.text("separator")?.map_or_else(|| "\n".to_owned(), |text| text.node);
            let limit = u64::try_from(a.count("limit")?.unwrap_or(COLLECTED)).unwrap_or(u64::MAX);
            let multival = a.flag("multival", true)?;
            if !multival {
                return Err(unsupported("`multival=false`", span).into());
            }
            let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
            for (index, field) in fields.iter().enumerate() {
                let hidden = format!("__collected_{position}_{index}");
                let value = rows.field(&field.node, field.span);
                let value = Typed::new(super::rows::stored(&value), super::rows::stored_kind(value.kind), field.span);
                all.aggregates.push(aggregates::values(value.text()).alias(&hidden));
                all.results.push((
                    field.node.clone(),
                    row_functions::single(row_functions::first_values(column(&hidden), limit), &separator),
                ));
            }
            Ok(all)
        }
        "selectLast" => {
            let fields = a.need_names("fields")?;
            let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
            let time = rows.field("@timestamp", span);
            for (index, field) in fields.iter().enumerate() {
                let hidden = format!("__selected_{position}_{index}");
                let value = super::rows::stored(&rows.field(&field.node, field.span));
                let mut order = vec![Sort::new(as_number(&time), false, false)];
                order.extend(frame.sort_expressions());
                let last = first_value_udaf().call(vec![value.clone()]).order_by(order).filter(value.is_not_null());
                all.aggregates.push(last.build()?.alias(&hidden));
                all.results.push((field.node.clone(), column(&hidden)));
            }
            Ok(all)
        }
        other => Err(unsupported(&format!("`{other}` as an aggregate"), a.call.name.span).into()),
    }
}

/// `top`: the most frequent values, or those with the greatest sum or maximum of another field.
fn top(frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let groups = a.need_names("field")?;
    let limit = a.count("limit")?.unwrap_or(TOP_ROWS);
    let (sum, max) = (a.text("sum")?, a.text("max")?);
    let (function, field) = match (sum, max) {
        (Some(both), Some(_)) => {
            let message = "`top` takes `sum` or `max`, not both";
            return Err(Diagnostic::error(Code::InvalidArgument, message, both.span).into());
        }
        (Some(field), None) => ("sum", Some(field)),
        (None, Some(field)) => ("max", Some(field)),
        (None, None) => ("count", None),
    };
    let name = a.output(&format!("_{function}"))?;
    a.done()?;
    for group in &groups {
        let value = Rows::of(frame).field(&group.node, group.span);
        frame.filter(value.expr.is_not_null())?;
    }
    let value = field
        .map(|field| Typed::new(as_number(&Rows::of(frame).field(&field.node, field.span)), Kind::Number, field.span));
    let computed = through(frame, function, value, &name, a.span(), 0)?;
    finish(frame, &groups, vec![computed], None)?;
    frame.order_by(vec![(column(&name), true)])?;
    frame.limit(limit)?;
    Ok(())
}

/// A length of time in milliseconds.
fn milliseconds(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "ms" | "millis" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
        "m" | "min" | "minute" | "minutes" => 6e4,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3.6e6,
        "d" | "day" | "days" => 8.64e7,
        "w" | "week" | "weeks" => 6.048e8,
        "mon" | "month" | "months" => 2.592e9,
        "q" | "quarter" | "quarters" => 7.776e9,
        "y" | "yr" | "yrs" | "year" | "years" => 3.1536e10,
        _ => return None,
    };
    Some(number * unit).filter(|length| *length > 0.0)
}
