//! The comparison for people.

use std::fmt::Write as _;

use spelunk_engine::values::Cell;

use super::{Comparison, Difference, Why, labels};
use crate::escape;
use crate::render::{grid, record, table};
use crate::report::count;
use crate::validate::table::Look;
use crate::why;

/// The whole comparison.
pub fn text(comparison: &Comparison, look: Look) -> String {
    let mut out = String::new();
    let [first, second] = &comparison.sides;
    let names = [first, second].map(|side| side.detection.name.as_str());
    for (letter, side) in ["A", "B"].iter().zip(&comparison.sides) {
        let (name, telemetry) = (escape::line(&side.detection.name), escape::line(&side.telemetry));
        let _ = writeln!(out, "{letter} = {name}, over {telemetry}");
    }
    let only = |first: bool, second: bool| -> Vec<&Difference> {
        let fits = |found: &&Difference| found.first.is_some() == first && found.second.is_some() == second;
        comparison.differences.iter().filter(fits).collect()
    };
    let [one, other] = names;
    section(&mut out, look, &format!("Only A ({one}) finds"), &["A", "why B does not"], &only(true, false), |found| {
        [labels(found.first.as_ref()), reason(&found.why)]
    });
    section(
        &mut out,
        look,
        &format!("Only B ({other}) finds"),
        &["B", "why A does not"],
        &only(false, true),
        |found| [labels(found.second.as_ref()), reason(&found.why)],
    );
    let renamed = only(true, true);
    section(&mut out, look, "Both find, under different labels", &["A", "B"], &renamed, |found| {
        [labels(found.first.as_ref()), labels(found.second.as_ref())]
    });
    let [a, b] = comparison.found;
    let noun = if comparison.by_columns.is_some() { "row" } else { "event" };
    let _ = write!(out, "\nA finds {}, B {}, both {}", count(a as u64, noun), b, comparison.both);
    if !renamed.is_empty() {
        let _ = write!(out, " ({} of them under different labels)", renamed.len());
    }
    out.push('\n');
    out
}

fn section(
    out: &mut String,
    look: Look,
    title: &str,
    last: &[&str; 2],
    found: &[&Difference],
    cells: impl Fn(&Difference) -> [Cell; 2],
) {
    if found.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}: {}", escape::line(title), found.len());
    let timed = found.iter().any(|found| found.time.is_some());
    let mut columns: Vec<String> = ["row"].iter().chain(last).map(|name| (*name).to_owned()).collect();
    if timed {
        columns.insert(0, "time".to_owned());
    }
    let rows: Vec<Vec<Cell>> = found
        .iter()
        .take(table::ROWS)
        .map(|found| {
            let mut row: Vec<Cell> = Vec::new();
            if timed {
                row.push(found.time.clone().map_or(Cell::Null, Cell::Time));
            }
            let fields: Vec<String> =
                found.fields.iter().map(|(name, value)| format!("{name}={}", why::short(value))).collect();
            row.push(Cell::Text(fields.join(", ")));
            row.extend(cells(found));
            row
        })
        .collect();
    match grid::draw(&columns, &rows, look.width, look.colour) {
        Some(drawn) => out.push_str(&drawn),
        // Too narrow for a table.
        None => (1..).zip(&rows).for_each(|(number, row)| {
            out.push_str(&record::draw(number, &columns, row, look.width, false, look.colour));
        }),
    }
    if found.len() > rows.len() {
        let _ = writeln!(out, "the first {} of {}; --output json has them all", rows.len(), found.len());
    }
}

fn reason(why: &Why) -> Cell {
    Cell::Text(match why {
        Why::Found => return Cell::Null,
        Why::Judged(verdict) => why::sentence(verdict),
        Why::Absent => "its telemetry has no such event".to_owned(),
        Why::Unknown => "not told".to_owned(),
    })
}
