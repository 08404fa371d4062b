//! Steps that make other events: `createEvents` and `split`.

use super::super::Run;
use super::super::arguments::Arguments;
use crate::plan::PlanResult;
use crate::plan::frame::Frame;
use crate::plan::grid::Grid;
use crate::values::Value;

/// `split`: a row for each element of an array, which is numbered by `_index`.
pub async fn split(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    super::whole(run, a)?;
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
