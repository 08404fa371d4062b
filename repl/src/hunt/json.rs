//! The report for programs, as one object.

use serde_json::{Value, json};

use super::{Outcome, Report, rows};
use crate::pack::attack;

/// The whole report.
pub fn document(report: &Report) -> Value {
    let all = report.outcomes.iter().map(|(rule, outcome)| {
        let mut object = json!({
            "rule": rule.name,
            "id": rule.id,
            "file": rule.file,
            "type": rule.about.kind,
            "severity": rule.about.severity.map(|severity| severity.name()),
            "techniques": rule.about.techniques,
            "tactics": attack::tactics(&rule.about.techniques),
            "status": rows::status(outcome),
        });
        let more = match outcome {
            Outcome::Ran(ran) => json!({
                "count": ran.seen.rows,
                "first": ran.seen.range.map(|(first, _)| first.to_string()),
                "last": ran.seen.range.map(|(_, last)| last.to_string()),
                "hosts": ran.seen.hosts,
                "more_hosts": ran.seen.more_hosts,
                "saved": ran.saved,
                "warnings": ran.warnings,
            }),
            Outcome::NotRun(not_run) => json!({
                "code": not_run.code,
                "reason": not_run.reason,
                "line": not_run.place.map(|(line, _)| line),
                "column": not_run.place.map(|(_, column)| column),
            }),
        };
        if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
            object.extend(more);
        }
        object
    });
    json!({
        "events": report.events,
        "ran": report.ran().count(),
        "hits": report.hits().len(),
        "not_run": report.not_run().count(),
        "rules": all.collect::<Vec<_>>(),
    })
}
