//! What the JSON functions do with the values of a row.

use std::borrow::Cow;

use crate::documents;
use crate::documents::json::{self, Json};
use crate::documents::path::Path;
use crate::functions::kernel::{Returns, Row};
use crate::values::{self, Value};

/// How values that go into JSON are read: one of these letters a value.
pub(super) mod mark {
    /// Text is a string, unless it is a JSON object or array.
    pub const PLAIN: char = '-';
    /// Text is JSON, and was read out of some.
    pub const JSON: char = 'j';
    /// Text that is a number counts as one.
    pub const NUMBER: char = 'n';
}

/// The values that go into JSON, behind a text of their marks.
struct Marked<'v> {
    marks: Vec<char>,
    values: &'v [Value<'v>],
}

impl<'v> Marked<'v> {
    fn of(arguments: &'v [Value<'v>]) -> Self {
        let (marks, values) = arguments.split_first().unwrap_or((&Value::Null, &[]));
        Self { marks: marks.text().unwrap_or_default().chars().collect(), values }
    }

    fn value(&self, position: usize) -> Json {
        let value = self.values.get(position).unwrap_or(&Value::Null);
        match (self.marks.get(position), value) {
            (Some(&mark::JSON), Value::Text(text)) => json::parse(text).unwrap_or(Json::Null),
            (Some(&mark::NUMBER), Value::Text(text)) => json::number(text).unwrap_or_else(|| text_json(text)),
            _ => into_json(value),
        }
    }

    /// Each pair of a key or path and a value, behind so many other arguments.
    fn pairs(&self, fixed: usize) -> impl Iterator<Item = (Cow<'_, str>, Json)> {
        let positions = (fixed..self.values.len().saturating_sub(1)).step_by(2);
        positions.filter_map(|at| Some((self.values.get(at)?.text()?, self.value(at + 1))))
    }
}

/// A value as it goes into JSON.
fn into_json(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Number(number) => number_json(*number),
        Value::Boolean(truth) => Json::Boolean(*truth),
        Value::Text(text) => text_json(text),
        Value::Many(values) => Json::Array(values.iter().map(|value| text_json(value)).collect()),
    }
}

fn text_json(text: &str) -> Json {
    json::parse_nested(text).unwrap_or_else(|| Json::Text(text.to_string()))
}

/// JSON has no number for what is none.
fn number_json(number: f64) -> Json {
    let text = values::format_number(number);
    json::number(&text).unwrap_or(Json::Text(text))
}

/// The JSON that a value is.
fn read(value: Option<&Value<'_>>) -> Option<Json> {
    match value? {
        Value::Number(number) => Some(number_json(*number)),
        Value::Boolean(truth) => Some(Json::Boolean(*truth)),
        Value::Text(text) => json::parse(text),
        Value::Null | Value::Many(_) => None,
    }
}

fn text(text: impl Into<String>) -> Value<'static> {
    Value::Text(Cow::Owned(text.into()))
}

fn written(json: &Json) -> Value<'static> {
    text(json.to_string())
}

fn native(json: &Json) -> Value<'static> {
    json.native().map_or(Value::Null, text)
}

pub(super) const IDENTITY: Row = Row {
    name: "spl_json",
    returns: Returns::Text,
    evaluate: |values| match (read(values.first()), values.first().and_then(Value::text)) {
        (Some(_), Some(json)) => text(json),
        _ => Value::Null,
    },
};

pub(super) const VALID: Row = Row {
    name: "spl_json_valid",
    returns: Returns::Boolean,
    evaluate: |values| Value::Boolean(read(values.first()).is_some()),
};

pub(super) const OBJECT: Row = Row {
    name: "spl_json_object",
    returns: Returns::Text,
    evaluate: |values| {
        let mut object = Json::Object(Vec::new());
        for (key, value) in Marked::of(values).pairs(0) {
            if let Some(member) = object.member_mut(&key) {
                *member = value;
            }
        }
        written(&object)
    },
};

pub(super) const ARRAY: Row = Row {
    name: "spl_json_array",
    returns: Returns::Text,
    evaluate: |values| {
        let marked = Marked::of(values);
        written(&Json::Array((0..marked.values.len()).map(|position| marked.value(position)).collect()))
    },
};

/// What stands at each of the paths, or the whole; `None` where there is nothing.
fn extracted(values: &[Value<'_>], exact: bool) -> Option<Json> {
    let json = read(values.first())?;
    let selected = |wanted: &Value<'_>| {
        let wanted = wanted.text()?;
        if exact {
            return json.member(&wanted).cloned();
        }
        // What is no array has no elements; this path means the whole of it.
        if wanted == "{}" && matches!(json, Json::Object(_)) {
            return Some(json.clone());
        }
        let path = Path::parse(&wanted)?;
        let mut found: Vec<Json> = path.select(&json).into_iter().cloned().collect();
        if path.has_wildcard() && !found.is_empty() { Some(Json::Array(found)) } else { found.pop() }
    };
    match values.get(1..).unwrap_or_default() {
        [] => Some(json),
        [path] => selected(path),
        several => Some(Json::Array(several.iter().map(|path| selected(path).unwrap_or(Json::Null)).collect())),
    }
}

pub(super) const EXTRACT: Row = Row {
    name: "spl_json_extract",
    returns: Returns::Text,
    evaluate: |values| extracted(values, false).map_or(Value::Null, |found| native(&found)),
};

pub(super) const EXTRACT_EXACT: Row = Row {
    name: "spl_json_extract_exact",
    returns: Returns::Text,
    evaluate: |values| extracted(values, true).map_or(Value::Null, |found| native(&found)),
};

/// The same as JSON, which still says what is a number and what a string.
pub(super) const EXTRACT_JSON: Row = Row {
    name: "spl_json_extract_json",
    returns: Returns::Text,
    evaluate: |values| extracted(values, false).map_or(Value::Null, |found| written(&found)),
};

pub(super) const EXTRACT_EXACT_JSON: Row = Row {
    name: "spl_json_extract_exact_json",
    returns: Returns::Text,
    evaluate: |values| extracted(values, true).map_or(Value::Null, |found| written(&found)),
};

pub(super) const HAS_KEY: Row = Row {
    name: "spl_json_has_key_exact",
    returns: Returns::Boolean,
    evaluate: |values| match (read(values.first()), values.get(1).and_then(Value::text)) {
        (Some(json), Some(key)) => Value::Boolean(json.member(&key).is_some()),
        _ => Value::Null,
    },
};

pub(super) const KEYS: Row = Row {
    name: "spl_json_keys",
    returns: Returns::Text,
    evaluate: |values| match read(values.first()) {
        Some(Json::Object(members)) => {
            written(&Json::Array(members.into_iter().map(|(key, _)| Json::Text(key)).collect()))
        }
        _ => Value::Null,
    },
};

pub(super) const ENTRIES: Row = Row {
    name: "spl_json_entries",
    returns: Returns::Text,
    evaluate: |values| match read(values.first()) {
        Some(Json::Object(members)) => {
            let entry = |(key, value)| Json::Object(vec![("key".into(), Json::Text(key)), ("value".into(), value)]);
            written(&Json::Array(members.into_iter().map(entry).collect()))
        }
        _ => Value::Null,
    },
};

/// Changes the JSON at each path by its value.
fn change(values: &[Value<'_>], create: bool, apply: fn(&mut Json, Json)) -> Value<'static> {
    let marked = Marked::of(values);
    let Some(mut json) = read(marked.values.first()) else { return Value::Null };
    for (path, value) in marked.pairs(1) {
        if let Some(path) = Path::parse(&path) {
            path.change(&mut json, create, &mut |target| apply(target, value.clone()));
        }
    }
    written(&json)
}

/// The array that a value is or becomes.
fn array(json: &mut Json) -> Option<&mut Vec<Json>> {
    if !matches!(json, Json::Array(_)) {
        let single = std::mem::replace(json, Json::Null);
        *json = Json::Array(vec![single]);
    }
    match json {
        Json::Array(elements) => Some(elements),
        _ => None,
    }
}

pub(super) const SET: Row = Row {
    name: "spl_json_set",
    returns: Returns::Text,
    evaluate: |values| change(values, true, |target, value| *target = value),
};

pub(super) const SET_EXACT: Row = Row {
    name: "spl_json_set_exact",
    returns: Returns::Text,
    evaluate: |values| {
        let marked = Marked::of(values);
        let Some(mut json) = read(marked.values.first()) else { return Value::Null };
        for (key, value) in marked.pairs(1) {
            if let Some(member) = json.member_mut(&key) {
                *member = value;
            }
        }
        written(&json)
    },
};

pub(super) const APPEND: Row = Row {
    name: "spl_json_append",
    returns: Returns::Text,
    evaluate: |values| {
        change(values, false, |target, value| {
            if let Some(elements) = array(target) {
                elements.push(value);
            }
        })
    },
};

pub(super) const EXTEND: Row = Row {
    name: "spl_json_extend",
    returns: Returns::Text,
    evaluate: |values| {
        change(values, false, |target, value| {
            if let Some(elements) = array(target) {
                match value {
                    Json::Array(more) => elements.extend(more),
                    single => elements.push(single),
                }
            }
        })
    },
};

/// The keys that a value names: one, or those in a JSON array.
fn keys(value: &Value<'_>) -> Vec<String> {
    let Some(text) = value.text() else { return Vec::new() };
    match json::parse_nested(&text) {
        Some(Json::Array(elements)) => elements.iter().filter_map(Json::native).collect(),
        _ => vec![text.into_owned()],
    }
}

pub(super) const DELETE: Row = Row {
    name: "spl_json_delete",
    returns: Returns::Text,
    evaluate: |values| {
        let Some(mut json) = read(values.first()) else { return Value::Null };
        for path in values.iter().skip(1).flat_map(keys).filter_map(|path| Path::parse(&path)) {
            path.delete(&mut json);
        }
        written(&json)
    },
};

pub(super) const ARRAY_TO_MANY: Row = Row {
    name: "spl_json_array_to_mv",
    returns: Returns::Many,
    evaluate: |values| match read(values.first()) {
        Some(Json::Array(elements)) => {
            let keep = matches!(values.get(1), Some(Value::Boolean(true)));
            let element = |element: Json| match element {
                Json::Text(text) if !keep => text,
                other => other.to_string(),
            };
            Value::Many(elements.into_iter().map(|value| Cow::Owned(element(value))).collect())
        }
        _ => Value::Null,
    },
};

pub(super) const MANY_TO_ARRAY: Row = Row {
    name: "spl_mv_to_json_array",
    returns: Returns::Text,
    evaluate: |values| {
        let texts = values.first().map(Value::texts).unwrap_or_default();
        if texts.is_empty() {
            return Value::Null;
        }
        let infer = matches!(values.get(1), Some(Value::Boolean(true)));
        let element = |text: Cow<'_, str>| match infer {
            true => json::parse(&text).unwrap_or(Json::Null),
            false => Json::Text(text.into_owned()),
        };
        written(&Json::Array(texts.into_iter().map(element).collect()))
    },
};

pub(super) const SPATH: Row = Row {
    name: "spl_spath",
    returns: Returns::Many,
    evaluate: |values| match values {
        [value, path] => match path.text().and_then(|path| Path::parse(&path)) {
            Some(path) => {
                let texts = value.texts();
                let found = texts.iter().flat_map(|text| documents::select(text, &path));
                Value::Many(found.map(Cow::Owned).collect())
            }
            None => Value::Null,
        },
        _ => Value::Null,
    },
};

pub(super) const TO_JSON: Row = Row {
    name: "spl_tojson",
    returns: Returns::Text,
    evaluate: |values| {
        let Some((fill, fields)) = values.split_first() else { return Value::Null };
        let fill = *fill == Value::Boolean(true);
        let mut members = Vec::new();
        for field in fields.chunks_exact(3) {
            let [key, wanted, value] = field else { continue };
            let (Some(key), Some(wanted)) = (key.text(), wanted.text()) else { continue };
            let converted = match value {
                Value::Many(several) => {
                    let elements = several.iter().map(|text| typed(&wanted, &Value::Text(Cow::Borrowed(text))));
                    let elements: Vec<Json> = match fill {
                        true => elements.map(|element| element.unwrap_or(Json::Null)).collect(),
                        false => elements.flatten().collect(),
                    };
                    (!elements.is_empty()).then_some(Json::Array(elements))
                }
                single => typed(&wanted, single),
            };
            match converted {
                Some(json) => members.push((key.into_owned(), json)),
                None if fill => members.push((key.into_owned(), Json::Null)),
                None => {}
            }
        }
        written(&Json::Object(members))
    },
};

/// A value as that type of `tojson`; `None` where it cannot be one.
fn typed(wanted: &str, value: &Value<'_>) -> Option<Json> {
    let text = value.text()?;
    match wanted {
        "bool" => match value.number() {
            Some(number) => Some(Json::Boolean(number != 0.0)),
            None => boolean(&text),
        },
        "json" => json::parse(&text),
        "num" => json::number(&text).or_else(|| json::number(&values::format_number(value.number()?))),
        "str" => Some(Json::Text(text.into_owned())),
        "auto" => Some(match json::parse(&text) {
            Some(json) => json,
            None if text.eq_ignore_ascii_case("true") => Json::Boolean(true),
            None if text.eq_ignore_ascii_case("false") => Json::Boolean(false),
            None => Json::Text(text.into_owned()),
        }),
        _ => Some(match value {
            Value::Number(number) => number_json(*number),
            _ => Json::Text(text.into_owned()),
        }),
    }
}

fn boolean(text: &str) -> Option<Json> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "t", "yes", "y"]) {
        Some(Json::Boolean(true))
    } else if is(&["false", "f", "no", "n"]) {
        Some(Json::Boolean(false))
    } else {
        None
    }
}
