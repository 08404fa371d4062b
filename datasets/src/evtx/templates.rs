//! An event as two templates, as Windows writes those of its providers: the header, which is the same for all events of
//! a kind, and inside of it the named values.

use std::io;

use super::binary_xml::{Content, Type};
use super::chunk::{self, Chunk};
use super::too_large;
use crate::event::{Event, Kind};

/// A value of the header, by its place.
#[derive(Clone, Copy)]
enum Place {
    EventId,
    Qualifiers,
    Version,
    Level,
    Task,
    Opcode,
    Keywords,
    Time,
    Record,
    Activity,
    RelatedActivity,
    Process,
    Thread,
    Computer,
    User,
    Data,
}

impl Place {
    fn value(self, kind: Type) -> Content<'static> {
        Content::Value(self as u16, kind)
    }

    fn optional(self, kind: Type) -> Content<'static> {
        Content::Optional(self as u16, kind)
    }
}

/// Whether the chunk holds both templates of an event.
pub(super) fn are_known(chunk: &Chunk, event: &Event) -> bool {
    chunk.has_template(header_id(event.kind)) && chunk.has_template(data_id(event))
}

/// Writes an event.
pub(super) fn write_event(chunk: &mut Chunk, event: &Event) -> io::Result<()> {
    let kind = event.kind;
    begin_instance(chunk, header_id(kind), |chunk| header(chunk, kind));
    // In the order of [`Place`].
    let mut values = Values::begin(chunk, 16);
    values.put(Type::U16, |chunk| chunk.u16(kind.event_id as u16));
    match kind.qualifiers {
        Some(qualifiers) => values.put(Type::U16, |chunk| chunk.u16(qualifiers)),
        None => values.put(Type::Null, |_| {}),
    }
    values.put(Type::U8, |chunk| chunk.u8(kind.version));
    values.put(Type::U8, |chunk| chunk.u8(kind.level));
    values.put(Type::U16, |chunk| chunk.u16(kind.task));
    values.put(Type::U8, |chunk| chunk.u8(kind.opcode));
    values.text(kind.keywords);
    values.put(Type::Time, |chunk| chunk.u64(chunk::filetime(event.time)));
    values.put(Type::U64, |chunk| chunk.u64(event.record));
    values.put(Type::Null, |_| {});
    values.put(Type::Null, |_| {});
    values.put(Type::U32, |chunk| chunk.u32(event.process_id));
    values.put(Type::U32, |chunk| chunk.u32(event.thread_id));
    values.put(Type::Text, |chunk| chunk.utf16(&event.computer));
    match &event.user_id {
        Some(user) => match sid(user) {
            Some(sid) => values.put(Type::Sid, |chunk| chunk.data.extend(sid)),
            None => values.text(user),
        },
        None => values.put(Type::Null, |_| {}),
    }
    let mut outcome = true;
    values.put(Type::Xml, |chunk| {
        begin_instance(chunk, data_id(event), |chunk| data(chunk, event));
        let mut values = Values::begin(chunk, event.data.len());
        for (_, value) in &event.data {
            values.text(value);
        }
        outcome = values.fits;
        chunk.end_of_stream();
    });
    if !(values.fits && outcome) {
        return Err(too_large(event));
    }
    chunk.end_of_stream();
    Ok(())
}

/// Writes the beginning of an instance, in a piece of binary XML of its own.
fn begin_instance(chunk: &mut Chunk, id: u128, template: impl FnOnce(&mut Chunk)) {
    chunk.fragment();
    chunk.u8(0x0c);
    chunk.u8(1);
    chunk.template(id, |chunk| {
        chunk.fragment();
        template(chunk);
        chunk.end_of_stream();
    });
}

fn header(chunk: &mut Chunk, kind: &Kind) {
    let namespace = Content::Literal("http://schemas.microsoft.com/win/2004/08/events/event");
    chunk.element("Event", &[("xmlns", namespace)], |chunk| {
        chunk.element("System", &[], |chunk| system(chunk, kind));
        chunk.content(Place::Data.optional(Type::Xml));
    });
}

fn system(chunk: &mut Chunk, kind: &Kind) {
    let mut provider = vec![("Name", Content::Literal(kind.provider)), ("Guid", Content::Literal(kind.provider_guid))];
    provider.extend(kind.event_source.map(|source| ("EventSourceName", Content::Literal(source))));
    chunk.empty_element("Provider", &provider);
    let qualifiers = [("Qualifiers", Place::Qualifiers.optional(Type::U16))];
    chunk.element("EventID", &qualifiers, |chunk| chunk.content(Place::EventId.value(Type::U16)));
    for (name, place, kind) in [
        ("Version", Place::Version, Type::U8),
        ("Level", Place::Level, Type::U8),
        ("Task", Place::Task, Type::U16),
        ("Opcode", Place::Opcode, Type::U8),
        ("Keywords", Place::Keywords, Type::Hex),
    ] {
        chunk.element(name, &[], |chunk| chunk.content(place.value(kind)));
    }
    chunk.empty_element("TimeCreated", &[("SystemTime", Place::Time.value(Type::Time))]);
    chunk.element("EventRecordID", &[], |chunk| chunk.content(Place::Record.value(Type::U64)));
    let activity = Place::Activity.optional(Type::Guid);
    let related = Place::RelatedActivity.optional(Type::Guid);
    chunk.empty_element("Correlation", &[("ActivityID", activity), ("RelatedActivityID", related)]);
    let (process, thread) = (Place::Process.value(Type::U32), Place::Thread.value(Type::U32));
    chunk.empty_element("Execution", &[("ProcessID", process), ("ThreadID", thread)]);
    chunk.element("Channel", &[], |chunk| chunk.content(Content::Literal(kind.channel)));
    chunk.element("Computer", &[], |chunk| chunk.content(Place::Computer.value(Type::Text)));
    chunk.empty_element("Security", &[("UserID", Place::User.optional(Type::Sid))]);
}

fn data(chunk: &mut Chunk, event: &Event) {
    chunk.element("EventData", &[], |chunk| {
        for (place, (name, _)) in event.data.iter().enumerate() {
            // What type a value has is said with the value.
            let value = Content::Value(place as u16, Type::Text);
            chunk.element("Data", &[("Name", Content::Literal(name))], |chunk| chunk.content(value));
        }
    });
}

/// The values of a template instance: first what they are, then their bytes.
struct Values<'c> {
    chunk: &'c mut Chunk,
    descriptor_at: usize,
    /// Whether each of them is small enough for its descriptor.
    fits: bool,
}

impl<'c> Values<'c> {
    fn begin(chunk: &'c mut Chunk, count: usize) -> Self {
        chunk.u32(count as u32);
        let descriptor_at = chunk.data.len();
        chunk.data.resize(descriptor_at + 4 * count, 0);
        Self { chunk, descriptor_at, fits: true }
    }

    fn put(&mut self, kind: Type, write: impl FnOnce(&mut Chunk)) {
        let start = self.chunk.data.len();
        write(self.chunk);
        let size = u16::try_from(self.chunk.data.len() - start);
        self.fits &= size.is_ok();
        let descriptor = u32::from(size.unwrap_or(0)) | u32::from(kind as u8) << 16;
        self.chunk.patch(self.descriptor_at, descriptor);
        self.descriptor_at += 4;
    }

    /// A value by its text, in the type that renders as this text.
    fn text(&mut self, text: &str) {
        match type_of(text) {
            Type::U32 => self.put(Type::U32, |chunk| chunk.u32(text.parse().unwrap_or_default())),
            Type::Hex => self.put(Type::Hex, |chunk| {
                chunk.u64(u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or_default());
            }),
            Type::Bool => self.put(Type::Bool, |chunk| chunk.u32((text == "true").into())),
            Type::Guid => self.put(Type::Guid, |chunk| chunk.data.extend(guid(text).unwrap_or_default())),
            _ => self.put(Type::Text, |chunk| chunk.utf16(text)),
        }
    }
}

/// The type of which a value renders as this text and no other.
fn type_of(text: &str) -> Type {
    if matches!(text, "true" | "false") {
        Type::Bool
    } else if text.parse::<u32>().is_ok_and(|number| number.to_string() == text) {
        Type::U32
    } else if let Some(digits) = text.strip_prefix("0x")
        && u64::from_str_radix(digits, 16).is_ok_and(|number| format!("{number:x}") == digits)
    {
        Type::Hex
    } else if guid(text).is_some() {
        Type::Guid
    } else {
        Type::Text
    }
}

/// The bytes of a GUID in braces and small letters.
fn guid(text: &str) -> Option<[u8; 16]> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let groups: Vec<&str> = inner.split('-').collect();
    let has_form = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
    if !has_form || !inner.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')) {
        return None;
    }
    let mut bytes = u128::from_str_radix(&groups.concat(), 16).ok()?.to_be_bytes();
    // The first three groups are numbers, which are kept with their last byte first.
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    Some(bytes)
}

/// The bytes of a security identifier: its revision, how many parts follow the authority, the authority, the parts.
fn sid(text: &str) -> Option<Vec<u8>> {
    let numbers: Vec<u64> = text.strip_prefix("S-1-")?.split('-').map(str::parse).collect::<Result<_, _>>().ok()?;
    let (authority, parts) = numbers.split_first()?;
    let mut bytes = vec![1, u8::try_from(parts.len()).ok()?];
    bytes.extend(authority.to_be_bytes().get(2..)?);
    for &part in parts {
        bytes.extend(u32::try_from(part).ok()?.to_le_bytes());
    }
    Some(bytes)
}

fn header_id(kind: &Kind) -> u128 {
    identifier([kind.provider, kind.channel, &kind.event_id.to_string()])
}

fn data_id(event: &Event) -> u128 {
    identifier(event.data.iter().map(|(name, _)| *name).chain([event.kind.provider]))
}

/// An identifier that differs where the parts do: FNV-1a.
fn identifier<'a>(parts: impl IntoIterator<Item = &'a str>) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}
