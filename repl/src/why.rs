//! Why an event is not in a result, for people and for programs.

use serde_json::{Map, Value, json};
use spelunk_engine::trace::{Failed, Reason};
use spelunk_engine::{Unchosen, Verdict};
use spelunk_grammar::Span;

use crate::detections::Detection;

/// How many letters of a condition, and of a value, are shown to people.
const SHOWN: usize = 90;

/// How many alternatives are told to people.
const ALTERNATIVES: usize = 3;

/// The first condition of a detection that an event fails, in a sentence.
pub fn sentence(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Kept => "every condition holds".to_owned(),
        Verdict::Reaches(ended) => format!("every condition holds up to `{}`", ended.command),
        Verdict::Fails(reason) => because(reason),
    }
}

/// What fails: of several alternatives, those that come closest to holding.
pub fn because(reason: &Reason) -> String {
    let Reason { clause, closest, others, .. } = reason;
    let mut said: Vec<String> = Vec::new();
    for failed in closest.iter().filter(|failed| !failed.is_empty()).take(ALTERNATIVES) {
        said.push(failed.iter().map(condition).collect::<Vec<_>>().join("; "));
    }
    if said.is_empty() {
        return format!("`{}` fails", short(clause));
    }
    let alternatives = closest.len().saturating_add(others.len());
    let mut out = said.join(" OR ");
    if closest.len() > said.len() {
        let left = closest.len().saturating_sub(said.len());
        out.push_str(&format!(" OR {left} more of {alternatives} alternatives"));
    } else if !others.is_empty() {
        out.push_str(&format!(" (the closest of {alternatives} alternatives)"));
    }
    out
}

/// Why a detection gives another label than this one; none if it gives it, or says nothing of it.
pub fn label(wanted: &str, unchosen: &[Unchosen]) -> Option<String> {
    let found = unchosen.iter().find(|unchosen| unchosen.value == wanted)?;
    Some(format!("not {wanted}: {}", because(&found.reason)))
}

/// Where the condition stands.
pub fn span(verdict: &Verdict) -> Option<Span> {
    match verdict {
        Verdict::Kept => None,
        Verdict::Reaches(ended) => Some(ended.span),
        Verdict::Fails(reason) => Some(place(reason)),
    }
}

/// Where the first condition stands that fails.
pub fn place(reason: &Reason) -> Span {
    reason.closest.iter().flatten().next().map_or(reason.span, |failed| failed.span)
}

/// `` `Image="*\\cmd.exe"` fails: Image=C:\Windows\notepad.exe ``
fn condition(failed: &Failed) -> String {
    let mut out = match &failed.through {
        Some(field) => format!("{field}: `{}` fails", short(&failed.clause)),
        None => format!("`{}` fails", short(&failed.clause)),
    };
    for (position, (field, value)) in failed.values.iter().enumerate() {
        out.push_str(if position == 0 { ": " } else { ", " });
        match value {
            Some(value) => out.push_str(&format!("{field}={}", short(value))),
            None => out.push_str(&format!("no {field}")),
        }
    }
    if failed.any_case {
        out.push_str(", but for letter case");
    }
    out
}

/// A text with its middle left out where it is long.
pub fn short(text: &str) -> String {
    let letters = text.chars().count();
    if letters <= SHOWN {
        return text.to_owned();
    }
    let head: String = text.chars().take(SHOWN * 2 / 3).collect();
    let tail: String = text.chars().skip(letters.saturating_sub(SHOWN / 3)).collect();
    format!("{head}…{tail}")
}

/// The same for programs.
pub fn object(verdict: &Verdict, detection: &Detection) -> Value {
    match verdict {
        Verdict::Kept => json!({"verdict": "kept"}),
        Verdict::Reaches(ended) => {
            let (line, column) = detection.place(ended.span);
            json!({"verdict": "reaches", "command": ended.command, "line": line, "column": column})
        }
        Verdict::Fails(reason) => {
            let mut object = Map::from_iter([("verdict".to_owned(), Value::from("fails"))]);
            object.extend(reasons(reason, detection));
            Value::Object(object)
        }
    }
}

/// The labels that a detection does not give, for programs.
pub fn labels(unchosen: &[Unchosen], detection: &Detection) -> Value {
    let object = |unchosen: &Unchosen| {
        let mut object = Map::from_iter([
            ("field".to_owned(), Value::from(unchosen.field.clone())),
            ("label".to_owned(), Value::from(unchosen.value.clone())),
        ]);
        object.extend(reasons(&unchosen.reason, detection));
        Value::Object(object)
    };
    Value::from(unchosen.iter().map(object).collect::<Vec<_>>())
}

fn reasons(reason: &Reason, detection: &Detection) -> Map<String, Value> {
    let (line, column) = detection.place(reason.span);
    let failed = |alternatives: &[Vec<Failed>]| {
        let one = |failed: &Vec<Failed>| failed.iter().map(|one| failure(one, detection)).collect::<Vec<_>>();
        Value::from(alternatives.iter().map(|failed| Value::from(one(failed))).collect::<Vec<_>>())
    };
    Map::from_iter([
        ("clause".to_owned(), Value::from(reason.clause.clone())),
        ("line".to_owned(), Value::from(line)),
        ("column".to_owned(), Value::from(column)),
        ("closest".to_owned(), failed(&reason.closest)),
        ("others".to_owned(), failed(&reason.others)),
    ])
}

fn failure(failed: &Failed, detection: &Detection) -> Value {
    let (line, column) = detection.place(failed.span);
    let values: Map<String, Value> =
        failed.values.iter().map(|(field, value)| (field.clone(), Value::from(value.clone()))).collect();
    json!({
        "clause": failed.clause,
        "line": line,
        "column": column,
        "through": failed.through,
        "but_for_case": failed.any_case,
        "values": values,
    })
}
