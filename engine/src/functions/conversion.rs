//! Conversion functions.
//!
//! Source: Splunk Search Reference, "Conversion functions".

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use spelunk_grammar::{Code, Diagnostic};

use super::Function;
use super::kernel::{Returns, Row};
use crate::plan::expression::{Call, Kind, Typed};
use crate::values::{self, Value};

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "tonumber",
        summary: "The number that a text stands for, in the given base (10); null if it stands for none.",
        syntax: "tonumber(text[, base])",
        arity: (1, 2),
        example: (r#"tonumber("0A4", 16)"#, "164"),
        plan: |call| TO_NUMBER.plan(call),
    },
    Function {
        name: "tostring",
        summary: "The value as text: a Boolean as True or False, a number as hex, with commas, or as a duration.",
        syntax: r#"tostring(value[, "hex" | "commas" | "duration"])"#,
        arity: (1, 2),
        example: (r#"tostring(615, "duration")"#, "00:10:15"),
        plan: to_string,
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [TO_NUMBER, TO_STRING].iter().map(Row::udf).collect()
}

fn to_string(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let value = call.argument(0);
    if call.arguments.len() == 1 {
        return Ok(match value.kind {
            Kind::Literal | Kind::Text | Kind::Null => Typed::new(value.expr, Kind::Text, call.span),
            _ => Typed::new(value.text(), Kind::Text, call.span),
        });
    }
    let format = call.literal(1, "a format")?;
    if !matches!(format.as_str(), "hex" | "commas" | "duration") {
        return Err(Diagnostic::error(
            Code::InvalidArgument,
            format!("`tostring` has no format {format:?}"),
            call.argument(1).span,
        )
        .with_help("the formats are \"hex\", \"commas\" and \"duration\""));
    }
    TO_STRING.plan(call)
}

const TO_NUMBER: Row = Row {
    name: "spl_tonumber",
    returns: Returns::Number,
    evaluate: |values| {
        let Some(value) = values.first() else { return Value::Null };
        let Some(base) = values.get(1) else { return value.number().map_or(Value::Null, Value::Number) };
        let (Some(text), Some(base)) = (value.text(), base.number()) else { return Value::Null };
        if !(2.0..=36.0).contains(&base) || base.fract() != 0.0 {
            return Value::Null;
        }
        if base == 10.0 {
            return value.number().map_or(Value::Null, Value::Number);
        }
        match i64::from_str_radix(&text, base as u32) {
            Ok(number) => Value::Number(number as f64),
            Err(_) => Value::Null,
        }
    },
};

const TO_STRING: Row = Row {
    name: "spl_tostring",
    returns: Returns::Text,
    evaluate: |values| {
        let [value, format] = values else { return Value::Null };
        let Some(number) = value.number() else { return super::operators::owned_text(value) };
        let text = match format.text().as_deref() {
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

/// Groups of three digits, and at most two decimals.
fn commas(number: f64) -> String {
    if !number.is_finite() {
        return values::format_number(number);
    }
    let text = if number.fract() == 0.0 { format!("{:.0}", number.abs()) } else { format!("{:.2}", number.abs()) };
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
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
    let fraction = if fraction > 0 { format!(".{fraction:06}") } else { String::new() };
    format!("{sign}{days}{hours:02}:{minutes:02}:{:02}{fraction}", whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_the_manual() {
        assert_eq!(hex(15.0), "0xF");
        assert_eq!(commas(12_345.678_9), "12,345.68");
        assert_eq!(commas(-1_000.0), "-1,000");
        assert_eq!(commas(999.0), "999");
        assert_eq!(duration(615.0), "00:10:15");
        assert_eq!(duration(90_061.5), "1+01:01:01.500000");
    }
}
