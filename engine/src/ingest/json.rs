//! JSON records: one a line, one after another, or the elements of an array.

mod heads;
mod needles;
mod outline;
mod walk;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use self::heads::Heads;
use self::outline::Outline;
use self::walk::Walker;
use super::blocks::{Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder, Place};
use super::forms::{self, Forms};
use super::scan::JsonScanner;
use super::windows::Section;
use super::words::Words;

/// Objects nested deeper are kept as their text.
const MAX_DEPTH: usize = 64;

const DEFAULT_SOURCETYPE: &str = "_json";

/// Reads a block of which every line is a record, and says how many lines end in it.
pub(crate) fn read_lines(lines: Lines, builder: &mut EventBuilder<'_>) -> u64 {
    let number = lines.first_line;
    if let Some(words) = builder.words()
        && let Some(outline) = Outline::of(&lines.bytes, words.pairs().unwrap_or_default())
    {
        let count = read_lines_with(words, &lines.bytes, &outline, number, builder);
        lines.recycle();
        return count;
    }
    if let Some(text) = lines.as_text() {
        let count = read_text(text, number, builder);
        lines.recycle();
        return count;
    }
    let count = lines.count();
    let text = decode(lines, |line| builder.result.skip(Place::Line(line), NOT_UTF8));
    read_text(&text, number, builder);
    count
}

fn read_text(text: &str, first_line: u64, builder: &mut EventBuilder<'_>) -> u64 {
    let mut ended = 0_u64;
    let mut reader = LineReader::new(Heads::of(text, builder));
    let mut at = 0;
    while at < text.len() {
        at = reader.read(text, at, first_line.saturating_add(ended), builder).saturating_add(1);
        ended = ended.saturating_add(u64::from(at <= text.len()));
    }
    ended
}

/// Reads a block as [`read_lines`] does, each line by way of serde.
#[cfg(test)]
pub(super) fn read_lines_by_serde(lines: Lines, builder: &mut EventBuilder<'_>) {
    let mut number = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(Place::Line(line), NOT_UTF8));
    let mut state = JsonState::default();
    for line in text.split('\n') {
        let record = line.trim_ascii();
        if !record.is_empty() {
            state.forms = Forms::of(record);
            state.read_record(record, number, builder);
        }
        number = number.saturating_add(1);
    }
}

/// Reads the lines of a block that have one of the words, and looks at the others from outside only: they are events
/// that the search does not want. It says how many lines end in the block.
fn read_lines_with(
    words: &Words,
    bytes: &[u8],
    outline: &Outline,
    first_line: u64,
    builder: &mut EventBuilder<'_>,
) -> u64 {
    let mut reader = LineReader::new(None);
    let (mut begin, mut number) = (0, first_line);
    let mut hits = outline.hits.iter().copied().peekable();
    let mut next = |from: usize| match words.pairs() {
        Some(_) => {
            while hits.next_if(|hit| *hit < from).is_some() {}
            hits.peek().copied()
        }
        None => words.find(bytes, from),
    };
    let mut found = next(0);
    for end in outline.ends.iter().copied().chain([bytes.len()]) {
        let line = bytes.get(begin..end).unwrap_or_default();
        let has_word = found.is_some_and(|found| found < end);
        if has_word || !looks_whole(line) {
            // As the whole block is text, so is a line of it.
            reader.read(std::str::from_utf8(line).unwrap_or_default(), 0, number, builder);
            if has_word {
                found = next(end);
            }
        } else if !line.is_empty() {
            builder.pass_over_text();
        }
        begin = end.saturating_add(1);
        number = number.saturating_add(1);
    }
    u64::try_from(outline.ends.len()).unwrap_or(u64::MAX)
}

/// Whether a line begins and ends as an object does that is one event.
fn looks_whole(line: &[u8]) -> bool {
    let Some(inner) = line.strip_prefix(b"{") else { return line.is_empty() };
    let may_hold_events = [b"\"Records".as_slice(), b"\"results", b"\"preview", b"\"init_offset"];
    inner.starts_with(b"\"")
        && line.strip_suffix(b"\r").unwrap_or(line).ends_with(b"}")
        && !may_hold_events.iter().any(|key| inner.starts_with(key))
}

/// Reads lines one by one, those of the usual kind in one pass.
struct LineReader<'w> {
    walker: Walker<'w>,
    state: JsonState,
}

impl<'w> LineReader<'w> {
    fn new(heads: Option<Heads<'w>>) -> Self {
        LineReader { walker: Walker::new(heads), state: JsonState::default() }
    }

    /// Reads the line of a text that begins at a byte, and says where it ends.
    fn read(&mut self, text: &str, at: usize, number: u64, builder: &mut EventBuilder<'_>) -> usize {
        let bytes = text.as_bytes();
        let start = walk::blank(bytes, at);
        if let Some(heads) = &mut self.walker.heads {
            heads.begin(start);
        }
        let mut read = self.walker.read(text, start, builder);
        if let Some(heads) = self.walker.heads.as_mut().filter(|heads| heads.is_unwanted()) {
            if let Some(end) = heads.pass_over(bytes, builder) {
                return end;
            }
            heads.close();
            read = self.walker.read(text, start, builder);
        }
        if let Some(end) = read {
            let line_end = walk::blank(bytes, end);
            if matches!(bytes.get(line_end), None | Some(b'\n')) {
                let raw = text.get(start..end).unwrap_or_default();
                builder.end_record(&Defaults { sourcetype: DEFAULT_SOURCETYPE, raw, time: None });
                return line_end;
            }
            builder.discard();
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).map_or(bytes.len(), |length| at.saturating_add(length));
        let record = text.get(at..end).unwrap_or_default().trim_ascii();
        if !record.is_empty() {
            self.state.forms = Forms::of(record);
            self.state.read_record(record, number, builder);
        }
        end
    }
}

/// Reads a block of records that may take several lines each.
pub(crate) fn read_stream(lines: Lines, in_array: bool, builder: &mut EventBuilder<'_>) {
    let first_line = lines.first_line;
    let text = decode(lines, |line| builder.result.skip(Place::Line(line), NOT_UTF8));
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
                builder.result.skip(Place::Line(line), reason.as_str());
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

/// Puts what the inside of a JSON string says behind a text; `false`, and the text may be spoilt, if there are escapes in
/// it that stand for numbers of characters.
fn unescaped(inner: &str, into: &mut String) -> bool {
    let mut rest = inner;
    while let Some((before, escape)) = rest.split_once('\\') {
        into.push_str(before);
        into.push(match escape.as_bytes().first() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return false,
        });
        rest = escape.get(1..).unwrap_or_default();
    }
    into.push_str(rest);
    true
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
