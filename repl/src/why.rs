//! Why an event is not in a result, for people and for programs.

use serde_json::{Map, Value, json};
use spelunk_engine::Verdict;
use spelunk_engine::plan::trace::{Failed, Reason};
use spelunk_grammar::Span;

use crate::detections::Detection;

/// How many letters of a condition, and of a value, are shown to people.
const SHOWN: usize = 90;

/// The first condition of a detection that an event fails, in a sentence.
pub fn sentence(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Kept => "every condition holds".to_owned(),
        Verdict::Reaches(ended) => format!("every condition holds up to `{}`", ended.command),
        Verdict::Fails(reason) => {
            let Reason { clause, failed, others, .. } = &**reason;
            let mut said: Vec<String> = failed.iter().map(condition).collect();
            if said.is_empty() {
                said.push(format!("`{}` fails", short(clause)));
            }
            let mut out = said.join("; ");
            if !others.is_empty() {
                out.push_str(&format!(" (the closest of {} alternatives)", others.len().saturating_add(1)));
            }
            out
        }
    }
}

/// Where the condition stands.
pub fn span(verdict: &Verdict) -> Option<Span> {
    match verdict {
        Verdict::Kept => None,
        Verdict::Reaches(ended) => Some(ended.span),
        Verdict::Fails(reason) => Some(reason.failed.first().map_or(reason.span, |failed| failed.span)),
    }
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
            let (line, column) = detection.place(reason.span);
            let failed = |failed: &[Failed]| failed.iter().map(|one| failure(one, detection)).collect::<Vec<_>>();
            json!({
                "verdict": "fails",
                "clause": reason.clause,
                "line": line,
                "column": column,
                "failed": failed(&reason.failed),
                "alternatives": reason.others.iter().map(|other| failed(other)).collect::<Vec<_>>(),
            })
        }
    }
}

fn failure(failed: &Failed, detection: &Detection) -> Value {
    let (line, column) = detection.place(failed.span);
    let values: Map<String, Value> =
        failed.values.iter().map(|(field, value)| (field.clone(), Value::from(value.clone()))).collect();
    json!({"clause": failed.clause, "line": line, "column": column, "through": failed.through, "values": values})
}
