//! Steps that make other events: `createEvents`, `split` and `regex(repeat=true)`.

use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::functions::{arrays, text};
use super::super::rows::{self, Rows};
use super::super::{Run, filter};
use crate::functions::comparison::invalid_pattern;
use crate::functions::pattern::Pattern;
use crate::plan::PlanResult;
use crate::plan::frame::Frame;
use crate::plan::grid::Grid;
use crate::values::Value;

/// `split`: a row for each element of an array, which is numbered by `_index`.
pub async fn split(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    super::whole(run, a)?;
    let field = a.field()?.unwrap_or_else(|| Spanned::new("_events".to_owned(), a.span()));
    let strip = a.flag("strip", false)?;
    a.done()?;
    arrays::refuse_in_one_column(&Rows::of(frame), a, &field)?;
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
                // An array without a name: that which is all of a document.
                (rest, false) if name.is_empty() => rest.to_owned(),
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
                    // Each of the events has a name of its own.
                    *cell = match (column.as_str(), value.text()) {
                        ("@id", Some(id)) => Value::Text(format!("{id}__{index}").into()),
                        _ => value.clone(),
                    };
                }
            }
            result.rows.push(made);
        }
    }
    result.replace(frame, a.span())
}

pub fn create_events(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    super::whole(run, a)?;
    let texts = a.need_names("rawstring")?;
    a.done()?;
    let now = super::super::now(run.planner);
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

/// How many matches of a row `regex(repeat=true)` gives where the query does not say.
const MATCHES: usize = 100;

/// `regex(repeat=true)`: a row for each match.
pub async fn every_match(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    if !a.flag("repeat", false)? {
        let effect = text::regex(&Rows::of(frame), a)?;
        a.done()?;
        return rows::apply(frame, None, effect);
    }
    super::whole(run, a)?;
    let written = text::pattern(a)?;
    let flags = a.text("flags")?.map_or_else(String::new, |flags| flags.node);
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), a.span()));
    let strict = a.flag("strict", true)?;
    let limit = a.count("limit")?;
    a.done()?;
    let compiled = filter::compile(&written.node, &flags, written.span)?;
    let pattern = Pattern::new(&compiled.pattern).map_err(|reason| invalid_pattern(&reason, written.span))?;
    // A field that no row has is told.
    Rows::of(frame).field(&field.node, field.span);
    let Some(grid) = Grid::collect(run.planner, frame).await? else { return Ok(()) };
    let plain = field.node.strip_prefix('#').unwrap_or(&field.node);
    let place = grid.position(&field.node).or_else(|| grid.position(plain));
    let groups = pattern.names();
    let mut names = grid.names.clone();
    for (_, name) in &compiled.groups {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let most = limit.unwrap_or(MATCHES);
    let mut cut = false;
    let mut result = Grid::new(names.clone());
    for row in &grid.rows {
        let mut kept = row.clone();
        kept.resize(names.len(), Value::Null);
        let sought = place.and_then(|place| row.get(place)).and_then(Value::text);
        let found = sought.as_ref().map(|text| pattern.captures(text, most.saturating_add(1))).unwrap_or_default();
        cut |= found.len() > most;
        if found.is_empty() && !strict {
            result.rows.push(kept);
            continue;
        }
        for captures in found.iter().take(most) {
            let mut made = kept.clone();
            for (group, name) in &compiled.groups {
                let position = groups.iter().position(|known| known.as_deref() == Some(group));
                let held = position.and_then(|position| captures.get(position).copied().flatten());
                let cell = names.iter().position(|known| known == name).and_then(|position| made.get_mut(position));
                if let (Some(cell), Some(held)) = (cell, held) {
                    *cell = Value::Text(held.to_owned().into());
                }
            }
            result.rows.push(made);
        }
    }
    if cut && limit.is_none() {
        let message = format!("more than {MATCHES} matches of one event: the first {MATCHES} are kept");
        let warning = Diagnostic::warning(Code::Truncated, message, a.call.name.span);
        run.planner.diagnostics.push(warning.with_help("`limit=` keeps another number"));
    }
    result.replace(frame, a.span())
}
