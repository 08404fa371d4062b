//! What a block of input gave.

use std::collections::BTreeSet;

use crate::ingest::Problem;
use crate::store::builder::Block;

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
