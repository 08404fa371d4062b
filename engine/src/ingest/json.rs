//! JSON records: one a line, one after another, or the elements of an array.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::blocks::{Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder};
use super::scan::JsonScanner;
use super::windows::Section;

/// Objects nested deeper are kept as their text.
const MAX_DEPTH: usize = 64;

const DEFAULT_SOURCETYPE: &str = "_json";

/// Reads a block of which every line is a record.
pub(crate) fn read_lines(lines: Lines, builder: &mut EventBuilder<'_>) {
    let mut number = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let mut state = JsonState::default();
    for line in text.split('\n') {
        let record = line.trim_ascii();
        if !record.is_empty() {
            state.read_record(record, number, builder);
        }
        number = number.saturating_add(1);
    }
}

/// Reads a block of records that may take several lines each.
pub(crate) fn read_stream(lines: Lines, in_array: bool, builder: &mut EventBuilder<'_>) {
    let mut number = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let mut state = JsonState::default();
    let mut scanner = JsonScanner::new(in_array);
    let mut counted = 0;
    let mut count_to = |at: usize| {
        let passed = text.as_bytes().get(counted..at).unwrap_or_default();
        counted = at;
        number = number.saturating_add(u64::try_from(memchr::memchr_iter(b'\n', passed).count()).unwrap_or(0));
        number
    };
    while let Some((start, end)) = scanner.next(text.as_bytes()) {
        let record = text.get(start..end).unwrap_or_default();
        state.read_record(record.trim_ascii(), count_to(start), builder);
    }
    if let Some(start) = scanner.unfinished() {
        let record = text.get(start..).unwrap_or_default();
        state.read_record(record.trim_ascii(), count_to(start), builder);
    }
}

#[derive(Debug, Default)]
struct JsonState {
    path: String,
    /// Whether the record is a line of Splunk's own export, which has each result inside an object.
    is_export: bool,
}

impl JsonState {
    fn read_record(&mut self, record: &str, line: u64, builder: &mut EventBuilder<'_>) {
        self.path.clear();
        self.is_export = record.starts_with("{\"preview\":");
        let outcome = if record.starts_with('{') {
            self.read_object(record, 0, builder)
        } else {
            Err("not a JSON object".to_owned())
        };
        match outcome {
            Ok(()) => builder.end_record(&Defaults { sourcetype: DEFAULT_SOURCETYPE, raw: record, time: None }),
            Err(reason) => {
                builder.discard();
                builder.result.skip(format!("line {line}"), reason);
            }
        }
    }

    fn read_object(&mut self, text: &str, depth: usize, builder: &mut EventBuilder<'_>) -> Result<(), String> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let visitor = Fields { state: self, depth, builder };
        deserializer.deserialize_map(visitor).map_err(reason)?;
        deserializer.end().map_err(reason)
    }

    fn field(
        &mut self,
        key: &str,
        value: &RawValue,
        depth: usize,
        builder: &mut EventBuilder<'_>,
    ) -> Result<(), String> {
        let parent = self.path.len();
        let is_wrapper = self.is_export && depth == 0 && key == "result" && value.get().starts_with('{');
        if !is_wrapper {
            if parent > 0 {
                self.path.push('.');
            }
            self.path.push_str(key);
        }
        let outcome = self.value(value.get(), depth, builder);
        self.path.truncate(parent);
        outcome
    }

    fn value(&mut self, value: &str, depth: usize, builder: &mut EventBuilder<'_>) -> Result<(), String> {
        let is_nested = depth < MAX_DEPTH;
        match value.as_bytes().first() {
            Some(b'{') if is_nested => return self.read_object(value, depth.saturating_add(1), builder),
            Some(b'[') if is_nested => {
                let mut deserializer = serde_json::Deserializer::from_str(value);
                let visitor = Elements { state: self, depth: depth.saturating_add(1), builder };
                return deserializer.deserialize_seq(visitor).map_err(reason);
            }
            Some(b'n') => return Ok(()),
            _ => {}
        }
        let Some(key) = builder.key(Section::Record, &self.path) else { return Ok(()) };
        match string(value) {
            Some(string) => builder.add(key, &string),
            None => builder.add(key, value),
        }
        Ok(())
    }
}

/// What a JSON string says; `None` for any other value.
fn string(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    // A lone surrogate has no UTF-8; what is written is then better than nothing.
    Some(serde_json::from_str::<String>(value).map_or(Cow::Borrowed(inner), Cow::Owned))
}

fn reason(error: serde_json::Error) -> String {
    let text = error.to_string();
    // The line is the record's own, which says nothing where it is given beside the file's.
    match text.split_once(" at line 1 column ") {
        Some((reason, column)) => format!("{reason} at column {column}"),
        None => text,
    }
}

struct Fields<'s, 'b, 'a> {
    state: &'s mut JsonState,
    depth: usize,
    builder: &'b mut EventBuilder<'a>,
}

impl<'de> Visitor<'de> for Fields<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key<'de>>()? {
            let value = map.next_value::<&'de RawValue>()?;
            self.state.field(&key.0, value, self.depth, self.builder).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

/// A key that is copied only where it is escaped.
struct Key<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

struct Elements<'s, 'b, 'a> {
    state: &'s mut JsonState,
    depth: usize,
    builder: &'b mut EventBuilder<'a>,
}

impl<'de> Visitor<'de> for Elements<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<&'de RawValue>()? {
            self.state.value(value.get(), self.depth, self.builder).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}
