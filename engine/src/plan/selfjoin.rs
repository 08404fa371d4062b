//! `selfjoin`: joins each row with the next ones of the same values.
//!
//! Source: Splunk Search Reference, "selfjoin".

use std::collections::HashMap;

use spelunk_grammar::spl::commands::selfjoin::Selfjoin;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::grid::Grid;
use super::{PlanResult, Planner, existing};
use crate::values::Value;

/// How many rows are joined.
const MOST_ROWS: usize = 100_000;

/// How many rows the result may have; `max=0` makes as many as there are pairs.
const MOST_PAIRS: usize = 5_000_000;

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Selfjoin, place: Span) -> PlanResult<()> {
    let Selfjoin { fields, overwrite, max, keepsingle } = command;
    let mut keys: Vec<String> = Vec::new();
    let mut lacking = false;
    for field in fields {
        match existing(frame, &field.text, field.span) {
            Some(_) => keys.push(field.text.clone()),
            None => lacking = !frame.open,
        }
    }
    frame.limit(MOST_ROWS.saturating_add(1))?;
    let Some(mut grid) = Grid::collect(planner, frame).await? else { return Ok(()) };
    if grid.rows.len() > MOST_ROWS {
        grid.rows.truncate(MOST_ROWS);
        let message = format!("`selfjoin` joins the first {MOST_ROWS} rows; there are more");
        planner.diagnostics.push(Diagnostic::warning(Code::Truncated, message, place));
    }
    let most = match max.unwrap_or(1) {
        0 => usize::MAX,
        most => usize::try_from(most).unwrap_or(usize::MAX),
    };
    let manner = Manner { overwrite: overwrite.unwrap_or(true), most, keepsingle: keepsingle.unwrap_or(false) };
    let positions: Option<Vec<usize>> = keys.iter().map(|key| grid.position(key)).collect();
    let rows = match positions.filter(|_| !lacking) {
        Some(positions) => joined(&grid, &positions, manner, place)?,
        None => Vec::new(),
    };
    Grid { names: grid.names, rows }.replace(frame, place)
}

/// How rows are joined.
#[derive(Clone, Copy)]
struct Manner {
    overwrite: bool,
    /// With how many of the next rows.
    most: usize,
    keepsingle: bool,
}

type Row = Vec<Value<'static>>;

fn joined(grid: &Grid, keys: &[usize], manner: Manner, place: Span) -> PlanResult<Vec<Row>> {
    let mut same: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
    let key_of = |row: usize| -> Option<Vec<String>> {
        keys.iter()
            .map(|position| {
                Some(grid.value(row, *position).texts().join("\n"))
                    .filter(|_| *grid.value(row, *position) != Value::Null)
            })
            .collect()
    };
    // The place of each row among those of its values.
    let mut places: Vec<Option<(Vec<String>, usize)>> = Vec::with_capacity(grid.rows.len());
    for row in 0..grid.rows.len() {
        places.push(key_of(row).map(|key| {
            let rows = same.entry(key.clone()).or_default();
            rows.push(row);
            (key, rows.len())
        }));
    }
    let mut result = Vec::new();
    for (row, place_in_group) in grid.rows.iter().zip(places) {
        let Some((key, next)) = place_in_group else { continue };
        let group = same.get(&key).map(Vec::as_slice).unwrap_or_default();
        if group.len() == 1 && manner.keepsingle {
            result.push(row.clone());
        }
        for other in group.get(next..).unwrap_or_default().iter().take(manner.most) {
            let other = grid.rows.get(*other).map(Vec::as_slice).unwrap_or_default();
            let (first, second) = if manner.overwrite { (other, row.as_slice()) } else { (row.as_slice(), other) };
            result.push(merged(first, second));
            if result.len() > MOST_PAIRS {
                let message = format!("`selfjoin` would make more than {MOST_PAIRS} rows");
                return Err(Diagnostic::error(Code::TooLarge, message, place)
                    .with_help("limit how many rows each is joined with, such as `max=10`")
                    .into());
            }
        }
    }
    Ok(result)
}

/// The values of the first row, and of the second where the first has none.
fn merged(first: &[Value<'static>], second: &[Value<'static>]) -> Row {
    first.iter().zip(second).map(|(first, second)| if *first == Value::Null { second } else { first }.clone()).collect()
}
