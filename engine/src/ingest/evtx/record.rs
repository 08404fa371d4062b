//! Records read without writing their XML: only the values that a search needs are decoded.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::event::EventBuilder;
use super::super::wanted::Wanted;
use super::cursor::Cursor;
use super::template::{Content, Field, Part, Step, Template};
use super::templates::{Known, Place, Templates};
use super::value::{FRAGMENT, TEXTS, Value, is_time};

/// Where the lists of names begin in the header of a chunk.
const NAME_LISTS: usize = 128;
/// A chunk has some hundred names.
const MAX_NAMES: usize = 4096;
/// No event of Windows has more values.
const MAX_VALUES: u32 = 4096;
/// Binary XML stands in binary XML once, or twice.
const MAX_NESTING: usize = 8;

/// A record as the chunk has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) number: u64,
    /// Where its binary XML begins and ends.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the next record begins.
    pub(super) next: usize,
}

/// The record at an offset, if it is one in all respects.
pub(super) fn window(data: &[u8], at: usize) -> Option<Window> {
    let mut cursor = Cursor { data, at };
    (cursor.take(4)? == b"**\0\0").then_some(())?;
    let size = usize::try_from(cursor.u32()?).ok()?;
    let number = cursor.u64()?;
    // When it was written; the crate refuses records of no time, though their events say the time themselves.
    is_time(cursor.u64()?).then_some(())?;
    let next = at.checked_add(size)?;
    let end = next.checked_sub(4)?;
    // The size stands at both ends of a record.
    let copy = Cursor { data, at: end }.u32()?;
    (end > cursor.at && usize::try_from(copy) == Ok(size)).then_some(Window { number, start: cursor.at, end, next })
}

/// Whether the lists of names, which begin in the chunk's header, can be followed to their ends. The crate reads them all
/// before anything else, and gives a chunk up where it cannot.
pub(super) fn has_whole_names(data: &[u8]) -> bool {
    let mut heads = Cursor { data, at: NAME_LISTS };
    let mut left = MAX_NAMES;
    (0..64).all(|_| {
        let Some(mut at) = heads.u32() else { return false };
        while at != 0 {
            let Some(next) = next_name(data, at) else { return false };
            if left == 0 {
                return false;
            }
            left = left.saturating_sub(1);
            at = next;
        }
        true
    })
}

/// The name behind one, if it can be read; 0 behind the last.
fn next_name(data: &[u8], at: u32) -> Option<u32> {
    let mut cursor = Cursor { data, at: usize::try_from(at).ok()? };
    let next = cursor.u32()?;
    cursor.u16()?;
    let units = usize::from(cursor.u16()?);
    let name = cursor.take(units.checked_mul(2)?)?;
    let name = name.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    let is_text = char::decode_utf16(name).all(|decoded| decoded.is_ok());
    (is_text && cursor.u16()? == 0).then_some(next)
}

/// Where the values of an instance of a template are.
#[derive(Debug, Clone, Copy)]
struct Instance {
    template: usize,
    /// Its first value in [`Records::values`], and how many there are.
    first: usize,
    count: usize,
    /// How many of them are binary XML, or lists of texts.
    composed: usize,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its values were added to the event, which happened at that time (microseconds).
    Read(i64),
    /// The search cannot want it.
    PassedOver,
}

/// Reads the records of one chunk.
pub(super) struct Records<'d, 't> {
    data: &'d [u8],
    templates: &'t mut Templates,
    /// By place and by where they stand in an event; none for one that is not read here.
    here: HashMap<(usize, Place), Option<Known>, ahash::RandomState>,
    /// The templates of which instances are being read.
    open: Vec<usize>,
    /// The values of the instances that are being read, the innermost last.
    values: Vec<Value<'d>>,
    text: String,
}

impl<'d, 't> Records<'d, 't> {
    pub(super) fn new(data: &'d [u8], templates: &'t mut Templates) -> Self {
        Records { data, templates, here: HashMap::default(), open: Vec::new(), values: Vec::new(), text: String::new() }
    }

    /// Adds the values of a record to the event, if the search can want it. Nothing means that the record has to be read by
    /// way of its XML; what was added is to be discarded then.
    pub(super) fn read(&mut self, window: Window, builder: &mut EventBuilder<'_>) -> Option<Outcome> {
        self.values.clear();
        self.open.clear();
        let place = (0, Part::Data);
        let instance = self.instance(window.start, window.end)?;
        let known = self.template(instance.template, place)?;
        if let Some(wanted) = builder.wanted()
            && self.passes_over(instance, &known, wanted, builder)
        {
            return Some(Outcome::PassedOver);
        }
        let mut time = None;
        self.fields(instance, &known, 0, &mut time, builder)?;
        time.map(Outcome::Read)
    }

    /// Whether the search can want a record; nothing if it has to be read by way of its XML.
    pub(super) fn judge(&mut self, window: Window, builder: &mut EventBuilder<'_>) -> Option<bool> {
        self.values.clear();
        let instance = self.instance(window.start, window.end)?;
        let known = self.template(instance.template, (0, Part::Data))?;
        let wanted = builder.wanted()?;
        Some(!self.passes_over(instance, &known, wanted, builder))
    }

    /// Whether the search cannot want a record that could be read here.
    fn passes_over(
        &mut self,
        instance: Instance,
        known: &Known,
        wanted: &Wanted,
        builder: &mut EventBuilder<'_>,
    ) -> bool {
        self.try_pass_over(instance, known, wanted, builder).unwrap_or(false)
    }

    fn try_pass_over(
        &mut self,
        instance: Instance,
        known: &Known,
        wanted: &Wanted,
        builder: &mut EventBuilder<'_>,
    ) -> Option<bool> {
        let header = known.template.header.as_ref()?;
        // What it is made of is looked at all the same, so that damage is told of whatever is searched for.
        let mut inside = None;
        match instance.composed {
            0 => {}
            1 => {
                let &(place, depth, part) = known.template.nested.first()?;
                let value = self.value(instance, place).filter(|value| value.kind == FRAGMENT)?;
                inside = Some(self.simple(value, (depth, part))?);
            }
            _ => return None,
        }
        for &(place, ..) in &known.template.nested {
            let value = self.value(instance, place)?;
            (value.is_null() || value.kind == FRAGMENT).then_some(())?;
        }
        let values = self.values.get(instance.first..)?.get(..instance.count)?;
        let value = |place: u16| values.get(usize::from(place)).copied();
        let known = &*known.template;
        let inside = inside.as_deref();
        let templates = [known, inside.unwrap_or(known)];
        self.templates.headers.pass_over(header, value, &templates, wanted, builder)
    }

    /// The template of a piece of binary XML that has none inside of it.
    fn simple(&mut self, value: Value<'d>, place: Place) -> Option<Rc<Template>> {
        let before = self.values.len();
        let instance = self.instance(value.at, value.at.checked_add(value.bytes.len())?)?;
        let values = self.values.get(before..)?;
        let is_simple = place.1 == Part::Data && values.iter().all(|value| value.kind != FRAGMENT);
        self.values.truncate(before);
        let known = self.template(instance.template, place)?;
        (is_simple && known.template.is_data_only).then_some(known.template)
    }

    fn nested(
        &mut self,
        value: Value<'d>,
        place: Place,
        nesting: usize,
        time: &mut Option<i64>,
        builder: &mut EventBuilder<'_>,
    ) -> Option<()> {
        let nesting = nesting.checked_add(1).filter(|&nesting| nesting <= MAX_NESTING)?;
        let instance = self.instance(value.at, value.at.checked_add(value.bytes.len())?)?;
        let known = self.template(instance.template, place)?;
        self.fields(instance, &known, nesting, time, builder)
    }

    /// Reads the values of an instance.
    fn fields(
        &mut self,
        instance: Instance,
        known: &Known,
        nesting: usize,
        time: &mut Option<i64>,
        builder: &mut EventBuilder<'_>,
    ) -> Option<()> {
        // One that stands in itself is not read here.
        (!self.open.contains(&known.template.number)).then_some(())?;
        self.open.push(known.template.number);
        let outcome = known.template.steps.iter().try_for_each(|step| match step {
            Step::Field(field) => self.field(known, field, instance, nesting, time, builder),
            Step::Time(place) => {
                let value = self.value(instance, *place)?;
                // A second moment, or none, is for the reader of XML to judge.
                (time.is_none()).then_some(())?;
                *time = Some(value.micros()?);
                Some(())
            }
            Step::Nested(place, depth, part) => match self.value(instance, *place) {
                Some(value) if value.is_null() => Some(()),
                Some(value) if value.kind == FRAGMENT => self.nested(value, (*depth, *part), nesting, time, builder),
                _ => None,
            },
        });
        self.open.pop();
        self.values.truncate(instance.first);
        outcome
    }

    fn value(&self, instance: Instance, place: u16) -> Option<Value<'d>> {
        let place = usize::from(place);
        let at = instance.first.checked_add(place)?;
        if place < instance.count { self.values.get(at).copied() } else { None }
    }

    fn field(
        &mut self,
        known: &Known,
        field: &Field,
        instance: Instance,
        nesting: usize,
        time: &mut Option<i64>,
        builder: &mut EventBuilder<'_>,
    ) -> Option<()> {
        let is_left_out = |place: &u16| self.value(instance, *place).is_some_and(Value::is_null);
        if field.dependencies.iter().any(is_left_out) {
            return Some(());
        }
        let place = match &field.content {
            Content::Literal(text) => {
                if let Some(key) = self.templates.key(known, field, builder) {
                    builder.add(key, if field.is_trimmed() { text.trim() } else { text });
                }
                return Some(());
            }
            Content::Value(place) => *place,
        };
        // A value that is not there is nothing.
        let Some(value) = self.value(instance, place).filter(|value| !value.is_empty()) else { return Some(()) };
        match value.kind {
            FRAGMENT if field.is_attribute || field.is_trimmed() => None,
            FRAGMENT => self.nested(value, field.inner, nesting, time, builder),
            TEXTS if field.is_attribute => None,
            TEXTS => value.texts().try_for_each(|text| self.add(known, field, text, builder)),
            _ => self.add(known, field, value, builder),
        }
    }

    fn add(&mut self, known: &Known, field: &Field, value: Value<'_>, builder: &mut EventBuilder<'_>) -> Option<()> {
        if value.is_empty() {
            return Some(());
        }
        let Some(key) = self.templates.key(known, field, builder) else { return Some(()) };
        self.text.clear();
        value.write(&mut self.text)?;
        if field.is_attribute && self.text.contains(['\t', '\n', '\r']) {
            return None;
        }
        builder.add(key, if field.is_trimmed() { self.text.trim() } else { &self.text });
        Some(())
    }

    /// Reads the one instance of a template that a piece of binary XML consists of.
    fn instance(&mut self, start: usize, end: usize) -> Option<Instance> {
        let mut cursor = Cursor { data: self.data.get(..end)?, at: start };
        cursor.fragment()?;
        (cursor.u8()? == 0x0c).then_some(())?;
        // One byte of unknown meaning, and the first part of the template's identifier.
        cursor.take(5)?;
        let (template, is_here) = cursor.reference()?;
        if is_here {
            cursor.take(20)?;
            let size = usize::try_from(cursor.u32()?).ok()?;
            cursor.take(size)?;
        }
        let count = cursor.u32()?;
        if count > MAX_VALUES {
            return None;
        }
        let count = usize::try_from(count).ok()?;
        let descriptors = cursor.take(count.checked_mul(4)?)?;
        let first = self.values.len();
        let mut composed = 0_usize;
        for &[low, high, kind, _] in descriptors.as_chunks::<4>().0 {
            let at = cursor.at;
            let bytes = cursor.take(usize::from(u16::from_le_bytes([low, high])))?;
            let value = Value { kind, at, bytes };
            value.is_usual().then_some(())?;
            composed = composed.saturating_add(usize::from(value.is_composed()));
            self.values.push(value);
        }
        // Behind the end may be anything that fills the record up.
        matches!(cursor.peek(), None | Some(0x00)).then_some(Instance { template, first, count, composed })
    }

    fn template(&mut self, offset: usize, place: Place) -> Option<Known> {
        let (data, templates) = (self.data, &mut self.templates);
        self.here.entry((offset, place)).or_insert_with(|| templates.at(data, offset, place)).clone()
    }
}
