//! JSON values that keep the texts of numbers and the order of keys.

use std::fmt::{self, Display, Formatter};

use super::{Fields, Index, MAX_DEPTH, add};

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number as it was written.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object. Of a repeated key every member is kept; the last one counts.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The value as a field holds it: strings without quotes, arrays and objects as JSON text; null is none.
    pub fn native(&self) -> Option<String> {
        match self {
            Json::Null => None,
            Json::Text(text) | Json::Number(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// The member of that key.
    pub fn member(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The member of that key, made null where there is none; `None` if this is no object.
    pub fn member_mut(&mut self, key: &str) -> Option<&mut Json> {
        let Json::Object(members) = self else { return None };
        let position = match members.iter().rposition(|(name, _)| name == key) {
            Some(position) => position,
            None => {
                members.push((key.to_string(), Json::Null));
                members.len().saturating_sub(1)
            }
        };
        members.get_mut(position).map(|(_, value)| value)
    }

    /// Every value with the name of its path: `a.b`, `a{}` for elements of an array, `a{}.b`.
    pub fn flatten(&self) -> Fields {
        let (mut fields, mut index) = (Fields::new(), Index::new());
        self.flatten_into(&mut String::new(), &mut fields, &mut index);
        fields
    }

    fn flatten_into(&self, path: &mut String, fields: &mut Fields, index: &mut Index) {
        let parent = path.len();
        match self {
            Json::Object(members) => {
                for (key, value) in members {
                    if parent > 0 {
                        path.push('.');
                    }
                    path.push_str(key);
                    value.flatten_into(path, fields, index);
                    path.truncate(parent);
                }
            }
            Json::Array(elements) => {
                path.push_str("{}");
                for element in elements {
                    element.flatten_into(path, fields, index);
                }
                path.truncate(parent);
            }
            Json::Null => {}
            Json::Boolean(_) | Json::Number(_) | Json::Text(_) => {
                if let Some(value) = self.native()
                    && !path.is_empty()
                {
                    add(fields, index, path, value);
                }
            }
        }
    }
}

impl Display for Json {
    /// Compact JSON.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Boolean(truth) => write!(f, "{truth}"),
            Json::Number(digits) => f.write_str(digits),
            Json::Text(text) => string(f, text),
            Json::Array(elements) => {
                f.write_str("[")?;
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        f.write_str(",")?;
                    }
                    element.fmt(f)?;
                }
                f.write_str("]")
            }
            Json::Object(members) => {
                f.write_str("{")?;
                for (position, (key, value)) in members.iter().enumerate() {
                    if position > 0 {
                        f.write_str(",")?;
                    }
                    string(f, key)?;
                    f.write_str(":")?;
                    value.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn string(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// Reads a whole text as JSON.
pub fn parse(text: &str) -> Option<Json> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.blanks();
    (reader.at == text.len()).then_some(value)
}

/// Whether the text is a JSON object or array, which is what field values count as JSON for.
pub fn parse_nested(text: &str) -> Option<Json> {
    match text.trim_start().as_bytes().first()? {
        b'{' | b'[' => parse(text),
        _ => None,
    }
}

/// The JSON number that a text is.
pub fn number(text: &str) -> Option<Json> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.number()?;
    (reader.at == text.len()).then_some(value)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.step())
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.step();
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at = self.at.saturating_add(word.len());
            value
        })
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.blanks();
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Json::Text),
            b't' => self.word("true", Json::Boolean(true)),
            b'f' => self.word("false", Json::Boolean(false)),
            b'n' => self.word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.take(b'{')?;
        let mut members = Vec::new();
        self.blanks();
        if self.take(b'}').is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.blanks();
            let key = self.string()?;
            self.blanks();
            self.take(b':')?;
            members.push((key, self.value(depth.saturating_add(1))?));
            self.blanks();
            if self.take(b'}').is_some() {
                return Some(Json::Object(members));
            }
            self.take(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        self.take(b'[')?;
        let mut elements = Vec::new();
        self.blanks();
        if self.take(b']').is_some() {
            return Some(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth.saturating_add(1))?);
            self.blanks();
            if self.take(b']').is_some() {
                return Some(Json::Array(elements));
            }
            self.take(b',')?;
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.take(b'"')?;
        let mut plain = true;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    plain = false;
                    self.step();
                    self.peek()?;
                    self.step();
                }
                0..=0x1f => return None,
                _ => self.step(),
            }
        }
        self.step();
        if plain {
            let inner = self.text.get(start.saturating_add(1)..self.at.saturating_sub(1))?;
            return Some(inner.to_string());
        }
        let whole = self.text.get(start..self.at)?;
        serde_json::from_str(whole).ok().or_else(|| {
            // A lone surrogate has no UTF-8; what is written is then better than nothing.
            let raw: &serde_json::value::RawValue = serde_json::from_str(whole).ok()?;
            Some(raw.get().trim_matches('"').to_string())
        })
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.step();
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.step();
            if let Some(b'+' | b'-') = self.peek() {
                self.step();
            }
            self.digits()?;
        }
        Some(Json::Number(self.text.get(start..self.at)?.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_of_numbers_and_the_order_of_keys_stay() {
        let text = r#" { "b" : 1.50, "a":[ -0, 1e3 , "x\"\u00e9", true,null,{} ] } "#;
        assert_eq!(parse(text).unwrap().to_string(), r#"{"b":1.50,"a":[-0,1e3,"x\"é",true,null,{}]}"#);
    }

    #[test]
    fn what_is_no_json_is_none() {
        for text in
            ["", "{", "{bad", "[1,]", "{\"a\":}", "01", "1.", "+1", "nul", "\"a", "\"\\", "{\"a\":1}x", "'a'", "-"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"[".repeat(100_000)), None);
        assert_eq!(parse(&format!("{}{}", "[".repeat(200), "]".repeat(200))), None);
    }

    #[test]
    fn flattening_names_values_by_their_paths() {
        let found = parse(r#"{"a":{"b":1},"c":[{"d":"x"},{"d":"y"},[2]],"e":null}"#).unwrap().flatten();
        let expected = [("a.b", vec!["1"]), ("c{}.d", vec!["x", "y"]), ("c{}{}", vec!["2"])];
        let expected: Fields =
            expected.into_iter().map(|(n, v)| (n.to_string(), v.into_iter().map(String::from).collect())).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_on_what_is_json(text in r#"[\[\]{}",:0-9eE+\-. truefalsn\\u]{0,20}"#) {
            let raw = serde_json::from_str::<&serde_json::value::RawValue>(&text);
            prop_assert_eq!(parse(&text).is_some(), raw.is_ok());
        }

        #[test]
        fn what_is_printed_reads_back(text in any::<String>()) {
            let value = Json::Array(vec![Json::Text(text.clone()), Json::Object(vec![(text, Json::Null)])]);
            prop_assert_eq!(parse(&value.to_string()), Some(value));
        }
    }
}
