//! Text functions.
//!
//! Source: Splunk Search Reference, "Text functions".

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use percent_encoding::percent_decode_str;
use spelunk_grammar::Diagnostic;

use super::Function;
use super::comparison::invalid_pattern;
use super::kernel::{Returns, Rewriting, Row};
use super::pattern::Pattern;
use crate::plan::expression::{Call, Kind, Typed};
use crate::values::Value;

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "len",
        summary: "The number of characters of a text.",
        syntax: "len(text)",
        arity: (1, 1),
        example: (r#"len("héllo")"#, "5"),
        plan: |call| LEN.plan_values(call),
    },
    Function {
        name: "lower",
        summary: "The text in lower case.",
        syntax: "lower(text)",
        arity: (1, 1),
        example: (r#"lower("CMD.exe")"#, "cmd.exe"),
        plan: |call| of_each(call, &LOWER, &LOWER_EACH),
    },
    Function {
        name: "upper",
        summary: "The text in upper case.",
        syntax: "upper(text)",
        arity: (1, 1),
        example: (r#"upper("cmd.exe")"#, "CMD.EXE"),
        plan: |call| of_each(call, &UPPER, &UPPER_EACH),
    },
    Function {
        name: "trim",
        summary: "The text without the given characters (blanks and tabs) at both ends.",
        syntax: r#"trim(text[, "characters"])"#,
        arity: (1, 2),
        example: (r#"trim("  x ")"#, "x"),
        plan: |call| TRIM.plan_values(call),
    },
    Function {
        name: "ltrim",
        summary: "The text without the given characters (blanks and tabs) at its start.",
        syntax: r#"ltrim(text[, "characters"])"#,
        arity: (1, 2),
        example: (r#"ltrim("xxab", "x")"#, "ab"),
        plan: |call| LTRIM.plan_values(call),
    },
    Function {
        name: "rtrim",
        summary: "The text without the given characters (blanks and tabs) at its end.",
        syntax: r#"rtrim(text[, "characters"])"#,
        arity: (1, 2),
        example: (r#"rtrim("abxx", "x")"#, "ab"),
        plan: |call| RTRIM.plan_values(call),
    },
    Function {
        name: "replace",
        summary: "The text with every match of a regular expression replaced; \\1 is the first group.",
        syntax: r#"replace(text, "regex", "replacement")"#,
        arity: (3, 3),
        example: (r#"replace("1/14/2023", "^(\d{1,2})/(\d{1,2})/", "\2/\1/")"#, "14/1/2023"),
        plan: |call| {
            let pattern = call.argument(1);
            if let Some(literal) = pattern.literal() {
                Pattern::new(literal).map_err(|reason| invalid_pattern(&reason, pattern.span))?;
            }
            REPLACE.plan_values(call)
        },
    },
    Function {
        name: "substr",
        summary: "A piece of a text: from a position counted from 1, or from the end if negative.",
        syntax: "substr(text, start[, length])",
        arity: (2, 3),
        example: (r#"substr("string", -3)"#, "ing"),
        plan: |call| {
            call.numbers(1..3)?;
            SUBSTR.plan_values(call)
        },
    },
    Function {
        name: "urldecode",
        summary: "The text with each `%` and two hexadecimal digits replaced by the byte that they stand for.",
        syntax: "urldecode(text)",
        arity: (1, 1),
        example: (r#"urldecode("a%20b%3Fc")"#, "a b?c"),
        plan: |call| URL_DECODE.plan_values(call),
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [LEN, LOWER_EACH, UPPER_EACH, TRIM, LTRIM, RTRIM, REPLACE, SUBSTR, URL_DECODE, ESCAPE_XML]
        .iter()
        .map(Row::udf)
        .chain([LOWER, UPPER].iter().map(Rewriting::udf))
        .collect()
}

/// The text with what XML reserves as entities.
pub const ESCAPE_XML: Row = Row {
    name: "spl_escape_xml",
    returns: Returns::Text,
    evaluate: |values| match values.first().and_then(Value::text) {
        Some(raw) => text(quick_xml::escape::escape(raw.as_ref())),
        None => Value::Null,
    },
};

/// The row for several values where the argument has them.
fn of_each(call: &Call<'_, '_>, one: &Rewriting, several: &Row) -> Result<Typed, Diagnostic> {
    if call.argument(0).kind == Kind::Many { several.plan_values(call) } else { one.plan_values(call) }
}

fn text(text: impl Into<String>) -> Value<'static> {
    Value::Text(Cow::Owned(text.into()))
}

/// Applies a function to a text, or to each of several.
fn each(value: &Value<'_>, rewrite: fn(&str, &mut String)) -> Value<'static> {
    let rewritten = |text: &str| {
        let mut into = String::with_capacity(text.len());
        rewrite(text, &mut into);
        into
    };
    match value {
        Value::Many(values) => Value::Many(values.iter().map(|v| Cow::Owned(rewritten(v))).collect()),
        other => other.text().map_or(Value::Null, |t| text(rewritten(&t))),
    }
}

const LEN: Row = Row {
    name: "spl_len",
    returns: Returns::Number,
    evaluate: |values| match values.first().and_then(Value::text) {
        Some(text) => Value::Number(text.chars().count() as f64),
        None => Value::Null,
    },
};

/// The text in lower case behind what there is. Rust's own looks at each character of a short text by itself.
fn lower(text: &str, into: &mut String) {
    match text.is_ascii() {
        true => {
            let start = into.len();
            into.push_str(text);
            if let Some(pushed) = into.get_mut(start..) {
                pushed.make_ascii_lowercase();
            }
        }
        false => into.push_str(&text.to_lowercase()),
    }
}

/// The text in upper case behind what there is.
fn upper(text: &str, into: &mut String) {
    match text.is_ascii() {
        true => {
            let start = into.len();
            into.push_str(text);
            if let Some(pushed) = into.get_mut(start..) {
                pushed.make_ascii_uppercase();
            }
        }
        false => into.push_str(&text.to_uppercase()),
    }
}

const LOWER: Rewriting = Rewriting {
    name: "spl_lower",
    evaluate: |values| values.first().map_or(Value::Null, |value| each(value, lower)),
    rewrite: lower,
};

const UPPER: Rewriting = Rewriting {
    name: "spl_upper",
    evaluate: |values| values.first().map_or(Value::Null, |value| each(value, upper)),
    rewrite: upper,
};

const LOWER_EACH: Row = Row { name: "spl_lower_each", returns: Returns::Many, evaluate: LOWER.evaluate };
const UPPER_EACH: Row = Row { name: "spl_upper_each", returns: Returns::Many, evaluate: UPPER.evaluate };

fn trimmed(values: &[Value<'_>], start: bool, end: bool) -> Value<'static> {
    let Some(whole) = values.first().and_then(Value::text) else { return Value::Null };
    let characters: Cow<'_, str> = match values.get(1) {
        Some(given) => match given.text() {
            Some(given) => given,
            None => return Value::Null,
        },
        None => Cow::Borrowed(" \t"),
    };
    let drop = |letter: char| characters.contains(letter);
    let mut rest = whole.as_ref();
    if start {
        rest = rest.trim_start_matches(drop);
    }
    if end {
        rest = rest.trim_end_matches(drop);
    }
    text(rest)
}

const TRIM: Row = Row { name: "spl_trim", returns: Returns::Text, evaluate: |values| trimmed(values, true, true) };
const LTRIM: Row = Row { name: "spl_ltrim", returns: Returns::Text, evaluate: |values| trimmed(values, true, false) };
const RTRIM: Row = Row { name: "spl_rtrim", returns: Returns::Text, evaluate: |values| trimmed(values, false, true) };

const REPLACE: Row = Row {
    name: "spl_replace",
    returns: Returns::Text,
    evaluate: |values| match values {
        [whole, pattern, replacement] => match (whole.text(), pattern.text(), replacement.text()) {
            (Some(whole), Some(pattern), Some(replacement)) => match Pattern::new(&pattern) {
                Ok(pattern) => text(pattern.replace_all(&whole, &replacement)),
                Err(_) => Value::Null,
            },
            _ => Value::Null,
        },
        _ => Value::Null,
    },
};

const SUBSTR: Row = Row {
    name: "spl_substr",
    returns: Returns::Text,
    evaluate: |values| {
        let (Some(whole), Some(start)) = (values.first().and_then(Value::text), values.get(1).and_then(Value::number))
        else {
            return Value::Null;
        };
        let length = match values.get(2) {
            Some(length) => match length.number() {
                Some(length) => Some(length as i64),
                None => return Value::Null,
            },
            None => None,
        };
        text(substr(&whole, start as i64, length))
    },
};

const URL_DECODE: Row = Row {
    name: "spl_urldecode",
    returns: Returns::Text,
    evaluate: |values| match values.first().and_then(Value::text) {
        Some(encoded) => text(percent_decode_str(&encoded).decode_utf8_lossy()),
        None => Value::Null,
    },
};

/// SQLite's `substr`: positions count from 1, negative ones from the end; what lies outside is left out.
fn substr(whole: &str, start: i64, length: Option<i64>) -> String {
    let count = whole.chars().count() as i64;
    let first = if start < 0 { count.saturating_add(start) } else { start.saturating_sub(1) };
    let end = match length {
        Some(length) => first.saturating_add(length.max(0)),
        None => count,
    };
    let (from, to) = (first.clamp(0, count), end.clamp(0, count));
    whole.chars().skip(from as usize).take((to - from).max(0) as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::substr;

    #[test]
    fn positions_count_from_one_or_from_the_end() {
        for (start, length, expected) in [
            (1, Some(3), "str"),
            (-3, None, "ing"),
            (2, None, "tring"),
            (-3, Some(2), "in"),
            (-10, Some(6), "st"),
            (7, None, ""),
            (2, Some(-1), ""),
            (i64::MIN, Some(3), ""),
        ] {
            assert_eq!(substr("string", start, length), expected, "{start} {length:?}");
        }
    }
}
