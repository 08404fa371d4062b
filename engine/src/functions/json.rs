//! JSON functions.
//!
//! JSON travels as text. A text that is a JSON object or array counts as one wherever a value is put into
//! JSON; any other text becomes a string.
//!
//! Source: Splunk Search Reference, "JSON functions".

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::{ScalarUDF, lit};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::kernel::{Returns, Row};
use super::{Function, MANY};
use crate::documents::json::{self, Json};
use crate::documents::path::Path;
use crate::documents::{self, MAX_DEPTH};
use crate::plan::expression::{Call, Kind, Typed};
use crate::values::{self, Value};

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "json",
        summary: "The value if it is JSON, else null.",
        syntax: "json(value)",
        arity: (1, 1),
        example: (r#"json("{\"a\": 1}")"#, r#"{"a": 1}"#),
        plan: |call| IDENTITY.plan(call),
    },
    Function {
        name: "json_append",
        summary: "The JSON with a value added at the end of the array at each path; what is no array becomes one, unknown paths are passed over.",
        syntax: r#"json_append(json, "path", value, ...)"#,
        arity: (3, MANY),
        example: (r#"json_append("{\"a\":[1]}", "a", 2)"#, r#"{"a":[1,2]}"#),
        plan: |call| pairs(call, 1, true, &APPEND),
    },
    Function {
        name: "json_array",
        summary: "A JSON array of the values.",
        syntax: "json_array(value, ...)",
        arity: (0, MANY),
        example: (r#"json_array("a", 1, true())"#, r#"["a",1,true]"#),
        plan: |call| if call.arguments.is_empty() { Ok(empty(call, "[]")) } else { ARRAY.plan(call) },
    },
    Function {
        name: "json_array_to_mv",
        summary: "The elements of a JSON array as several values; strings lose their quotes unless keep is true().",
        syntax: "json_array_to_mv(json[, keep])",
        arity: (1, 2),
        example: (r#"json_array_to_mv("[\"a\",2]")"#, "a 2"),
        plan: |call| ARRAY_TO_MANY.plan(call),
    },
    Function {
        name: "json_delete",
        summary: "The JSON without these keys; a nested key is written with dots.",
        syntax: r#"json_delete(json, "key", ...)"#,
        arity: (2, MANY),
        example: (r#"json_delete("{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "a", "b.c")"#, r#"{"b":{"d":3}}"#),
        plan: |call| paths(call, 1, 1, &DELETE),
    },
    Function {
        name: "json_entries",
        summary: "A JSON array with an object of \"key\" and \"value\" for each member of an object.",
        syntax: "json_entries(json)",
        arity: (1, 1),
        example: (r#"json_entries("{\"a\":1}")"#, r#"[{"key":"a","value":1}]"#),
        plan: |call| ENTRIES.plan(call),
    },
    Function {
        name: "json_extend",
        summary: "The JSON with the elements of an array added at the end of the array at each path; what is no array becomes one.",
        syntax: r#"json_extend(json, "path", array, ...)"#,
        arity: (3, MANY),
        example: (r#"json_extend("{\"a\":[1]}", "a", json_array(2, 3))"#, r#"{"a":[1,2,3]}"#),
        plan: |call| pairs(call, 1, true, &EXTEND),
    },
    Function {
        name: "json_extract",
        summary: "What stands at a path, strings without quotes; a JSON array for several paths or a path with {}.",
        syntax: r#"json_extract(json[, "path", ...])"#,
        arity: (1, MANY),
        example: (r#"json_extract("{\"a\":{\"b\":\"x\"}}", "a.b")"#, "x"),
        plan: |call| paths(call, 1, 1, &EXTRACT),
    },
    Function {
        name: "json_extract_exact",
        summary: "What a key holds, dots and braces in the key meaning nothing; a JSON array for several keys.",
        syntax: r#"json_extract_exact(json, "key", ...)"#,
        arity: (1, MANY),
        example: (r#"json_extract_exact("{\"a.b\":1}", "a.b")"#, "1"),
        plan: |call| EXTRACT_EXACT.plan(call),
    },
    Function {
        name: "json_has_key_exact",
        summary: "Whether a JSON object has the key, dots and braces meaning nothing.",
        syntax: r#"json_has_key_exact(json, "key")"#,
        arity: (2, 2),
        example: (r#"if(json_has_key_exact("{\"a.b\":1}", "a.b"), 1, 0)"#, "1"),
        plan: |call| HAS_KEY.plan(call),
    },
    Function {
        name: "json_keys",
        summary: "The keys of a JSON object as a JSON array.",
        syntax: "json_keys(json)",
        arity: (1, 1),
        example: (r#"json_keys("{\"a\":1,\"b\":2}")"#, r#"["a","b"]"#),
        plan: |call| KEYS.plan(call),
    },
    Function {
        name: "json_object",
        summary: "A JSON object of keys and values.",
        syntax: r#"json_object("key", value, ...)"#,
        arity: (0, MANY),
        example: (r#"json_object("a", 1, "b", json_array("x"))"#, r#"{"a":1,"b":["x"]}"#),
        plan: |call| if call.arguments.is_empty() { Ok(empty(call, "{}")) } else { pairs(call, 0, false, &OBJECT) },
    },
    Function {
        name: "json_set",
        summary: "The JSON with a value put at each path, which is created where it is missing.",
        syntax: r#"json_set(json, "path", value, ...)"#,
        arity: (3, MANY),
        example: (r#"json_set("{}", "a.b", 1)"#, r#"{"a":{"b":1}}"#),
        plan: |call| pairs(call, 1, true, &SET),
    },
    Function {
        name: "json_set_exact",
        summary: "The JSON with a value put at each key, dots and braces in the key meaning nothing.",
        syntax: r#"json_set_exact(json, "key", value, ...)"#,
        arity: (3, MANY),
        example: (r#"json_set_exact("{}", "a.b", 1)"#, r#"{"a.b":1}"#),
        plan: |call| pairs(call, 1, false, &SET_EXACT),
    },
    Function {
        name: "json_valid",
        summary: "Whether the value is JSON.",
        syntax: "json_valid(value)",
        arity: (1, 1),
        example: (r#"if(json_valid("{bad"), 1, 0)"#, "0"),
        plan: |call| VALID.plan(call),
    },
    Function {
        name: "mv_to_json_array",
        summary: "The values as a JSON array of strings; with infer as true() each value is read as JSON, null where it is none.",
        syntax: "mv_to_json_array(field[, infer])",
        arity: (1, 2),
        example: (r#"mv_to_json_array(split("1,true", ","), true())"#, "[1,true]"),
        plan: |call| MANY_TO_ARRAY.plan(call),
    },
    Function {
        name: "spath",
        summary: "What stands at a path of a JSON or XML text; several values where the path leads to several.",
        syntax: r#"spath(value, "path")"#,
        arity: (2, 2),
        example: (r#"spath("{\"a\":[{\"b\":1},{\"b\":2}]}", "a{}.b")"#, "1 2"),
        plan: |call| paths(call, 1, 1, &SPATH),
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [
        IDENTITY,
        VALID,
        OBJECT,
        ARRAY,
        EXTRACT,
        EXTRACT_EXACT,
        HAS_KEY,
        KEYS,
        ENTRIES,
        SET,
        SET_EXACT,
        APPEND,
        EXTEND,
        DELETE,
        ARRAY_TO_MANY,
        MANY_TO_ARRAY,
        SPATH,
        TO_JSON,
    ]
    .iter()
    .map(Row::udf)
    .collect()
}

/// `spl_spath(text, path)`
pub fn spath() -> Arc<ScalarUDF> {
    SPATH.udf()
}

/// `spl_tojson(fill null, key, type, value, ...)`: an object of fields.
pub fn to_json() -> Arc<ScalarUDF> {
    TO_JSON.udf()
}

/// What a call without arguments makes, which DataFusion's functions of any arguments do not take.
fn empty(call: &Call<'_, '_>, json: &str) -> Typed {
    Typed::new(lit(json), Kind::Text, call.span)
}

/// Plans a call whose arguments after the first few come in pairs of a path or key and a value.
fn pairs(call: &Call<'_, '_>, fixed: usize, are_paths: bool, row: &Row) -> Result<Typed, Diagnostic> {
    if call.arguments.len().saturating_sub(fixed) % 2 == 1 {
        let message = format!("`{}` takes its arguments in pairs, and the last one has no value", call.name.node);
        return Err(Diagnostic::error(Code::InvalidArgument, message, call.span));
    }
    if are_paths { paths(call, fixed, 2, row) } else { row.plan(call) }
}

/// Plans a call after a look at the paths that are written into it.
fn paths(call: &Call<'_, '_>, first: usize, every: usize, row: &Row) -> Result<Typed, Diagnostic> {
    for argument in call.arguments.iter().skip(first).step_by(every) {
        if let Some(literal) = argument.literal() {
            path(literal, argument.span)?;
        }
    }
    row.plan(call)
}

/// A path that is written into a query.
///
/// # Errors
/// It is not well formed.
pub fn path(text: &str, span: Span) -> Result<Path, Diagnostic> {
    Path::parse(text).ok_or_else(|| {
        Diagnostic::error(Code::InvalidArgument, format!("{text:?} is not a path into JSON or XML"), span).with_help(
            format!("a path looks like `a.b`, `a{{0}}.b`, `a{{}}.b` or `a{{@b}}`, with at most {MAX_DEPTH} steps"),
        )
    })
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

const IDENTITY: Row = Row {
    name: "spl_json",
    returns: Returns::Text,
    evaluate: |values| match (read(values.first()), values.first().and_then(Value::text)) {
        (Some(_), Some(json)) => text(json),
        _ => Value::Null,
    },
};

const VALID: Row = Row {
    name: "spl_json_valid",
    returns: Returns::Boolean,
    evaluate: |values| Value::Boolean(read(values.first()).is_some()),
};

const OBJECT: Row = Row {
    name: "spl_json_object",
    returns: Returns::Text,
    evaluate: |values| {
        let mut object = Json::Object(Vec::new());
        for pair in values.chunks_exact(2) {
            if let [key, value] = pair
                && let Some(key) = key.text()
                && let Some(member) = object.member_mut(&key)
            {
                *member = into_json(value);
            }
        }
        written(&object)
    },
};

const ARRAY: Row = Row {
    name: "spl_json_array",
    returns: Returns::Text,
    evaluate: |values| written(&Json::Array(values.iter().map(into_json).collect())),
};

const EXTRACT: Row = Row {
    name: "spl_json_extract",
    returns: Returns::Text,
    evaluate: |values| {
        let Some(json) = read(values.first()) else { return Value::Null };
        let selected = |path: &Value<'_>| {
            let path = Path::parse(&path.text()?)?;
            let mut found: Vec<Json> = path.select(&json).into_iter().cloned().collect();
            if path.has_wildcard() && !found.is_empty() { Some(Json::Array(found)) } else { found.pop() }
        };
        match values.get(1..).unwrap_or_default() {
            [] => native(&json),
            [path] => selected(path).map_or(Value::Null, |found| native(&found)),
            several => written(&Json::Array(several.iter().map(|path| selected(path).unwrap_or(Json::Null)).collect())),
        }
    },
};

const EXTRACT_EXACT: Row = Row {
    name: "spl_json_extract_exact",
    returns: Returns::Text,
    evaluate: |values| {
        let Some(json) = read(values.first()) else { return Value::Null };
        let member = |key: &Value<'_>| key.text().and_then(|key| json.member(&key).cloned());
        match values.get(1..).unwrap_or_default() {
            [] => native(&json),
            [key] => member(key).map_or(Value::Null, |found| native(&found)),
            several => written(&Json::Array(several.iter().map(|key| member(key).unwrap_or(Json::Null)).collect())),
        }
    },
};

const HAS_KEY: Row = Row {
    name: "spl_json_has_key_exact",
    returns: Returns::Boolean,
    evaluate: |values| match (read(values.first()), values.get(1).and_then(Value::text)) {
        (Some(json), Some(key)) => Value::Boolean(json.member(&key).is_some()),
        _ => Value::Null,
    },
};

const KEYS: Row = Row {
    name: "spl_json_keys",
    returns: Returns::Text,
    evaluate: |values| match read(values.first()) {
        Some(Json::Object(members)) => {
            written(&Json::Array(members.into_iter().map(|(key, _)| Json::Text(key)).collect()))
        }
        _ => Value::Null,
    },
};

const ENTRIES: Row = Row {
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
    let Some(mut json) = read(values.first()) else { return Value::Null };
    for pair in values.get(1..).unwrap_or_default().chunks_exact(2) {
        if let [path, value] = pair
            && let Some(path) = path.text().and_then(|path| Path::parse(&path))
        {
            let value = into_json(value);
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

const SET: Row = Row {
    name: "spl_json_set",
    returns: Returns::Text,
    evaluate: |values| change(values, true, |target, value| *target = value),
};

const SET_EXACT: Row = Row {
    name: "spl_json_set_exact",
    returns: Returns::Text,
    evaluate: |values| {
        let Some(mut json) = read(values.first()) else { return Value::Null };
        for pair in values.get(1..).unwrap_or_default().chunks_exact(2) {
            if let [key, value] = pair
                && let Some(key) = key.text()
                && let Some(member) = json.member_mut(&key)
            {
                *member = into_json(value);
            }
        }
        written(&json)
    },
};

const APPEND: Row = Row {
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

const EXTEND: Row = Row {
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

const DELETE: Row = Row {
    name: "spl_json_delete",
    returns: Returns::Text,
    evaluate: |values| {
        let Some(mut json) = read(values.first()) else { return Value::Null };
        for path in values.iter().skip(1).filter_map(Value::text).filter_map(|path| Path::parse(&path)) {
            path.delete(&mut json);
        }
        written(&json)
    },
};

const ARRAY_TO_MANY: Row = Row {
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

const MANY_TO_ARRAY: Row = Row {
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

const SPATH: Row = Row {
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

const TO_JSON: Row = Row {
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
