//! What the first keys of a Windows event in JSON tell, so that the rest of a line that no search can want is not read.
//!
//! A line is passed over only where nothing in its rest can change what its head says, and of each kind of event one is
//! read in every block, so that its fields are known.

use std::ops::Range;
use std::sync::LazyLock;

use ahash::RandomState;
use hashbrown::HashTable;
use memchr::memmem;

use super::super::event::EventBuilder;
use super::super::wanted::{Heading, Wanted};
use super::super::windows::Role;
use super::looks_whole;
use super::needles::Needles;
use super::outline::Outline;

/// Texts of which none may be in a block: characters of keys by their numbers, events of another sensor that views show as
/// Windows' own, and indexes, because a search for one that no event names searches all.
static UNUSUAL: LazyLock<Needles> = LazyLock::new(|| Needles::new(&["\\u00", "event_simpleName", "\"index\""]));

/// A key of an export that abbreviates channels.
const ABBREVIATED: &str = "\"RuleTitle\"";

/// Keys that give an event its code, whatever form it has.
static CODES: LazyLock<Needles> = LazyLock::new(|| Needles::new(&["\"EventCode\"", "\"EventID\""]));

/// A kind of events.
#[derive(Debug)]
struct Kind {
    code: Box<[u8]>,
    /// None where it is not known.
    channel: Option<Box<[u8]>>,
    is_wanted: bool,
    /// Whether one was read that is not wanted.
    was_read: bool,
}

/// The heads of the lines of a block.
#[derive(Debug)]
pub(super) struct Heads<'w> {
    wanted: &'w Wanted,
    /// Whether the names of fields decide too.
    asks_for_fields: bool,
    hasher: RandomState,
    kinds: Vec<Kind>,
    /// Places in `kinds`.
    known: HashTable<usize>,
    /// The place of the kind of the line at hand, as far as its head tells.
    kind: Option<usize>,
    codes: &'static Needles,
    /// Whether the line at hand may still be passed over.
    is_open: bool,
    /// Whether it is not wanted.
    is_unwanted: bool,
    start: usize,
    /// Where its head ends that was looked at.
    end: usize,
    code: Option<Range<usize>>,
    channel: Option<Range<usize>>,
    host: Option<Range<usize>>,
}

impl<'w> Heads<'w> {
    /// Those of a block of lines, if they can tell anything.
    pub(super) fn of(text: &str, builder: &EventBuilder<'w>) -> Option<Self> {
        let wanted = builder.wanted_heads()?;
        let bytes = text.as_bytes();
        let has = |needle: &str| memmem::find(bytes, needle.as_bytes()).is_some();
        let is_unusual = UNUSUAL.are_in(bytes) || (wanted.asks_for_channels() && has(ABBREVIATED));
        // A text that has no outline has control characters.
        if is_unusual || Outline::of(bytes, &[]).is_none() {
            return None;
        }
        Some(Heads {
            wanted,
            asks_for_fields: wanted.asks_for_fields(),
            hasher: RandomState::new(),
            kinds: Vec::new(),
            known: HashTable::new(),
            kind: None,
            codes: &CODES,
            is_open: false,
            is_unwanted: false,
            start: 0,
            end: 0,
            code: None,
            channel: None,
            host: None,
        })
    }

    /// Begins a line.
    pub(super) fn begin(&mut self, start: usize) {
        (self.start, self.is_open, self.is_unwanted) = (start, true, false);
        (self.code, self.channel, self.host, self.kind) = (None, None, None, None);
    }

    /// Takes a line as one that has to be read.
    pub(super) fn close(&mut self) {
        (self.is_open, self.is_unwanted) = (false, false);
    }

    /// A value of the line; says whether the line need not be read on. `is_single` where it is neither escaped nor one of
    /// several.
    pub(super) fn sees(&mut self, bytes: &[u8], role: Role, value: Range<usize>, is_single: bool) -> bool {
        if !self.is_open || value.is_empty() {
            return false;
        }
        self.end = value.end;
        let known = match role {
            Role::EventId => &mut self.code,
            Role::Channel => &mut self.channel,
            Role::Computer(_) | Role::Host(_) => {
                self.host.get_or_insert(value);
                return false;
            }
            // It may be an event that was exported from a place that gave it these.
            Role::Index | Role::Source | Role::Sourcetype => {
                self.is_open = false;
                return false;
            }
            _ => return false,
        };
        if known.is_some() {
            return false;
        }
        *known = Some(value);
        self.is_open = is_single;
        self.is_unwanted = is_single && self.code.is_some() && !self.is_wanted(bytes);
        self.is_unwanted
    }

    /// Whether the line at hand can be wanted, as far as its head tells.
    fn is_wanted(&mut self, bytes: &[u8]) -> bool {
        let part = |range: Option<&Range<usize>>| bytes.get(range?.clone());
        let (Some(code), channel) = (part(self.code.as_ref()), part(self.channel.as_ref())) else { return true };
        let hash = self.hasher.hash_one((code, channel));
        let is_it = |kind: &Kind| *kind.code == *code && kind.channel.as_deref() == channel;
        let known = self.known.find(hash, |&at| self.kinds.get(at).is_some_and(is_it)).copied();
        self.kind = known;
        if let Some(kind) = known.and_then(|at| self.kinds.get(at)).filter(|_| !self.asks_for_fields) {
            return kind.is_wanted;
        }
        let is_wanted = self.fits(bytes);
        if known.is_none() {
            self.kind = Some(self.kinds.len());
            let (kinds, hasher) = (&self.kinds, &self.hasher);
            let hash_of = |kind: &Kind| hasher.hash_one((&*kind.code, kind.channel.as_deref()));
            self.known.insert_unique(hash, kinds.len(), |&at| kinds.get(at).map_or(0, hash_of));
            self.kinds.push(Kind { code: code.into(), channel: channel.map(Box::from), is_wanted, was_read: false });
        }
        is_wanted
    }

    fn fits(&self, bytes: &[u8]) -> bool {
        let Some(code) = text(bytes, self.code.as_ref()) else { return true };
        let channel = text(bytes, self.channel.as_ref());
        let has = |name: &str| memmem::find(self.line(bytes), name.as_bytes()).is_some();
        self.wanted.fits(Heading { code, channel, source: None, sourcetype: None, has: &has })
    }

    /// Whether the line at hand is not wanted, by what its head says.
    pub(super) fn is_unwanted(&self) -> bool {
        self.is_unwanted
    }

    /// Passes over the line at hand, which is not wanted, if that is allowed, and says where it ends.
    pub(super) fn pass_over(&mut self, bytes: &[u8], builder: &mut EventBuilder<'_>) -> Option<usize> {
        let line = self.line(bytes);
        let rest = line.get(self.end.checked_sub(self.start)?..)?;
        if !looks_whole(line) || self.codes.are_in(rest) {
            return None;
        }
        if builder.wants_hosts() {
            builder.note_host(text(bytes, self.host.as_ref())?);
        }
        let kind = self.kinds.get_mut(self.kind?)?;
        if !std::mem::replace(&mut kind.was_read, true) {
            return None;
        }
        builder.pass_over();
        self.start.checked_add(line.len())
    }

    fn line<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let rest = bytes.get(self.start..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }
}

fn text<'b>(bytes: &'b [u8], range: Option<&Range<usize>>) -> Option<&'b str> {
    std::str::from_utf8(bytes.get(range?.clone())?).ok()
}
