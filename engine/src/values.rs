//! SPL's value semantics: what counts as a number, how numbers are written, how values compare, and how a
//! column of a result is read back value by value. Everything that handles values asks this module.
//!
//! Source of the rules: Splunk Search Reference, "eval" (number formats), "search" (comparison), "sort".

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The type of `_time`.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Integers up to here are exact in a double.
pub const MAX_EXACT: i64 = (1 << 53) - 1;

/// The number that a text stands for, if SPL takes it for one: an optional sign, decimal digits with an
/// optional fraction and exponent, `nan` or `inf`; nothing before or after.
pub fn parse_number(text: &str) -> Option<f64> {
    let first = text.as_bytes().first()?;
    match first {
        b'0'..=b'9' | b'-' | b'+' | b'.' => {
            let unsigned = text.trim_start_matches(['-', '+']);
            let plain = unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
            if plain || unsigned.eq_ignore_ascii_case("inf") { text.parse().ok() } else { None }
        }
        b'n' | b'N' if text.eq_ignore_ascii_case("nan") => Some(f64::NAN),
        b'i' | b'I' if text.eq_ignore_ascii_case("inf") => Some(f64::INFINITY),
        _ => None,
    }
}

/// A number in SPL's print form: integral values without a fraction, others in their shortest exact form,
/// and `nan`, `inf`, `-inf`.
pub fn format_number(number: f64) -> String {
    if number.is_nan() {
        "nan".into()
    } else if number == 0.0 {
        "0".into()
    } else if number.is_infinite() {
        if number > 0.0 { "inf".into() } else { "-inf".into() }
    } else {
        number.to_string()
    }
}

/// How two values compare where both come from fields: as numbers if both are numeric, else as text.
pub fn compare(left: &str, right: &str) -> Ordering {
    match (parse_number(left), parse_number(right)) {
        (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        _ => left.cmp(right),
    }
}

/// A byte string that sorts as `sort auto()` does: numbers by value, then IP addresses by value, then text
/// by code point.
///
/// Splunk's own automatic comparison decides per pair of values and is not transitive on mixed columns; one
/// order per value is, and agrees with it on columns of one kind.
pub fn sort_key(text: &str) -> Vec<u8> {
    if let Some(number) = parse_number(text) {
        return number_key(number);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return ip_key(address);
    }
    let mut key = Vec::with_capacity(text.len() + 1);
    key.push(3);
    key.extend_from_slice(text.as_bytes());
    key
}

fn number_key(number: f64) -> Vec<u8> {
    let bits = (number + 0.0).to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    let mut key = vec![1];
    key.extend_from_slice(&ordered.to_be_bytes());
    key
}

/// A byte string that sorts IP addresses by value, version 4 first.
pub fn ip_key(address: IpAddr) -> Vec<u8> {
    let mut key = vec![2];
    match address {
        IpAddr::V4(v4) => {
            key.push(4);
            key.extend_from_slice(&v4.octets());
        }
        IpAddr::V6(v6) => {
            key.push(6);
            key.extend_from_slice(&v6.octets());
        }
    }
    key
}

/// Seconds since the epoch as SPL writes them: whole seconds without a fraction, others with six digits.
pub fn format_epoch(microseconds: i64) -> String {
    if microseconds % 1_000_000 == 0 {
        (microseconds / 1_000_000).to_string()
    } else {
        format_microseconds(microseconds)
    }
}

/// Seconds since the epoch, always with six digits of their fraction.
pub fn format_microseconds(microseconds: i64) -> String {
    let sign = if microseconds < 0 { "-" } else { "" };
    let absolute = microseconds.unsigned_abs();
    format!("{sign}{}.{:06}", absolute / 1_000_000, absolute % 1_000_000)
}

/// A time as tables show it: ISO 8601 with milliseconds and the zone's offset (`Z` for UTC).
pub fn format_time(microseconds: i64, time_zone: &TimeZone) -> String {
    let Ok(timestamp) = Timestamp::from_microsecond(microseconds) else { return format_epoch(microseconds) };
    let zoned = timestamp.to_zoned(time_zone.clone());
    let pattern = if zoned.offset().is_zero() { "%Y-%m-%dT%H:%M:%S.%3fZ" } else { "%Y-%m-%dT%H:%M:%S.%3f%:z" };
    zoned.strftime(pattern).to_string()
}

/// One value as an expression sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// The field is missing.
    Null,
    /// A number.
    Number(f64),
    /// Text, which may look like a number.
    Text(Cow<'a, str>),
    /// A truth value; exists inside expressions only.
    Boolean(bool),
    /// Several values; a column that may hold several and holds one is read as that one.
    Many(Vec<Cow<'a, str>>),
}

impl<'a> Value<'a> {
    /// The value in a row of a column.
    pub fn read(column: &'a dyn Array, row: usize) -> Value<'a> {
        if column.is_null(row) {
            return Value::Null;
        }
        match column.data_type() {
            DataType::Int64 => Value::Number(column.as_primitive::<Int64Type>().value(row) as f64),
            DataType::Float64 => Value::Number(column.as_primitive::<Float64Type>().value(row)),
            DataType::Boolean => Value::Boolean(column.as_boolean().value(row)),
            DataType::Timestamp(..) => match column.as_primitive_opt::<TimestampMicrosecondType>() {
                Some(times) => Value::Number(times.value(row) as f64 / 1e6),
                None => Value::Null,
            },
            DataType::List(_) => {
                let mut many = Vec::new();
                collect(column, row, &mut many);
                match many.len() {
                    // One of several values is the same as a single one.
                    0 | 1 => many.pop().map_or(Value::Null, Value::Text),
                    _ => Value::Many(many),
                }
            }
            _ => text_at(column, row).map_or(Value::Null, Value::Text),
        }
    }

    /// Its text, as `.` and the text functions read it; `None` for null and for several values.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Null | Value::Many(_) => None,
            Value::Number(number) => Some(Cow::Owned(format_number(*number))),
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Boolean(truth) => Some(Cow::Borrowed(if *truth { "True" } else { "False" })),
        }
    }

    /// Its number, if it is one or is text that looks like one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(text) => parse_number(text),
            Value::Null | Value::Boolean(_) | Value::Many(_) => None,
        }
    }

    /// All its values as text: none for null, one for a single value.
    pub fn texts(&self) -> Vec<Cow<'_, str>> {
        match self {
            Value::Many(values) => values.iter().map(|v| Cow::Borrowed(v.as_ref())).collect(),
            other => other.text().into_iter().collect(),
        }
    }
}

/// The texts in a row of a list, and in the lists in it.
fn collect<'a>(column: &'a dyn Array, row: usize, into: &mut Vec<Cow<'a, str>>) {
    let Some(list) = column.as_list_opt::<i32>() else {
        into.extend(text_at(column, row));
        return;
    };
    if let [start, end] = list.value_offsets().get(row..row + 2).unwrap_or_default()
        && list.is_valid(row)
    {
        for position in *start as usize..*end as usize {
            collect(list.values().as_ref(), position, into);
        }
    }
}

/// The text in a row of a text column of any encoding; `None` for null or another type.
pub fn text_at(column: &dyn Array, row: usize) -> Option<Cow<'_, str>> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Utf8 => Some(Cow::Borrowed(column.as_string::<i32>().value(row))),
        DataType::LargeUtf8 => Some(Cow::Borrowed(column.as_string::<i64>().value(row))),
        DataType::Utf8View => Some(Cow::Borrowed(column.as_string_view().value(row))),
        DataType::Dictionary(..) => {
            let dictionary = column.as_dictionary_opt::<Int32Type>()?;
            let key = dictionary.key(row)?;
            dictionary_text(dictionary.values().as_ref(), key)
        }
        DataType::Int64 => Some(Cow::Owned(column.as_primitive::<Int64Type>().value(row).to_string())),
        DataType::Float64 => Some(Cow::Owned(format_number(column.as_primitive::<Float64Type>().value(row)))),
        _ => None,
    }
}

fn dictionary_text(values: &dyn Array, key: usize) -> Option<Cow<'_, str>> {
    if key < values.len() { text_at(values, key) } else { None }
}

/// A value of a result, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// No value.
    Null,
    /// Text.
    Text(String),
    /// A number in SPL's print form.
    Number(String),
    /// A time, ISO 8601 with milliseconds in the session's zone.
    Time(String),
    /// Several values.
    Many(Vec<String>),
}

/// The value in a row of a result column.
pub fn cell(column: &ArrayRef, row: usize, time_zone: &TimeZone) -> Cell {
    if row >= column.len() || column.is_null(row) {
        return Cell::Null;
    }
    if let Some(times) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        return Cell::Time(format_time(times.value(row), time_zone));
    }
    if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
        return Cell::Number(integers.value(row).to_string());
    }
    match Value::read(column.as_ref(), row) {
        Value::Null => Cell::Null,
        Value::Number(number) => Cell::Number(format_number(number)),
        Value::Text(text) => Cell::Text(text.into_owned()),
        Value::Boolean(truth) => Cell::Text(if truth { "True" } else { "False" }.to_string()),
        Value::Many(values) => Cell::Many(values.into_iter().map(Cow::into_owned).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_recognised_as_spl_does() {
        for (text, number) in [("12", 12.0), ("-3.5", -3.5), ("1e3", 1000.0), (".5", 0.5), ("+2", 2.0)] {
            assert_eq!(parse_number(text), Some(number), "{text}");
        }
        for text in ["", " 1", "1 ", "0x10", "abc", "1.2.3", "infinity", "-", "1_000", "nanx"] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_printed_without_needless_digits() {
        for (number, text) in [(2.0, "2"), (0.1 + 0.2, "0.30000000000000004"), (-0.0, "0"), (1.65, "1.65")] {
            assert_eq!(format_number(number), text);
        }
    }

    #[test]
    fn epochs_show_microseconds_only_where_there_are_some() {
        assert_eq!(format_epoch(1_000_000), "1");
        assert_eq!(format_epoch(1_500_000), "1.500000");
        assert_eq!(format_epoch(-500_000), "-0.500000");
    }

    proptest! {
        #[test]
        fn sort_keys_order_numbers_by_value(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            let keys = sort_key(&format_number(a)).cmp(&sort_key(&format_number(b)));
            prop_assert_eq!(keys, a.partial_cmp(&b).unwrap());
        }

        #[test]
        fn printed_numbers_read_back(a in any::<f64>()) {
            prop_assume!(!a.is_nan());
            prop_assert_eq!(parse_number(&format_number(a)), Some(a));
        }
    }
}
