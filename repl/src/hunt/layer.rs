//! The report as a layer of the ATT&CK Navigator: a technique's score is the severity of its worst hit.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Report;
use crate::pack::about::Severity;
use crate::validate::layer::{ALARMING, layer};

/// How many detections a technique names.
const NAMED: usize = 20;

/// The layer.
pub fn document(report: &Report) -> Value {
    let mut techniques: BTreeMap<&str, (u32, Vec<String>)> = BTreeMap::new();
    for (rule, ran) in report.hits() {
        for technique in &rule.about.techniques {
            let (score, named) = techniques.entry(technique).or_default();
            *score = (*score).max(score_of(rule.about.severity));
            named.push(format!("{}: {}", rule.name, ran.seen.rows));
        }
    }
    let scored = techniques.into_iter().map(|(technique, (score, named))| {
        let count = named.len();
        (technique.to_owned(), score, format!("{count} detections with hits"), named)
    });
    let entries = entries(scored);
    let about = format!("Techniques of {} detections with hits over {} events", report.hits().len(), report.events);
    layer("spelunk hunt", &about, entries, ALARMING)
}

/// The techniques of a layer: each with its score, a comment, and names.
pub fn entries(scored: impl Iterator<Item = (String, u32, String, Vec<String>)>) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut unfolded: Vec<String> = Vec::new();
    for (technique, score, comment, named) in scored {
        // The Navigator shows a sub-technique only where its technique is unfolded.
        if let Some((parent, _)) = technique.split_once('.')
            && !unfolded.iter().any(|known| known == parent)
        {
            entries.push(json!({"techniqueID": parent, "enabled": true, "showSubtechniques": true}));
            unfolded.push(parent.to_owned());
        }
        let metadata: Vec<Value> =
            named.iter().take(NAMED).map(|name| json!({"name": "detection", "value": name})).collect();
        entries.push(json!({
            "techniqueID": technique,
            "score": score,
            "enabled": true,
            "showSubtechniques": false,
            "comment": comment,
            "metadata": metadata,
        }));
    }
    entries
}

fn score_of(severity: Option<Severity>) -> u32 {
    match severity {
        Some(Severity::Informational) => 20,
        Some(Severity::Low) => 40,
        Some(Severity::Medium) | None => 60,
        Some(Severity::High) => 80,
        Some(Severity::Critical) => 100,
    }
}
