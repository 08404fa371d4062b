//! JSON records: one a line, one after another, or the elements of an array.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::blocks::{Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder};
use super::forms::{self, Forms};
use super::scan::JsonScanner;
use super::windows::Section;

/// Objects nested deeper are kept as their text.
const MAX_DEPTH: usize = 64;

const DEFAULT_SOURCETYPE: &str = "_json";

/// Reads a block of which every line is a record.
pub(crate) fn read_lines(lines: Lines, builder: &mut EventBuilder<'_>) {
    let mut number = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let mut state = JsonState { forms: Forms::of(&text), ..JsonState::default() };
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
    let first_line = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let mut state = JsonState { forms: Forms::of(&text), ..JsonState::default() };
    let mut scanner = JsonScanner::new(in_array);
    let (mut counted, mut number) = (0, first_line);
    // How many bytes may be looked at again to find the records that a broken one swallowed; without a limit a
    // hostile file could make us look at it over and over.
    let mut second_look = text.len().saturating_mul(4);
    loop {
        let (start, end) = match scanner.next(text.as_bytes()) {
            Some(found) => found,
            None => match scanner.unfinished() {
                Some(start) => (start, text.len()),
                None => return,
            },
        };
        let passed = text.as_bytes().get(counted..start).unwrap_or_default();
        number = number.saturating_add(u64::try_from(memchr::memchr_iter(b'\n', passed).count()).unwrap_or(0));
        counted = start.max(counted);
        let record = text.get(start..end).unwrap_or_default();
        if state.read_record(record.trim_ascii(), number, builder) {
            continue;
        }
        match record.find("\n{").filter(|_| second_look > record.len()) {
            Some(at) => {
                second_look = second_look.saturating_sub(record.len());
                scanner.restart(start.saturating_add(at).saturating_add(1));
            }
            None if end == text.len() => return,
            None => {}
        }
    }
}

#[derive(Debug, Default)]
struct JsonState {
    path: String,
    forms: Forms,
    /// Whether the record is a line of Splunk's own export, which has each result inside an object.
    is_export: bool,
}

impl JsonState {
    /// Whether the record could be read.
    fn read_record(&mut self, record: &str, line: u64, builder: &mut EventBuilder<'_>) -> bool {
        if self.forms.envelope
            && let Some(records) = forms::enveloped(record)
        {
            // One by one, so that a broken one is no end of the others.
            self.forms.envelope = false;
            for inner in &records {
                self.read_record(inner.get(), line, builder);
            }
            self.forms.envelope = true;
            return true;
        }
        self.path.clear();
        self.is_export = ["{\"preview\":", "{\"result\":"].iter().any(|begin| record.starts_with(begin));
        let outcome = if record.starts_with('{') {
            self.read_object(record, 0, builder)
        } else {
            Err("not a JSON object".to_owned())
        };
        match outcome {
            Ok(()) => {
                let own = self.forms.sourcetype(record, builder.file_path());
                let sourcetype = own.as_deref().unwrap_or(DEFAULT_SOURCETYPE);
                builder.end_record(&Defaults { sourcetype, raw: record, time: None });
            }
            Err(ref reason) => {
                builder.discard();
                builder.result.skip(format!("line {line}"), reason.as_str());
            }
        }
        outcome.is_ok()
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
        if self.is_export && depth == 0 && matches!(key, "preview" | "offset" | "lastrow") {
            // About the export, not about the event.
            return Ok(());
        }
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
        if self.forms != Forms::default()
            && let Some(outcome) = self.special(value, depth, builder)
        {
            return outcome;
        }
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

impl JsonState {
    /// A value that a form of export gives another place or meaning.
    fn special(&mut self, value: &str, depth: usize, builder: &mut EventBuilder<'_>) -> Option<Result<(), String>> {
        if value.starts_with('{') {
            if !(self.forms.named && self.path.ends_with("EventData.Data")) {
                return None;
            }
            let named: forms::Named<'_> = serde_json::from_str(value).ok()?;
            if let Some(text) = named.text {
                builder.add_named(Section::Data, &named.name, &text);
            }
            return Some(Ok(()));
        }
        if !(self.forms.payload || self.forms.hayabusa) || value.starts_with(['[', 'n']) {
            return None;
        }
        let text = string(value).unwrap_or(Cow::Borrowed(value));
        if self.forms.payload && self.path == "Payload" && text.starts_with('{') && depth < MAX_DEPTH {
            return Some(self.read_payload(&text, depth, builder));
        }
        if self.forms.hayabusa && matches!(self.path.as_str(), "Details" | "ExtraFieldInfo" | "AllFieldInfo") {
            forms::details(&text).for_each(|(name, value)| builder.add_named(Section::Data, name, value));
            return Some(Ok(()));
        }
        let path = self.forms.path(&self.path);
        builder.add_named(Section::Record, &path, self.forms.value(&path, &text));
        Some(Ok(()))
    }

    /// What EvtxECmd keeps of the event, as text inside of its row.
    fn read_payload(&mut self, text: &str, depth: usize, builder: &mut EventBuilder<'_>) -> Result<(), String> {
        let path = std::mem::take(&mut self.path);
        // Its own names are those of the event.
        let forms = std::mem::replace(&mut self.forms, Forms { named: true, ..Forms::default() });
        let outcome = self.read_object(text, depth.saturating_add(1), builder);
        self.path = path;
        self.forms = forms;
        outcome
    }
}

/// Adds what a cell of EvtxECmd holds of the event; `false` if it holds something else.
pub(crate) fn add_payload(text: &str, builder: &mut EventBuilder<'_>) -> bool {
    text.starts_with('{')
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        && JsonState::default().read_payload(text, 0, builder).is_ok()
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
