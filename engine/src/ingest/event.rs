//! One event being put together, whatever its format.
//!
//! A reader hands over keys and values as it meets them. Only when the event is complete is it known whether it
//! is a Windows event, and with that what its keys mean; then its values go into the columns of its shape.

use std::collections::BTreeSet;

use ahash::RandomState;
use hashbrown::HashTable;

use super::judge::Judge;
use super::select::Selection;
use super::time::Clock;
use super::wanted::{Heading, Wanted, Words};
use super::windows::{Meaning, Role, Section, line, plain_meaning, windows_meaning, windows_source};
use super::{Problem, ReadOptions};
use crate::store::builder::{Block, BlockBuilder, MAX_FIELDS, NO_TIME, NameId, Noted};

/// The file that events are from.
#[derive(Debug)]
pub(crate) struct FileContext {
    /// Its place in the reading order.
    pub(crate) ordinal: u32,
    /// Its path as reached from the input.
    pub(crate) path: String,
    /// The index that the user gave its events.
    pub(crate) index: Option<String>,
    pub(crate) clock: Clock,
}

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) options: &'a ReadOptions,
    pub(crate) selection: Selection,
}

/// What a block of input gave.
#[derive(Debug, Default)]
pub(crate) struct BlockResult {
    pub(crate) block: Block,
    pub(crate) events: u64,
    pub(crate) skipped: u64,
    /// The first [`Problem::KEPT`] places that were skipped, and why.
    pub(crate) problems: Vec<(Place, String)>,
    /// How many lines the block has, where these are numbered from its beginning on.
    pub(crate) lines: Option<u64>,
    /// Fields of the events that were not selected.
    pub(crate) unread: BTreeSet<String>,
    /// How many of the events were passed over.
    pub(crate) passed_over: u64,
    /// Hosts of those.
    pub(crate) hosts: BTreeSet<String>,
}

impl BlockResult {
    /// Counts a place that was skipped.
    pub(crate) fn skip(&mut self, place: impl Into<Place>, reason: impl Into<String>) {
        self.skipped = self.skipped.saturating_add(1);
        if self.problems.len() < Problem::KEPT {
            self.problems.push((place.into(), reason.into()));
        }
    }
}

/// A place in a file.
#[derive(Debug)]
pub(crate) enum Place {
    Named(String),
    /// The number of a line, from 1.
    Line(u64),
}

impl From<String> for Place {
    fn from(name: String) -> Self {
        Place::Named(name)
    }
}

impl Place {
    /// As people read it; lines were counted before.
    pub(crate) fn told(self, before: u64) -> String {
        match self {
            Place::Named(name) => name,
            Place::Line(number) => format!("line {}", before.saturating_add(number)),
        }
    }
}

/// What an event is unless it says otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults<'a> {
    pub(crate) sourcetype: &'a str,
    /// Its text.
    pub(crate) raw: &'a str,
    /// Its time, where none of its fields holds one.
    pub(crate) time: Option<i64>,
}

/// The number of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyId(u32);

#[derive(Debug)]
struct Slot {
    names: Vec<NameId>,
    role: Role,
    is_data: bool,
}

#[derive(Debug)]
struct Key {
    section: Section,
    text: Box<str>,
    windows: Slot,
    plain: Slot,
    is_needed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Value {
    key: u32,
    start: usize,
    end: usize,
}

/// The fields that every event has, where they are selected.
#[derive(Debug)]
struct CommonNames {
    raw: Option<NameId>,
    file: Option<NameId>,
    host: Option<NameId>,
    orig_host: Option<NameId>,
    index: Option<NameId>,
    source: Option<NameId>,
    sourcetype: Option<NameId>,
    event_code: Option<NameId>,
    event_id: Option<NameId>,
    channel: Option<NameId>,
    computer: Option<NameId>,
}

/// Puts the events of one block together.
#[derive(Debug)]
pub(crate) struct EventBuilder<'a> {
    shared: &'a Shared<'a>,
    file: &'a FileContext,
    block: BlockBuilder,
    names: CommonNames,
    hasher: RandomState,
    keys: Vec<Key>,
    key_table: HashTable<u32>,
    text: String,
    values: Vec<Value>,
    /// By name: the event, counted from 1, whose own data has the field.
    own_data: Vec<u64>,
    /// By name: the event and the key that gave it the field last. Two keys can mean the same.
    given_by: Vec<(u64, u32)>,
    /// A path being put together.
    path: String,
    /// Whether the events are lines of plain text.
    plain: bool,
    /// Says which events are wanted, if not all are.
    judge: Option<Judge<'a>>,
    left_out: usize,
    pub(crate) result: BlockResult,
}

impl<'a> EventBuilder<'a> {
    pub(crate) fn new(shared: &'a Shared<'a>, file: &'a FileContext) -> Self {
        let mut block = BlockBuilder::new();
        let mut name = |name: &str| shared.selection.wants(name).then(|| block.name(name));
        let names = CommonNames {
            raw: name("_raw"),
            file: name("_file"),
            host: name("host"),
            orig_host: name("orig_host"),
            index: name("index"),
            source: name("source"),
            sourcetype: name("sourcetype"),
            event_code: name("EventCode"),
            event_id: name("EventID"),
            channel: name("Channel"),
            computer: name("Computer"),
        };
        let wanted = shared.options.wanted.as_deref().filter(|wanted| wanted.tells_of_events());
        let judge = wanted.filter(|wanted| wanted.is_read(&shared.selection)).map(|wanted| {
            let metadata = [names.host, names.index, names.source, names.sourcetype];
            Judge::new(wanted, metadata.into_iter().flatten(), |name| block.name(name))
        });
        EventBuilder {
            shared,
            file,
            block,
            names,
            hasher: RandomState::new(),
            keys: Vec::new(),
            key_table: HashTable::new(),
            text: String::new(),
            values: Vec::new(),
            own_data: Vec::new(),
            given_by: Vec::new(),
            path: String::new(),
            plain: false,
            judge,
            left_out: 0,
            result: BlockResult::default(),
        }
    }

    /// Words without which a text is no wanted event, where searching for them is enough to leave it out.
    pub(crate) fn words(&self) -> Option<&'a Words> {
        let is_judged = self.judge.is_some() && !self.shared.options.strict;
        self.shared.options.wanted.as_deref().filter(|_| is_judged)?.words(&self.shared.selection)
    }

    /// Counts an event that is not wanted and of which nothing is to be noted but its text.
    pub(crate) fn pass_over_text(&mut self) {
        self.pass_over();
        if self.left_out == 0
            && let Some(judge) = &mut self.judge
        {
            judge.begin();
            self.names.raw.into_iter().chain(self.names.file).for_each(|name| judge.see(name, ""));
        }
        self.left_out = self.left_out.saturating_add(1);
    }

    /// Whether the event's text is kept.
    pub(crate) fn wants_raw(&self) -> bool {
        self.names.raw.is_some()
    }

    /// Which events are wanted, as far as their headers tell.
    pub(crate) fn wanted(&self) -> Option<&'a Wanted> {
        let wanted = self.shared.options.wanted.as_deref();
        wanted.filter(|wanted| wanted.is_bounded() || wanted.tells_of_headers())
    }

    /// Whether a Windows event of that code and channel can be wanted; `has` says which fields there are in its data.
    pub(crate) fn fits(&self, wanted: &Wanted, code: &str, channel: &str, has: &dyn Fn(&str) -> bool) -> bool {
        let own = windows_source(Some(channel));
        let source = Some(self.shared.options.source.as_deref().unwrap_or(&own));
        let sourcetype = Some(self.shared.options.sourcetype.as_deref().unwrap_or(&own));
        wanted.fits(Heading { code, channel: Some(channel), source, sourcetype, has })
    }

    /// What the head of a record has to tell so that the record can be passed over, where that is allowed.
    pub(crate) fn wanted_heads(&self) -> Option<&'a Wanted> {
        // Which fields there are shows in the result where not each of them is named.
        let are_named = matches!(&self.shared.selection, Selection::Only { patterns, .. } if patterns.is_empty());
        let is_allowed = are_named && !self.shared.options.strict;
        self.wanted().filter(|wanted| is_allowed && wanted.tells_of_headers())
    }

    /// What a key means if its record is a Windows event.
    pub(crate) fn windows_role(&self, key: KeyId) -> Role {
        self.keys.get(key.0 as usize).map_or(Role::None, |key| key.windows.role)
    }

    /// Counts an event that is not wanted.
    pub(crate) fn pass_over(&mut self) {
        self.result.events = self.result.events.saturating_add(1);
        self.result.passed_over = self.result.passed_over.saturating_add(1);
    }

    /// Whether the hosts of events that are passed over matter, because searches can ask for them.
    pub(crate) fn wants_hosts(&self) -> bool {
        self.names.host.is_some() && self.shared.options.host.is_none()
    }

    /// Takes note of the host of an event that is passed over.
    pub(crate) fn note_host(&mut self, host: &str) {
        if !host.is_empty() && !self.result.hosts.contains(host) {
            self.result.hosts.insert(host.to_owned());
        }
    }

    /// Whether fields that only a look into the text finds are kept.
    pub(crate) fn wants_fields(&self) -> bool {
        match &self.shared.selection {
            Selection::AllButRaw | Selection::All => true,
            Selection::Only { names, patterns } => !patterns.is_empty() || names.iter().any(|name| !is_common(name)),
        }
    }

    /// The text of a plain line is all that it says, so it is no copy to be left out.
    pub(crate) fn keep_text(&mut self) {
        self.plain = true;
        if matches!(self.shared.selection, Selection::AllButRaw) && self.names.raw.is_none() {
            self.names.raw = Some(self.block.name("_raw"));
        }
    }

    /// What the events of the block became.
    pub(crate) fn finish(mut self) -> BlockResult {
        let noted = match self.judge {
            Some(judge) => self.block.noted(judge.finish(), self.left_out),
            None => Noted::default(),
        };
        self.result.block = Block { plain: self.plain, noted, ..self.block.finish() };
        if self.result.block.overflown > 0 {
            let reason = format!(
                "{} values were not kept: too long, or of more than {MAX_FIELDS} fields",
                self.result.block.overflown
            );
            self.result.skip(String::new(), reason);
        }
        self.result
    }

    /// The path of the file.
    pub(crate) fn file_path(&self) -> &'a str {
        &self.file.path
    }

    /// The file's clock.
    pub(crate) fn clock(&self) -> &'a Clock {
        &self.file.clock
    }

    /// Forgets what was added since the last event, because it turned out to be broken.
    pub(crate) fn discard(&mut self) {
        self.text.clear();
        self.values.clear();
    }

    /// The number of a key if its values matter, so that those of others need not even be decoded.
    pub(crate) fn key(&mut self, section: Section, text: &str) -> Option<KeyId> {
        let hash = self.hasher.hash_one((section, text));
        let keys = &self.keys;
        let found = self
            .key_table
            .find(hash, |&at| keys.get(at as usize).is_some_and(|key| key.section == section && *key.text == *text));
        let at = match found {
            Some(&at) => at,
            None => self.new_key(section, text, hash)?,
        };
        self.keys.get(at as usize)?.is_needed.then_some(KeyId(at))
    }

    fn new_key(&mut self, section: Section, text: &str, hash: u64) -> Option<u32> {
        let at = u32::try_from(self.keys.len()).ok()?;
        let windows = self.slot(windows_meaning(section, text));
        let plain = self.slot(if section == Section::Line { line(text) } else { plain_meaning(text) });
        let is_needed = [&windows, &plain]
            .iter()
            .any(|slot| !slot.names.is_empty() || !matches!(slot.role, Role::None | Role::Reserved));
        self.keys.push(Key { section, text: text.into(), windows, plain, is_needed });
        let (keys, hasher) = (&self.keys, &self.hasher);
        self.key_table.insert_unique(hash, at, |&at| {
            keys.get(at as usize).map_or(0, |key| hasher.hash_one((key.section, &*key.text)))
        });
        Some(at)
    }

    fn slot(&mut self, meaning: Meaning) -> Slot {
        let mut names = Vec::new();
        for name in &meaning.fields {
            if self.shared.selection.wants(name) {
                names.push(self.block.name(name));
            } else if self.result.unread.len() < MAX_FIELDS {
                self.result.unread.insert(name.to_string());
            }
        }
        Slot { names, role: meaning.role, is_data: meaning.is_data }
    }

    /// Adds a value of the event.
    pub(crate) fn add(&mut self, key: KeyId, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        self.values.push(Value { key: key.0, start, end: self.text.len() });
    }

    /// Adds a value of the event that is written right where it is kept; says whether that worked.
    pub(crate) fn add_made(&mut self, key: KeyId, make: impl FnOnce(&mut String) -> bool) -> bool {
        let start = self.text.len();
        let is_made = make(&mut self.text);
        if is_made {
            self.values.push(Value { key: key.0, start, end: self.text.len() });
        } else {
            self.text.truncate(start);
        }
        is_made
    }

    /// Adds a value of the event if its key matters.
    pub(crate) fn add_named(&mut self, section: Section, key: &str, value: &str) {
        if let Some(key) = self.key(section, key) {
            self.add(key, value);
        }
    }

    /// Adds the value of an attribute if it matters.
    pub(crate) fn add_attribute(&mut self, section: Section, element: &str, attribute: &str, value: &str) {
        let mut path = std::mem::take(&mut self.path);
        path.clear();
        path.push_str(element);
        path.push('.');
        path.push_str(attribute);
        self.add_named(section, &path, value);
        self.path = path;
    }

    /// Ends an event whose form is open: it is a Windows event if it names a channel and an event id.
    pub(crate) fn end_record(&mut self, defaults: &Defaults<'_>) {
        let has = |role: Role| {
            self.values.iter().any(|value| {
                value.start < value.end && self.keys.get(value.key as usize).is_some_and(|key| key.windows.role == role)
            })
        };
        let is_windows = has(Role::EventId) && has(Role::Channel);
        self.end(defaults, is_windows);
    }

    /// Ends an event that has no fields but its text.
    pub(crate) fn end_plain(&mut self, defaults: &Defaults<'_>) {
        self.end(defaults, false);
    }

    /// Ends a Windows event.
    pub(crate) fn end_windows(&mut self, defaults: &Defaults<'_>) {
        self.end(defaults, true);
    }

    fn end(&mut self, defaults: &Defaults<'_>, is_windows: bool) {
        let values = std::mem::take(&mut self.values);
        let text = std::mem::take(&mut self.text);
        self.put_event(&values, &text, defaults, is_windows);
        self.values = values;
        self.text = text;
        self.discard();
    }

    fn put_event(&mut self, values: &[Value], text: &str, defaults: &Defaults<'_>, is_windows: bool) {
        let event = self.result.events.saturating_add(1);
        self.result.events = event;
        let known = self.known(values, text, is_windows);
        let options = self.shared.options;

        let computer = known.computer.or(if is_windows { known.host } else { None });
        // An export of Splunk says which host Splunk took the event for.
        let own_host =
            if is_windows && known.sourcetype.is_none() { computer.or(known.host) } else { known.host.or(computer) };
        let host = options.host.as_deref().or(own_host);
        let channel_source = if is_windows { windows_source(known.channel) } else { String::new() };
        let index =
            self.file.index.as_deref().or(known.index).unwrap_or(if is_windows { "wineventlog" } else { "main" });
        let default_source = if is_windows { channel_source.as_str() } else { self.file.path.as_str() };
        let default_sourcetype = if is_windows { channel_source.as_str() } else { defaults.sourcetype };
        let source = options.source.as_deref().or(known.source).unwrap_or(default_source);
        let sourcetype = options.sourcetype.as_deref().or(known.sourcetype).unwrap_or(default_sourcetype);
        let code = if is_windows { known.event_id.unwrap_or_default() } else { sourcetype };

        let own_raw = if known.has_raw { None } else { Some(defaults.raw) };
        let (code_of, channel_of) = if is_windows { (known.event_id, known.channel) } else { (None, None) };
        let computer = if is_windows { computer } else { None };
        let common = [
            (self.names.host, host),
            (self.names.orig_host, known.recorded_host.filter(|recorded| Some(*recorded) != host)),
            (self.names.index, Some(index)),
            (self.names.source, Some(source)),
            (self.names.sourcetype, Some(sourcetype)),
            (self.names.file, Some(self.file.path.as_str())),
            (self.names.raw, own_raw),
            (self.names.event_code, code_of),
            (self.names.event_id, code_of),
            (self.names.channel, channel_of),
            (self.names.computer, computer),
        ];
        let common = common.into_iter().filter_map(|(name, value)| Some((name?, value?)));
        if is_windows {
            self.mark_own_data(values, text, event);
        }
        if let Some(mut judge) = self.judge.take() {
            judge.begin();
            common.clone().for_each(|(name, value)| judge.see(name, value));
            self.for_each_field(values, text, is_windows, |_, name, value| judge.see(name, value));
            let is_kept = judge.keeps();
            self.judge = Some(judge);
            if !is_kept {
                self.left_out = self.left_out.saturating_add(1);
                return;
            }
        }
        let time = self.time_of(values, text, is_windows).or(defaults.time).unwrap_or(NO_TIME);
        let ordinal = i64::try_from(event.saturating_sub(1)).unwrap_or(i64::MAX);
        self.block.begin(source, code, time, ordinal);
        common.for_each(|(name, value)| self.block.put(name, value));
        self.for_each_field(values, text, is_windows, BlockBuilder::put);
    }

    /// The fields that the values of an event become.
    fn for_each_field(
        &mut self,
        values: &[Value],
        text: &str,
        is_windows: bool,
        mut put: impl FnMut(&mut BlockBuilder, NameId, &str),
    ) {
        let event = self.result.events;
        for value in values {
            let Some(key) = self.keys.get(value.key as usize) else { continue };
            let Some(text) = text.get(value.start..value.end) else { continue };
            let slot = if is_windows { &key.windows } else { &key.plain };
            if is_windows && text.is_empty() {
                continue;
            }
            for &name in &slot.names {
                if is_windows && !slot.is_data {
                    let is_own = self.own_data.get(name.position()).is_some_and(|&marked| marked == event);
                    let Some(given) = self.given_by.get_mut(name.position()) else { continue };
                    if is_own || (given.0 == event && given.1 != value.key) {
                        continue;
                    }
                    *given = (event, value.key);
                }
                put(&mut self.block, name, text);
            }
        }
    }

    fn mark_own_data(&mut self, values: &[Value], text: &str, event: u64) {
        self.own_data.resize(self.block.name_count(), 0);
        self.given_by.resize(self.block.name_count(), (0, 0));
        for value in values {
            let Some(key) = self.keys.get(value.key as usize).filter(|key| key.windows.is_data) else { continue };
            if text.get(value.start..value.end).is_none_or(str::is_empty) {
                continue;
            }
            for name in &key.windows.names {
                if let Some(mark) = self.own_data.get_mut(name.position()) {
                    *mark = event;
                }
            }
        }
    }

    fn known<'t>(&self, values: &[Value], text: &'t str, is_windows: bool) -> Known<'t> {
        let mut known = Known::default();
        let (mut host_rank, mut computer_rank) = (u8::MAX, u8::MAX);
        for value in values {
            let Some(key) = self.keys.get(value.key as usize) else { continue };
            let role = if is_windows { key.windows.role } else { key.plain.role };
            if role == Role::None {
                continue;
            }
            let Some(value) = text.get(value.start..value.end).filter(|value| !value.is_empty()) else { continue };
            match role {
                Role::EventId => known.event_id = known.event_id.or(Some(value)),
                Role::Channel => known.channel = known.channel.or(Some(value)),
                Role::Computer(rank) if rank < computer_rank => {
                    computer_rank = rank;
                    known.computer = Some(value);
                }
                Role::Host(rank) => {
                    if rank == 0 {
                        known.recorded_host = known.recorded_host.or(Some(value));
                    }
                    if rank < host_rank {
                        host_rank = rank;
                        known.host = Some(value);
                    }
                }
                Role::Index => known.index = known.index.or(Some(value)),
                Role::Source => known.source = known.source.or(Some(value)),
                Role::Sourcetype => known.sourcetype = known.sourcetype.or(Some(value)),
                Role::Raw => known.has_raw = true,
                Role::None | Role::Reserved | Role::Computer(_) | Role::Time { .. } => {}
            }
        }
        known
    }

    /// The time that an event's fields tell.
    fn time_of(&self, values: &[Value], text: &str, is_windows: bool) -> Option<i64> {
        let mut best = u8::MAX;
        let mut found = None;
        for value in values {
            let Some(key) = self.keys.get(value.key as usize) else { continue };
            let role = if is_windows { key.windows.role } else { key.plain.role };
            if let Role::Time { rank, utc } = role
                && rank < best
                && let Some(value) = text.get(value.start..value.end).filter(|value| !value.is_empty())
                && let Some(time) = self.time(value, utc)
            {
                best = rank;
                found = Some(time);
            }
        }
        found
    }

    fn time(&self, value: &str, utc: bool) -> Option<i64> {
        if utc { self.file.clock.in_utc().parse(value) } else { self.file.clock.parse(value) }
    }
}

/// Whether every event has the field whatever its text says.
fn is_common(name: &str) -> bool {
    matches!(name, "_raw" | "_time" | "_serial" | "_file" | "host" | "index" | "source" | "sourcetype")
}

/// What an event says about itself.
#[derive(Debug, Default)]
struct Known<'t> {
    event_id: Option<&'t str>,
    channel: Option<&'t str>,
    computer: Option<&'t str>,
    host: Option<&'t str>,
    /// The value of its `host` field.
    recorded_host: Option<&'t str>,
    index: Option<&'t str>,
    source: Option<&'t str>,
    sourcetype: Option<&'t str>,
    has_raw: bool,
}
