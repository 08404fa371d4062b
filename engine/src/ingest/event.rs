//! One event being put together, whatever its format.
//!
//! A reader hands over keys and values as it meets them. Only when the event is complete is it known whether it
//! is a Windows event, and with that what its keys mean; then its values go into the columns of its shape.

mod keys;
mod known;
mod passing;
mod result;

use self::keys::{Key, Keys, Slot};
use super::ReadOptions;
use super::judge::Judge;
use super::select::Selection;
use super::time::Clock;
use super::windows::{Meaning, Role, Section, line, plain_meaning, windows_meaning, windows_source};
use crate::store::builder::{Block, BlockBuilder, MAX_FIELDS, NO_TIME, NameId, Noted};

pub(crate) use self::keys::KeyId;
pub(crate) use self::result::{BlockResult, Place};

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

/// What an event is unless it says otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults<'a> {
    pub(crate) sourcetype: &'a str,
    /// Its text.
    pub(crate) raw: &'a str,
    /// Its time, where none of its fields holds one.
    pub(crate) time: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Value {
    key: KeyId,
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
    keys: Keys,
    text: String,
    values: Vec<Value>,
    /// By name: the event, counted from 1, whose own data has the field.
    own_data: Vec<u64>,
    /// By name: the event and the key that gave it the field last. Two keys can mean the same.
    given_by: Vec<(u64, KeyId)>,
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
            keys: Keys::default(),
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

    /// Whether the event's text is kept.
    pub(crate) fn wants_raw(&self) -> bool {
        self.names.raw.is_some()
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
        match self.keys.find(section, text) {
            Some(found) => found,
            None => {
                let windows = self.slot(windows_meaning(section, text));
                let plain = self.slot(if section == Section::Line { line(text) } else { plain_meaning(text) });
                self.keys.add(Key::new(section, text, windows, plain))
            }
        }
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
        self.values.push(Value { key, start, end: self.text.len() });
    }

    /// Adds a value of the event that is written right where it is kept; says whether that worked.
    pub(crate) fn add_made(&mut self, key: KeyId, make: impl FnOnce(&mut String) -> bool) -> bool {
        let start = self.text.len();
        let is_made = make(&mut self.text);
        if is_made {
            self.values.push(Value { key, start, end: self.text.len() });
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
                value.start < value.end && self.keys.get(value.key).is_some_and(|key| key.windows.role == role)
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
            let Some(key) = self.keys.get(value.key) else { continue };
            let Some(text) = text.get(value.start..value.end) else { continue };
            let slot = key.slot(is_windows);
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
        self.given_by.resize(self.block.name_count(), (0, KeyId::default()));
        for value in values {
            let Some(key) = self.keys.get(value.key).filter(|key| key.windows.is_data) else { continue };
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
}

/// Whether every event has the field whatever its text says.
fn is_common(name: &str) -> bool {
    matches!(name, "_raw" | "_time" | "_serial" | "_file" | "host" | "index" | "source" | "sourcetype")
}
