//! Fields out of text: pairs, JSON, XML and messages with a header.

mod events;

use std::collections::HashMap;

use crate::documents::Fields;
use crate::documents::json::{self, Json};
use crate::documents::xml::{self, Element};
pub use events::{Prefixes, cef, leef};

/// How pairs are written.
pub struct Pairs<'p> {
    /// What stands between a key and its value.
    pub separator: &'p str,
    /// Whether blanks stand around it.
    pub padding: Padding,
    /// Whether the first of equal keys counts.
    pub first: bool,
    /// Whether an empty value makes no field.
    pub exclude: bool,
}

/// Whether blanks stand around what is between a key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// They may: a value follows in any case.
    Unknown,
    /// They do: what they stand behind is a key, so the key before it has no value.
    Yes,
    /// They do not: behind a blank there is no value.
    No,
}

/// The pairs `key=value` of a text. Values may stand in quotes; a comma or a blank ends others.
pub fn pairs(text: &str, options: &Pairs<'_>) -> Fields {
    let Pairs { separator, padding, first, exclude } = *options;
    let mut fields = Fields::new();
    let mut add = |key: &str, value: &str| {
        if key.is_empty() || (exclude && value.is_empty()) {
            return;
        }
        match fields.iter_mut().find(|(known, _)| known == key) {
            Some(_) if first => {}
            Some((_, values)) => *values = vec![value.to_owned()],
            None => fields.push((key.to_owned(), vec![value.to_owned()])),
        }
    };
    let mut rest = text;
    while let Some(at) = rest.find(separator) {
        let (before, after) = rest.split_at(at);
        let after = after.get(separator.len()..).unwrap_or_default();
        let spaced = before.ends_with(char::is_whitespace);
        let key = before.trim_end();
        let start = key.rfind(|c: char| c.is_whitespace() || ",\"'{}()".contains(c));
        let key = start.map_or(key, |start| {
            let width = key.get(start..).and_then(|tail| tail.chars().next()).map_or(1, char::len_utf8);
            key.get(start.saturating_add(width)..).unwrap_or_default()
        });
        let value = if spaced && padding != Padding::No { after.trim_start() } else { after };
        let whole = value;
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
        let follows = tail.trim_start_matches(char::is_whitespace);
        let is_key = padding == Padding::Yes && follows.len() < tail.len() && !value.is_empty();
        match follows.strip_prefix(separator).filter(|_| is_key) {
            Some(_) if spaced => {
                add(key, "");
                rest = whole;
            }
            // One separator with blanks and one without: the manual's table has both keys empty.
            Some(behind) => {
                add(key, "");
                add(value, "");
                rest = behind;
            }
            None => {
                add(key, value);
                rest = tail.strip_prefix(['"', '\'']).unwrap_or(tail);
            }
        }
    }
    fields
}

/// Whether a path is one of these, or inside or beside one: a path covers whatever begins as it does, and `[*]` is
/// any element.
pub fn covers(paths: &[String], name: &str) -> bool {
    paths.iter().any(|path| {
        let mut rest = name;
        let mut pieces = path.split("[*]").peekable();
        while let Some(piece) = pieces.next() {
            let Some(after) = rest.strip_prefix(piece) else { return false };
            rest = after;
            if pieces.peek().is_some() {
                let Some((index, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
                    return false;
                };
                if !index.bytes().all(|byte| byte.is_ascii_digit()) {
                    return false;
                }
                rest = after;
            }
        }
        true
    })
}

/// A name without the longest of these prefixes that it has, behind the one that was put before all names.
pub fn without_prefix(name: &str, before: &str, prefixes: &[String]) -> String {
    let (kept, inner) = match name.strip_prefix(before) {
        Some(inner) => (before, inner),
        None => ("", name),
    };
    let shortened =
        prefixes.iter().filter_map(|prefix| inner.strip_prefix(prefix.as_str())).min_by_key(|rest| rest.len());
    match shortened.map(|rest| rest.trim_start_matches('.')).filter(|rest| !rest.is_empty()) {
        Some(rest) => format!("{kept}{rest}"),
        None => name.to_owned(),
    }
}

/// Every text and attribute of an XML text under its path: `a.b`, `a.@c`; elements of the same name are an array.
pub fn elements(text: &str, prefix: &str) -> Fields {
    let mut fields = Fields::new();
    for element in xml::parse(text).unwrap_or_default() {
        let path = format!("{prefix}{}", element.name);
        add_element(&element, path, &mut fields);
    }
    fields
}

fn add_element(element: &Element, path: String, fields: &mut Fields) {
    for (name, value) in &element.attributes {
        fields.push((format!("{path}.@{name}"), vec![value.clone()]));
    }
    if !element.text.is_empty() || (element.elements.is_empty() && element.attributes.is_empty()) {
        fields.push((path.clone(), vec![element.text.clone()]));
    }
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for child in &element.elements {
        let (total, _) = counts.entry(child.name.as_str()).or_default();
        *total = total.saturating_add(1);
    }
    for child in &element.elements {
        let name = match counts.get_mut(child.name.as_str()) {
            Some((total, next)) if *total > 1 => {
                let name = format!("{path}.{}[{next}]", child.name);
                *next = next.saturating_add(1);
                name
            }
            _ => format!("{path}.{}", child.name),
        };
        add_element(child, name, fields);
    }
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
