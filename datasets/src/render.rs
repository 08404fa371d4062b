//! Events as text: the XML that Windows renders, and the flat JSON that log shippers export.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use quick_xml::escape::{escape, partial_escape};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::event::Event;

/// The text form of a log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One `<Event>` element after the other, each on its own line, without a root element.
    Xml,
    /// One flat JSON object on each line.
    JsonLines,
}

impl Format {
    /// Appends one event and a line feed to `text`.
    pub(crate) fn append(self, event: &Event, text: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Xml => text.extend_from_slice(event.to_xml().as_bytes()),
            Self::JsonLines => serde_json::to_writer(&mut *text, event)?,
        }
        text.push(b'\n');
        Ok(())
    }
}

impl Event {
    /// The event as Windows renders it and as Splunk indexes it: one element without line breaks of its own (a value
    /// may contain some), attributes in single quotes, nine digits of a second.
    pub fn to_xml(&self) -> String {
        let kind = self.kind;
        let mut xml = String::with_capacity(2048);
        xml.push_str("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='");
        xml.push_str(&escape(kind.provider));
        push_all(&mut xml, &["' Guid='", kind.provider_guid, "'"]);
        if let Some(source) = kind.event_source {
            push_all(&mut xml, &[" EventSourceName='", &escape(source), "'"]);
        }
        xml.push_str("/><EventID");
        if let Some(qualifiers) = kind.qualifiers {
            push_all(&mut xml, &[" Qualifiers='", &qualifiers.to_string(), "'"]);
        }
        push_all(&mut xml, &[">", &kind.event_id.to_string(), "</EventID>"]);
        for (name, value) in [
            ("Version", kind.version.into()),
            ("Level", kind.level.into()),
            ("Task", kind.task),
            ("Opcode", kind.opcode.into()),
        ] {
            push_all(&mut xml, &["<", name, ">", &value.to_string(), "</", name, ">"]);
        }
        push_all(&mut xml, &["<Keywords>", kind.keywords, "</Keywords><TimeCreated SystemTime='"]);
        push_time(&mut xml, self.time, 9);
        push_all(&mut xml, &["'/><EventRecordID>", &self.record.to_string(), "</EventRecordID><Correlation/>"]);
        push_all(&mut xml, &["<Execution ProcessID='", &self.process_id.to_string()]);
        push_all(&mut xml, &["' ThreadID='", &self.thread_id.to_string(), "'/><Channel>", kind.channel, "</Channel>"]);
        push_all(&mut xml, &["<Computer>", &partial_escape(self.computer.as_ref()), "</Computer><Security"]);
        if let Some(user) = &self.user_id {
            push_all(&mut xml, &[" UserID='", &escape(user.as_ref()), "'"]);
        }
        xml.push_str("/></System><EventData>");
        for (name, value) in &self.data {
            push_all(&mut xml, &["<Data Name='", name, "'>", &partial_escape(value.as_ref()), "</Data>"]);
        }
        xml.push_str("</EventData></Event>");
        xml
    }

    /// The event as log shippers export it: one flat JSON object, header fields first, then every value of the event
    /// data as text under its own name.
    pub fn to_json(&self) -> String {
        // Text keys and values cannot fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = self.kind;
        let mut time = String::with_capacity(24);
        push_time(&mut time, self.time, 3);
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("@timestamp", &time)?;
        object.serialize_entry("Hostname", &self.computer)?;
        object.serialize_entry("Channel", kind.channel)?;
        object.serialize_entry("SourceName", kind.provider)?;
        object.serialize_entry("ProviderGuid", kind.provider_guid)?;
        object.serialize_entry("EventID", &kind.event_id)?;
        object.serialize_entry("Version", &kind.version)?;
        object.serialize_entry("Level", &kind.level)?;
        object.serialize_entry("Task", &kind.task)?;
        object.serialize_entry("Opcode", &kind.opcode)?;
        object.serialize_entry("Keywords", kind.keywords)?;
        object.serialize_entry("RecordNumber", &self.record)?;
        object.serialize_entry("ExecutionProcessID", &self.process_id)?;
        object.serialize_entry("ThreadID", &self.thread_id)?;
        if let Some(user) = &self.user_id {
            object.serialize_entry("UserID", user)?;
        }
        for (name, value) in &self.data {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

/// Writes events as XML, one on each line. Returns how many were written.
pub fn write_xml(out: &mut impl Write, events: impl IntoIterator<Item = Event>) -> io::Result<u64> {
    write(out, Format::Xml, events)
}

/// Writes events as JSON lines. Returns how many were written.
pub fn write_json_lines(out: &mut impl Write, events: impl IntoIterator<Item = Event>) -> io::Result<u64> {
    write(out, Format::JsonLines, events)
}

fn write(out: &mut impl Write, format: Format, events: impl IntoIterator<Item = Event>) -> io::Result<u64> {
    let mut lines = Lines::new(out, format);
    for event in events {
        lines.write(&event)?;
    }
    lines.finish()
}

/// Collects rendered events and hands them on in large pieces.
pub(crate) struct Lines<W: Write> {
    out: W,
    format: Format,
    text: Vec<u8>,
    written: u64,
}

impl<W: Write> Lines<W> {
    const PIECE: usize = 1 << 20;

    pub(crate) fn new(out: W, format: Format) -> Self {
        Self { out, format, text: Vec::with_capacity(Self::PIECE + (1 << 14)), written: 0 }
    }

    pub(crate) fn write(&mut self, event: &Event) -> io::Result<()> {
        self.format.append(event, &mut self.text)?;
        self.written += 1;
        if self.text.len() >= Self::PIECE {
            self.out.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.out.write_all(&self.text)?;
        self.out.flush()?;
        Ok(self.written)
    }
}

fn push_all(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
}

fn push_time(text: &mut String, time: Timestamp, digits: u8) {
    // Writing into a String cannot fail.
    let _ = DateTimePrinter::new().precision(Some(digits)).print_timestamp(&time, text);
}
