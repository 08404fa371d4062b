//! The report as SARIF 2.1.0: a result a detection that found something, which stands at its file.

use std::path::Path;

use serde_json::{Value, json};

use super::{Outcome, Report, junit};
use crate::pack::Rule;
use crate::pack::about::Severity;
use crate::validate::sarif::{log, uri_of};

/// The whole report.
pub fn document(report: &Report) -> Value {
    let (mut rules, mut results, mut notifications) = (Vec::new(), Vec::new(), Vec::new());
    for (rule, outcome) in &report.outcomes {
        match outcome {
            Outcome::Ran(ran) if ran.seen.rows > 0 => {
                let position = rules.len();
                rules.push(described(rule));
                results.push(json!({
                    "ruleId": rule.id,
                    "ruleIndex": position,
                    "level": level(rule.about.severity),
                    "message": {"text": format!("{}: {}", rule.name, junit::told(ran))},
                    "locations": [location(rule, None)],
                    "partialFingerprints": {"detection/v1": rule.id},
                    "properties": {
                        "count": ran.seen.rows,
                        "first": ran.seen.range.map(|(first, _)| first.to_string()),
                        "last": ran.seen.range.map(|(_, last)| last.to_string()),
                        "hosts": ran.seen.hosts,
                        "severity": rule.about.severity.map(Severity::name),
                        "techniques": rule.about.techniques,
                    },
                }));
            }
            Outcome::Ran(_) => {}
            Outcome::NotRun(not_run) => notifications.push(json!({
                "level": "warning",
                "message": {"text": format!("{}: {}", rule.name, not_run.reason)},
                "locations": [location(rule, None)],
            })),
        }
    }
    log(rules, results, notifications)
}

/// A detection as a rule.
pub fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.name},
        "defaultConfiguration": {"level": level(rule.about.severity)},
        "properties": {"tags": rule.about.techniques},
    })
}

/// Where a detection stands.
pub fn location(rule: &Rule, place: Option<(usize, usize)>) -> Value {
    let (line, column) = place.unwrap_or((1, 1));
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri_of(Path::new(&rule.file))},
        "region": {"startLine": line, "startColumn": column},
    }})
}

/// The level of a severity.
pub fn level(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::High | Severity::Critical) => "error",
        Some(Severity::Informational) => "note",
        Some(Severity::Low | Severity::Medium) | None => "warning",
    }
}
