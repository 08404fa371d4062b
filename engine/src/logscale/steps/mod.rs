//! Functions that work on all rows, or make fields that depend on data.

pub mod joins;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::logscale::query::ExpressionKind;
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::arguments::Arguments;
use super::functions::{Function, Makes, Reading};
use super::rows::Rows;
use super::{Run, aggregates, as_number, unsupported};
use crate::functions::{logscale, ordering};
use crate::plan::PlanResult;
use crate::plan::barrier;
use crate::plan::expression::Kind;
use crate::plan::frame::Frame;
use crate::plan::grid::Grid;
use crate::values::Value;

/// How many rows `head` and `tail` keep where the query does not say.
const DEFAULT_ROWS: usize = 200;

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "createEvents",
        parameters: &["rawstring"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { create_events(run, frame, a) })),
    },
    Function {
        name: "head",
        parameters: &["limit"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { first_rows(run, frame, a, false) })),
    },
    Function {
        name: "select",
        parameters: &["fields"],
        makes: Makes::Step(|_, frame, a| Box::pin(async move { select(frame, a) })),
    },
    Function {
        name: "sort",
        parameters: &["field", "order", "type", "limit", "reverse"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { sort(run, frame, a) })),
    },
    Function {
        name: "split",
        parameters: &["field", "strip"],
        makes: Makes::Step(|run, frame, a| Box::pin(split(run, frame, a))),
    },
    Function {
        name: "table",
        parameters: &["fields", "limit", "sortby", "order", "type"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { table(run, frame, a) })),
    },
    Function {
        name: "tail",
        parameters: &["limit"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { first_rows(run, frame, a, true) })),
    },
];

/// Plans a call of a function that works on all rows, or makes fields that depend on data.
pub async fn plan(run: &mut Run<'_, '_>, frame: &mut Frame, arguments: Arguments<'_>) -> PlanResult<()> {
    let a = &arguments;
    match a.makes() {
        Makes::Fields(reading) => {
            let Reading { source, existing, read } = reading(&Rows::of(frame), a)?;
            a.done()?;
            barrier::extract(run.planner, frame, &source, existing, &*read).await?;
        }
        Makes::Aggregate(compute) => {
            let computed = compute(frame, a, 0)?;
            a.done()?;
            aggregates::finish(frame, &[], vec![computed], None)?;
            run.aggregated = true;
        }
        Makes::Step(step) => step(run, frame, a).await?,
        _ => return Err(unsupported(&format!("`{}` at this place", a.function.name), a.call.name.span).into()),
    }
    Ok(())
}

fn select(frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let fields = a.need_names("fields")?;
    a.done()?;
    keep_columns(frame, &fields)
}

fn table(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let fields = a.need_names("fields")?;
    let by = a.names("sortby")?;
    let by = by.unwrap_or_else(|| vec![Spanned::new("@timestamp".to_owned(), a.span())]);
    order(frame, a, &by)?;
    if let Some(limit) = a.count("limit")? {
        frame.limit(limit)?;
    }
    a.done()?;
    run.aggregated = true;
    frame.events = false;
    keep_columns(frame, &fields)
}

fn sort(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let fields = a.names("field")?;
    let fields = fields.unwrap_or_else(|| vec![Spanned::new("_count".to_owned(), a.span())]);
    order(frame, a, &fields)?;
    if let Some(limit) = a.count("limit")? {
        frame.limit(limit)?;
    }
    a.done()?;
    run.aggregated = true;
    Ok(())
}

/// `head` and `tail`: the oldest rows, or the newest.
fn first_rows(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>, newest: bool) -> PlanResult<()> {
    let limit = a.count("limit")?.unwrap_or(DEFAULT_ROWS);
    a.done()?;
    let time = Rows::of(frame).field("@timestamp", a.span());
    if time.kind != Kind::Null {
        frame.order_by(vec![(as_number(&time), newest)])?;
    }
    frame.limit(limit)?;
    run.aggregated = true;
    Ok(())
}

/// `split`: a row for each element of an array, which is numbered by `_index`.
async fn split(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let field = a.need_field()?;
    let strip = a.flag("strip", false)?;
    a.done()?;
    let name = field.node.trim_end_matches("[]").to_owned();
    let Some(grid) = Grid::collect(run.planner, frame).await? else { return Ok(()) };
    // Which columns hold elements: their index, and the field that they become.
    let places: Vec<Option<(usize, String)>> = grid
        .names
        .iter()
        .map(|column| {
            let (index, rest) = column.strip_prefix(name.as_str())?.strip_prefix('[')?.split_once(']')?;
            let rest = rest.strip_prefix('.').map_or_else(|| rest.to_owned(), str::to_owned);
            let target = match (rest.as_str(), strip) {
                ("", _) => name.clone(),
                (rest, true) => rest.to_owned(),
                (rest, false) if rest.starts_with('[') => format!("{name}{rest}"),
                (rest, false) => format!("{name}.{rest}"),
            };
            Some((index.parse().ok()?, target))
        })
        .collect();
    let mut names: Vec<String> = vec!["_index".to_owned()];
    for (column, place) in grid.names.iter().zip(&places) {
        let target = place.as_ref().map_or(column, |(_, target)| target);
        if !names.contains(target) {
            names.push(target.clone());
        }
    }
    let position = |target: &str| names.iter().position(|known| known == target);
    let mut result = Grid::new(names.clone());
    for row in &grid.rows {
        let mut indices: Vec<usize> = Vec::new();
        for (place, value) in places.iter().zip(row) {
            if let Some((index, _)) = place
                && *value != Value::Null
                && !indices.contains(index)
            {
                indices.push(*index);
            }
        }
        indices.sort_unstable();
        for index in indices {
            let mut made = vec![Value::Null; names.len()];
            if let Some(first) = made.first_mut() {
                *first = Value::Number(index as f64);
            }
            for ((column, place), value) in grid.names.iter().zip(&places).zip(row) {
                let target = match place {
                    Some((own, target)) if *own == index => target,
                    Some(_) => continue,
                    None => column,
                };
                if let Some(cell) = position(target).and_then(|position| made.get_mut(position))
                    && *value != Value::Null
                {
                    *cell = value.clone();
                }
            }
            result.rows.push(made);
        }
    }
    result.replace(frame, a.span())
}

fn create_events(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let texts = a.need_names("rawstring")?;
    a.done()?;
    let now = super::now(run.planner);
    let mut grid = Grid::new(["@rawstring", "@timestamp"]);
    for text in texts {
        grid.rows.push(vec![Value::Text(text.node.into()), Value::Number(now)]);
    }
    let open = frame.open && run.planner.runner.is_none();
    grid.replace(frame, a.span())?;
    frame.open = open;
    run.aggregated = true;
    Ok(())
}

/// Keeps these fields in this order; one that no row has is an empty column.
pub fn keep_columns(frame: &mut Frame, fields: &[Spanned<String>]) -> PlanResult<()> {
    let mut columns: Vec<(String, Expr)> = Vec::new();
    for field in fields {
        let value = Rows::of(frame).field(&field.node, field.span);
        let value = match value.kind {
            Kind::Null => lit(ScalarValue::Utf8(None)),
            _ => value.expr,
        };
        if !columns.iter().any(|(known, _)| *known == field.node) {
            columns.push((field.node.clone(), value));
        }
    }
    frame.select(columns)?;
    Ok(())
}

/// Orders the rows as the arguments `order` and `type` say: by numbers, from great to small, where they do not.
fn order(frame: &mut Frame, a: &Arguments<'_>, fields: &[Spanned<String>]) -> PlanResult<()> {
    let orders = a.names("order")?.unwrap_or_default();
    let types = a.names("type")?.unwrap_or_default();
    let reverse = a.take("reverse").is_some_and(|value| matches!(&value.kind, ExpressionKind::Word(w) if w == "true"));
    let mut keys = Vec::new();
    for (position, field) in fields.iter().enumerate() {
        let value = Rows::of(frame).field(&field.node, field.span);
        let order = orders.get(position).or(orders.first());
        let descending = match order.map(|order| order.node.to_ascii_lowercase()).as_deref() {
            None | Some("desc" | "descending") => true,
            Some("asc" | "ascending") => false,
            Some(other) => {
                let message = format!("`order` is asc or desc, not `{other}`");
                return Err(Diagnostic::error(Code::InvalidOption, message, field.span).into());
            }
        };
        let kind = types.get(position).or(types.first()).map(|kind| kind.node.to_ascii_lowercase());
        let key = match kind.as_deref() {
            _ if value.kind == Kind::Null => continue,
            None | Some("number") => as_number(&value),
            Some("string") => ordering::text_key(value.text()),
            Some("hex") => logscale::hexadecimal(value.text()),
            Some("any") => ordering::auto_key(value.text()),
            Some(other) => {
                let message = format!("`type` is number, string, hex or any, not `{other}`");
                return Err(Diagnostic::error(Code::InvalidOption, message, field.span).into());
            }
        };
        keys.push((key, descending != reverse));
    }
    frame.order_by(keys)?;
    Ok(())
}
