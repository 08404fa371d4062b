//! The comparison for programs.

use serde_json::{Map, Value, json};

use super::{Comparison, Difference, Why};
use crate::validate::json::language;
use crate::why;

/// The whole comparison.
pub fn document(comparison: &Comparison) -> Value {
    let [first, second] = &comparison.sides;
    let side = |position: usize| {
        let side = if position == 0 { first } else { second };
        json!({
            "name": side.detection.name,
            "file": side.detection.path.as_ref().map(|path| path.display().to_string()),
            "language": language(side.detection.language),
            "telemetry": side.telemetry,
            "found": comparison.found.get(position),
        })
    };
    json!({
        "a": side(0),
        "b": side(1),
        "both": comparison.both,
        "compared_by": comparison.by_columns,
        "notes": comparison.notes,
        "differences": comparison.differences.iter().map(|found| difference(found, comparison)).collect::<Vec<_>>(),
    })
}

fn difference(found: &Difference, comparison: &Comparison) -> Value {
    let [first, second] = &comparison.sides;
    let [not_first, not_second] = &found.unchosen;
    let fields: Map<String, Value> =
        found.fields.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect();
    // The reason is about the one that does not find it.
    let other = if found.first.is_some() { &second.detection } else { &first.detection };
    let why = match &found.why {
        Why::Found | Why::Unknown => Value::Null,
        Why::Absent => json!({"verdict": "absent"}),
        Why::Judged(verdict) => why::object(verdict, other),
    };
    json!({
        "only": match (&found.first, &found.second) {
            (Some(_), None) => Value::from("a"),
            (None, Some(_)) => Value::from("b"),
            _ => Value::Null,
        },
        "time": found.time,
        "fields": fields,
        "a": found.first,
        "b": found.second,
        "why": why,
        "labels_not_given": {
            "a": why::labels(not_first, &first.detection),
            "b": why::labels(not_second, &second.detection),
        },
    })
}
