//! The report as rows, for every form that is a table.

use spelunk_engine::values::Cell;

use super::{Outcome, Report};
use crate::pack::Rule;

/// How many hosts a cell names.
const SHOWN_HOSTS: usize = 3;

/// The columns of [`hits`].
pub const HITS: [&str; 7] = ["rule", "severity", "ATT&CK", "count", "first", "last", "host"];

/// The columns of [`all`].
pub const ALL: [&str; 13] = [
    "rule",
    "id",
    "file",
    "severity",
    "techniques",
    "status",
    "count",
    "first",
    "last",
    "hosts",
    "saved",
    "reason",
    "warnings",
];

/// The detections that found something, for people.
pub fn hits(report: &Report) -> Vec<Vec<Cell>> {
    let row = |(rule, ran): (&Rule, &super::Ran)| {
        let mut hosts: Vec<&str> = ran.seen.hosts.iter().take(SHOWN_HOSTS).map(String::as_str).collect();
        let more = format!("+{}", ran.seen.hosts.len().saturating_sub(SHOWN_HOSTS));
        if ran.seen.hosts.len() > SHOWN_HOSTS {
            hosts.push(&more);
        }
        vec![
            Cell::Text(rule.name.clone()),
            text(rule.about.severity.map(|severity| severity.name().to_owned())),
            text(Some(rule.about.techniques.join(" ")).filter(|names| !names.is_empty())),
            Cell::Number(ran.seen.rows.to_string()),
            time(ran.seen.range.map(|(first, _)| first)),
            time(ran.seen.range.map(|(_, last)| last)),
            text(Some(hosts.join(", ")).filter(|names| !names.is_empty())),
        ]
    };
    report.hits().into_iter().map(row).collect()
}

/// Every detection, for programs.
pub fn all(report: &Report) -> Vec<Vec<Cell>> {
    let many = |texts: Vec<String>| if texts.is_empty() { Cell::Null } else { Cell::Many(texts) };
    let row = |(rule, outcome): &(Rule, Outcome)| {
        let mut row = vec![
            Cell::Text(rule.name.clone()),
            Cell::Text(rule.id.clone()),
            Cell::Text(rule.file.clone()),
            text(rule.about.severity.map(|severity| severity.name().to_owned())),
            many(rule.about.techniques.clone()),
            Cell::Text(status(outcome).to_owned()),
        ];
        match outcome {
            Outcome::Ran(ran) => row.extend([
                Cell::Number(ran.seen.rows.to_string()),
                time(ran.seen.range.map(|(first, _)| first)),
                time(ran.seen.range.map(|(_, last)| last)),
                many(ran.seen.hosts.iter().cloned().collect()),
                text(ran.saved.clone()),
                Cell::Null,
                many(ran.warnings.clone()),
            ]),
            Outcome::NotRun(not_run) => {
                row.extend(std::iter::repeat_n(Cell::Null, 5));
                row.extend([Cell::Text(not_run.reason.clone()), Cell::Null]);
            }
        }
        row
    };
    report.outcomes.iter().map(row).collect()
}

/// What became of a detection, in a word.
pub fn status(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Ran(ran) if ran.seen.rows > 0 => "hit",
        Outcome::Ran(_) => "no hit",
        Outcome::NotRun(_) => "not run",
    }
}

fn text(text: Option<String>) -> Cell {
    text.map_or(Cell::Null, Cell::Text)
}

fn time(time: Option<jiff::Timestamp>) -> Cell {
    time.map_or(Cell::Null, |time| Cell::Time(format!("{time:.0}")))
}
