//! `tstats`: aggregates over events, from the start.
//!
//! Splunk computes it from indexed fields or from summaries of a data model; here every field of the events can be
//! named, and everything is computed from the events.
//!
//! Source: Splunk Search Reference, "tstats".

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::commands::search::Search;
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument};
use spelunk_grammar::spl::commands::tstats::{Source, Tstats, TstatsOptions};
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::aggregate::{self, Manner};
use super::datamodel::Form;
use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::stats::{self, Reduction};
use super::{PlanResult, Planner, Scope, combine, datamodel, existing, needs, search};
use crate::functions::buckets::{self, Step};
use crate::functions::{operators, terms};

/// The column of rows that are left to be counted by the command that follows.
const UNCOUNTED: &str = "psrsvd_gc";

/// Plans the command at the start of a search.
pub async fn plan(planner: &mut Planner<'_>, command: &Tstats) -> PlanResult<Frame> {
    if let Some(append) = command.options.append.as_ref().filter(|append| append.node)
        && !prestats(command)
    {
        return Err(append_without_prestats(append.span));
    }
    frame_of(planner, command).await
}

/// Plans the command behind others, to whose rows it adds its own.
pub async fn append(planner: &mut Planner<'_>, frame: &mut Frame, command: &Tstats, place: Span) -> PlanResult<()> {
    let append = command.options.append.as_ref().filter(|append| append.node);
    let Some(append) = append else {
        let message = "`tstats` generates rows, so it has to be the first command, or to append to another `tstats`";
        let error = Diagnostic::error(Code::InvalidArgument, message, place);
        return Err(error.with_help("write `tstats prestats=t append=t ...` behind a `tstats prestats=t`").into());
    };
    if !prestats(command) {
        return Err(append_without_prestats(append.span));
    }
    let counts = command.aggregates.iter().any(is_row_count);
    let counted = frame.data_type(UNCOUNTED).is_some();
    if counts != counted && !(frame.open && planner.runner.is_none()) {
        let message =
            "`append` needs the `tstats` before it to have `prestats=t` and to count rows only where this one does";
        return Err(Diagnostic::error(Code::Unsupported, message, append.span).into());
    }
    let own = frame_of(planner, command).await?;
    combine::stack(frame, own)
}

fn prestats(command: &Tstats) -> bool {
    command.options.prestats.as_ref().is_some_and(|prestats| prestats.node)
}

fn append_without_prestats(span: Span) -> super::PlanError {
    let error = Diagnostic::error(Code::InvalidOption, "`append` goes together with `prestats`", span);
    error.with_help("add `prestats=t`, or use the command `append`").into()
}

/// `count` without a field.
fn is_row_count(aggregate: &Aggregate) -> bool {
    aggregate.argument.is_none() && aggregate::counts(&aggregate.function.node)
}

async fn frame_of(planner: &mut Planner<'_>, command: &Tstats) -> PlanResult<Frame> {
    let Tstats { aggregates, source, condition, by, prefixes, options } = command;
    // What concerns the summaries, the servers and the memory of Splunk changes no result here.
    let TstatsOptions {
        prestats: _,
        local: _,
        append: _,
        summariesonly,
        allow_old_summaries: _,
        include_reduced_buckets: _,
        fillnull_value,
        chunk_size: _,
        span,
    } = options.as_ref();
    let mut frame = match source {
        None => planner.scan()?,
        Some(Source::DataModel(name)) => {
            let named = needs::tstats_fields(command);
            datamodel::events(planner, &name.text, Form::Qualified(&named), name.span).await?
        }
        Some(Source::Job(name)) => return Err(server_only("the job", name)),
        Some(Source::Namespace(name)) => return Err(server_only("the namespace", name)),
    };
    if let Some(only) = summariesonly.as_ref().filter(|only| only.node) {
        let message = "there are no summaries here: everything is computed from the events";
        planner.diagnostics.push(Diagnostic::note(Code::Note, message, only.span));
    }
    check(aggregates, prefixes)?;
    let scope = Scope::of(&frame);
    search::plan_first(planner, &mut frame, &Search { expression: condition.clone() })?;
    take_terms(&mut frame, prefixes)?;
    let bin = bin(&frame, by, span.as_ref())?;
    if let Some(value) = fillnull_value {
        fill(&mut frame, by, &value.node)?;
    }
    let reduction =
        Reduction { aggregates, by, distinct: false, manner: Manner { in_order: false, allnum: false }, bin };
    match prestats(command) {
        true => leave(&mut frame, &reduction)?,
        false => {
            stats::reduce(&mut frame, reduction)?;
        }
    }
    planner.report_missing(&frame, &scope);
    Ok(frame)
}

fn server_only(what: &str, name: &Name) -> super::PlanError {
    let message = format!("{what} {:?} is on a Splunk server", name.text);
    let error = Diagnostic::error(Code::Unsupported, message, name.span);
    error.with_help("without FROM `tstats` computes over the events; FROM datamodel=... names a data model").into()
}

fn check(aggregates: &[Aggregate], prefixes: &[Name]) -> Result<(), Diagnostic> {
    for aggregate in aggregates {
        let function = &aggregate.function.node;
        match &aggregate.argument {
            Some(AggregateArgument::Field(field)) if field.text.contains('*') => {
                let message = format!("`tstats` takes field names, not the wildcard `{}`", field.text);
                return Err(Diagnostic::error(Code::InvalidArgument, message, field.span));
            }
            None if !aggregate::counts(function) => {
                let message = format!("`{function}` needs a field in `tstats`");
                let error = Diagnostic::error(Code::InvalidArgument, message, aggregate.function.span);
                return Err(error.with_help(format!("write `{function}(field)`")));
            }
            _ => {}
        }
    }
    match prefixes.iter().find(|prefix| prefix.text.is_empty()) {
        Some(prefix) => Err(Diagnostic::error(Code::InvalidArgument, "PREFIX needs the start of a term", prefix.span)),
        None => Ok(()),
    }
}

/// Makes fields of the terms that begin with the prefixes.
fn take_terms(frame: &mut Frame, prefixes: &[Name]) -> PlanResult<()> {
    let mut fields = Vec::new();
    for prefix in prefixes {
        let raw = ExpressionPlanner::new(frame).field("_raw", prefix.span);
        fields.push((prefix.text.clone(), terms::terms(raw.text(), prefix.text.clone())));
    }
    if !fields.is_empty() {
        frame.set(fields)?;
    }
    Ok(())
}

/// What stands for `_time` among the groups.
fn bin(frame: &Frame, by: &[Name], span: Option<&Spanned<String>>) -> PlanResult<Option<Expr>> {
    let Some(span) = span else { return Ok(None) };
    let step = Step::parse(&span.node).map_err(|reason| {
        let message = format!("`span` takes a length of time such as 30s, 5m or 1h: {reason}");
        Diagnostic::error(Code::InvalidOption, message, span.span)
    })?;
    let Some(time) = by.iter().find(|field| field.text == "_time") else {
        let error = Diagnostic::error(
            Code::InvalidOption,
            "`span` is about `_time`, which is not among the BY fields",
            span.span,
        );
        return Err(error.with_help("add `_time` to the BY fields").into());
    };
    if existing(frame, "_time", time.span).is_none() {
        return Ok(None);
    }
    let typed = ExpressionPlanner::new(frame).field("_time", time.span);
    let time = if typed.kind == Kind::Time { typed.expr } else { operators::to_time(typed.number()) };
    Ok(Some(buckets::start(time, step, &frame.setting.clock.time_zone)))
}

/// Puts the value where a BY field is missing.
fn fill(frame: &mut Frame, by: &[Name], value: &str) -> PlanResult<()> {
    let mut filled: Vec<(String, Expr)> = Vec::new();
    for field in by.iter().filter(|field| field.text != "_time") {
        if filled.iter().any(|(known, _)| *known == field.text) {
            continue;
        }
        let instead = Typed::new(lit(value), Kind::Literal, field.span);
        let present = existing(frame, &field.text, field.span);
        let planner = ExpressionPlanner::new(frame);
        let expr = match present {
            Some(present) => {
                let own = planner.field(&field.text, field.span);
                planner.choice(vec![(present.is_not_null(), own)], Some(instead), field.span).expr
            }
            None => instead.expr,
        };
        filled.push((field.text.clone(), expr));
    }
    if !filled.is_empty() {
        frame.set(filled)?;
    }
    Ok(())
}

/// Leaves the rows to the command that follows, with the fields that were named.
fn leave(frame: &mut Frame, reduction: &Reduction<'_>) -> PlanResult<()> {
    let Reduction { aggregates, by, distinct, manner, bin } = reduction;
    // What is wrong with the functions shows here, as it would without `prestats`.
    stats::compute(frame, aggregates, by, *manner)?;
    let timed = ["earliest", "earliest_time", "latest", "latest_time", "rate"];
    let exact = aggregates.iter().find(|aggregate| {
        timed.iter().any(|name| name.eq_ignore_ascii_case(&aggregate.function.node))
            || matches!(&aggregate.argument, Some(AggregateArgument::Field(field)) if field.text == "_time")
    });
    if let (Some(aggregate), Some(_)) = (exact, bin) {
        let message = format!("`{}` needs the exact time, which `prestats` with `span` does not leave", aggregate.text);
        return Err(Diagnostic::error(Code::Unsupported, message, aggregate.span).into());
    }
    let groups = stats::group_fields(frame, by, *distinct)?;
    let mut columns: Vec<(String, Expr)> = Vec::new();
    if frame.data_type("_time").is_some() {
        columns.push(("_time".into(), bin.clone().unwrap_or_else(|| column("_time"))));
    }
    let fields = aggregates.iter().filter_map(|aggregate| match &aggregate.argument {
        Some(AggregateArgument::Field(field)) => Some(&field.text),
        _ => None,
    });
    for name in groups.iter().chain(fields) {
        let known = columns.iter().any(|(known, _)| known == name);
        if !known && frame.data_type(name).is_some() {
            columns.push((name.clone(), column(name)));
        }
    }
    if aggregates.iter().any(is_row_count) {
        columns.push((UNCOUNTED.into(), lit(ScalarValue::Int64(Some(1)))));
    }
    frame.select(columns)?;
    frame.events = false;
    Ok(())
}
