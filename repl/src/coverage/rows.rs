//! The report as rows, and for people.

use std::fmt::Write as _;

use spelunk_engine::values::Cell;

use super::{Report, State, sentence};
use crate::escape;
use crate::hunt::table::draw;
use crate::pack::attack;
use crate::validate::table::Look;

/// How many of the demands that nothing fulfils are named.
const MOST_MISSED: usize = 20;

/// The columns of [`shown`].
pub const SHOWN: [&str; 5] = ["rule", "severity", "ATT&CK", "state", "why"];

/// The columns of [`all`].
pub const ALL: [&str; 12] = [
    "rule",
    "id",
    "file",
    "severity",
    "techniques",
    "state",
    "events",
    "present",
    "missing",
    "missing_fields",
    "reason",
    "tactics",
];

/// The detections that miss something.
pub fn shown(report: &Report) -> Vec<Vec<Cell>> {
    let lacking = report.covered.iter().filter(|(_, covered)| !matches!(covered.state, State::Ready | State::Free));
    lacking
        .map(|(rule, covered)| {
            vec![
                Cell::Text(rule.name.clone()),
                rule.about.severity.map_or(Cell::Null, |severity| Cell::Text(severity.name().to_owned())),
                Cell::Text(rule.about.techniques.join(" ")),
                Cell::Text(covered.state.name().to_owned()),
                Cell::Text(sentence(covered)),
            ]
        })
        .collect()
}

/// Every detection, for programs.
pub fn all(report: &Report) -> Vec<Vec<Cell>> {
    let many = |texts: &[String]| if texts.is_empty() { Cell::Null } else { Cell::Many(texts.to_vec()) };
    let row = |(rule, covered): &(crate::pack::Rule, super::Covered)| {
        let tactics: Vec<String> = attack::tactics(&rule.about.techniques).into_iter().map(str::to_owned).collect();
        vec![
            Cell::Text(rule.name.clone()),
            Cell::Text(rule.id.clone()),
            Cell::Text(rule.file.clone()),
            rule.about.severity.map_or(Cell::Null, |severity| Cell::Text(severity.name().to_owned())),
            many(&rule.about.techniques),
            Cell::Text(covered.state.name().to_owned()),
            Cell::Number(covered.events.to_string()),
            many(&covered.present),
            many(&covered.missing),
            many(&covered.fields),
            covered.reason.clone().map_or(Cell::Null, Cell::Text),
            many(&tactics),
        ]
    };
    report.covered.iter().map(row).collect()
}

/// How many detections of each tactic are in each state; tactics without any are left out.
pub fn tactics(report: &Report) -> Vec<(&'static str, Vec<usize>)> {
    let counts = |name: &'static str| (name, State::ALL.iter().map(|state| report.count(Some(name), *state)).collect());
    attack::all().map(counts).filter(|(_, counts): &(_, Vec<usize>)| counts.iter().any(|count| *count > 0)).collect()
}

/// What most of the blind detections miss.
pub fn most_missed(report: &Report) -> Vec<String> {
    let mut missed: Vec<(&str, usize)> = Vec::new();
    let blind = report.covered.iter().filter(|(_, covered)| covered.state == State::Blind);
    for demand in blind.flat_map(|(_, covered)| &covered.missing) {
        match missed.iter_mut().find(|(known, _)| known == demand) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => missed.push((demand, 1)),
        }
    }
    missed.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    missed.iter().take(MOST_MISSED).map(|(demand, count)| format!("{count} miss {demand}")).collect()
}

/// For people: a table by tactic, and what is missed.
pub fn text(report: &Report, look: Look, summary: &str) -> String {
    let mut out = String::new();
    let columns: Vec<&str> = ["tactic"].into_iter().chain(State::ALL.map(State::name)).collect();
    let rows: Vec<Vec<Cell>> = tactics(report)
        .into_iter()
        .map(|(name, counts)| {
            let counts = counts.into_iter().map(|count| Cell::Number(count.to_string()));
            [Cell::Text(name.to_owned())].into_iter().chain(counts).collect()
        })
        .collect();
    draw(&mut out, &columns, &rows, look);
    let shown = shown(report);
    if !shown.is_empty() {
        out.push('\n');
        draw(&mut out, &SHOWN, &shown, look);
    }
    let missed = most_missed(report);
    if !missed.is_empty() {
        let _ = writeln!(out, "\nWhat is not there");
        for line in &missed {
            let _ = writeln!(out, "  {}", escape::line(line));
        }
    }
    let _ = writeln!(out, "\n{summary}");
    out
}
