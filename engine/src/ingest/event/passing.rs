//! Events that are passed over, because no search wants them.

use super::{EventBuilder, KeyId};
use crate::ingest::select::Selection;
use crate::ingest::wanted::{Heading, Wanted};
use crate::ingest::windows::{Role, windows_source};
use crate::ingest::words::Words;

impl<'a> EventBuilder<'a> {
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
        self.keys.get(key).map_or(Role::None, |key| key.windows.role)
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
}
