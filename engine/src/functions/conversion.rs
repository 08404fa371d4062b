//! Conversion functions.
//!
//! Source: Splunk Search Reference, "Conversion functions".

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF};
use serde_json::Value as Json;
use spelunk_grammar::{Code, Diagnostic};

use super::json_text::compact;
use super::kernel::{Returns, Row};
use super::printf::{self, Piece};
use super::{Function, MANY};
use crate::plan::expression::{Call, Kind, Typed};
use crate::values::{self, Value};

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "ipmask",
        summary: "The bits of an IPv4 address that a mask keeps, as an address; null for what is no address.",
        syntax: r#"ipmask("mask", address)"#,
        arity: (2, 2),
        example: (r#"ipmask("255.255.255.0", "10.20.30.120")"#, "10.20.30.0"),
        plan: |call| {
            let mask = call.argument(0);
            match mask.literal() {
                Some(text) if text.parse::<Ipv4Addr>().is_err() => {
                    Err(Diagnostic::error(Code::InvalidArgument, format!("{text:?} is not an IPv4 mask"), mask.span)
                        .with_help("write it as `255.255.255.0`"))
                }
                _ => IPMASK.plan_values(call),
            }
        },
    },
    Function {
        name: "printf",
        summary: "The values in a C-like format.",
        syntax: r#"printf("format"[, value, ...])"#,
        arity: (1, MANY),
        example: (r#"printf("%05.1f %s", 3.14159, "pi")"#, "003.1 pi"),
        plan: plan_printf,
    },
    Function {
        name: "toarray",
        summary: "Several values as a JSON array; null for text that is no JSON array.",
        syntax: "toarray(value)",
        arity: (1, 1),
        example: (r#"toarray(split("1,2", ","))"#, "[1,2]"),
        plan: |call| TO_ARRAY.plan_values(call),
    },
    Function {
        name: "tobool",
        summary: "The truth value of true, True, false, False or a number, which is false if it is 0.",
        syntax: "tobool(value)",
        arity: (1, 1),
        example: ("if(tobool(0), 1, 2)", "2"),
        plan: |call| TO_BOOL.plan(call),
    },
    Function {
        name: "todouble",
        summary: "The number that a text stands for, as a double; null if it stands for none.",
        syntax: "todouble(text[, base])",
        arity: (1, 2),
        example: (r#"todouble("1.50")"#, "1.5"),
        plan: |call| {
            check_base(call)?;
            TO_DOUBLE.plan(call)
        },
    },
    Function {
        name: "toint",
        summary: "The number that a text stands for, rounded down to an integer; null if it stands for none.",
        syntax: "toint(text[, base])",
        arity: (1, 2),
        example: ("toint(3.14)", "3"),
        plan: |call| {
            check_base(call)?;
            TO_INT.plan(call)
        },
    },
    Function {
        name: "tomv",
        summary: "The elements of a JSON array as several values, texts with their quotes; other text as one value.",
        syntax: "tomv(value)",
        arity: (1, 1),
        example: ("tomv(\"[1, {}]\")", "1 {}"),
        plan: |call| TO_MV.plan_values(call),
    },
    Function {
        name: "tonumber",
        summary: "The number that a text stands for, in the given base (10); null if it stands for none.",
        syntax: "tonumber(text[, base])",
        arity: (1, 2),
        example: (r#"tonumber("0A4", 16)"#, "164"),
        plan: to_number,
    },
    Function {
        name: "toobject",
        summary: "The JSON object that a text holds; null if it holds none.",
        syntax: "toobject(text)",
        arity: (1, 1),
        example: ("toobject(\"{ \\\"a\\\": 1 }\")", "{\"a\":1}"),
        plan: |call| TO_OBJECT.plan_values(call),
    },
    Function {
        name: "tostring",
        summary: "The value as text: a Boolean as True or False, a number in base 2 or 16, with commas, or as a duration.",
        syntax: r#"tostring(value[, "binary" | "commas" | "duration" | "hex"])"#,
        arity: (1, 2),
        example: (r#"tostring(615, "duration")"#, "00:10:15"),
        plan: to_string,
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [IPMASK, PRINTF, TO_ARRAY, TO_BOOL, TO_DOUBLE, TO_INT, TO_MV, TO_NUMBER, TO_OBJECT, TO_STRING]
        .iter()
        .map(Row::udf)
        .collect()
}

/// Whether the value comes from `todouble`, which makes a double even of an integer.
pub fn is_double(value: &Expr) -> bool {
    matches!(value, Expr::ScalarFunction(function) if function.func.name() == TO_DOUBLE.name)
}

/// Checks a format that is written into the query, and that it finds its values.
fn plan_printf(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let format = call.argument(0);
    if matches!(format.kind, Kind::Integer | Kind::Number | Kind::Time | Kind::Boolean) {
        call.literal(0, "a format")?;
    }
    if let Some(literal) = format.literal() {
        let pieces = printf::pieces(literal).map_err(|reason| {
            Diagnostic::error(Code::InvalidPattern, format!("invalid format: {reason}"), format.span)
        })?;
        let wanted: usize = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(_) => 0,
                Piece::Value(conversion) => conversion.arguments(),
            })
            .sum();
        let given = call.arguments.len() - 1;
        if given < wanted {
            return Err(Diagnostic::error(
                Code::InvalidArgument,
                format!("the format takes {wanted} value{}, not {given}", if wanted == 1 { "" } else { "s" }),
                call.span,
            ));
        }
    }
    PRINTF.plan_values(call)
}

/// Refuses a literal base that there is none of, and a condition instead of a value.
fn check_base(call: &Call<'_, '_>) -> Result<(), Diagnostic> {
    let base = call.argument(1);
    call.values()?;
    call.numbers(1..2)?;
    match base.literal_number() {
        Some(number) if !is_base(number) => Err(Diagnostic::error(
            Code::InvalidArgument,
            format!("the base is a whole number from 2 to 36, not {}", values::format_number(number)),
            base.span,
        )),
        _ => Ok(()),
    }
}

fn to_number(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    check_base(call)?;
    let (text, base) = (call.argument(0), call.argument(1).literal_number());
    if let Some(literal) = text.literal() {
        let base = if call.arguments.len() == 1 { Some(10.0) } else { base };
        if base.is_some_and(|base| number_in(literal, base).is_none()) {
            let message = format!("`tonumber` reads numbers, which {literal:?} is not");
            return Err(Diagnostic::error(Code::InvalidArgument, message, text.span));
        }
    }
    TO_NUMBER.plan(call)
}

fn to_string(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let value = call.argument(0);
    if call.arguments.len() == 1 {
        return Ok(match value.kind {
            Kind::Literal | Kind::Text | Kind::Null => Typed::new(value.expr, Kind::Text, call.span),
            Kind::Many => Typed::new(value.expr, Kind::Many, call.span),
            _ => Typed::new(value.text(), Kind::Text, call.span),
        });
    }
    let format = call.literal(1, "a format")?.to_ascii_lowercase();
    if !matches!(format.as_str(), "binary" | "commas" | "duration" | "hex") {
        return Err(Diagnostic::error(
            Code::InvalidArgument,
            format!("`tostring` has no format {format:?}"),
            call.argument(1).span,
        )
        .with_help("the formats are \"binary\", \"commas\", \"duration\" and \"hex\""));
    }
    TO_STRING.plan(call)
}

fn text(text: impl Into<String>) -> Value<'static> {
    Value::Text(Cow::Owned(text.into()))
}

const IPMASK: Row = Row {
    name: "spl_ipmask",
    returns: Returns::Text,
    evaluate: |values| {
        let address = |value: Option<&Value<'_>>| value?.text()?.parse::<Ipv4Addr>().ok();
        match (address(values.first()), address(values.get(1))) {
            (Some(mask), Some(address)) => text((mask & address).to_string()),
            _ => Value::Null,
        }
    },
};

const PRINTF: Row = Row {
    name: "spl_printf",
    returns: Returns::Text,
    evaluate: |values| {
        let Some((format, values)) = values.split_first() else { return Value::Null };
        format.text().and_then(|format| printf::write(&format, values)).map_or(Value::Null, text)
    },
};

const TO_ARRAY: Row = Row {
    name: "spl_toarray",
    returns: Returns::Text,
    evaluate: |values| match values.first() {
        Some(Value::Many(elements)) => {
            let typed = |element: &Cow<'_, str>| {
                serde_json::from_str(element).unwrap_or_else(|_| Json::String(element.to_string()))
            };
            text(compact(&Json::Array(elements.iter().map(typed).collect())))
        }
        Some(Value::Text(written)) => match serde_json::from_str(written) {
            Ok(array @ Json::Array(_)) => text(compact(&array)),
            _ => Value::Null,
        },
        _ => Value::Null,
    },
};

const TO_OBJECT: Row = Row {
    name: "spl_toobject",
    returns: Returns::Text,
    evaluate: |values| match values.first() {
        Some(Value::Text(written)) => match serde_json::from_str(written) {
            Ok(object @ Json::Object(_)) => text(compact(&object)),
            _ => Value::Null,
        },
        _ => Value::Null,
    },
};

const TO_MV: Row = Row {
    name: "spl_tomv",
    returns: Returns::Many,
    evaluate: |values| {
        let Some(value) = values.first() else { return Value::Null };
        if let Value::Text(written) = value
            && let Ok(Json::Array(elements)) = serde_json::from_str(written)
        {
            return Value::Many(elements.iter().map(|element| Cow::Owned(compact(element))).collect());
        }
        Value::Many(value.texts().into_iter().map(super::operators::into_owned).collect())
    },
};

const TO_BOOL: Row = Row {
    name: "spl_tobool",
    returns: Returns::Boolean,
    evaluate: |values| match values.first() {
        Some(Value::Boolean(truth)) => Value::Boolean(*truth),
        Some(Value::Text(word)) if word == "true" || word == "True" => Value::Boolean(true),
        Some(Value::Text(word)) if word == "false" || word == "False" => Value::Boolean(false),
        Some(other) => other.number().map_or(Value::Null, |number| Value::Boolean(number != 0.0)),
        None => Value::Null,
    },
};

/// The number that the first value stands for, in the base of the second.
fn number(values: &[Value<'_>]) -> Option<f64> {
    match values {
        [value] => value.number(),
        [value, base] => number_in(&value.text()?, base.number()?),
        _ => None,
    }
}

fn is_base(base: f64) -> bool {
    (2.0..=36.0).contains(&base) && base.fract() == 0.0
}

fn number_in(text: &str, base: f64) -> Option<f64> {
    if base == 10.0 {
        return values::parse_number(text);
    }
    // As in C, hexadecimal digits may have the prefix that says what they are.
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X")).filter(|_| base == 16.0).unwrap_or(text);
    let number = is_base(base).then(|| i64::from_str_radix(digits, base as u32).ok())??;
    Some(number as f64)
}

const TO_DOUBLE: Row = Row {
    name: "spl_todouble",
    returns: Returns::Number,
    evaluate: |values| number(values).map_or(Value::Null, Value::Number),
};

const TO_INT: Row = Row {
    name: "spl_toint",
    returns: Returns::Number,
    evaluate: |values| number(values).map_or(Value::Null, |number| Value::Number(number.floor())),
};

const TO_NUMBER: Row = Row {
    name: "spl_tonumber",
    returns: Returns::Number,
    evaluate: |values| number(values).map_or(Value::Null, Value::Number),
};

const TO_STRING: Row = Row {
    name: "spl_tostring",
    returns: Returns::Text,
    evaluate: |values| {
        let [value, format] = values else { return Value::Null };
        let Some(number) = value.number() else { return super::operators::owned_text(value) };
        let text = match format.text().as_deref() {
            // What has no bits to show is shown as it is.
            Some("binary" | "hex") if number.is_nan() || number.abs() >= 1.8e19 => values::format_number(number),
            Some("binary") => binary(number),
            Some("hex") => hex(number),
            Some("commas") => commas(number),
            _ => duration(number),
        };
        Value::Text(Cow::Owned(text))
    },
};

fn hex(number: f64) -> String {
    if number < 0.0 { format!("-0x{:X}", -number as u64) } else { format!("0x{:X}", number as u64) }
}

fn binary(number: f64) -> String {
    if number < 0.0 { format!("-{:b}", -number as u64) } else { format!("{:b}", number as u64) }
}

/// Groups of three digits, and at most two decimals.
fn commas(number: f64) -> String {
    if !number.is_finite() {
        return values::format_number(number);
    }
    let text = if number.fract() == 0.0 { format!("{:.0}", number.abs()) } else { format!("{:.2}", number.abs()) };
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let grouped = printf::grouped(whole);
    let decimals = decimals.trim_end_matches('0');
    let sign = if number < 0.0 { "-" } else { "" };
    if decimals.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{decimals}") }
}

/// `[D+]HH:MM:SS`, with the fraction if there is one.
fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return values::format_number(seconds);
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let microseconds = (seconds.abs() * 1e6).round() as u64;
    let (whole, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60);
    let days = if days > 0 { format!("{days}+") } else { String::new() };
    // As many digits as the number has.
    let fraction = if fraction > 0 { format!(".{fraction:06}") } else { String::new() };
    let fraction = fraction.trim_end_matches('0');
    format!("{sign}{days}{hours:02}:{minutes:02}:{:02}{fraction}", whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_the_manual() {
        assert_eq!(hex(15.0), "0xF");
        assert_eq!(binary(9.0), "1001");
        assert_eq!(commas(12_345.678_9), "12,345.68");
        assert_eq!(commas(-1_000.0), "-1,000");
        assert_eq!(commas(999.0), "999");
        assert_eq!(duration(615.0), "00:10:15");
        assert_eq!(duration(90_061.5), "1+01:01:01.5");
    }
}
