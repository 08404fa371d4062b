//! JSON as text: compact, with numbers in SPL's print form.

use serde_json::Value as Json;

use crate::values::format_number;

/// A JSON value as text without blanks; `1.00` becomes `1`.
pub fn compact(value: &Json) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Json) {
    match value {
        Json::Number(number) if number.is_f64() => {
            text.push_str(&number.as_f64().map_or_else(|| number.to_string(), format_number));
        }
        Json::Array(elements) => {
            text.push('[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write(text, element);
            }
            text.push(']');
        }
        Json::Object(entries) => {
            text.push('{');
            for (position, (key, value)) in entries.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                text.push_str(&Json::String(key.clone()).to_string());
                text.push(':');
                write(text, value);
            }
            text.push('}');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_is_compact_and_numbers_short() {
        let value = serde_json::from_str(r#"{ "b": [1.00, 1.75, 12, null], "a\n": {"c": true}, "d": "é\"" }"#).unwrap();
        assert_eq!(super::compact(&value), r#"{"b":[1,1.75,12,null],"a\n":{"c":true},"d":"é\""}"#);
    }
}
