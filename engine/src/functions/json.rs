//! JSON functions.
//!
//! JSON travels as text. A text that is a JSON object or array counts as one wherever a value is put into
//! JSON; any other text becomes a string.
//!
//! Source: Splunk Search Reference, "JSON functions".

mod rows;

use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::collections::ITEM_FIELD;
use super::kernel::Row;
use super::{Function, MANY};
use crate::documents::MAX_DEPTH;
use crate::documents::path::Path;
use crate::plan::expression::{Call, Kind, Typed};

use rows::{
    APPEND, ARRAY, ARRAY_TO_MANY, DELETE, ENTRIES, EXTEND, EXTRACT, EXTRACT_EXACT, EXTRACT_EXACT_JSON, EXTRACT_JSON,
    HAS_KEY, IDENTITY, KEYS, MANY_TO_ARRAY, OBJECT, SET, SET_EXACT, SPATH, TO_JSON, VALID, mark,
};

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
        plan: |call| if call.arguments.is_empty() { Ok(empty(call, "[]")) } else { Ok(marked(call, &ARRAY, |_| true)) },
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
        EXTRACT_EXACT_JSON,
        EXTRACT_JSON,
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
    if are_paths {
        check_paths(call, fixed, 2)?;
    }
    Ok(marked(call, row, |position| position >= fixed && (position - fixed) % 2 == 1))
}

/// Plans a call that puts values into JSON. What was read out of JSON goes back as what it was, so that a number does
/// not become a string on the way; and an item of `foreach` counts as a number where it looks like one, as if it had
/// been written there.
fn marked(call: &Call<'_, '_>, row: &Row, is_value: impl Fn(usize) -> bool) -> Typed {
    let mut marks = String::new();
    let mut arguments = Vec::with_capacity(call.arguments.len() + 1);
    for (position, argument) in call.arguments.iter().enumerate() {
        let given = if argument.kind == Kind::Time { argument.number() } else { argument.expr.clone() };
        let (mark, given) = match given {
            given if !is_value(position) => (mark::PLAIN, given),
            Expr::Column(found) if found.name == ITEM_FIELD => (mark::NUMBER, Expr::Column(found)),
            Expr::ScalarFunction(read) if read.func.name() == EXTRACT.name => {
                (mark::JSON, EXTRACT_JSON.call(read.args, argument.span).expr)
            }
            Expr::ScalarFunction(read) if read.func.name() == EXTRACT_EXACT.name => {
                (mark::JSON, EXTRACT_EXACT_JSON.call(read.args, argument.span).expr)
            }
            other => (mark::PLAIN, other),
        };
        marks.push(mark);
        arguments.push(given);
    }
    arguments.insert(0, lit(marks));
    row.call(arguments, call.span)
}

/// Plans a call after a look at the paths that are written into it.
fn paths(call: &Call<'_, '_>, first: usize, every: usize, row: &Row) -> Result<Typed, Diagnostic> {
    check_paths(call, first, every)?;
    row.plan(call)
}

fn check_paths(call: &Call<'_, '_>, first: usize, every: usize) -> Result<(), Diagnostic> {
    for argument in call.arguments.iter().skip(first).step_by(every) {
        if let Some(literal) = argument.literal() {
            path(literal, argument.span)?;
        }
    }
    Ok(())
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
