//! The templates that a worker knows.
//!
//! Every chunk brings its templates along, and they are the same in all chunks of a log but for where their names are.
//! So a template is read once, and found again by its identifier and by what it is made of.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::event::{EventBuilder, KeyId};
use super::header::Headers;
use super::template::{self, Field, Part, Reading, Template};

/// How many bytes of templates are kept. Windows itself has some ten thousand templates, a log some hundred.
const MOST: usize = 8 << 20;

/// Where a template stands in an event: how deep its outermost element is, and in which part.
pub(super) type Place = (usize, Part);

/// A template that is known.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) template: Rc<Template>,
    /// Where the numbers of its fields' keys begin.
    first_key: usize,
}

/// What a worker keeps from one part of its input to the next.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    known: Vec<(Known, Reading)>,
    found: HashMap<Identity, Vec<usize>, ahash::RandomState>,
    /// By field, if its values matter: none as long as nobody asked.
    keys: Vec<Option<Option<KeyId>>>,
    size: usize,
    pub(super) headers: Headers,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Identity {
    identifier: Box<[u8]>,
    place: Place,
}

impl Templates {
    /// Begins another part, whose events are put together by a builder of its own.
    pub(crate) fn begin(&mut self) {
        if self.size > MOST {
            *self = Self::default();
        }
        self.keys.fill(None);
        self.headers.begin();
    }

    /// The template at an offset; none if it is not read here.
    pub(super) fn at(&mut self, data: &[u8], offset: usize, place: Place) -> Option<Known> {
        let (identifier, body) = template::outline(data, offset)?;
        let identity = Identity { identifier: identifier.into(), place };
        let same = self.found.get(&identity).into_iter().flatten();
        let mut same = same.filter_map(|&number| self.known.get(number));
        if let Some((known, _)) = same.find(|(_, reading)| reading.is_same(body)) {
            return Some(known.clone());
        }
        let (number, first_key) = (self.known.len(), self.keys.len());
        let reading = Reading::new(body, number, place)?;
        self.keys.resize(first_key.saturating_add(reading.template.fields), None);
        self.size = self.size.saturating_add(reading.size());
        let known = Known { template: Rc::clone(&reading.template), first_key };
        self.known.push((known.clone(), reading));
        self.found.entry(identity).or_default().push(number);
        Some(known)
    }

    /// The number of a field's key, if its values matter. Asked for when there is a value, because a field that has none in
    /// any event is not one.
    pub(super) fn key(&mut self, known: &Known, field: &Field, builder: &mut EventBuilder<'_>) -> Option<KeyId> {
        let at = known.first_key.saturating_add(field.number);
        *self.keys.get_mut(at)?.get_or_insert_with(|| builder.key(field.section, &field.name))
    }
}
