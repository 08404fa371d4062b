//! What row commands need and no eval function gives.
//!
//! Source: Splunk Search Reference, "makemv", "mvexpand", "nomv", "strcat", "rangemap", "uniq".

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use spelunk_grammar::Span;

use super::kernel::{Returns, Row};
use super::operators::into_owned;
use super::pattern::Pattern;
use crate::values::Value;

/// What stands between several values where they are read as one.
pub const SINGLE_VALUE_DELIMITER: &str = "\n";

/// The DataFusion functions of this file.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [SPLIT, TOKENS, FIRST_VALUES, POSITIONS, SINGLE, JOIN, RANGE, RANGES, ROW_KEY, PRESENCE, TIME_AGO]
        .iter()
        .map(Row::udf)
        .collect()
}

fn call(row: &Row, arguments: Vec<Expr>) -> Expr {
    row.call(arguments, Span::default()).expr
}

/// The pieces of a value between a delimiter, empty ones only if wanted.
pub fn split(value: Expr, delimiter: &str, empty: bool) -> Expr {
    call(&SPLIT, vec![value, lit(delimiter), lit(empty)])
}

/// What the first group of a pattern holds in each of its matches, empty texts only if wanted.
pub fn tokens(value: Expr, pattern: &str, empty: bool) -> Expr {
    call(&TOKENS, vec![value, lit(pattern), lit(empty)])
}

/// The first values of several, `most` of them (0 for all).
pub fn first_values(values: Expr, most: u64) -> Expr {
    call(&FIRST_VALUES, vec![values, lit(i64::try_from(most).unwrap_or(i64::MAX))])
}

/// The positions of the values, as texts that sort like them.
pub fn positions(values: Expr) -> Expr {
    call(&POSITIONS, vec![values])
}

/// Several values as one, with a delimiter between them.
pub fn single(values: Expr, delimiter: &str) -> Expr {
    call(&SINGLE, vec![values, lit(delimiter)])
}

/// All values one after the other; a missing one is empty.
pub fn join(values: Vec<Expr>) -> Expr {
    call(&JOIN, values)
}

/// The name of the first range that the number lies in.
pub fn range<'r>(value: Expr, default: &str, ranges: impl Iterator<Item = (&'r str, f64, f64)>) -> Expr {
    call(&RANGE, range_arguments(value, default, ranges))
}

/// The names of all ranges that the number lies in.
pub fn ranges<'r>(value: Expr, default: &str, ranges: impl Iterator<Item = (&'r str, f64, f64)>) -> Expr {
    call(&RANGES, range_arguments(value, default, ranges))
}

fn range_arguments<'r>(value: Expr, default: &str, ranges: impl Iterator<Item = (&'r str, f64, f64)>) -> Vec<Expr> {
    [value, lit(default)]
        .into_iter()
        .chain(ranges.flat_map(|(name, low, high)| [lit(name), lit(low), lit(high)]))
        .collect()
}

/// A text that is equal for two rows if and only if all their values are.
pub fn row_key(values: Vec<Expr>) -> Expr {
    call(&ROW_KEY, values)
}

/// A digit for each value: 1 where there is one, 0 where it is missing.
pub fn presence(values: Vec<Expr>) -> Expr {
    call(&PRESENCE, values)
}

/// How long before a time another one was, in words; both in seconds.
pub fn time_ago(time: Expr, now: Expr) -> Expr {
    call(&TIME_AGO, vec![time, now])
}

fn many(texts: Vec<String>) -> Value<'static> {
    if texts.is_empty() { Value::Null } else { Value::Many(texts.into_iter().map(Cow::Owned).collect()) }
}

fn is_true(value: &Value<'_>) -> bool {
    *value == Value::Boolean(true)
}

const SPLIT: Row = Row {
    name: "spl_makemv",
    returns: Returns::Many,
    evaluate: |values| {
        let [value, delimiter, empty] = values else { return Value::Null };
        let Some(delimiter) = delimiter.text() else { return Value::Null };
        let wanted = |text: &str| is_true(empty) || !text.is_empty();
        let texts = value.texts();
        let pieces: Vec<String> = match delimiter.as_ref() {
            // Nothing stands between all characters.
            "" => texts.iter().flat_map(|text| text.chars()).map(String::from).collect(),
            delimiter => {
                texts.iter().flat_map(|text| text.split(delimiter)).filter(|t| wanted(t)).map(String::from).collect()
            }
        };
        many(pieces)
    },
};

const TOKENS: Row = Row {
    name: "spl_makemv_tokens",
    returns: Returns::Many,
    evaluate: |values| {
        let [value, pattern, empty] = values else { return Value::Null };
        let Some(pattern) = pattern.text().and_then(|pattern| Pattern::new(&pattern).ok()) else { return Value::Null };
        let mut found = Vec::new();
        for text in value.texts() {
            for groups in pattern.captures(&text, 0) {
                let token = groups.get(1).copied().flatten().unwrap_or_default();
                if is_true(empty) || !token.is_empty() {
                    found.push(token.to_string());
                }
            }
        }
        many(found)
    },
};

const FIRST_VALUES: Row = Row {
    name: "spl_first_values",
    returns: Returns::Many,
    evaluate: |values| {
        let [value, most] = values else { return Value::Null };
        let most = most.number().filter(|most| *most > 0.0).map_or(usize::MAX, |most| most as usize);
        many(value.texts().into_iter().take(most).map(Cow::into_owned).collect())
    },
};

const POSITIONS: Row = Row {
    name: "spl_positions",
    returns: Returns::Many,
    evaluate: |values| {
        let count = values.first().map_or(0, |value| value.texts().len());
        many((0..count).map(|position| format!("{position:012}")).collect())
    },
};

const SINGLE: Row = Row {
    name: "spl_nomv",
    returns: Returns::Text,
    evaluate: |values| match values {
        [value, delimiter] => match (value.texts(), delimiter.text()) {
            (texts, Some(delimiter)) if !texts.is_empty() => Value::Text(Cow::Owned(texts.join(delimiter.as_ref()))),
            _ => Value::Null,
        },
        _ => Value::Null,
    },
};

const JOIN: Row = Row {
    name: "spl_strcat",
    returns: Returns::Text,
    evaluate: |values| {
        Value::Text(Cow::Owned(values.iter().map(|value| value.texts().join(SINGLE_VALUE_DELIMITER)).collect()))
    },
};

/// The names of the ranges that any of a value's numbers lies in.
fn ranges_of(values: &[Value<'_>]) -> Vec<String> {
    let [value, default, ranges @ ..] = values else { return Vec::new() };
    let texts = value.texts();
    let numbers: Vec<f64> = texts.iter().filter_map(|text| crate::values::parse_number(text)).collect();
    let mut names = Vec::new();
    for range in ranges.chunks(3) {
        if let [name, low, high] = range
            && let (Some(name), Some(low), Some(high)) = (name.text(), low.number(), high.number())
            && numbers.iter().any(|number| (low..=high).contains(number))
            && !names.iter().any(|known: &String| *known == *name)
        {
            names.push(name.into_owned());
        }
    }
    if names.is_empty() {
        names.extend(default.text().map(Cow::into_owned));
    }
    names
}

const RANGE: Row = Row {
    name: "spl_range",
    returns: Returns::Text,
    evaluate: |values| {
        ranges_of(values).into_iter().next().map_or(Value::Null, |name| Value::Text(into_owned(Cow::Owned(name))))
    },
};

const RANGES: Row = Row { name: "spl_ranges", returns: Returns::Many, evaluate: |values| many(ranges_of(values)) };

const ROW_KEY: Row = Row {
    name: "spl_row_key",
    returns: Returns::Text,
    evaluate: |values| {
        let mut key = String::new();
        for value in values {
            let texts = value.texts();
            // The lengths say where a value ends. Writing to a string cannot fail.
            let _ = write!(key, "{}", texts.len());
            for text in texts {
                let _ = write!(key, ":{}:{text}", text.len());
            }
            key.push(';');
        }
        Value::Text(Cow::Owned(key))
    },
};

const PRESENCE: Row = Row {
    name: "spl_presence",
    returns: Returns::Text,
    evaluate: |values| {
        let digits = values.iter().map(|value| if *value == Value::Null { '0' } else { '1' });
        Value::Text(Cow::Owned(digits.collect()))
    },
};

/// The units of time from the longest, in seconds. A month has 30 days, a year 365.
const UNITS: [(&str, f64); 6] = [
    ("year", 31_536_000.0),
    ("month", 2_592_000.0),
    ("day", 86_400.0),
    ("hour", 3_600.0),
    ("minute", 60.0),
    ("second", 1.0),
];

const TIME_AGO: Row = Row {
    name: "spl_time_ago",
    returns: Returns::Text,
    evaluate: |values| match values {
        [time, now] => match (time.number(), now.number()) {
            (Some(time), Some(now)) if (now - time).is_finite() => Value::Text(Cow::Owned(ago(now - time))),
            _ => Value::Null,
        },
        _ => Value::Null,
    },
};

/// A number of seconds in the largest unit that fits into it.
fn ago(seconds: f64) -> String {
    let length = seconds.abs().floor();
    let (unit, size) = UNITS.into_iter().find(|(_, size)| length >= *size).unwrap_or(("second", 1.0));
    let number = (length / size).floor();
    let plural = if number == 1.0 { "" } else { "s" };
    let direction = if seconds <= -1.0 { "from now" } else { "ago" };
    format!("{number} {unit}{plural} {direction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_largest_unit() {
        let told = [0.4, 1.0, 59.9, 60.0, 7_199.0, 86_400.0 * 5.0, 86_400.0 * 31.0, 31_536_000.0 * 2.0, -3_600.0];
        let words = ["0 seconds", "1 second", "59 seconds", "1 minute", "1 hour", "5 days", "1 month", "2 years"];
        let mut words: Vec<String> = words.iter().map(|words| format!("{words} ago")).collect();
        words.push("1 hour from now".into());
        assert_eq!(told.map(ago).to_vec(), words);
    }

    fn key(values: &[Value<'_>]) -> String {
        (ROW_KEY.evaluate)(values).text().map(Cow::into_owned).unwrap()
    }

    #[test]
    fn row_keys_tell_rows_apart() {
        let text = |text: &'static str| Value::Text(Cow::Borrowed(text));
        assert_ne!(key(&[text("a"), text("")]), key(&[text("a"), Value::Null]));
        assert_ne!(key(&[text("a;1:1:b")]), key(&[text("a"), text("b")]));
        assert_ne!(key(&[Value::Many(vec!["a".into(), "b".into()])]), key(&[text("a"), text("b")]));
        assert_eq!(key(&[text("a"), Value::Null]), key(&[text("a"), Value::Null]));
    }
}
