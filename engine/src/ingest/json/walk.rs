//! Reads a record of JSON in one pass over its bytes, and makes something of wanted values only.
//!
//! What is unusual (a key with escapes, deep nesting, forms of exports, anything that is broken) is left to serde, which
//! says what is wrong: nothing is read here that serde would refuse, and what is read gives the same values.

use std::ops::Range;

use ahash::RandomState;
use hashbrown::HashTable;

use super::super::event::{EventBuilder, KeyId};
use super::super::windows::{Role, Section};
use super::heads::Heads;
use super::{string, unescaped};

/// Objects and arrays nested deeper are left to serde.
const MAX_DEPTH: usize = 32;

/// How many places of keys are remembered: identifiers as keys must not take all memory.
const MAX_NODES: usize = 8192;

/// No node.
const NONE: u32 = u32::MAX;

/// Keys of the forms in which tools export events, and of records inside of others.
const FORMS: [&str; 11] = [
    "Records",
    "results",
    "result",
    "preview",
    "MapDescription",
    "ExtraDataOffset",
    "RuleTitle",
    "@Name",
    "eventSource",
    "id.orig_h",
    "_path",
];

/// What is known of the keys of the records so far.
#[derive(Debug)]
pub(super) struct Walker<'w> {
    hasher: RandomState,
    nodes: Vec<Node>,
    by_key: HashTable<u32>,
    /// The node that was met last.
    last: u32,
    /// The wanted values of the record at hand.
    found: Vec<Found>,
    /// How deep in arrays the value at hand is.
    arrays: usize,
    /// What the heads of records tell, where that is looked at.
    pub(super) heads: Option<Heads<'w>>,
}

/// A key in its place.
#[derive(Debug)]
struct Node {
    /// The key of the object that it is in.
    parent: u32,
    /// The key as it is written, from its quote to where its value begins.
    written: Box<[u8]>,
    path: Box<str>,
    key: Key,
    is_form: bool,
    /// Logs repeat themselves: the keys that came after it lately.
    next: [u32; 2],
}

#[derive(Debug, Clone, Copy)]
enum Key {
    /// It had no value yet that could become a field.
    Unasked,
    Unwanted,
    Wanted(KeyId, Role),
}

#[derive(Debug, Clone, Copy)]
struct Found {
    key: KeyId,
    start: usize,
    end: usize,
    is_escaped: bool,
}

impl<'w> Walker<'w> {
    pub(super) fn new(heads: Option<Heads<'w>>) -> Self {
        let root = Node {
            parent: NONE,
            written: Box::default(),
            path: Box::default(),
            key: Key::Unwanted,
            is_form: false,
            next: [NONE; 2],
        };
        Walker {
            hasher: RandomState::new(),
            nodes: vec![root],
            by_key: HashTable::new(),
            last: 0,
            found: Vec::new(),
            arrays: 0,
            heads,
        }
    }

    /// Reads the object that begins at a byte and hands over its wanted values. Says where it ends; nothing, and nothing
    /// is handed over, where it is left to serde, and where its head tells that it is not wanted.
    pub(super) fn read(&mut self, text: &str, at: usize, builder: &mut EventBuilder<'_>) -> Option<usize> {
        self.found.clear();
        (self.last, self.arrays) = (0, 0);
        let bytes = text.as_bytes();
        if bytes.get(at) != Some(&b'{') {
            return None;
        }
        let end = self.object(bytes, after(at), 0, 0, builder)?;
        for found in &self.found {
            let value = text.get(found.start..found.end)?;
            if !found.is_escaped {
                builder.add(found.key, value);
            } else if !builder.add_made(found.key, |into| unescaped(value, into)) {
                let quoted = text.get(found.start.checked_sub(1)?..after(found.end))?;
                builder.add(found.key, &string(quoted)?);
            }
        }
        Some(end)
    }

    fn object(
        &mut self,
        bytes: &[u8],
        at: usize,
        parent: u32,
        depth: usize,
        builder: &mut EventBuilder<'_>,
    ) -> Option<usize> {
        let mut at = blank(bytes, at);
        if bytes.get(at) == Some(&b'}') {
            return Some(after(at));
        }
        loop {
            let (node, value) = self.key(bytes, at, parent)?;
            at = blank(bytes, self.value(bytes, value, node, depth, builder)?);
            match bytes.get(at)? {
                b',' => at = blank(bytes, after(at)),
                b'}' => return Some(after(at)),
                _ => return None,
            }
        }
    }

    /// The node of the key at a byte, and where its value begins.
    #[inline]
    fn key(&mut self, bytes: &[u8], at: usize, parent: u32) -> Option<(u32, usize)> {
        let rest = bytes.get(at..)?;
        let before = self.nodes.get(self.last as usize)?;
        for guess in before.next {
            if let Some(node) = self.nodes.get(guess as usize)
                && node.parent == parent
                && rest.starts_with(&node.written)
            {
                self.last = guess;
                return Some((guess, at.saturating_add(node.written.len())));
            }
        }
        self.unexpected_key(bytes, at, parent)
    }

    fn unexpected_key(&mut self, bytes: &[u8], at: usize, parent: u32) -> Option<(u32, usize)> {
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let end = stop(bytes, after(at));
        if bytes.get(end) != Some(&b'"') {
            return None;
        }
        let colon = blank(bytes, after(end));
        if bytes.get(colon) != Some(&b':') {
            return None;
        }
        let value = blank(bytes, after(colon));
        let written = bytes.get(at..value)?;
        let hash = self.hasher.hash_one((parent, written));
        let nodes = &self.nodes;
        let is_it = |&at: &u32| nodes.get(at as usize).is_some_and(|n| n.parent == parent && *n.written == *written);
        let node = match self.by_key.find(hash, is_it) {
            Some(&node) => node,
            None => self.add_node(parent, written, std::str::from_utf8(bytes.get(after(at)..end)?).ok()?, hash)?,
        };
        if self.nodes.get(node as usize)?.is_form {
            return None;
        }
        if let Some(before) = self.nodes.get_mut(self.last as usize) {
            before.next = [node, before.next.first().copied()?];
        }
        self.last = node;
        Some((node, value))
    }

    fn add_node(&mut self, parent: u32, written: &[u8], key: &str, hash: u64) -> Option<u32> {
        if self.nodes.len() >= MAX_NODES {
            return None;
        }
        let number = u32::try_from(self.nodes.len()).ok()?;
        let outer = &self.nodes.get(parent as usize)?.path;
        let path = if outer.is_empty() { key.to_owned() } else { [outer, ".", key].concat() };
        let is_form = FORMS.contains(&key);
        let written = written.into();
        self.nodes.push(Node { parent, written, path: path.into(), key: Key::Unasked, is_form, next: [NONE; 2] });
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.by_key.insert_unique(hash, number, |&at| {
            nodes.get(at as usize).map_or(0, |node| hasher.hash_one((node.parent, &*node.written)))
        });
        Some(number)
    }

    /// Passes the value at a byte, and says where it ends.
    #[inline]
    fn value(
        &mut self,
        bytes: &[u8],
        at: usize,
        node: u32,
        depth: usize,
        builder: &mut EventBuilder<'_>,
    ) -> Option<usize> {
        match bytes.get(at)? {
            b'"' => {
                let start = after(at);
                let (end, is_escaped) = string_end(bytes, start)?;
                self.keep(bytes, node, start..end, is_escaped, builder)?;
                Some(after(end))
            }
            b'{' if depth < MAX_DEPTH => self.object(bytes, after(at), node, depth.saturating_add(1), builder),
            b'[' if depth < MAX_DEPTH => self.array(bytes, after(at), node, depth.saturating_add(1), builder),
            b'n' => word(bytes, at, b"null"),
            first => {
                let end = match first {
                    b't' => word(bytes, at, b"true")?,
                    b'f' => word(bytes, at, b"false")?,
                    _ => number_end(bytes, at)?,
                };
                self.keep(bytes, node, at..end, false, builder)?;
                Some(end)
            }
        }
    }

    fn array(
        &mut self,
        bytes: &[u8],
        at: usize,
        node: u32,
        depth: usize,
        builder: &mut EventBuilder<'_>,
    ) -> Option<usize> {
        let mut at = blank(bytes, at);
        if bytes.get(at) == Some(&b']') {
            return Some(after(at));
        }
        self.arrays = self.arrays.saturating_add(1);
        loop {
            at = blank(bytes, self.value(bytes, at, node, depth, builder)?);
            match bytes.get(at)? {
                b',' => at = blank(bytes, after(at)),
                b']' => {
                    self.arrays = self.arrays.saturating_sub(1);
                    return Some(after(at));
                }
                _ => return None,
            }
        }
    }

    /// Keeps a value that is wanted; nothing where the record is not.
    #[inline]
    fn keep(
        &mut self,
        bytes: &[u8],
        node: u32,
        value: Range<usize>,
        is_escaped: bool,
        builder: &mut EventBuilder<'_>,
    ) -> Option<()> {
        let Some(node) = self.nodes.get_mut(node as usize) else { return Some(()) };
        if let Key::Unasked = node.key {
            let key = builder.key(Section::Record, &node.path);
            node.key = key.map_or(Key::Unwanted, |key| Key::Wanted(key, builder.windows_role(key)));
        }
        if let Key::Wanted(key, role) = node.key {
            self.found.push(Found { key, start: value.start, end: value.end, is_escaped });
            if role != Role::None
                && let Some(heads) = &mut self.heads
                && heads.sees(bytes, role, value, !is_escaped && self.arrays == 0)
            {
                return None;
            }
        }
        Some(())
    }
}

fn after(at: usize) -> usize {
    at.saturating_add(1)
}

/// Passes white space that does not end the line.
#[inline]
pub(super) fn blank(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r') = bytes.get(at) {
        at = after(at);
    }
    at
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then(|| at.saturating_add(word.len()))
}

fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at = after(at);
        }
        at
    };
    let some_digits = |at: usize| Some(digits(at)).filter(|end| *end > at);
    let at = if bytes.get(at) == Some(&b'-') { after(at) } else { at };
    let mut end = match bytes.get(at)? {
        b'0' => after(at),
        _ => some_digits(at)?,
    };
    if bytes.get(end) == Some(&b'.') {
        end = some_digits(after(end))?;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = after(end);
        end = some_digits(if let Some(b'+' | b'-') = bytes.get(sign) { after(sign) } else { sign })?;
    }
    Some(end)
}

/// Where a string ends that begins at a byte, and whether it has escapes.
#[inline]
fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let end = stop(bytes, at);
    match bytes.get(end)? {
        b'"' => Some((end, false)),
        b'\\' => escaped_end(bytes, end).map(|end| (end, true)),
        _ => None,
    }
}

fn escaped_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => match bytes.get(after(at))? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at = at.saturating_add(2),
                b'u' => {
                    let digits = bytes.get(at.saturating_add(2)..at.saturating_add(6))?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    at = at.saturating_add(6);
                }
                _ => return None,
            },
            _ => return None,
        }
        at = stop(bytes, at);
    }
}

/// The next quote, backslash or control character; the end where there is none.
#[inline]
fn stop(bytes: &[u8], mut at: usize) -> usize {
    while let Some(window) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let stops = stops(u128::from_le_bytes(*window));
        if stops != 0 {
            return at.saturating_add((stops.trailing_zeros() / 8) as usize);
        }
        at = at.saturating_add(16);
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            return at;
        }
        at = after(at);
    }
    at
}

/// The highest bit of each byte that is a quote, a backslash or a control character. Only the lowest one that is set is
/// sure to be right.
#[inline]
fn stops(window: u128) -> u128 {
    // Two words, because the carries of one would pass from byte to byte.
    let (low, high) = (window as u64, (window >> 64) as u64);
    (u128::from(stops_of_word(high)) << 64) | u128::from(stops_of_word(low))
}

#[inline]
fn stops_of_word(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let is = |byte: u64| is_zero(word ^ ONES.wrapping_mul(byte));
    let is_control = word.wrapping_sub(ONES.wrapping_mul(0x20)) & !word;
    (is(0x22) | is(0x5c) | is_control) & ONES.wrapping_mul(0x80)
}
