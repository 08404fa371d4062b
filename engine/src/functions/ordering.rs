//! Sort keys: texts whose order by code point is the order that SPL wants.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF};
use spelunk_grammar::Span;

use super::kernel::{Returns, Row};
use crate::values::{self, Value};

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [AUTO, TEXT, IP, VALUE_KEY, KEYED_VALUE].iter().map(Row::udf).collect()
}

/// A key that orders as `auto()`: numbers, then addresses, then text.
pub fn auto_key(value: Expr) -> Expr {
    AUTO.call(vec![value], Span::default()).expr
}

/// A key that orders by code point; of several values the first counts.
pub fn text_key(value: Expr) -> Expr {
    TEXT.call(vec![value], Span::default()).expr
}

/// A key that orders IP addresses by value; anything else comes after them.
pub fn ip_key(value: Expr) -> Expr {
    IP.call(vec![value], Span::default()).expr
}

/// A key that orders as `min()` and `max()` do, numbers before text, and from which the value can be read
/// again with [`keyed_value`].
pub fn value_key(value: Expr) -> Expr {
    VALUE_KEY.call(vec![value], Span::default()).expr
}

/// The value that a [`value_key`] was made of.
pub fn keyed_value(key: Expr) -> Expr {
    KEYED_VALUE.call(vec![key], Span::default()).expr
}

fn first(values: &[Value<'_>], key: fn(&str) -> String) -> Value<'static> {
    match values.first().map(Value::texts).unwrap_or_default().first() {
        Some(text) => Value::Text(Cow::Owned(key(text))),
        None => Value::Null,
    }
}

/// The bytes of a binary key as hexadecimal digits, which keeps their order.
fn hexadecimal(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn auto(text: &str) -> String {
    if values::parse_number(text).is_some() || text.parse::<IpAddr>().is_ok() {
        hexadecimal(&values::sort_key(text))
    } else {
        format!("03{text}")
    }
}

const AUTO: Row = Row { name: "spl_auto_key", returns: Returns::Text, evaluate: |values| first(values, auto) };

const TEXT: Row =
    Row { name: "spl_text_key", returns: Returns::Text, evaluate: |values| first(values, str::to_string) };

const IP: Row = Row {
    name: "spl_ip_key",
    returns: Returns::Text,
    evaluate: |values| {
        first(values, |text| match text.trim().parse::<IpAddr>() {
            Ok(address) => hexadecimal(&values::ip_key(address)),
            Err(_) => format!("03{text}"),
        })
    },
};

const VALUE_KEY: Row = Row {
    name: "spl_value_key",
    returns: Returns::Text,
    evaluate: |values| {
        first(values, |text| match values::parse_number(text) {
            Some(_) => format!("{}{text}", hexadecimal(&values::sort_key(text))),
            None => format!("03{text}"),
        })
    },
};

const KEYED_VALUE: Row = Row {
    name: "spl_keyed_value",
    returns: Returns::Text,
    evaluate: |values| {
        first(values, |key| {
            let start = if key.starts_with("01") { 18 } else { 2 };
            key.get(start..).unwrap_or_default().to_string()
        })
    },
};

#[cfg(test)]
mod tests {
    use super::auto;

    #[test]
    fn numbers_then_addresses_then_text() {
        let sorted = ["-5", "2", "10", "9.9.9.9", "10.0.0.1", "::1", "Zed", "alice"];
        let mut keyed: Vec<_> = sorted.iter().map(|text| auto(text)).collect();
        keyed.sort();
        assert_eq!(keyed, sorted.map(auto));
    }
}
