//! The tokens of binary XML.

use super::chunk::Chunk;

/// An element that stands alone: no attribute depends on a value being there.
const NO_DEPENDENCY: u16 = u16::MAX;

/// The text of an attribute or an element: written in the template, or a value of the event by its place.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    Literal(&'a str),
    /// A value that every event has.
    Value(u16, Type),
    /// A value that may be missing; then what holds it is missing too.
    Optional(u16, Type),
}

/// The types of values that are written here, by the number that stands for them in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Type {
    Null = 0x00,
    Text = 0x01,
    U8 = 0x04,
    U16 = 0x06,
    U32 = 0x08,
    U64 = 0x0a,
    Bool = 0x0d,
    Guid = 0x0f,
    Time = 0x11,
    Sid = 0x13,
    Hex = 0x15,
    Xml = 0x21,
}

impl Chunk {
    /// The beginning of every piece of binary XML: version 1.1, no flags.
    pub(super) fn fragment(&mut self) {
        self.data.extend([0x0f, 1, 1, 0]);
    }

    pub(super) fn end_of_stream(&mut self) {
        self.u8(0x00);
    }

    /// An element with attributes whose children `inner` writes.
    pub(super) fn element(&mut self, name: &str, attributes: &[(&str, Content<'_>)], inner: impl FnOnce(&mut Chunk)) {
        let size_at = self.open(name, attributes);
        self.u8(0x02);
        inner(self);
        self.u8(0x04);
        self.close(size_at);
    }

    /// An element that holds nothing.
    pub(super) fn empty_element(&mut self, name: &str, attributes: &[(&str, Content<'_>)]) {
        let size_at = self.open(name, attributes);
        self.u8(0x03);
        self.close(size_at);
    }

    fn open(&mut self, name: &str, attributes: &[(&str, Content<'_>)]) -> usize {
        self.u8(if attributes.is_empty() { 0x01 } else { 0x41 });
        self.u16(NO_DEPENDENCY);
        let size_at = self.data.len();
        self.u32(0);
        self.name(name);
        if let Some(last) = attributes.len().checked_sub(1) {
            let list_at = self.data.len();
            self.u32(0);
            for (at, &(name, content)) in attributes.iter().enumerate() {
                self.u8(if at == last { 0x06 } else { 0x46 });
                self.name(name);
                self.content(content);
            }
            self.close(list_at);
        }
        size_at
    }

    /// Writes a size that counts what follows it.
    fn close(&mut self, size_at: usize) {
        let size = self.data.len() - size_at - 4;
        self.patch(size_at, u32::try_from(size).unwrap_or(u32::MAX));
    }

    pub(super) fn content(&mut self, content: Content<'_>) {
        match content {
            Content::Literal(text) => {
                self.u8(0x05);
                self.u8(Type::Text as u8);
                self.u16(text.encode_utf16().count() as u16);
                self.utf16(text);
            }
            Content::Value(place, kind) => self.substitution(0x0d, place, kind),
            Content::Optional(place, kind) => self.substitution(0x0e, place, kind),
        }
    }

    fn substitution(&mut self, token: u8, place: u16, kind: Type) {
        self.u8(token);
        self.u16(place);
        self.u8(kind as u8);
    }
}
