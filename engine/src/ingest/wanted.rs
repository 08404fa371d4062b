//! What a search wants of events, told before they are decoded, and again before they are kept.
//!
//! It may keep an event that the search leaves out, and never the other way round. What the header of an event tells is
//! asked first ([`Wanted::fits`]), then what its text tells ([`Wanted::words`]), then its fields ([`super::judge`]).

use std::sync::Arc;

use regex::Regex;

use super::select::Selection;
use super::windows::spellings;
use super::words::Words;
use crate::functions::wildcard::Wildcard;

/// Which events a search can want.
#[derive(Debug)]
pub struct Wanted {
    /// What they have to fulfil.
    pub(crate) condition: Condition,
    /// The first time that is wanted (microseconds since 1970).
    earliest: Option<i64>,
    /// The first time from there on that is not.
    latest: Option<i64>,
    words: Option<Words>,
}

/// A condition on one event.
#[derive(Debug)]
pub enum Condition {
    /// What only the search tells.
    Untold,
    /// All of these.
    All(Vec<Condition>),
    /// Any of these.
    Any(Vec<Condition>),
    /// A field of the header that fits any of the patterns.
    Header(Told, Vec<Wildcard>),
    /// What the header has to fulfil, but of events that have one of these fields themselves, which only the whole event
    /// tells.
    Made(&'static [&'static str], Box<Condition>),
    /// Some value of a field fits any of the patterns.
    Field(String, Vec<Wildcard>),
    /// The event has the field.
    Present(&'static str),
    /// The event's text has a keyword or phrase: how that is found, and a piece of it that is there in some letter case.
    Word(Regex, String),
}

/// A field of an event's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// `EventCode`, `EventID`
    Code,
    /// `Channel`
    Channel,
    /// `source`
    Source,
    /// `sourcetype`
    Sourcetype,
}

/// The header of an event; what is not known of it may be anything.
#[derive(Clone, Copy)]
pub(crate) struct Heading<'a> {
    pub(crate) code: &'a str,
    pub(crate) channel: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) sourcetype: Option<&'a str>,
    /// Whether events of its kind have a field of that name.
    pub(crate) has: &'a dyn Fn(&str) -> bool,
}

impl Wanted {
    /// Events that fulfil a condition, within bounds of time (microseconds since 1970, the second one excluded); `None`
    /// where that may be any event.
    pub fn of(condition: Condition, earliest: Option<i64>, latest: Option<i64>) -> Option<Arc<Self>> {
        let words = condition.words().and_then(|words| Words::new(&words));
        let wanted = Self { condition, earliest, latest, words };
        let tells = wanted.is_bounded() || wanted.tells_of_headers() || wanted.tells_of_events();
        tells.then(|| Arc::new(wanted))
    }

    /// Whether an event's header, without its time, can tell that it is not wanted.
    pub(crate) fn tells_of_headers(&self) -> bool {
        self.condition.tells(|part| matches!(part, Condition::Header(..)))
    }

    /// Whether an event's text or fields can.
    pub(crate) fn tells_of_events(&self) -> bool {
        self.condition.tells(|part| matches!(part, Condition::Field(..) | Condition::Present(_) | Condition::Word(..)))
    }

    /// Whether it is about channels.
    pub(crate) fn asks_for_channels(&self) -> bool {
        self.condition.has(|part| matches!(part, Condition::Header(Told::Channel, _)))
    }

    /// Whether it is about the fields that an event has.
    pub(crate) fn asks_for_fields(&self) -> bool {
        self.condition.has(|part| matches!(part, Condition::Made(..)))
    }

    /// Whether there are bounds of time.
    pub(crate) fn is_bounded(&self) -> bool {
        self.earliest.is_some() || self.latest.is_some()
    }

    /// Whether an event with that header can be wanted.
    pub(crate) fn fits(&self, heading: Heading<'_>) -> bool {
        self.condition.fits(heading)
    }

    /// Whether an event of that time (microseconds) can be.
    pub(crate) fn is_in_time(&self, time: i64) -> bool {
        self.earliest.is_none_or(|earliest| time >= earliest) && self.latest.is_none_or(|latest| time < latest)
    }

    /// Whether the fields that it is about are among those that are read.
    pub(crate) fn is_read(&self, selection: &Selection) -> bool {
        self.condition.is_read(selection)
    }

    /// The words without which an event is not wanted, where the text is all that is asked for.
    pub(crate) fn words(&self, selection: &Selection) -> Option<&Words> {
        let Selection::Only { names, patterns } = selection else { return None };
        let of_text = |name: &String| matches!(name.as_str(), "_raw" | "_file" | "_time" | "_serial");
        self.words.as_ref().filter(|_| patterns.is_empty() && names.iter().all(of_text))
    }
}

impl Condition {
    /// Whether it can be unmet, as far as parts of one sort tell.
    fn tells(&self, of_sort: fn(&Condition) -> bool) -> bool {
        match self {
            Condition::All(parts) => parts.iter().any(|part| part.tells(of_sort)),
            Condition::Any(parts) => parts.iter().all(|part| part.tells(of_sort)),
            Condition::Made(_, part) => part.tells(of_sort),
            single => of_sort(single),
        }
    }

    /// Whether a part of it is of a sort.
    fn has(&self, of_sort: fn(&Condition) -> bool) -> bool {
        let inside = match self {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| part.has(of_sort)),
            Condition::Made(_, part) => part.has(of_sort),
            _ => false,
        };
        inside || of_sort(self)
    }

    fn fits(&self, heading: Heading<'_>) -> bool {
        match self {
            Condition::Untold | Condition::Field(..) | Condition::Present(_) | Condition::Word(..) => true,
            Condition::All(parts) => parts.iter().all(|part| part.fits(heading)),
            Condition::Any(parts) => parts.iter().any(|part| part.fits(heading)),
            Condition::Made(fields, part) => fields.iter().any(|name| (heading.has)(name)) || part.fits(heading),
            // Not a number as Windows writes them: how it compares with others is not for here.
            Condition::Header(Told::Code, _) if !is_plain_number(heading.code) => true,
            Condition::Header(field, patterns) => {
                let told = match field {
                    Told::Code => Some(heading.code),
                    Told::Channel => heading.channel,
                    Told::Source => heading.source,
                    Told::Sourcetype => heading.sourcetype,
                };
                let Some(text) = told else { return true };
                let is_metadata = matches!(field, Told::Source | Told::Sourcetype);
                let others = if is_metadata { spellings(text) } else { Vec::new() };
                patterns
                    .iter()
                    .any(|pattern| pattern.matches(text) || others.iter().any(|spelling| pattern.matches(spelling)))
            }
        }
    }

    fn is_read(&self, selection: &Selection) -> bool {
        match self {
            Condition::Untold | Condition::Header(..) | Condition::Made(..) => true,
            Condition::All(parts) | Condition::Any(parts) => parts.iter().all(|part| part.is_read(selection)),
            Condition::Field(field, _) => selection.wants(field),
            Condition::Present(field) => selection.wants(field),
            Condition::Word(..) => selection.wants("_raw"),
        }
    }

    /// Pieces of words of which a text has to have one.
    fn words(&self) -> Option<Vec<&str>> {
        match self {
            Condition::Word(_, piece) => Some(vec![piece]),
            // The longest are the rarest.
            Condition::All(parts) => parts
                .iter()
                .filter_map(Condition::words)
                .max_by_key(|words| words.iter().map(|word| word.len()).min().unwrap_or(0)),
            Condition::Any(parts) => {
                let words: Option<Vec<_>> = parts.iter().map(Condition::words).collect();
                words.map(|words| words.concat())
            }
            _ => None,
        }
    }
}

/// Whether a text is a whole number with no more digits than it needs.
pub(crate) fn is_plain_number(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0')) && !text.is_empty()
}
