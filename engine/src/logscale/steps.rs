//! Functions that work on all rows, or make fields that depend on data.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::logscale::query::ExpressionKind;
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::arguments::Arguments;
use super::documents::{self, Null};
use super::filter::compile;
use super::rows::{Effect, Rows, apply};
use super::{Run, aggregates, as_number};
use crate::functions::{logscale, ordering};
use crate::plan::PlanResult;
use crate::plan::barrier::{self, Existing};
use crate::plan::expression::{Kind, Typed};
use crate::plan::frame::Frame;
use crate::plan::grid::Grid;
use crate::values::Value;

/// How many rows `head` and `tail` keep where the query does not say.
const DEFAULT_ROWS: usize = 200;

/// Plans a call of such a function.
pub async fn plan(run: &mut Run<'_, '_>, frame: &mut Frame, arguments: Arguments<'_>) -> PlanResult<()> {
    let a = &arguments;
    match a.function {
        "createEvents" => create_events(run, frame, a)?,
        "kvParse" => {
            let prefix = match a.text("prefix")? {
                Some(prefix) => Some(prefix),
                None => a.text("as")?,
            };
            let prefix = prefix.map_or_else(String::new, |prefix| match prefix.node.ends_with('.') {
                true => prefix.node,
                false => format!("{}.", prefix.node),
            });
            let existing = if a.flag("override", false)? { Existing::Replaced } else { Existing::Kept };
            let first = a.choice("onDuplicate", &["keepLast", "keepFirst"])? == "keepFirst";
            let source = source(frame, a)?;
            a.done()?;
            let read = move |text: &str| {
                let found = documents::pairs(text, first);
                found.into_iter().map(|(name, values)| (format!("{prefix}{name}"), values)).collect()
            };
            barrier::extract(run.planner, frame, &source, existing, &read).await?;
        }
        "parseJson" => {
            let prefix = a.text("prefix")?.map_or_else(String::new, |prefix| prefix.node);
            let null = match a.choice("handleNull", &["keep", "discard", "empty"])? {
                "discard" => Null::Discard,
                "empty" => Null::Empty,
                _ => Null::Keep,
            };
            let source = source(frame, a)?;
            a.done()?;
            let read = move |text: &str| documents::flatten(text, &prefix, null);
            barrier::extract(run.planner, frame, &source, Existing::Replaced, &read).await?;
        }
        "split" => split(run, frame, a).await?,
        "splitString" => {
            let by = a.need_text("by")?;
            let compiled = compile(&by.node, "", by.span)?;
            let index = a.text("index")?;
            let name = a.output("_splitstring")?;
            let source = source(frame, a)?;
            a.done()?;
            if let Some(index) = index {
                let Ok(position) = index.node.parse::<i64>() else {
                    return Err(super::arguments::expected("a whole number", index.span).into());
                };
                let part = logscale::split(source.text(), &compiled.pattern, position, a.span());
                return apply(frame, None, Effect::set(&name, part));
            }
            let read = move |text: &str| {
                let parts = logscale::parts(text, &compiled.pattern).unwrap_or_default().into_iter().enumerate();
                parts.map(|(index, part)| (format!("{name}[{index}]"), vec![part.to_owned()])).collect()
            };
            barrier::extract(run.planner, frame, &source, Existing::Replaced, &read).await?;
        }
        "select" | "table" => {
            let fields = a.need_names("fields")?;
            let table = a.function == "table";
            if table {
                let by = a.names("sortby")?;
                let by = by.unwrap_or_else(|| vec![Spanned::new("@timestamp".to_owned(), a.span())]);
                sort(frame, a, &by)?;
                if let Some(limit) = a.count("limit")? {
                    frame.limit(limit)?;
                }
                run.aggregated = true;
                frame.events = false;
            }
            a.done()?;
            keep_columns(frame, &fields)?;
        }
        "sort" => {
            let fields = a.names("field")?;
            let fields = fields.unwrap_or_else(|| vec![Spanned::new("_count".to_owned(), a.span())]);
            sort(frame, a, &fields)?;
            if let Some(limit) = a.count("limit")? {
                frame.limit(limit)?;
            }
            a.done()?;
            run.aggregated = true;
        }
        "head" | "tail" => {
            let limit = a.count("limit")?.unwrap_or(DEFAULT_ROWS);
            a.done()?;
            let time = Rows::of(frame).field("@timestamp", a.span());
            if time.kind != Kind::Null {
                frame.order_by(vec![(as_number(&time), a.function == "tail")])?;
            }
            frame.limit(limit)?;
            run.aggregated = true;
        }
        _ => aggregates::plan(run, frame, a).await?,
    }
    Ok(())
}

/// The field that is read, the text of the event where none is named.
fn source(frame: &Frame, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), a.span()));
    let value = Rows::of(frame).field(&field.node, field.span);
    Ok(Typed::new(value.text(), if value.kind == Kind::Null { Kind::Null } else { Kind::Text }, field.span))
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
fn sort(frame: &mut Frame, a: &Arguments<'_>, fields: &[Spanned<String>]) -> PlanResult<()> {
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
