//! The keys of a block of events.

use ahash::RandomState;
use hashbrown::HashTable;

use crate::ingest::windows::{Role, Section};
use crate::store::builder::NameId;

/// The number of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeyId(u32);

/// What the values of a key become.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) names: Vec<NameId>,
    pub(super) role: Role,
    pub(super) is_data: bool,
}

/// A key and what it means, if its event is a Windows event and if it is not.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) windows: Slot,
    pub(super) plain: Slot,
    section: Section,
    text: Box<str>,
}

impl Key {
    pub(super) fn new(section: Section, text: &str, windows: Slot, plain: Slot) -> Self {
        Self { windows, plain, section, text: text.into() }
    }

    /// What it means.
    pub(super) fn slot(&self, is_windows: bool) -> &Slot {
        if is_windows { &self.windows } else { &self.plain }
    }

    /// Whether its values matter.
    fn is_needed(&self) -> bool {
        let is_needed = |slot: &Slot| !slot.names.is_empty() || !matches!(slot.role, Role::None | Role::Reserved);
        is_needed(&self.windows) || is_needed(&self.plain)
    }
}

/// All keys so far.
#[derive(Debug, Default)]
pub(super) struct Keys {
    hasher: RandomState,
    keys: Vec<Key>,
    /// Where in the keys each is, and whether its values matter.
    table: HashTable<(u32, bool)>,
}

impl Keys {
    /// The key of that text: its number if its values matter; nothing if it is new.
    pub(super) fn find(&self, section: Section, text: &str) -> Option<Option<KeyId>> {
        let is_it = |&(at, _): &(u32, bool)| {
            self.keys.get(at as usize).is_some_and(|key| key.section == section && *key.text == *text)
        };
        let &(at, is_needed) = self.table.find(self.hasher.hash_one((section, text)), is_it)?;
        Some(is_needed.then_some(KeyId(at)))
    }

    /// Takes in a new key; its number if its values matter.
    pub(super) fn add(&mut self, key: Key) -> Option<KeyId> {
        let at = u32::try_from(self.keys.len()).ok()?;
        let is_needed = key.is_needed();
        let hash = |key: &Key| self.hasher.hash_one((key.section, &*key.text));
        let new = hash(&key);
        self.keys.push(key);
        let keys = &self.keys;
        self.table.insert_unique(new, (at, is_needed), |&(at, _)| keys.get(at as usize).map_or(0, hash));
        is_needed.then_some(KeyId(at))
    }

    /// The key with that number.
    pub(super) fn get(&self, key: KeyId) -> Option<&Key> {
        self.keys.get(key.0 as usize)
    }
}
