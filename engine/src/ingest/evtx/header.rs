//! Whether a search can want an event, told from a few values of its record.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use super::super::event::EventBuilder;
use super::super::wanted::Wanted;
use super::template::{Content, Header, Template};
use super::value::Value;

/// How many different headers and computers are remembered; there are some hundred in a log.
const MOST: usize = 4096;

/// What was found out about headers, by all of their record that is not about the one event.
#[derive(Debug, Default)]
pub(super) struct Headers {
    known: HashMap<Box<[u8]>, Verdict, ahash::RandomState>,
    computers: HashSet<Box<[u8]>, ahash::RandomState>,
    key: Vec<u8>,
    part: u64,
}

#[derive(Debug)]
struct Verdict {
    fits: bool,
    /// The last part of the input in which an event of this kind was read.
    read_in: Cell<u64>,
}

impl Headers {
    pub(super) fn begin(&mut self) {
        self.part = self.part.saturating_add(1);
        self.computers.clear();
        if self.known.len() > MOST {
            self.known.clear();
        }
    }

    /// Whether an event of that header, made of these templates, need not be read. The first of each kind always is, so
    /// that the names and values are known which a search could mean.
    pub(super) fn pass_over<'d>(
        &mut self,
        header: &Header,
        value: impl Fn(u16) -> Option<Value<'d>>,
        templates: &[&Template],
        wanted: &Wanted,
        builder: &mut EventBuilder<'_>,
    ) -> Option<bool> {
        let is_left_out = |place: &u16| value(*place).is_some_and(Value::is_null);
        if header.dependencies.iter().any(is_left_out) {
            return None;
        }
        let time = value(header.time)?.micros()?;
        self.key.clear();
        for template in templates {
            self.key.extend(template.number.to_le_bytes());
        }
        for content in [&header.code, &header.channel] {
            if let Content::Value(place) = content {
                let value = value(*place)?;
                (!value.is_empty() && !value.is_composed()).then_some(())?;
                self.key.push(value.kind);
                self.key.extend(value.bytes.len().to_le_bytes());
                self.key.extend(value.bytes);
            }
        }
        let part = self.part;
        let verdict = match self.known.get(self.key.as_slice()) {
            Some(verdict) => verdict,
            None => {
                let (mut code, mut channel) = (String::new(), String::new());
                write(&header.code, &value, &mut code)?;
                write(&header.channel, &value, &mut channel)?;
                let (code, channel) = (code.trim(), channel.trim());
                (!code.is_empty() && !channel.is_empty()).then_some(())?;
                let has = |name: &str| templates.iter().any(|template| template.has(name));
                let fits = builder.fits(wanted, code, channel, &has);
                let verdict = Verdict { fits, read_in: Cell::new(0) };
                self.known.entry(self.key.as_slice().into()).or_insert(verdict)
            }
        };
        if (verdict.fits && wanted.is_in_time(time)) || verdict.read_in.replace(part) != part {
            return Some(false);
        }
        if let Some(computer) = &header.computer {
            self.note_computer(computer, value, builder)?;
        }
        Some(true)
    }

    fn note_computer<'d>(
        &mut self,
        computer: &Content,
        value: impl Fn(u16) -> Option<Value<'d>>,
        builder: &mut EventBuilder<'_>,
    ) -> Option<()> {
        let Content::Value(place) = computer else { return Some(()) };
        if !builder.wants_hosts() {
            return Some(());
        }
        let found = value(*place)?;
        (!found.is_composed()).then_some(())?;
        if found.is_empty() || self.computers.contains(found.bytes) {
            return Some(());
        }
        let mut text = String::new();
        found.write(&mut text)?;
        builder.note_host(text.trim());
        if self.computers.len() < MOST {
            self.computers.insert(found.bytes.into());
        }
        Some(())
    }
}

fn write<'d>(content: &Content, value: impl Fn(u16) -> Option<Value<'d>>, text: &mut String) -> Option<()> {
    match content {
        Content::Literal(literal) => {
            text.push_str(literal);
            Some(())
        }
        Content::Value(place) => value(*place)?.write(text),
    }
}
