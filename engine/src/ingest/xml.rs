//! Windows events as XML: exports of the event log, and the records of EVTX files, which are rendered first.

use std::borrow::Cow;

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use super::blocks::{Cutter, Lines, NOT_UTF8, decode};
use super::event::{Defaults, EventBuilder};
use super::windows::Section;

/// No event nests its elements deeper.
const MAX_DEPTH: usize = 64;

/// Cuts after an event.
#[derive(Debug, Default)]
pub(crate) struct XmlCutter {
    scanned: usize,
}

const END: &[u8] = b"</Event>";

impl Cutter for XmlCutter {
    fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        let from = self.scanned.saturating_sub(END.len());
        self.scanned = bytes.len();
        let mut until = bytes.len();
        loop {
            let at = from.checked_add(memmem::rfind(bytes.get(from..until)?, END)?)?;
            let end = at.checked_add(END.len())?;
            // An end tag in a comment, say, is not followed by another element.
            let mut after = bytes.get(end..)?.iter().skip_while(|byte| byte.is_ascii_whitespace());
            if after.next() == Some(&b'<') {
                return Some(end);
            }
            until = at;
        }
    }

    fn advance(&mut self, cut: usize) {
        self.scanned = self.scanned.saturating_sub(cut);
    }
}

/// Reads the events of a block.
pub(crate) fn read_block(lines: Lines, builder: &mut EventBuilder<'_>) {
    let mut line = LineCount { line: lines.first_line, at: 0 };
    let text = decode(lines, |line| builder.result.skip(format!("line {line}"), NOT_UTF8));
    let mut state = XmlState::default();
    // How many bytes may be read a second time to find the events that a broken one swallowed; without a limit
    // a hostile file could make us read it over and over.
    let mut second_look = text.len().saturating_mul(4);
    let mut finder = Finder::default();
    let mut at = 0;
    let mut was_broken = false;
    while let Some(found) = finder.next(&text, at) {
        let start = match found {
            Found::Event(start) => start,
            Found::Definition(start, end) => {
                let reason = "a document type definition, which is not read";
                builder.result.skip(line.place(&text, start), reason);
                at = end;
                continue;
            }
        };
        let Some(rest) = text.get(start..) else { break };
        let has_end = text.get(at..start).is_some_and(|passed| memmem::find(passed.as_bytes(), END).is_some());
        if has_end && !was_broken {
            builder.result.skip(line.place(&text, at), "the end of an event whose beginning is missing");
        }
        let outcome = state.read_event(rest, builder);
        was_broken = outcome.is_err();
        match outcome {
            Ok(length) => {
                let raw = rest.get(..length).unwrap_or_default();
                builder.end_windows(&Defaults { sourcetype: "XmlWinEventLog", raw, time: None });
                at = start.saturating_add(length);
            }
            Err(broken) => {
                builder.discard();
                builder.result.skip(line.place(&text, start), broken.reason);
                let forward = if second_look > broken.read { EVENT.len() } else { broken.read.max(EVENT.len()) };
                second_look = second_look.saturating_sub(broken.read);
                at = start.saturating_add(forward);
                while !text.is_char_boundary(at) {
                    at = at.saturating_add(1);
                }
            }
        }
    }
}

const EVENT: &str = "<Event";

struct LineCount {
    line: u64,
    at: usize,
}

impl LineCount {
    fn place(&mut self, text: &str, at: usize) -> String {
        let passed = text.as_bytes().get(self.at..at).unwrap_or_default();
        let lines = u64::try_from(memchr::memchr_iter(b'\n', passed).count()).unwrap_or(0);
        self.line = self.line.saturating_add(lines);
        self.at = at.max(self.at);
        format!("line {}", self.line)
    }
}

enum Found {
    Event(usize),
    Definition(usize, usize),
}

/// Finds events outside comments and instructions.
#[derive(Debug, Default)]
struct Finder {
    /// What was looked for once and is not in the rest of the block: looking again and again would take forever.
    missing: Vec<&'static str>,
}

impl Finder {
    fn end(&mut self, rest: &str, end: &'static str) -> Option<usize> {
        if self.missing.contains(&end) {
            return None;
        }
        let found = rest.find(end);
        if found.is_none() {
            self.missing.push(end);
        }
        found
    }

    fn next(&mut self, text: &str, from: usize) -> Option<Found> {
        let mut at = from;
        loop {
            let rest = text.get(at..)?;
            let start = at.checked_add(memchr::memchr(b'<', rest.as_bytes())?)?;
            let rest = text.get(start..)?;
            let length = if rest.starts_with("<!--") {
                self.end(rest, "-->")
            } else if rest.starts_with("<?") {
                self.end(rest, "?>")
            } else if rest.starts_with("<!DOCTYPE") {
                let mut end = self.end(rest, ">").unwrap_or(1);
                if rest.get(..end).is_some_and(|inner| inner.contains('[')) {
                    end = self.end(rest, "]>").unwrap_or(end);
                }
                return Some(Found::Definition(start, start.checked_add(end)?));
            } else if rest.strip_prefix(EVENT).is_some_and(|rest| rest.starts_with([' ', '\t', '\r', '\n', '>', '/'])) {
                return Some(Found::Event(start));
            } else {
                None
            };
            at = start.checked_add(length.unwrap_or(1))?;
        }
    }
}

/// An event that cannot be read.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) reason: String,
    /// How far it was read.
    read: usize,
}

/// The children of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    System,
    Data,
    Rendering,
}

#[derive(Debug)]
struct Frame {
    /// The name of the field, if the element has no elements of its own.
    name: String,
    has_elements: bool,
}

/// Reads one event at a time; its buffers are used again.
#[derive(Debug, Default)]
pub(crate) struct XmlState {
    frames: Vec<Frame>,
    depth: usize,
    text: String,
}

impl XmlState {
    /// Adds the values of the event at the beginning of `text`, and says how long it is.
    pub(crate) fn read_event(&mut self, text: &str, builder: &mut EventBuilder<'_>) -> Result<usize, Broken> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_dangling_amp = true;
        self.depth = 0;
        let outcome = self.read(&mut reader, builder);
        let read = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).min(text.len());
        match outcome {
            Ok(()) => Ok(read),
            Err(reason) => {
                let error_at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
                Err(Broken { reason, read: read.max(error_at).min(text.len()) })
            }
        }
    }

    fn read(&mut self, reader: &mut Reader<&[u8]>, builder: &mut EventBuilder<'_>) -> Result<(), String> {
        let mut part = Part::Data;
        let mut has_system = false;
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(element) => {
                    part = self.open(&element, part, builder)?;
                    has_system |= part == Part::System;
                }
                Event::Empty(element) => {
                    let inner = self.open(&element, part, builder)?;
                    has_system |= inner == Part::System;
                    self.close(inner, builder);
                }
                Event::End(_) => self.close(part, builder),
                Event::Text(text) => self.text.push_str(&text.into_inner()),
                Event::CData(text) => self.text.push_str(&text.into_inner()),
                Event::GeneralRef(reference) => {
                    let character = if reference.is_char_ref() {
                        // A character that XML does not have, such as 0.
                        reference.resolve_char_ref().ok().flatten().unwrap_or(char::REPLACEMENT_CHARACTER)
                    } else {
                        let name = reference.into_inner();
                        entity(&name).ok_or_else(|| format!("unknown entity &{name};"))?
                    };
                    self.text.push(character);
                }
                Event::DocType(_) => return Err("a document type definition inside an event".to_owned()),
                Event::Eof => return Err("the event does not end".to_owned()),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            }
            if self.depth == 0 {
                return if has_system {
                    Ok(())
                } else {
                    Err("not a Windows event: it has no System element".to_owned())
                };
            }
        }
    }

    fn open(&mut self, element: &BytesStart<'_>, part: Part, builder: &mut EventBuilder<'_>) -> Result<Part, String> {
        let name = element.local_name();
        let name: &str = name.as_ref();
        if name == "Event" && self.depth > 0 && (self.depth == 1 || part != Part::Data) {
            return Err("the event does not end before the next one begins".to_owned());
        }
        if self.depth >= MAX_DEPTH {
            return Err(format!("elements are nested more than {MAX_DEPTH} deep"));
        }
        let part = match (self.depth, name) {
            (1, "System") => Part::System,
            (1, "RenderingInfo") => Part::Rendering,
            (1, _) => Part::Data,
            _ => part,
        };
        if let Some(parent) = self.depth.checked_sub(1).and_then(|at| self.frames.get_mut(at)) {
            parent.has_elements = true;
        }
        if self.frames.len() <= self.depth {
            self.frames.push(Frame { name: String::new(), has_elements: false });
        }
        if let Some(frame) = self.frames.get_mut(self.depth) {
            frame.has_elements = false;
            frame.name.clear();
            frame.name.push_str(name);
        }
        if self.depth >= 2 {
            self.attributes(element, name, part, builder);
        }
        self.depth = self.depth.saturating_add(1);
        self.text.clear();
        Ok(part)
    }

    fn attributes(&mut self, element: &BytesStart<'_>, name: &str, part: Part, builder: &mut EventBuilder<'_>) {
        for attribute in element.attributes().with_checks(false).flatten() {
            let key = attribute.key.local_name();
            let key: &str = key.as_ref();
            let value: &str = &attribute.value;
            let value = unescape(value).unwrap_or(Cow::Borrowed(value));
            if part == Part::System {
                builder.add_attribute(Section::System, name, key, &value);
            } else if key == "Name"
                && let Some(frame) = self.frames.get_mut(self.depth)
            {
                frame.name.clear();
                frame.name.push_str(&value);
            }
        }
    }

    fn close(&mut self, part: Part, builder: &mut EventBuilder<'_>) {
        self.depth = self.depth.saturating_sub(1);
        // Below 2 are the event itself and its parts.
        if self.depth >= 2
            && let Some(frame) = self.frames.get(self.depth)
            && !frame.has_elements
            && !self.text.is_empty()
        {
            match part {
                Part::System => builder.add_named(Section::System, &frame.name, self.text.trim()),
                Part::Data => builder.add_named(Section::Data, &frame.name, &self.text),
                Part::Rendering => {
                    let name = match frame.name.as_str() {
                        "Message" => "Message",
                        "Level" => "LevelDisplayName",
                        "Task" => "TaskDisplayName",
                        "Opcode" => "OpcodeDisplayName",
                        "Keyword" => "KeywordsDisplayNames",
                        // The channel and the provider, which System names too.
                        _ => "",
                    };
                    if !name.is_empty() {
                        builder.add_named(Section::Data, name, &self.text);
                    }
                }
            }
        }
        self.text.clear();
    }
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}
