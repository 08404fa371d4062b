//! The report as SARIF 2.1.0. A result stands at the condition of the detection that a missed signal fails first; what
//! is documented is suppressed, so that a build shows it and passes.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".

use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::verdict::{Finding, Status, sentence};
use super::{Outcome, Report, Trial};
use crate::why;

/// What cannot stand in the path of a URI.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The rules: identifier, level, what it means.
const RULES: [(&str, &str, &str); 4] = [
    ("missed-signal", "error", "A signal of an attack is not returned, nor any other of its test"),
    ("other-label", "error", "A signal is returned under another label than the documented one"),
    ("flagged-look-alike", "warning", "Everyday activity is returned"),
    ("signal-gap", "note", "A signal of an attack is not returned, while another one of its test is"),
];

/// The whole report.
pub fn document(report: &Report) -> Value {
    let results: Vec<Value> = report
        .trials
        .iter()
        .flat_map(|trial| trial.findings(&report.cases).into_iter().filter_map(|found| result(&found, trial)))
        .collect();
    let rules: Vec<Value> = RULES
        .iter()
        .map(|(id, level, text)| {
            json!({"id": id, "shortDescription": {"text": text}, "defaultConfiguration": {"level": level}})
        })
        .collect();
    log(rules, results, Vec::new())
}

/// A log of one run.
pub fn log(rules: Vec<Value>, results: Vec<Value>, notifications: Vec<Value>) -> Value {
    let mut run = json!({
        "tool": {"driver": {"name": "spelunk", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    if let Some(run) = run.as_object_mut().filter(|_| !notifications.is_empty()) {
        let invocation = json!({"executionSuccessful": true, "toolExecutionNotifications": notifications});
        run.insert("invocations".to_owned(), json!([invocation]));
    }
    json!({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]})
}

fn result(finding: &Finding<'_>, trial: &Trial) -> Option<Value> {
    let caught = finding.outcome.is_caught();
    let rule: usize = match finding.status {
        Status::Missed => 0,
        Status::Known if !caught => 0,
        Status::Label => 1,
        Status::Noise => 2,
        Status::Known => 2,
        Status::Gap => 3,
        Status::Good | Status::Better | Status::Open => return None,
    };
    let (id, level, _) = RULES.get(rule)?;
    let mut message = sentence(finding, trial);
    let mut place = (1, 1);
    if let Outcome::Missed(Some(verdict)) = finding.outcome {
        message.push_str(&format!(". {}", why::sentence(verdict)));
        place = why::span(verdict).map_or(place, |span| trial.detection.place(span));
    }
    let suppressions = match finding.status {
        Status::Known => vec![json!({"kind": "external", "justification": "documented with the scenarios"})],
        _ => Vec::new(),
    };
    Some(json!({
        "ruleId": id,
        "ruleIndex": rule,
        "level": level,
        "message": {"text": message},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(trial)},
            "region": {"startLine": place.0, "startColumn": place.1},
        }}],
        "partialFingerprints": {
            "signal/v1": format!("{}/{}/{}", trial.detection.name, finding.case.name, finding.signal.id),
        },
        "suppressions": suppressions,
        "properties": {
            "technique": finding.case.technique,
            "test": finding.case.name,
            "signal": finding.signal.id,
            "telemetry": trial.telemetry,
        },
    }))
}

/// The detection's file, relative as it was named where it was.
fn uri(trial: &Trial) -> String {
    match &trial.detection.path {
        Some(path) => uri_of(path),
        None => utf8_percent_encode(&trial.detection.name, PATH).to_string(),
    }
}

/// The address of a file.
pub fn uri_of(path: &Path) -> String {
    let text = path.display().to_string().replace(std::path::MAIN_SEPARATOR, "/");
    let text = text.strip_prefix("./").unwrap_or(&text);
    let encoded = utf8_percent_encode(text, PATH).to_string();
    match () {
        () if path.is_absolute() => format!("file:///{}", encoded.trim_start_matches('/')),
        // A colon in the first part would read as a scheme.
        () if encoded.split('/').next().is_some_and(|first| first.contains(':')) => format!("./{encoded}"),
        () => encoded,
    }
}
