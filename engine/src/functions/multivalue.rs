//! Multivalue functions.
//!
//! Source: Splunk Search Reference, "Multivalue eval functions".

mod range;

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF};
use spelunk_grammar::Span;

use super::comparison::invalid_pattern;
use super::kernel::{Returns, Row};
use super::operators::into_owned;
use super::pattern::Pattern;
use super::{Function, MANY};
use crate::plan::expression::Typed;
use crate::values::Value;

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "commands",
        summary: "The names of the commands of a search, in their order.",
        syntax: r#"commands("search")"#,
        arity: (1, 1),
        example: (r#"commands("search foo | stats count | sort count")"#, "search stats sort"),
        plan: |call| COMMANDS.plan(call),
    },
    Function {
        name: "split",
        summary: "The pieces of a text between a delimiter; each character if the delimiter is empty.",
        syntax: r#"split(text, "delimiter")"#,
        arity: (2, 2),
        example: (r#"mvjoin(split("a::b", "::"), "+")"#, "a+b"),
        plan: |call| SPLIT.plan(call),
    },
    Function {
        name: "mvappend",
        summary: "All values of all arguments, one after the other.",
        syntax: "mvappend(value, ...)",
        arity: (1, MANY),
        example: (r#"mvjoin(mvappend("a", split("b,c", ",")), "+")"#, "a+b+c"),
        plan: |call| APPEND.plan(call),
    },
    Function {
        name: "mvcount",
        summary: "How many values a field has; null for none.",
        syntax: "mvcount(field)",
        arity: (1, 1),
        example: (r#"mvcount(split("a,b", ","))"#, "2"),
        plan: |call| COUNT.plan(call),
    },
    Function {
        name: "mvdedup",
        summary: "The values without repetitions, in the order of their first occurrence.",
        syntax: "mvdedup(field)",
        arity: (1, 1),
        example: (r#"mvjoin(mvdedup(split("b,a,b", ",")), "+")"#, "b+a"),
        plan: |call| DEDUP.plan(call),
    },
    Function {
        name: "mvfind",
        summary: "The position, counted from 0, of the first value in which a regular expression matches; null for none.",
        syntax: r#"mvfind(field, "regex")"#,
        arity: (2, 2),
        example: (r#"mvfind(split("ok,err1", ","), "err\d+")"#, "1"),
        plan: |call| {
            let pattern = call.argument(1);
            if let Some(literal) = pattern.literal() {
                Pattern::new(literal).map_err(|reason| invalid_pattern(&reason, pattern.span))?;
            }
            FIND.plan(call)
        },
    },
    Function {
        name: "mvindex",
        summary: "The value at a position counted from 0, or from the end if negative; a range with two positions.",
        syntax: "mvindex(field, start[, end])",
        arity: (2, 3),
        example: (r#"mvindex(split("a,b,c", ","), -1)"#, "c"),
        plan: |call| if call.arguments.len() == 2 { INDEX.plan(call) } else { RANGE.plan(call) },
    },
    Function {
        name: "mvjoin",
        summary: "The values as one text with a delimiter between them.",
        syntax: r#"mvjoin(field, "delimiter")"#,
        arity: (2, 2),
        example: (r#"mvjoin(split("1,2", ","), " OR ")"#, "1 OR 2"),
        plan: |call| JOIN.plan(call),
    },
    Function {
        name: "mvrange",
        summary: "Numbers from a start up to an end, which is not among them, one or a step apart; with a time span such as \"7d\" as the step, times in seconds. Null for more than a million.",
        syntax: "mvrange(start, end[, step])",
        arity: (2, 3),
        example: ("mvrange(1, 11, 2)", "1 3 5 7 9"),
        plan: range::plan,
    },
    Function {
        name: "mvreverse",
        summary: "The values from the last to the first.",
        syntax: "mvreverse(field)",
        arity: (1, 1),
        example: (r#"mvreverse(split("1,2,3", ","))"#, "3 2 1"),
        plan: |call| REVERSE.plan(call),
    },
    Function {
        name: "mvsort",
        summary: "The values in the order of their characters.",
        syntax: "mvsort(field)",
        arity: (1, 1),
        example: (r#"mvjoin(mvsort(split("10,9,70", ",")), " ")"#, "10 70 9"),
        plan: |call| SORT.plan(call),
    },
    Function {
        name: "mvzip",
        summary: "The values of two fields pair by pair with a delimiter (a comma) between them, as many as the shorter has.",
        syntax: r#"mvzip(field, field[, "delimiter"])"#,
        arity: (2, 3),
        example: (r#"mvzip(split("a,b", ","), split("1,2,3", ","), "=")"#, "a=1 b=2"),
        plan: |call| ZIP.plan(call),
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [SPLIT, APPEND, COUNT, DEDUP, INDEX, RANGE, JOIN, SORT, COMMANDS, FIND, range::NUMBERS, REVERSE, range::TIMES, ZIP]
        .iter()
        .map(Row::udf)
        .collect()
}

/// The values without the missing ones; null for none.
pub fn compact(values: Expr, span: Span) -> Typed {
    APPEND.call(vec![values], span)
}

/// All values of several expressions; null for none.
pub fn append(values: Vec<Expr>, span: Span) -> Typed {
    APPEND.call(values, span)
}

fn owned(values: impl IntoIterator<Item = impl Into<String>>) -> Value<'static> {
    let values: Vec<Cow<'static, str>> = values.into_iter().map(|value| Cow::Owned(value.into())).collect();
    if values.is_empty() { Value::Null } else { Value::Many(values) }
}

const SPLIT: Row = Row {
    name: "spl_split",
    returns: Returns::Many,
    evaluate: |values| match values {
        [text, delimiter] => match (text.text(), delimiter.text()) {
            (Some(text), Some(delimiter)) if delimiter.is_empty() => owned(text.chars()),
            (Some(text), Some(delimiter)) => owned(text.split(delimiter.as_ref())),
            _ => Value::Null,
        },
        _ => Value::Null,
    },
};

const APPEND: Row = Row {
    name: "spl_mvappend",
    returns: Returns::Many,
    evaluate: |values| owned(values.iter().flat_map(|value| value.texts().into_iter().map(Cow::into_owned))),
};

const COUNT: Row = Row {
    name: "spl_mvcount",
    returns: Returns::Number,
    evaluate: |values| match values.first().map(|value| value.texts().len()) {
        None | Some(0) => Value::Null,
        Some(count) => Value::Number(count as f64),
    },
};

/// The values without repetitions.
pub fn distinct(values: Expr) -> Expr {
    DEDUP.call(vec![values], Span::default()).expr
}

const DEDUP: Row = Row {
    name: "spl_mvdedup",
    returns: Returns::Many,
    evaluate: |values| {
        let texts = values.first().map(Value::texts).unwrap_or_default();
        let mut seen = std::collections::HashSet::new();
        owned(texts.into_iter().filter(|text| seen.insert(text.to_string())).map(Cow::into_owned))
    },
};

/// The values from one position to another, both inclusive, negative ones counted from the end.
fn slice<'v>(texts: &'v [Cow<'v, str>], start: f64, end: f64) -> &'v [Cow<'v, str>] {
    let count = texts.len() as i64;
    let position = |index: f64| if index < 0.0 { count.saturating_add(index as i64) } else { index as i64 };
    let (start, end) = (position(start), position(end));
    if start < 0 || end < start || start >= count {
        return &[];
    }
    texts.get(start as usize..=(end.min(count - 1)) as usize).unwrap_or_default()
}

const INDEX: Row = Row {
    name: "spl_mvindex",
    returns: Returns::Text,
    evaluate: |values| match values {
        [field, index] => match index.number() {
            Some(index) => {
                let texts = field.texts();
                slice(&texts, index, index).first().map_or(Value::Null, |text| Value::Text(into_owned(text.clone())))
            }
            None => Value::Null,
        },
        _ => Value::Null,
    },
};

const RANGE: Row = Row {
    name: "spl_mvindex_range",
    returns: Returns::Many,
    evaluate: |values| match values {
        [field, start, end] => match (start.number(), end.number()) {
            (Some(start), Some(end)) => owned(slice(&field.texts(), start, end).iter().map(|text| text.to_string())),
            _ => Value::Null,
        },
        _ => Value::Null,
    },
};

const JOIN: Row = Row {
    name: "spl_mvjoin",
    returns: Returns::Text,
    evaluate: |values| match values {
        [field, delimiter] => match (field.texts(), delimiter.text()) {
            (texts, Some(delimiter)) if !texts.is_empty() => Value::Text(Cow::Owned(texts.join(delimiter.as_ref()))),
            _ => Value::Null,
        },
        _ => Value::Null,
    },
};

const SORT: Row = Row {
    name: "spl_mvsort",
    returns: Returns::Many,
    evaluate: |values| {
        let mut texts: Vec<String> =
            values.first().map(|v| v.texts().into_iter().map(Cow::into_owned).collect()).unwrap_or_default();
        texts.sort_unstable();
        owned(texts)
    },
};

const FIND: Row = Row {
    name: "spl_mvfind",
    returns: Returns::Number,
    evaluate: |values| {
        let [field, pattern] = values else { return Value::Null };
        let Some(pattern) = pattern.text().and_then(|pattern| Pattern::new(&pattern).ok()) else { return Value::Null };
        let position = field.texts().iter().position(|text| pattern.is_match(text));
        position.map_or(Value::Null, |position| Value::Number(position as f64))
    },
};

const REVERSE: Row = Row {
    name: "spl_mvreverse",
    returns: Returns::Many,
    evaluate: |values| {
        let texts = values.first().map(Value::texts).unwrap_or_default();
        owned(texts.into_iter().rev().map(Cow::into_owned))
    },
};

const ZIP: Row = Row {
    name: "spl_mvzip",
    returns: Returns::Many,
    evaluate: |values| {
        let [left, right, rest @ ..] = values else { return Value::Null };
        let delimiter = match rest.first().map(Value::text) {
            None => Cow::Borrowed(","),
            Some(Some(delimiter)) => delimiter,
            Some(None) => return Value::Null,
        };
        owned(left.texts().iter().zip(right.texts()).map(|(left, right)| format!("{left}{delimiter}{right}")))
    },
};

const COMMANDS: Row = Row {
    name: "spl_commands",
    returns: Returns::Many,
    evaluate: |values| match values.first().and_then(Value::text) {
        Some(search) => owned(command_names(&search)),
        None => Value::Null,
    },
};

/// The first word after each pipe that stands outside quotes and subsearches; a search may begin without one.
fn command_names(search: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut segments = vec![String::new()];
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    for letter in search.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => depth = depth.saturating_add(1),
            ']' if !quoted => depth = depth.saturating_sub(1),
            '|' if !quoted && depth == 0 => {
                segments.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(segment) = segments.last_mut() {
            segment.push(letter);
        }
    }
    for (position, segment) in segments.iter().enumerate() {
        let segment = segment.trim();
        let word: String = segment.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        match (position, segment.is_empty()) {
            (_, true) => {}
            (0, false) => names.push("search".to_string()),
            _ => names.push(word.to_ascii_lowercase()),
        }
    }
    names
}
