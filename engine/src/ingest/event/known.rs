//! What an event says about itself.

use super::{EventBuilder, Value};
use crate::ingest::windows::Role;

/// What an event says about itself.
#[derive(Debug, Default)]
pub(super) struct Known<'t> {
    pub(super) event_id: Option<&'t str>,
    pub(super) channel: Option<&'t str>,
    pub(super) computer: Option<&'t str>,
    pub(super) host: Option<&'t str>,
    /// The value of its `host` field.
    pub(super) recorded_host: Option<&'t str>,
    pub(super) index: Option<&'t str>,
    pub(super) source: Option<&'t str>,
    pub(super) sourcetype: Option<&'t str>,
    pub(super) has_raw: bool,
}

impl EventBuilder<'_> {
    /// What the values of an event say about it.
    pub(super) fn known<'t>(&self, values: &[Value], text: &'t str, is_windows: bool) -> Known<'t> {
        let mut known = Known::default();
        let (mut host_rank, mut computer_rank) = (u8::MAX, u8::MAX);
        for value in values {
            let Some(key) = self.keys.get(value.key) else { continue };
            let role = key.slot(is_windows).role;
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
    pub(super) fn time_of(&self, values: &[Value], text: &str, is_windows: bool) -> Option<i64> {
        let mut best = u8::MAX;
        let mut found = None;
        for value in values {
            let Some(key) = self.keys.get(value.key) else { continue };
            let role = key.slot(is_windows).role;
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
