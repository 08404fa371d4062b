//! The report as a layer of the ATT&CK Navigator, version 4.5 of its format: a technique's score is the share of its
//! tests, in percent, of which some detection catches something.
//!
//! Source: MITRE, "ATT&CK Navigator Layer File Format Definition", version 4.5.

use serde_json::{Value, json};

use super::verdict::Coverage;
use super::{Case, Report};
use crate::pack::attack::is_technique;

/// The version of ATT&CK whose techniques are named.
const ATTACK: &str = "18";

/// The layer.
pub fn document(report: &Report) -> Value {
    let names: Vec<&str> = report.trials.iter().map(|trial| trial.detection.name.as_str()).collect();
    let mut techniques: Vec<&str> = report.cases.iter().map(|case| case.technique.as_str()).collect();
    techniques.retain(|name| is_technique(name));
    techniques.sort_unstable();
    techniques.dedup();
    let mut entries = Vec::new();
    for technique in techniques {
        // The Navigator shows a sub-technique only where its technique is unfolded.
        if let Some((parent, _)) = technique.split_once('.') {
            entries.push(json!({"techniqueID": parent, "enabled": true, "showSubtechniques": true}));
        }
        entries.extend(entry(report, technique));
    }
    let about = format!("Tests of {} of which the detections catch at least one signal", report.scenarios);
    layer(&format!("spelunk validate: {}", names.join(", ")), &about, entries, GOOD)
}

/// The colours of scores that are good where they are high.
pub const GOOD: [&str; 3] = ["#ff6666ff", "#ffe766ff", "#8ec843ff"];
/// The colours of scores that are alarming where they are high.
pub const ALARMING: [&str; 3] = ["#ffffffff", "#ffe766ff", "#ff6666ff"];

/// A layer of techniques with scores from 0 to 100.
pub fn layer(name: &str, about: &str, techniques: Vec<Value>, colours: [&str; 3]) -> Value {
    json!({
        "name": name,
        "versions": {"attack": ATTACK, "navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": about,
        "sorting": 3,
        "hideDisabled": false,
        "techniques": techniques,
        "gradient": {"colors": colours, "minValue": 0, "maxValue": 100},
        "legendItems": [],
        "showTacticRowBackground": false,
        "selectTechniquesAcrossTactics": true,
        "selectSubtechniquesWithParent": false,
    })
}

fn entry(report: &Report, technique: &str) -> Option<Value> {
    let tests: Vec<(usize, &Case)> =
        report.cases.iter().enumerate().filter(|(_, case)| case.technique == technique).collect();
    let caught_by = |position: usize, case: &Case| -> Vec<&str> {
        let caught = report.trials.iter().filter(|trial| trial.coverage(position, case) == Coverage::Caught);
        caught.map(|trial| trial.detection.name.as_str()).collect()
    };
    let attacks: Vec<(&Case, Vec<&str>)> = tests
        .into_iter()
        .filter(|(position, case)| {
            report.trials.first().is_some_and(|trial| trial.coverage(*position, case) != Coverage::None)
        })
        .map(|(position, case)| (case, caught_by(position, case)))
        .collect();
    if attacks.is_empty() {
        return None;
    }
    let caught = attacks.iter().filter(|(_, names)| !names.is_empty()).count();
    let score = caught.saturating_mul(100).checked_div(attacks.len())?;
    let metadata: Vec<Value> = attacks
        .iter()
        .map(|(case, names)| {
            let value = if names.is_empty() { "missed".to_owned() } else { format!("caught by {}", names.join(", ")) };
            json!({"name": case.name, "value": value})
        })
        .collect();
    Some(json!({
        "techniqueID": technique,
        "score": score,
        "enabled": true,
        "showSubtechniques": false,
        "comment": format!("{caught} of {} tests caught", attacks.len()),
        "metadata": metadata,
    }))
}
