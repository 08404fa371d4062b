//! The report for programs.

use serde_json::{Value, json};

use super::verdict::Coverage;
use super::{Documented, Outcome, Report};
use crate::why;

/// The whole report.
pub fn document(report: &Report) -> Value {
    json!({
        "scenarios": report.scenarios,
        "failures": report.failures(),
        "detections": report.trials.iter().map(|trial| json!({
            "name": trial.detection.name,
            "file": trial.detection.path.as_ref().map(|path| path.display().to_string()),
            "language": language(trial.detection.language),
            "telemetry": trial.telemetry,
            "own_logs": trial.own,
        })).collect::<Vec<_>>(),
        "tests": report.cases.iter().enumerate().map(|(position, case)| json!({
            "name": case.name,
            "title": case.title,
            "technique": case.technique,
            "coverage": report.trials.iter().map(|trial| {
                (trial.detection.name.clone(), Value::from(coverage(trial.coverage(position, case))))
            }).collect::<serde_json::Map<_, _>>(),
            "signals": case.signals.iter().enumerate().map(|(number, signal)| json!({
                "id": signal.id,
                "name": signal.name,
                "role": signal.role.name(),
                "outcomes": outcomes(report, position, number),
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

/// The name of a language on the command line.
pub fn language(language: spelunk_engine::Language) -> &'static str {
    match language {
        spelunk_engine::Language::Spl => "spl",
        spelunk_engine::Language::LogScale => "logscale",
    }
}

fn coverage(coverage: Coverage) -> &'static str {
    match coverage {
        Coverage::Caught => "caught",
        Coverage::KnownMiss => "known",
        Coverage::Missed => "missed",
        Coverage::None => "none",
    }
}

fn outcomes(report: &Report, case: usize, signal: usize) -> Vec<Value> {
    let mut found = Vec::new();
    for trial in &report.trials {
        let findings = trial.findings(&report.cases);
        let before: usize = report.cases.iter().take(case).map(|case| case.signals.len()).sum();
        let Some(finding) = findings.get(before.saturating_add(signal)) else { continue };
        let why = match finding.outcome {
            Outcome::Missed(Some(verdict)) => Some(why::object(verdict, &trial.detection)),
            _ => None,
        };
        let documented = finding.signal.documented.get(&trial.detection.name).map(|documented| match documented {
            Documented::Missed => "missed".to_owned(),
            Documented::Caught(label) => label.clone().unwrap_or_else(|| "caught".to_owned()),
        });
        let labels = match finding.outcome {
            Outcome::Caught(labels) => labels.clone(),
            _ => Vec::new(),
        };
        found.push(json!({
            "detection": trial.detection.name,
            "caught": finding.outcome.is_caught(),
            "labels": labels,
            "through": if let Outcome::Through(command) = finding.outcome { Some(command) } else { None },
            "in_telemetry": *finding.outcome != Outcome::Absent,
            "documented": documented,
            "status": finding.status.name(),
            "fails": report.fails(finding.status),
            "why": why,
            "labels_not_given": trial.unchosen.get(&(case, signal)).map(|found| why::labels(found, &trial.detection)),
        }));
    }
    found
}
