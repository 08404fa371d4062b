//! The report for people.

use std::fmt::Write as _;

use spelunk_engine::values::Cell;

use super::{NotRun, Report, rows};
use crate::escape;
use crate::pack::Rule;
use crate::render::{grid, record};
use crate::report::{count, thousands};
use crate::validate::table::Look;

/// How many rules are named that have the same reason not to run.
const NAMED_RULES: usize = 3;

/// The whole report.
pub fn text(report: &Report, look: Look) -> String {
    let mut out = String::new();
    let hits = rows::hits(report);
    if !hits.is_empty() {
        draw(&mut out, &rows::HITS, &hits, look);
        out.push('\n');
    }
    for line in not_run(report) {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "{}", summary(report));
    out
}

/// A table of these rows, or records where it does not fit.
pub fn draw(out: &mut String, columns: &[&str], rows: &[Vec<Cell>], look: Look) {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    match grid::draw(&columns, rows, look.width, look.colour) {
        Some(drawn) => out.push_str(&drawn),
        None => {
            for (number, row) in (1..).zip(rows) {
                out.push_str(&record::draw(number, &columns, row, look.width, false, look.colour));
            }
        }
    }
}

/// Why rules could not be run, those of the same reason together.
pub fn not_run(report: &Report) -> Vec<String> {
    let found: Vec<(&Rule, &NotRun)> = report.not_run().collect();
    if found.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("Not run: {}", count(found.len() as u64, "rule"))];
    for (reason, names) in by_reason(&found) {
        let mut named: Vec<String> =
            names.iter().take(NAMED_RULES).map(|name| escape::line(name).into_owned()).collect();
        if names.len() > NAMED_RULES {
            named.push(format!("+{}", names.len().saturating_sub(NAMED_RULES)));
        }
        lines.push(format!("  {:>4}  {}: {}", names.len(), escape::line(&reason), named.join(", ")));
    }
    lines.push(String::new());
    lines
}

/// The rules by the reasons why they did not run, the most frequent reason first.
pub fn by_reason<'r>(found: &[(&'r Rule, &NotRun)]) -> Vec<(String, Vec<&'r str>)> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for (rule, not_run) in found {
        match reasons.iter_mut().find(|(reason, _)| *reason == not_run.reason) {
            Some((_, names)) => names.push(&rule.name),
            None => reasons.push((not_run.reason.clone(), vec![&rule.name])),
        }
    }
    reasons.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    reasons
}

/// One line about all.
pub fn summary(report: &Report) -> String {
    let (ran, hits) = (report.ran().count(), report.hits().len());
    let silent = report.ran().filter(|(_, ran)| ran.seen.rows == 0).collect::<Vec<_>>();
    let blind = silent.iter().filter(|(_, ran)| !ran.warnings.is_empty()).count();
    let mut text = format!(
        "{} ran over {}: {} with hits, {} without",
        count(ran as u64, "rule"),
        count(report.events, "event"),
        thousands(hits as u64),
        thousands(silent.len() as u64),
    );
    if blind > 0 {
        let _ = write!(text, ", {} of which name what no event has (see `spelunk coverage`)", thousands(blind as u64));
    }
    text
}
