//! Fields out of text: `kvParse` and `parseJson`.

use crate::documents::Fields;
use crate::documents::json::{self, Json};

/// The pairs `key=value` of a text. Values may stand in quotes; a comma or a blank ends others.
pub fn pairs(text: &str, keep_first: bool) -> Fields {
    let mut fields = Fields::new();
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        let (before, after) = rest.split_at(at);
        let after = after.get(1..).unwrap_or_default();
        let key = before.trim_end();
        let start = key.rfind(|c: char| c.is_whitespace() || ",\"'{}()".contains(c));
        let key = start.map_or(key, |start| {
            let width = key.get(start..).and_then(|tail| tail.chars().next()).map_or(1, char::len_utf8);
            key.get(start.saturating_add(width)..).unwrap_or_default()
        });
        let spaced = before.ends_with(char::is_whitespace);
        let value = if spaced { after.trim_start() } else { after };
        let (value, tail) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inner = value.get(1..).unwrap_or_default();
                match inner.find(quote) {
                    Some(end) => inner.split_at(end),
                    None => (inner, ""),
                }
            }
            _ => {
                let end = value.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(value.len());
                value.split_at(end)
            }
        };
        rest = tail.strip_prefix(['"', '\'']).unwrap_or(tail);
        if key.is_empty() {
            continue;
        }
        match fields.iter_mut().find(|(known, _)| known == key) {
            Some(_) if keep_first => {}
            Some((_, values)) => *values = vec![value.to_owned()],
            None => fields.push((key.to_owned(), vec![value.to_owned()])),
        }
    }
    fields
}

/// What becomes of JSON's null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Null {
    /// The text `null`.
    Keep,
    /// No field.
    Discard,
    /// The empty text.
    Empty,
}

/// Every value of a JSON text under its path: `a.b`, `a[0]`.
pub fn flatten(text: &str, prefix: &str, null: Null) -> Fields {
    let mut fields = Fields::new();
    if let Some(value) = json::parse(text.trim()) {
        add(&value, prefix.to_owned(), null, &mut fields);
    }
    fields
}

fn add(value: &Json, path: String, null: Null, fields: &mut Fields) {
    let text = match value {
        Json::Object(members) => {
            for (key, member) in members {
                let path = match path.as_str() {
                    "" => key.clone(),
                    path if path.ends_with('.') => format!("{path}{key}"),
                    path => format!("{path}.{key}"),
                };
                add(member, path, null, fields);
            }
            return;
        }
        Json::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                add(element, format!("{path}[{index}]"), null, fields);
            }
            return;
        }
        Json::Null => match null {
            Null::Keep => "null".to_owned(),
            Null::Discard => return,
            Null::Empty => String::new(),
        },
        Json::Boolean(truth) => truth.to_string(),
        Json::Number(text) | Json::Text(text) => text.clone(),
    };
    match fields.iter_mut().find(|(known, _)| *known == path) {
        Some((_, values)) => *values = vec![text],
        None => fields.push((path, vec![text])),
    }
}
