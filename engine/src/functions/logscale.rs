//! What LogScale's functions need and SPL's do not have.

pub mod dates;
pub mod digests;
pub mod documents;
pub mod durations;
pub mod encoding;
pub mod formats;
pub mod lists;
pub mod numbers;
pub mod places;
pub mod positions;
pub mod units;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use jiff::tz::TimeZone;
use spelunk_grammar::Span;

use super::kernel::{Returns, Row, TextPredicate};
use super::pattern::{Pattern, cidr, in_cidr};
use super::wildcard::Wildcard;
use crate::plan::expression::Typed;
use crate::values::Value;

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    let rows = [HEX, FORMAT_TIME, SPLIT, LENGTH, CONCATENATE, JOIN, REPLACE, LOWER, UPPER, PRESENT];
    let families = [
        dates::ROWS,
        digests::ROWS,
        documents::ROWS,
        durations::ROWS,
        encoding::ROWS,
        formats::ROWS,
        lists::ROWS,
        numbers::ROWS,
        places::ROWS,
        positions::ROWS,
        units::ROWS,
    ];
    let rows = rows.iter().chain(families.into_iter().flatten());
    rows.map(Row::udf).chain([Arc::clone(&GLOB), Arc::clone(&NETWORK)]).collect()
}

/// `cql_glob(text, pattern, case)`: whether the whole text fits a pattern with `*`.
static GLOB: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("cql_glob", |parameters| {
        let [pattern, case] = parameters else {
            return Err(DataFusionError::Execution("cql_glob needs a pattern and a case".into()));
        };
        if !pattern.contains('*') && *case != "any" {
            let pattern = (*pattern).to_owned();
            return Ok(Box::new(move |text: &str| text == pattern));
        }
        let compiled = if *case == "any" { Wildcard::any_case(pattern) } else { Wildcard::same_case(pattern) };
        let wildcard = compiled.map_err(DataFusionError::Execution)?;
        Ok(Box::new(move |text: &str| wildcard.matches(text)))
    })
});

/// Whether a text fits a pattern.
pub fn glob(text: Expr, pattern: &str, any_case: bool) -> Expr {
    GLOB.call(vec![text, lit(pattern), lit(if any_case { "any" } else { "same" })])
}

/// `cql_network(text, network)`: whether the text is an address in the network.
static NETWORK: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("cql_network", |parameters| {
        let network = parameters.first().and_then(|text| cidr(text));
        let network = network.ok_or_else(|| DataFusionError::Execution("cql_network needs a network".into()))?;
        Ok(Box::new(move |text: &str| in_cidr(&network, text)))
    })
});

/// Whether a text is an address in a network.
pub fn in_network(text: Expr, network: &str) -> Expr {
    NETWORK.call(vec![text, lit(network)])
}

fn call(row: &Row, arguments: Vec<Expr>, span: Span) -> Typed {
    row.call(arguments, span)
}

/// The number that hexadecimal digits stand for.
pub fn hexadecimal(value: Expr) -> Expr {
    call(&HEX, vec![value], Span::default()).expr
}

/// A text by a format; times are shown in a zone.
pub fn format(format: &str, zone: &str, values: Vec<Expr>, span: Span) -> Typed {
    call(&formats::FORMAT, [lit(format), lit(zone)].into_iter().chain(values).collect(), span)
}

/// A time by a format, in a zone.
pub fn format_time(time: Expr, format: &str, zone: Expr, unit: &str, span: Span) -> Typed {
    call(&FORMAT_TIME, vec![time, lit(format), zone, lit(unit)], span)
}

/// The part at an index of a text that is split; of a negative one from the end.
pub fn split(text: Expr, pattern: &str, index: i64, span: Span) -> Typed {
    call(&SPLIT, vec![text, lit(pattern), lit(index)], span)
}

/// How many units of UTF-16 a text has, which is what Java calls its length.
pub fn length(text: Expr, span: Span) -> Typed {
    call(&LENGTH, vec![text], span)
}

/// Texts one after the other, without those that are missing.
pub fn concatenate(texts: Vec<Expr>, span: Span) -> Typed {
    call(&CONCATENATE, texts, span)
}

/// The texts up to the first that is missing, with a separator between them.
pub fn join(separator: &str, texts: Vec<Expr>, span: Span) -> Typed {
    call(&JOIN, std::iter::once(lit(separator)).chain(texts).collect(), span)
}

/// A text with every match replaced.
pub fn replace(text: Expr, pattern: &str, replacement: &str, span: Span) -> Typed {
    call(&REPLACE, vec![text, lit(pattern), lit(replacement)], span)
}

/// A text in small letters, or in capital ones.
pub fn cased(text: Expr, upper: bool, span: Span) -> Typed {
    call(if upper { &UPPER } else { &LOWER }, vec![text], span)
}

/// How many of the values there are before the first that is missing.
pub fn present(values: Vec<Expr>, span: Span) -> Typed {
    if values.is_empty() {
        return Typed::new(lit(0.0_f64), crate::plan::expression::Kind::Number, span);
    }
    call(&PRESENT, values, span)
}

const PRESENT: Row = Row {
    name: "cql_present",
    returns: Returns::Number,
    evaluate: |values| Value::Number(values.iter().take_while(|value| **value != Value::Null).count() as f64),
};

/// The text of an argument.
fn text_at<'v>(values: &'v [Value<'_>], position: usize) -> Option<Cow<'v, str>> {
    values.get(position).and_then(Value::text)
}

/// The number of an argument.
fn number_at(values: &[Value<'_>], position: usize) -> Option<f64> {
    values.get(position).and_then(Value::number)
}

/// A text as a value.
fn some_text(text: Option<String>) -> Value<'static> {
    text.map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
}

/// A number as a value; what is no finite number is none.
fn some_number(number: Option<f64>) -> Value<'static> {
    number.filter(|number| number.is_finite()).map_or(Value::Null, Value::Number)
}

fn of_text(values: &[Value<'_>], make: fn(&str) -> String) -> Value<'static> {
    match values.first().and_then(Value::text) {
        Some(text) => Value::Text(Cow::Owned(make(&text))),
        None => Value::Null,
    }
}

const LOWER: Row =
    Row { name: "cql_lower", returns: Returns::Text, evaluate: |values| of_text(values, str::to_lowercase) };

const UPPER: Row =
    Row { name: "cql_upper", returns: Returns::Text, evaluate: |values| of_text(values, str::to_uppercase) };

const HEX: Row = Row {
    name: "cql_hex",
    returns: Returns::Number,
    evaluate: |values| {
        let Some(text) = values.first().and_then(Value::text) else { return Value::Null };
        let digits = text.trim_start_matches("0x").trim_start_matches("0X");
        u64::from_str_radix(digits, 16).map_or(Value::Null, |number| Value::Number(number as f64))
    },
};

const LENGTH: Row = Row {
    name: "cql_length",
    returns: Returns::Number,
    evaluate: |values| {
        let text = values.first().and_then(Value::text);
        text.map_or(Value::Null, |text| Value::Number(text.encode_utf16().count() as f64))
    },
};

const CONCATENATE: Row = Row {
    name: "cql_concat",
    returns: Returns::Text,
    evaluate: |values| Value::Text(Cow::Owned(values.iter().filter_map(Value::text).collect())),
};

const JOIN: Row = Row {
    name: "cql_join",
    returns: Returns::Text,
    evaluate: |values| {
        let Some((separator, values)) = values.split_first() else { return Value::Null };
        let texts: Vec<Cow<'_, str>> = values.iter().map_while(Value::text).collect();
        match (texts.is_empty(), separator.text()) {
            (false, Some(separator)) => Value::Text(Cow::Owned(texts.join(&separator))),
            _ => Value::Null,
        }
    },
};

const REPLACE: Row = Row {
    name: "cql_replace",
    returns: Returns::Text,
    evaluate: |values| {
        let [text, pattern, replacement] = values else { return Value::Null };
        let (Some(text), Some(pattern), Some(replacement)) = (text.text(), pattern.text(), replacement.text()) else {
            return Value::Null;
        };
        match Pattern::new(&pattern) {
            Ok(pattern) => Value::Text(Cow::Owned(pattern.replace_all(&text, &references(&replacement)))),
            Err(_) => Value::Null,
        }
    },
};

/// A replacement as patterns take it: a group is `$1` here and `\\1` there.
fn references(replacement: &str) -> String {
    let mut text = String::with_capacity(replacement.len());
    let mut letters = replacement.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('$', Some(digit)) if digit.is_ascii_digit() => text.push('\\'),
            ('\\', Some(escaped @ ('$' | '\\'))) => {
                text.push_str(if *escaped == '$' { "$" } else { "\\\\" });
                letters.next();
            }
            ('\\', _) => text.push_str("\\\\"),
            (other, _) => text.push(other),
        }
    }
    text
}

const SPLIT: Row = Row {
    name: "cql_split",
    returns: Returns::Text,
    evaluate: |values| {
        let [text, pattern, index] = values else { return Value::Null };
        let (Some(text), Some(pattern), Some(index)) = (text.text(), pattern.text(), index.number()) else {
            return Value::Null;
        };
        let part = parts(&text, &pattern).and_then(|parts| {
            let index = index as i64;
            let index = if index < 0 { index.checked_add(i64::try_from(parts.len()).ok()?)? } else { index };
            parts.get(usize::try_from(index).ok()?).map(|part| (*part).to_owned())
        });
        part.map_or(Value::Null, |part| Value::Text(Cow::Owned(part)))
    },
};

/// The parts of a text between the matches of a pattern.
pub fn parts<'t>(text: &'t str, pattern: &str) -> Option<Vec<&'t str>> {
    let pattern = Pattern::new(pattern).ok()?;
    let mut parts = Vec::new();
    let mut start = 0;
    for place in pattern.places(text) {
        // A match of nothing divides what stands on both sides of it.
        if place.is_empty() && (place.start == start || place.end == text.len()) {
            continue;
        }
        parts.push(text.get(start..place.start)?);
        start = place.end;
    }
    parts.push(text.get(start..)?);
    Some(parts)
}

/// A number of LogScale's units as microseconds.
pub fn microseconds(number: f64, unit: &str) -> i64 {
    /// Greater numbers are milliseconds rather than seconds.
    const MOST_SECONDS: f64 = 1e11;
    let factor = match unit {
        "seconds" => 1e6,
        "milliseconds" => 1e3,
        _ if number.abs() <= MOST_SECONDS => 1e6,
        _ => 1e3,
    };
    (number * factor).round() as i64
}

const FORMAT_TIME: Row = Row {
    name: "cql_format_time",
    returns: Returns::Text,
    evaluate: |values| {
        let [time, format, zone, unit] = values else { return Value::Null };
        let (Some(time), Some(format), Some(zone), Some(unit)) =
            (time.number(), format.text(), zone.text(), unit.text())
        else {
            return Value::Null;
        };
        let Some(zone) = time_zone(&zone) else { return Value::Null };
        let text = dates::format(microseconds(time, &unit), &format, &zone);
        text.map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
    },
};

/// The zone that Java knows by three letters (`java.time.ZoneId.SHORT_IDS`), where the zones themselves do not.
fn short_zone(name: &str) -> &str {
    match name {
        "ACT" => "Australia/Darwin",
        "AET" => "Australia/Sydney",
        "AGT" => "America/Argentina/Buenos_Aires",
        "ART" => "Africa/Cairo",
        "AST" => "America/Anchorage",
        "BET" => "America/Sao_Paulo",
        "BST" => "Asia/Dhaka",
        "CAT" => "Africa/Harare",
        "CNT" => "America/St_Johns",
        "CST" => "America/Chicago",
        "CTT" => "Asia/Shanghai",
        "EAT" => "Africa/Addis_Ababa",
        "ECT" => "Europe/Paris",
        "IET" => "America/Indiana/Indianapolis",
        "IST" => "Asia/Kolkata",
        "JST" => "Asia/Tokyo",
        "MIT" => "Pacific/Apia",
        "NET" => "Asia/Yerevan",
        "NST" => "Pacific/Auckland",
        "PLT" => "Asia/Karachi",
        "PNT" => "America/Phoenix",
        "PRT" => "America/Puerto_Rico",
        "PST" => "America/Los_Angeles",
        "SST" => "Pacific/Guadalcanal",
        "VST" => "Asia/Ho_Chi_Minh",
        other => other,
    }
}

/// A zone by its name or offset.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    match name {
        "Z" | "UTC" | "utc" | "GMT" => Some(TimeZone::UTC),
        other => TimeZone::get(short_zone(other)).ok().or_else(|| {
            let offset = format!("2000-01-01T00:00:00{other}");
            let parsed: jiff::Timestamp = offset.parse().ok()?;
            let zero: jiff::Timestamp = "2000-01-01T00:00:00Z".parse().ok()?;
            let seconds = zero.as_second().checked_sub(parsed.as_second())?;
            Some(TimeZone::fixed(jiff::tz::Offset::from_seconds(i32::try_from(seconds).ok()?).ok()?))
        }),
    }
}
