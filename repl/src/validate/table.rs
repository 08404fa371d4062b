//! The report for people.

use std::fmt::Write as _;

use spelunk_engine::values::Cell;

use super::verdict::{Coverage, Status, said, sentence};
use super::{Case, Documented, Outcome, Report, Role, Signal, Trial};
use crate::escape;
use crate::render::{grid, record};
use crate::report::{count, thousands};
use crate::why;

/// How the tables are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The width to keep to, if any.
    pub width: Option<usize>,
    /// With colours.
    pub colour: bool,
}

/// The whole report.
pub fn text(report: &Report, look: Look) -> String {
    let mut out = String::new();
    let techniques = techniques(&report.cases);
    let _ = writeln!(out, "Scenarios: {}{techniques}", escape::line(&report.scenarios));
    for trial in &report.trials {
        let name = escape::line(&trial.detection.name);
        let _ = writeln!(out, "  {name} sees {}", escape::line(&trial.telemetry));
    }
    section(&mut out, report, look, "Attacks", Role::Attack, |_| true);
    section(&mut out, report, look, "Probes", Role::Probe, |_| true);
    benign(&mut out, report, look);
    missed(&mut out, report);
    renamed(&mut out, report);
    own(&mut out, report);
    summary(&mut out, report);
    out
}

fn techniques(cases: &[Case]) -> String {
    let mut names: Vec<&str> =
        cases.iter().map(|case| case.technique.as_str()).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { String::new() } else { format!(" ({})", escape::line(&names.join(", "))) }
}

/// Every signal of a role, with what each detection makes of it.
fn section(
    out: &mut String,
    report: &Report,
    look: Look,
    title: &str,
    role: Role,
    shown: impl Fn(&[&Outcome]) -> bool,
) {
    let mut rows = Vec::new();
    for (position, case) in report.cases.iter().enumerate() {
        for (number, signal) in case.signals.iter().enumerate().filter(|(_, signal)| signal.role == role) {
            let outcomes = outcomes(report, position, number);
            if shown(&outcomes) {
                rows.push(row(report, case, signal, &outcomes));
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    let names = report.trials.iter().map(|trial| trial.detection.name.clone());
    let columns: Vec<String> = ["test", "id", "expected signal"].map(str::to_owned).into_iter().chain(names).collect();
    let _ = writeln!(out, "\n{title}");
    draw(out, &columns, &rows, look);
}

fn draw(out: &mut String, columns: &[String], rows: &[Vec<Cell>], look: Look) {
    match grid::draw(columns, rows, look.width, look.colour) {
        Some(drawn) => out.push_str(&drawn),
        // Too narrow for a table.
        None => (1..).zip(rows).for_each(|(number, row)| {
            out.push_str(&record::draw(number, columns, row, look.width, false, look.colour));
        }),
    }
}

fn outcomes(report: &Report, case: usize, signal: usize) -> Vec<&Outcome> {
    report
        .trials
        .iter()
        .filter_map(|trial| trial.outcomes.get(case).and_then(|outcomes| outcomes.get(signal)))
        .collect()
}

fn row(report: &Report, case: &Case, signal: &Signal, outcomes: &[&Outcome]) -> Vec<Cell> {
    let mut row: Vec<Cell> = [&case.name, &signal.id, &signal.name].map(|text| Cell::Text(text.clone())).into();
    row.extend(report.trials.iter().zip(outcomes).map(|(trial, outcome)| Cell::Text(cell(trial, signal, outcome))));
    row
}

fn cell(trial: &Trial, signal: &Signal, outcome: &Outcome) -> String {
    use Documented::{Caught, Missed};
    let said = said(outcome);
    match (signal.documented.get(&trial.detection.name), outcome) {
        (Some(Caught(Some(label))), Outcome::Caught(labels)) if !labels.contains(label) => {
            format!("{said}, not {label}")
        }
        (Some(Caught(_)), outcome) if !outcome.is_caught() && signal.role != Role::Benign => {
            format!("{said} (!)")
        }
        (Some(Missed), outcome) if outcome.is_caught() => format!("{said} (new)"),
        (_, Outcome::Missed(_) | Outcome::Absent) if signal.role == Role::Benign => "quiet".to_owned(),
        _ => said,
    }
}

/// The look-alikes that some detection flags; the others are counted.
fn benign(out: &mut String, report: &Report, look: Look) {
    let flagged = |outcomes: &[&Outcome]| outcomes.iter().any(|outcome| outcome.is_caught());
    section(out, report, look, "Benign look-alikes that are flagged", Role::Benign, flagged);
    let mut quiet = 0_u64;
    for (position, case) in report.cases.iter().enumerate() {
        for (number, signal) in case.signals.iter().enumerate() {
            let left = signal.role == Role::Benign && !flagged(&outcomes(report, position, number));
            quiet = quiet.saturating_add(u64::from(left));
        }
    }
    if quiet > 0 {
        let _ = writeln!(out, "{} flagged by none", count(quiet, "more look-alike"));
    }
}

/// What is missed, and the first condition that fails: a line each, since cutting would cut the reason.
fn missed(out: &mut String, report: &Report) {
    let mut title = "\nWhy a signal is missed: the first condition that fails\n";
    for (position, case) in report.cases.iter().enumerate() {
        for (number, signal) in case.signals.iter().enumerate() {
            let outcomes = outcomes(report, position, number);
            if signal.role == Role::Benign && !outcomes.iter().any(|outcome| outcome.is_caught()) {
                continue;
            }
            for (trial, outcome) in report.trials.iter().zip(outcomes) {
                let Outcome::Missed(Some(verdict)) = outcome else { continue };
                let place = why::span(verdict).map(|span| trial.detection.place(span));
                let place = place.map_or(String::new(), |(line, column)| format!(":{line}:{column}"));
                out.push_str(std::mem::take(&mut title));
                let (case, id, name) = (&case.name, &signal.id, &trial.detection.name);
                let line = format!("  {case} {id}, {name}{place}: {}", why::sentence(verdict));
                let _ = writeln!(out, "{}", escape::line(&line));
            }
        }
    }
}

/// Where a detection gives another label than another one, or than is documented, and the condition that fails.
fn renamed(out: &mut String, report: &Report) {
    let mut title = "\nWhy a label is not given that another detection gives, or that is documented\n";
    for (position, case) in report.cases.iter().enumerate() {
        for (number, signal) in case.signals.iter().enumerate() {
            let outcomes = outcomes(report, position, number);
            for (trial, outcome) in report.trials.iter().zip(&outcomes) {
                let Outcome::Caught(given) = outcome else { continue };
                let others = outcomes.iter().flat_map(|other| match other {
                    Outcome::Caught(labels) => labels.as_slice(),
                    _ => &[],
                });
                let mut wanted: Vec<&String> = others.filter(|label| !given.contains(label)).collect();
                if let Some(Documented::Caught(Some(label))) = signal.documented.get(&trial.detection.name) {
                    wanted.extend(Some(label).filter(|label| !given.contains(label)));
                }
                wanted.sort_unstable();
                wanted.dedup();
                let unchosen = trial.unchosen.get(&(position, number)).map_or(&[][..], Vec::as_slice);
                for why in wanted.into_iter().filter_map(|label| why::label(label, unchosen)) {
                    out.push_str(std::mem::take(&mut title));
                    let line = format!("  {} {}, {}: {why}", case.name, signal.id, trial.detection.name);
                    let _ = writeln!(out, "{}", escape::line(&line));
                }
            }
        }
    }
}

fn own(out: &mut String, report: &Report) {
    if report.trials.iter().all(|trial| trial.own.is_none()) {
        return;
    }
    let _ = writeln!(out, "\nIn your own logs");
    for trial in &report.trials {
        let Some(counts) = &trial.own else { continue };
        let total = counts.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let _ = write!(out, "  {}: {}", escape::line(&trial.detection.name), count(total, "row"));
        for (label, number) in counts.iter().filter(|(label, _)| !label.is_empty()) {
            let _ = write!(out, ", {} {}", thousands(*number), escape::line(label));
        }
        out.push('\n');
    }
}

/// For each detection how much it catches, and what fails.
fn summary(out: &mut String, report: &Report) {
    out.push('\n');
    for trial in &report.trials {
        let findings = trial.findings(&report.cases);
        let share = |role: Role| {
            let all = findings.iter().filter(|finding| finding.signal.role == role);
            let caught = all.clone().filter(|finding| finding.outcome.is_caught()).count();
            (caught, all.count())
        };
        let ((caught, signals), (flagged, benign)) = (share(Role::Attack), share(Role::Benign));
        let coverage: Vec<(&str, Coverage)> = report
            .cases
            .iter()
            .enumerate()
            .map(|(position, case)| (case.name.as_str(), trial.coverage(position, case)))
            .filter(|(_, coverage)| *coverage != Coverage::None)
            .collect();
        let tests = coverage.iter().filter(|(_, coverage)| *coverage == Coverage::Caught).count();
        let name = escape::line(&trial.detection.name);
        let _ = write!(out, "{name}: {caught} of {signals} signals caught, in {tests} of {} tests", coverage.len());
        let missed: Vec<_> = coverage.iter().filter(|(_, coverage)| *coverage != Coverage::Caught).collect();
        if !missed.is_empty() {
            let names = missed.iter().map(|(name, _)| escape::line(name)).collect::<Vec<_>>().join(", ");
            let _ = write!(out, " (nothing of {names})");
        }
        let _ = writeln!(out, "; {flagged} of {benign} look-alikes flagged");
    }
    let failures: Vec<String> = report.trials.iter().flat_map(|trial| failures(report, trial)).collect();
    for failure in &failures {
        let _ = writeln!(out, "FAILED {}", escape::line(failure));
    }
    let of = |status: Status| {
        let findings = report.trials.iter().flat_map(|trial| trial.findings(&report.cases));
        findings.filter(|finding| finding.status == status).count() as u64
    };
    let (better, noise) = (of(Status::Better), of(Status::Noise));
    if better > 0 {
        let _ = writeln!(out, "{} better than documented", count(better, "outcome"));
    }
    if noise > 0 && !report.noise_fails {
        let noise = count(noise, "look-alike");
        let _ = writeln!(out, "{noise} flagged that nothing documents; --fail-on-noise makes that a failure");
    }
    if failures.is_empty() {
        out.push_str("nothing is missed that is not documented\n");
    }
}

/// What fails in a trial: a test of which nothing is caught once, everything else signal by signal.
fn failures(report: &Report, trial: &Trial) -> Vec<String> {
    let name = &trial.detection.name;
    let mut lines = Vec::new();
    for finding in trial.findings(&report.cases).iter().filter(|finding| report.fails(finding.status)) {
        let alone = finding.signal.documented.contains_key(name) || finding.status != Status::Missed;
        let line = match alone {
            true => format!("{name}: {}", sentence(finding, trial)),
            false => format!("{name}: no signal of {} is caught, which nothing documents", finding.case.name),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}
