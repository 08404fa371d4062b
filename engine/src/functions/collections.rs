//! What `foreach` goes through: the values of a field, or the elements of a JSON array.
//!
//! Source: Splunk Search Reference, "foreach".

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF};
use spelunk_grammar::Span;

use super::kernel::{Returns, Row};
use super::operators::into_owned;
use crate::values::Value;

/// The field that holds the value at hand; its name cannot be written without quotes.
pub const ITEM_FIELD: &str = "<<ITEM>>";

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [ITEMS, ELEMENTS, EITHER, ITEM].iter().map(Row::udf).collect()
}

/// All values of a field.
pub fn items(value: Expr) -> Expr {
    ITEMS.call(vec![value], Span::default()).expr
}

/// The elements of a JSON array; none of anything else.
pub fn elements(value: Expr) -> Expr {
    ELEMENTS.call(vec![value], Span::default()).expr
}

/// The elements of a JSON array, or else all values of a field.
pub fn either(value: Expr) -> Expr {
    EITHER.call(vec![value], Span::default()).expr
}

/// The value at a position, from 0.
pub fn item(items: Expr, position: Expr) -> Expr {
    ITEM.call(vec![items, position], Span::default()).expr
}

const ITEMS: Row =
    Row { name: "spl_items", returns: Returns::Many, evaluate: |values| values.first().map_or(Value::Null, all) };

const ELEMENTS: Row = Row {
    name: "spl_elements",
    returns: Returns::Many,
    evaluate: |values| values.first().and_then(array).unwrap_or(Value::Null),
};

const EITHER: Row = Row {
    name: "spl_items_or_elements",
    returns: Returns::Many,
    evaluate: |values| {
        let value = values.first();
        value.and_then(array).or_else(|| value.map(all)).unwrap_or(Value::Null)
    },
};

const ITEM: Row = Row {
    name: "spl_item",
    returns: Returns::Text,
    evaluate: |values| match values {
        [items, position] => {
            let position = position.number().map_or(usize::MAX, |position| position as usize);
            match items.texts().into_iter().nth(position) {
                Some(text) => Value::Text(into_owned(text)),
                None => Value::Null,
            }
        }
        _ => Value::Null,
    },
};

fn all(value: &Value<'_>) -> Value<'static> {
    Value::Many(value.texts().into_iter().map(into_owned).collect())
}

/// Whether a value is the text of a JSON array.
pub fn is_array(value: &Value<'_>) -> bool {
    array(value).is_some()
}

/// The elements if the value is a single text that holds a JSON array: strings without their quotes, anything
/// else as JSON.
fn array(value: &Value<'_>) -> Option<Value<'static>> {
    let texts = value.texts();
    let [text] = texts.as_slice() else { return None };
    if !text.trim_start().starts_with('[') {
        return None;
    }
    let elements: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
    let texts = elements.into_iter().map(|element| match element {
        serde_json::Value::String(text) => Cow::Owned(text),
        other => Cow::Owned(other.to_string()),
    });
    Some(Value::Many(texts.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_taken_apart() {
        let found = array(&Value::Text(r#"[1, "a b", {"x":[2]}, 0.5]"#.into()));
        let texts = ["1", "a b", r#"{"x":[2]}"#, "0.5"].map(Cow::Borrowed).to_vec();
        assert_eq!(found, Some(Value::Many(texts)));
        assert_eq!(array(&Value::Text("plain".into())), None);
        assert_eq!(array(&Value::Many(vec!["[1]".into(), "[2]".into()])), None);
    }
}
