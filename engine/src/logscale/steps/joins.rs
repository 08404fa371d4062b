//! Queries inside a query: `join`, `defineTable`, `readFile`.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{JoinType, ScalarValue};
use datafusion::functions::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, is_true, lit};
use spelunk_grammar::logscale::query::ExpressionKind;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::super::aggregates::milliseconds;
use super::super::arguments::{Arguments, expected};
use super::super::filter::text_of;
use super::super::functions::lookups::Request;
use super::super::functions::{Function, Makes};
use super::super::rows::Rows;
use super::super::tables::{self, Named};
use super::super::{Run, start, unsupported};
use super::ordering::keep_columns;
use crate::functions::logscale;
use crate::lookups::definition::MatchType;
use crate::lookups::table::Table;
use crate::plan::expression::{ExpressionPlanner, Kind, Typed};
use crate::plan::frame::{Frame, column};
use crate::plan::{PlanError, PlanResult, Scope, combine, grid, inputlookup, join};

/// How many rows of the query of a `join` are used where it does not say.
const JOINED_ROWS: usize = 100_000;

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "defineTable",
        parameters: &["query", "name", "include", "start", "end", "repo", "view"],
        makes: Makes::Step(|run, frame, a| Box::pin(define_table(run, frame, a))),
    },
    Function {
        name: "join",
        parameters: &[
            "query", "field", "key", "include", "mode", "max", "limit", "repo", "view", "start", "end", "live",
        ],
        makes: Makes::Step(|run, frame, a| Box::pin(plan(run, frame, a))),
    },
    Function {
        name: "readFile",
        parameters: &["file", "include", "limit"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { read_file(run, frame, a) })),
    },
];

/// Plans the query that a call brings, over the time and repository that it names.
async fn subquery(run: &mut Run<'_, '_>, a: &Arguments<'_>) -> PlanResult<Frame> {
    let value = a.need("query")?;
    let ExpressionKind::Block(pipeline) = &value.kind else {
        return Err(expected("a query in braces", value.span).into());
    };
    let repository = match a.text("repo")? {
        Some(repository) => Some(repository),
        None => a.text("view")?,
    };
    let bounds = run.planner.bounds;
    for (name, latest) in [("start", false), ("end", true)] {
        if let Some(time) = a.text(name)? {
            let bound = if latest { &mut run.planner.bounds.1 } else { &mut run.planner.bounds.0 };
            *bound = Some(moment(&time, run.planner.clock.now.as_microsecond())?);
        }
    }
    let planned = async {
        let mut frame = start(run.planner)?;
        if let Some(repository) = repository {
            of_repository(&mut frame, &repository)?;
        }
        let mut inner = Run { planner: &mut *run.planner, aggregated: false, preamble: false, keys: Vec::new() };
        inner.pipeline(&mut frame, pipeline).await?;
        inner.planner.report_missing(&frame, &Scope::of(&frame));
        Ok::<Frame, PlanError>(frame)
    };
    let planned = planned.await;
    run.planner.bounds = bounds;
    planned
}

/// A time relative to now, or in milliseconds since the epoch, in microseconds.
fn moment(text: &Spanned<String>, now: i64) -> Result<i64, Diagnostic> {
    if text.node.eq_ignore_ascii_case("now") {
        return Ok(now);
    }
    if let Ok(milliseconds) = text.node.parse::<i64>() {
        return Ok(milliseconds.saturating_mul(1_000));
    }
    match milliseconds(&text.node) {
        Some(milliseconds) => Ok(now.saturating_sub((milliseconds * 1e3) as i64)),
        None => {
            let message = format!("{:?} is no time such as 7d or 1735689600000", text.node);
            Err(Diagnostic::error(Code::InvalidTime, message, text.span))
        }
    }
}

/// Keeps the events of a repository where they say which one they are of.
fn of_repository(frame: &mut Frame, name: &Spanned<String>) -> PlanResult<()> {
    if frame.data_type("#repo").is_none() {
        let message = format!("no event says which repository it is of: {:?} stands for all events", name.node);
        frame.note(Diagnostic::note(Code::Note, message, name.span));
        return Ok(());
    }
    let field = Rows::of(frame).field("#repo", name.span);
    frame.filter(is_true(logscale::glob(text_of(&field), &name.node, false)))?;
    Ok(())
}

/// `join`: the events of which a row of another query has the same key.
async fn plan(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    a.without_name()?;
    let negated = a.negation();
    let mut right = subquery(run, a).await?;
    let fields = a.need_names("field")?;
    let keys = a.names("key")?.unwrap_or_else(|| fields.clone());
    if fields.len() != keys.len() {
        let message = format!("{} fields are joined with {} keys", fields.len(), keys.len());
        return Err(Diagnostic::error(Code::InvalidArgument, message, a.span()).into());
    }
    let mut include = a.names("include")?.unwrap_or_default();
    let left = a.choice("mode", &["inner", "left"])? == "left";
    let max = a.count("max")?.unwrap_or(1);
    let limit = a.count("limit")?.unwrap_or(JOINED_ROWS);
    // Whether a query is kept up to date is nothing to one that runs once.
    a.flag("live", false)?;
    a.done()?;
    let text = |rows: Rows<'_>, name: &Spanned<String>| text_of(&rows.field(&name.node, name.span));
    let ours = fields.iter().map(|field| text(Rows::of(frame), field)).collect();
    let theirs = keys.iter().map(|key| text(Rows::of(&right), key)).collect();
    let ours = join::key_of(frame, ours)?;
    if include.iter().any(|name| name.node == "*") {
        // The text and time of an event stay its own.
        let shown = combine::shown(&right).into_iter();
        let shown = shown.filter(|name| !name.starts_with('@') && keys.iter().all(|key| key.node != *name));
        include = shown.map(|name| Spanned::new(name, a.span())).collect();
    }
    let theirs = join::key_of(&mut right, theirs)?;
    // Only what is asked for is held in memory.
    keep_columns(&mut right, &include)?;
    let right = combine::first_rows(run.planner, right, limit as u64, "join", a.span()).await?;
    let variant = match (negated, left) {
        (true, _) => JoinType::RightAnti,
        (false, true) => JoinType::Right,
        (false, false) => JoinType::Inner,
    };
    let joined = join::agreeing(frame, right, (&ours, &theirs), variant, most(max), None)?;
    add(frame, joined, true)
}

fn most(count: usize) -> Option<i64> {
    i64::try_from(count).ok()
}

/// Gives the fields of the other side their names: where a row is found that has no value, the empty text.
fn add(frame: &mut Frame, joined: join::Joined, empty: bool) -> PlanResult<()> {
    let found = column(&joined.found).is_not_null();
    let mut assignments: Vec<(String, Expr)> = Vec::new();
    for join::Field { name, hidden } in joined.fields {
        let data_type = combine::type_of(frame, &hidden);
        let value = Typed::new(column(&hidden), Kind::of(&data_type), Span::default());
        let before = Rows::of(frame).before(&name, Span::default());
        let mut choices = vec![(value.expr.clone().is_not_null(), value)];
        if empty {
            choices.push((found.clone(), Typed::new(lit(""), Kind::Literal, Span::default())));
        }
        let chosen = ExpressionPlanner::new(frame).choice(choices, Some(before), Span::default());
        assignments.push((name, chosen.expr));
    }
    frame.set(assignments)?;
    Ok(())
}

/// `match(..., nrows=n)`: a row for each of several rows of a table that agree.
pub fn match_several(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    a.without_name()?;
    let negated = a.negation();
    let Request { table, fields, columns, include, strict, manner } = Request::of(&Rows::of(frame), a)?;
    let nrows = a.count("nrows")?.unwrap_or(1);
    a.done()?;
    if manner.mode != MatchType::Exact {
        return Err(unsupported("`nrows` with a mode other than string", a.span()).into());
    }
    let Some(content) = &table.table else {
        let assumed = include.iter().map(|name| (name.node.clone(), lit(ScalarValue::Utf8(None))));
        let assumed = assumed.filter(|(name, _)| frame.data_type(name).is_none()).collect();
        frame.set(assumed)?;
        return Ok(());
    };
    for column in columns.iter().chain(&include) {
        table.position(content, column)?;
    }
    let mut right = table_frame(run, content)?;
    // Of several rows the last ones count.
    right.reverse()?;
    let folded = |value: Expr| match manner.any_case {
        true => logscale::cased(value, false, Span::default()).expr,
        false => value,
    };
    let text = |rows: Rows<'_>, name: &Spanned<String>| folded(text_of(&rows.field(&name.node, name.span)));
    let ours = fields.iter().map(|field| text(Rows::of(frame), field)).collect();
    let theirs = columns.iter().map(|column| text(Rows::of(&right), column)).collect();
    let ours = join::key_of(frame, ours)?;
    let theirs = join::key_of(&mut right, theirs)?;
    keep_columns(&mut right, &include)?;
    let variant = match (negated, strict) {
        (true, _) => JoinType::RightAnti,
        (false, true) => JoinType::Inner,
        (false, false) => JoinType::Right,
    };
    let joined = join::agreeing(frame, right, (&ours, &theirs), variant, most(nrows), None)?;
    add(frame, joined, table.file)
}

fn table_frame(run: &Run<'_, '_>, table: &Table) -> PlanResult<Frame> {
    let (plan, order) = grid::scan_in_order(inputlookup::batch(table)?)?;
    Ok(Frame::new(plan, order, run.planner.setting()))
}

/// `defineTable`: a table made by a query, for `match` and `readFile`.
async fn define_table(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    a.without_name()?;
    if !run.preamble {
        let message = "`defineTable` stands before all other steps";
        return Err(Diagnostic::error(Code::InvalidArgument, message, a.span()).into());
    }
    let name = a.need_text("name")?;
    if run.planner.tables.contains_key(&name.node) {
        let message = format!("the table {:?} is defined twice", name.node);
        return Err(Diagnostic::error(Code::InvalidArgument, message, name.span).into());
    }
    let include = a.need_names("include")?;
    let mut rows = subquery(run, a).await?;
    a.done()?;
    if include.iter().all(|name| name.node != "*") {
        keep_columns(&mut rows, &include)?;
    }
    let table = tables::of_frame(run.planner, rows).await?;
    Arc::make_mut(&mut run.planner.tables).insert(name.node, table);
    frame.setting.tables = Arc::clone(&run.planner.tables);
    Ok(())
}

/// `readFile`: the rows of tables instead of events.
fn read_file(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    a.without_name()?;
    let files = a.need_names("file")?;
    let include = a.names("include")?;
    let limit = a.count("limit")?;
    a.done()?;
    let mut all: Option<Frame> = None;
    for file in files {
        let named = Named::open(frame, file)?;
        let Some(table) = &named.table else {
            // Any column may be in it.
            frame.open = true;
            run.aggregated = true;
            return Ok(());
        };
        let mut rows = table_frame(run, table)?;
        if named.file {
            // A cell that holds nothing is an empty text.
            let filled = rows.fields().into_iter().map(|name| {
                let value = coalesce(vec![column(&name), lit("")]);
                (name, value)
            });
            let filled = filled.filter(|(name, _)| rows.data_type(name) == Some(DataType::Utf8)).collect();
            rows.set(filled)?;
        }
        match &mut all {
            None => all = Some(rows),
            Some(all) => combine::stack(all, rows)?,
        }
    }
    let Some(all) = all else { return Err(expected("a file", a.span()).into()) };
    let (open, order) = (frame.open && run.planner.runner.is_none(), all.order().to_vec());
    all.take_findings().into_iter().for_each(|finding| frame.note(finding));
    frame.replace(all.plan().clone(), order);
    frame.open = open;
    if let Some(limit) = limit {
        frame.limit(limit)?;
    }
    run.aggregated = true;
    match include {
        Some(include) => keep_columns(frame, &include),
        None => Ok(()),
    }
}
