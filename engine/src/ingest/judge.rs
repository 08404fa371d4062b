//! What an event has to fulfil so that a search can want it, as far as its fields and its text tell.
//!
//! An event that cannot be wanted is counted and numbered like others, but takes no memory. What a search learns from
//! all events is noted of it all the same: which fields there are, whether their values are numbers, and the values of
//! `index`, `source`, `sourcetype` and `host`.

use std::collections::BTreeSet;

use super::wanted::{Condition, Wanted};
use crate::store::builder::{Kind, NameId};

/// The condition while the events of a block are looked at.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    condition: &'a Condition,
    /// The conditions on single fields, in the order in which they are met in the whole.
    parts: Vec<&'a Condition>,
    /// By field name: the parts that are about it.
    by_name: Vec<Vec<usize>>,
    met: Vec<bool>,
    /// By field name: what was noted of its values.
    noted: Vec<Noted>,
    /// The fields in the order in which they were met.
    order: Vec<NameId>,
    metadata: Vec<(NameId, Values)>,
    event: u64,
}

#[derive(Debug, Clone, Copy)]
struct Noted {
    kind: Option<Kind>,
    /// The event that had the field last.
    event: u64,
}

#[derive(Debug, Default)]
struct Values {
    last: String,
    all: BTreeSet<String>,
}

/// What is noted of events that were left out, and of others.
#[derive(Debug, Default)]
pub(crate) struct Glimpse {
    /// By field name that was met, what its values have in common.
    pub(crate) kinds: Vec<(NameId, Kind)>,
    /// The values of fields that say where events are from.
    pub(crate) metadata: Vec<(NameId, BTreeSet<String>)>,
}

impl<'a> Judge<'a> {
    /// `name` numbers a field; `metadata` are the selected fields whose values matter.
    pub(crate) fn new(
        wanted: &'a Wanted,
        metadata: impl Iterator<Item = NameId>,
        mut name: impl FnMut(&str) -> NameId,
    ) -> Self {
        let mut judge = Judge {
            condition: &wanted.condition,
            parts: Vec::new(),
            by_name: Vec::new(),
            met: Vec::new(),
            noted: Vec::new(),
            order: Vec::new(),
            metadata: metadata.map(|name| (name, Values::default())).collect(),
            event: 0,
        };
        judge.number(&wanted.condition, &mut name);
        judge.met = vec![false; judge.parts.len()];
        judge
    }

    fn number(&mut self, condition: &'a Condition, name: &mut impl FnMut(&str) -> NameId) {
        match condition {
            Condition::Untold | Condition::Header(..) | Condition::Made(..) => {}
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| self.number(part, name)),
            Condition::Field(..) | Condition::Present(_) | Condition::Word(..) => {
                let field = match condition {
                    Condition::Field(field, _) => name(field),
                    Condition::Present(field) => name(field),
                    _ => name("_raw"),
                };
                if self.by_name.len() <= field.position() {
                    self.by_name.resize(field.position().saturating_add(1), Vec::new());
                }
                if let Some(about) = self.by_name.get_mut(field.position()) {
                    about.push(self.parts.len());
                }
                self.parts.push(condition);
            }
        }
    }

    /// Begins an event.
    pub(crate) fn begin(&mut self) {
        self.met.fill(false);
        self.event = self.event.saturating_add(1);
    }

    /// A value of the event's.
    pub(crate) fn see(&mut self, name: NameId, value: &str) {
        for &part in self.by_name.get(name.position()).into_iter().flatten() {
            if let (Some(met @ false), Some(condition)) = (self.met.get_mut(part), self.parts.get(part)) {
                *met = match condition {
                    Condition::Field(_, patterns) => patterns.iter().any(|pattern| pattern.matches(value)),
                    Condition::Word(regex, _) => regex.is_match(value),
                    _ => true,
                };
            }
        }
        if self.noted.len() <= name.position() {
            self.noted.resize(name.position().saturating_add(1), Noted { kind: None, event: 0 });
        }
        if let Some(noted) = self.noted.get_mut(name.position()) {
            if noted.kind.is_none() {
                self.order.push(name);
            }
            let kind = noted.kind.get_or_insert(Kind::EMPTY);
            kind.note(value);
            kind.multi |= noted.event == self.event;
            noted.event = self.event;
        }
        if let Some((_, values)) = self.metadata.iter_mut().find(|(known, _)| *known == name)
            && (values.last != value || values.all.is_empty())
        {
            values.last.clear();
            values.last.push_str(value);
            if !values.all.contains(value) {
                values.all.insert(value.to_owned());
            }
        }
    }

    /// Whether the event can be wanted.
    pub(crate) fn keeps(&self) -> bool {
        let mut met = self.met.iter().copied();
        holds(self.condition, &mut met)
    }

    /// What was noted.
    pub(crate) fn finish(self) -> Glimpse {
        let kind = |name: &NameId| self.noted.get(name.position())?.kind;
        let kinds = self.order.iter().filter_map(|name| Some((*name, kind(name)?))).collect();
        let metadata = self.metadata.into_iter().map(|(name, values)| (name, values.all)).collect();
        Glimpse { kinds, metadata }
    }
}

/// Whether a condition holds, given the truth of its parts in order.
fn holds(condition: &Condition, met: &mut impl Iterator<Item = bool>) -> bool {
    match condition {
        Condition::Untold | Condition::Header(..) | Condition::Made(..) => true,
        // Without a short cut, because each part takes its truth.
        Condition::All(parts) => parts.iter().map(|part| holds(part, met)).filter(|holds| !holds).count() == 0,
        Condition::Any(parts) => parts.iter().map(|part| holds(part, met)).filter(|holds| *holds).count() > 0,
        Condition::Field(..) | Condition::Present(_) | Condition::Word(..) => met.next().unwrap_or(true),
    }
}
