//! The open transactions: which one an event belongs to, and when one is finished.
//!
//! Events come from the newest to the oldest, so the last event of a transaction opens it and its first one closes
//! it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::rows::Place;
use super::{Manner, Specification};

/// The values of the fields on which events agree; `None` where there is none.
pub type Key = Vec<Option<Arc<str>>>;

/// An event, as far as transactions are told apart by it.
#[derive(Debug)]
pub struct Event {
    /// Its position among all events.
    pub number: u64,
    /// Where its row is.
    pub place: Place,
    /// In microseconds.
    pub time: i64,
    /// The values of the fields.
    pub key: Key,
    /// Whether it is the first of a transaction.
    pub starts: bool,
    /// Whether it is the last of a transaction.
    pub ends: bool,
}

/// Events that belong together.
#[derive(Debug)]
pub struct Transaction {
    /// The position of the event that opened it.
    pub number: u64,
    /// Its events, the newest first.
    pub events: Vec<Place>,
    /// The time of its newest event.
    pub latest: i64,
    /// The time of its oldest event.
    pub earliest: i64,
    /// How often events agreed with it on a field.
    pub matches: u64,
    key: Key,
    used: u64,
    started: bool,
    ended: bool,
}

/// What becomes of an event or a transaction.
#[derive(Debug)]
pub enum Outcome {
    /// A row of the result, and whether the transaction was closed.
    Finished(Transaction, bool),
    /// Events that belong to no transaction, with their positions.
    Orphans(Vec<(u64, Place)>),
    /// Nothing.
    Dropped(Vec<Place>),
}

/// The open transactions.
pub struct Pool {
    specification: Arc<Specification>,
    /// By the position of the event that opened them.
    open: BTreeMap<u64, Transaction>,
    /// The position of the last event, and that of the first: the one that waits longest is first.
    waiting: BTreeSet<(u64, u64)>,
    exact: HashMap<Key, u64>,
    /// Who has a value in a field: those that have all fields, and those that lack one.
    whole: BTreeSet<(usize, Arc<str>, u64)>,
    partial: BTreeSet<(usize, Arc<str>, u64)>,
    /// How many events open transactions have.
    events: usize,
    outcomes: VecDeque<Outcome>,
}

/// How well a key fits a transaction: `None` where they differ, else in how many fields they agree.
fn fit(transaction: &[Option<Arc<str>>], event: &[Option<Arc<str>>]) -> Option<usize> {
    let mut agreed: usize = 0;
    for pair in transaction.iter().zip(event) {
        if let (Some(value), Some(other)) = pair {
            if value != other {
                return None;
            }
            agreed = agreed.saturating_add(1);
        }
    }
    Some(agreed)
}

impl Pool {
    pub fn new(specification: Arc<Specification>) -> Self {
        Self {
            specification,
            open: BTreeMap::new(),
            waiting: BTreeSet::new(),
            exact: HashMap::new(),
            whole: BTreeSet::new(),
            partial: BTreeSet::new(),
            events: 0,
            outcomes: VecDeque::new(),
        }
    }

    /// What has become of events since the last call.
    pub fn outcomes(&mut self) -> impl Iterator<Item = Outcome> + use<'_> {
        self.outcomes.drain(..)
    }

    /// How many transactions are open, and how many events they have.
    pub fn size(&self) -> (usize, usize) {
        (self.open.len(), self.events)
    }

    /// The rows of open transactions.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<'_> {
        self.open.values().flat_map(|transaction| transaction.events.iter().copied())
    }

    /// The rows of open transactions, to be moved.
    pub fn places_mut(&mut self) -> impl Iterator<Item = &mut Place> {
        self.open.values_mut().flat_map(|transaction| transaction.events.iter_mut())
    }

    /// An event that belongs to no transaction whatever follows.
    pub fn orphan(&mut self, number: u64, place: Place) {
        self.outcomes.push_back(match self.specification.manner.keep_orphans {
            true => Outcome::Orphans(vec![(number, place)]),
            false => Outcome::Dropped(vec![place]),
        });
    }

    /// The next event.
    pub fn add(&mut self, event: Event) {
        let Manner { connected, unify_ends, .. } = self.specification.manner;
        let (starts, number, place) = (event.starts, event.number, event.place);
        self.expire(event.time);
        let found = self.find(&event.key);
        let keyless = !event.key.is_empty() && event.key.iter().all(Option::is_none);
        let free = (starts || event.ends) && !unify_ends;
        if keyless && !free {
            return self.orphan(number, place);
        }
        let joined = if event.ends {
            // What came after it belongs to no later event.
            if let Some(found) = found {
                self.finish(found, false);
            }
            self.open(event)
        } else {
            let loose = || if (starts && !unify_ends) || !connected { self.loose(&event.key) } else { None };
            match found.or_else(loose) {
                Some(transaction) => {
                    self.join(transaction, event);
                    transaction
                }
                None => self.open(event),
            }
        };
        let full = |transaction: &Transaction| {
            self.specification.limits.events.is_some_and(|most| transaction.events.len() >= most)
        };
        if starts {
            if let Some(transaction) = self.open.get_mut(&joined) {
                transaction.started = true;
            }
            self.finish(joined, true);
        } else if self.open.get(&joined).is_some_and(full) {
            self.finish(joined, true);
        }
        self.make_room();
    }

    /// There are no more events.
    pub fn end(&mut self) {
        while let Some((number, _)) = self.open.first_key_value() {
            self.finish(*number, false);
        }
    }

    /// Finishes what no event of that time or before can belong to.
    fn expire(&mut self, time: i64) {
        if let Some(span) = self.specification.limits.span {
            // Who opened first has the newest event.
            while let Some((number, transaction)) = self.open.first_key_value()
                && transaction.latest.saturating_sub(time) >= span
            {
                self.finish(*number, true);
            }
        }
        if let Some(pause) = self.specification.limits.pause {
            while let Some((_, number)) = self.waiting.first().copied()
                && self.open.get(&number).is_some_and(|open| open.earliest.saturating_sub(time) > pause)
            {
                self.finish(number, true);
            }
        }
    }

    /// The transaction that agrees with an event on the most fields; of several the one that waited least.
    fn find(&self, key: &Key) -> Option<u64> {
        if key.is_empty() {
            return self.waiting.last().map(|(_, number)| *number);
        }
        if let Some(number) = self.exact.get(key).filter(|_| key.iter().any(Option::is_some)) {
            return Some(*number);
        }
        // With all fields, a transaction that has them all too differs in one.
        let all = key.iter().all(Option::is_some);
        let indices: &[_] = if all { &[&self.partial] } else { &[&self.partial, &self.whole] };
        let mut best: Option<(usize, u64, u64)> = None;
        for index in indices.iter().filter(|index| !index.is_empty()) {
            for (field, value) in key.iter().enumerate() {
                let Some(value) = value else { continue };
                let range = (field, Arc::clone(value), 0)..=(field, Arc::clone(value), u64::MAX);
                for (_, _, number) in index.range(range) {
                    let Some(transaction) = self.open.get(number) else { continue };
                    if let Some(agreed) = fit(&transaction.key, key) {
                        best = best.max(Some((agreed, transaction.used, *number)));
                    }
                }
            }
        }
        best.map(|(_, _, number)| number)
    }

    /// The transaction that waited least of those that differ in no field.
    fn loose(&self, key: &Key) -> Option<u64> {
        let fits = |number: &u64| self.open.get(number).is_some_and(|open| fit(&open.key, key).is_some());
        self.waiting.iter().rev().map(|(_, number)| *number).find(fits)
    }

    fn open(&mut self, event: Event) -> u64 {
        let Event { number, place, time, key, starts: _, ends } = event;
        let matches = key.iter().flatten().count() as u64;
        let transaction = Transaction {
            number,
            events: vec![place],
            latest: time,
            earliest: time,
            matches,
            key,
            used: number,
            started: false,
            ended: ends,
        };
        self.events = self.events.saturating_add(1);
        self.waiting.insert((number, number));
        self.list(&transaction.key, number);
        self.open.insert(number, transaction);
        number
    }

    fn join(&mut self, number: u64, event: Event) {
        let Some(mut transaction) = self.open.remove(&number) else { return };
        let Event { number: used, place, time, key, starts: _, ends: _ } = event;
        self.waiting.remove(&(transaction.used, number));
        self.waiting.insert((used, number));
        transaction.used = used;
        transaction.earliest = time;
        transaction.events.push(place);
        transaction.matches = transaction.matches.saturating_add(key.iter().flatten().count() as u64);
        self.events = self.events.saturating_add(1);
        let grows = transaction.key.iter().zip(&key).any(|(known, new)| known.is_none() && new.is_some());
        if grows {
            self.unlist(&transaction.key, number);
            for (known, new) in transaction.key.iter_mut().zip(key) {
                if known.is_none() {
                    *known = new;
                }
            }
            self.list(&transaction.key, number);
        }
        self.open.insert(number, transaction);
    }

    fn list(&mut self, key: &Key, number: u64) {
        self.exact.insert(key.clone(), number);
        if key.len() > 1 {
            let index = if key.iter().all(Option::is_some) { &mut self.whole } else { &mut self.partial };
            index.extend(entries(key, number));
        }
    }

    fn unlist(&mut self, key: &Key, number: u64) {
        if self.exact.get(key) == Some(&number) {
            self.exact.remove(key);
        }
        if key.len() > 1 {
            let index = if key.iter().all(Option::is_some) { &mut self.whole } else { &mut self.partial };
            for entry in entries(key, number) {
                index.remove(&entry);
            }
        }
    }

    fn close(&mut self, number: u64) -> Option<Transaction> {
        let transaction = self.open.remove(&number)?;
        self.waiting.remove(&(transaction.used, number));
        self.unlist(&transaction.key, number);
        self.events = self.events.saturating_sub(transaction.events.len());
        Some(transaction)
    }

    fn finish(&mut self, number: u64, closed: bool) {
        let Some(transaction) = self.close(number) else { return };
        let Specification { starts, ends, manner, .. } = self.specification.as_ref();
        let endless = ends.is_some() && !transaction.ended;
        let complete = !endless && (starts.is_none() || transaction.started);
        self.outcomes.push_back(if complete {
            Outcome::Finished(transaction, closed)
        } else if manner.keep_evicted {
            Outcome::Finished(transaction, false)
        } else if manner.keep_orphans && endless {
            // Without the event that ends it, it was none.
            let first = transaction.number;
            Outcome::Orphans(transaction.events.into_iter().map(|place| (first, place)).collect())
        } else {
            Outcome::Dropped(transaction.events)
        });
    }

    /// Has the transactions that waited longest make room for the others.
    fn make_room(&mut self) {
        let (open, events) = (self.specification.limits.open, self.specification.limits.open_events);
        while self.open.len() > open || self.events > events {
            let Some((_, number)) = self.waiting.first().copied() else { return };
            let Some(transaction) = self.close(number) else { return };
            self.specification.evicted.count();
            let Manner { keep_evicted, unconditional, .. } = self.specification.manner;
            self.outcomes.push_back(match keep_evicted || unconditional {
                true => Outcome::Finished(transaction, false),
                false => Outcome::Dropped(transaction.events),
            });
        }
    }
}

/// A key's entries in an index.
fn entries(key: &Key, number: u64) -> impl Iterator<Item = (usize, Arc<str>, u64)> + use<'_> {
    let present = key.iter().enumerate().filter_map(|(field, value)| Some((field, value.as_ref()?)));
    present.map(move |(field, value)| (field, Arc::clone(value), number))
}

#[cfg(test)]
mod tests {
    use super::super::rows::Rows;
    use super::super::{Limits, Rendering};
    use super::*;
    use proptest::prelude::*;

    fn pool() -> Pool {
        let limits = Limits { span: None, pause: None, events: Some(4), open: 6, open_events: 12 };
        let manner =
            Manner { connected: true, unify_ends: true, keep_evicted: true, keep_orphans: true, unconditional: true };
        Pool::new(Arc::new(Specification {
            fields: ["a", "b", "c"].map(String::from).to_vec(),
            starts: None,
            ends: None,
            limits,
            manner,
            columns: vec![("_time".into(), Rendering::Time)],
            gap: "NULL".into(),
            lines: false,
            number: "number".into(),
            order: Vec::new(),
            evicted: Default::default(),
        }))
    }

    fn key(values: [Option<u8>; 3]) -> Key {
        values.map(|value| value.map(|value| Arc::from(value.to_string()))).to_vec()
    }

    proptest! {
        #[test]
        fn the_indices_find_what_looking_at_all_finds(
            keys in proptest::collection::vec(proptest::array::uniform3(proptest::option::of(0_u8..3)), 1..60)
        ) {
            let (mut pool, mut rows) = (pool(), Rows::default());
            let (mut seen, mut gone) = (0, 0);
            for (number, values) in keys.into_iter().enumerate() {
                let key = key(values);
                let best = pool.open.values().filter_map(|open| fit(&open.key, &key)).filter(|agreed| *agreed > 0).max();
                let found = pool.find(&key).and_then(|number| fit(&pool.open[&number].key, &key));
                prop_assert_eq!(found, best);
                let (number, place) = (number as u64, rows.hold(0, number));
                let time = -(number as i64);
                pool.add(Event { number, place, time, key, starts: false, ends: false });
                seen += 1;
                gone += pool.outcomes().map(|outcome| match outcome {
                    Outcome::Finished(transaction, _) => transaction.events.len(),
                    Outcome::Orphans(events) => events.len(),
                    Outcome::Dropped(events) => events.len(),
                }).sum::<usize>();
                prop_assert_eq!(pool.events, pool.places().count());
                prop_assert_eq!(seen, gone + pool.events);
            }
            pool.end();
            prop_assert!(pool.waiting.is_empty() && pool.exact.is_empty());
            prop_assert!(pool.whole.is_empty() && pool.partial.is_empty());
        }
    }
}
