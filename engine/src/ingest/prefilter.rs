//! What a search wants of events, told before they are decoded.
//!
//! It may keep an event that the search leaves out, and never the other way round.

use super::windows::spellings;
use crate::functions::pattern::Wildcard;

/// Which events a search can want.
#[derive(Debug)]
pub struct Prefilter {
    /// What is known of their headers.
    pub wanted: Wanted,
    /// The first time that is wanted (microseconds since 1970).
    pub earliest: Option<i64>,
    /// The first time from there on that is not.
    pub latest: Option<i64>,
}

/// A condition on what an event's header tells.
#[derive(Debug)]
pub enum Wanted {
    /// What only the whole event tells.
    Untold,
    /// All of these.
    All(Vec<Wanted>),
    /// Any of these.
    Any(Vec<Wanted>),
    /// A field that fits any of the patterns.
    Field(Told, Vec<Wildcard>),
    /// That, but of events that have one of these fields themselves, which only the whole event tells.
    Made(&'static [&'static str], Box<Wanted>),
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

/// The header of an event.
#[derive(Clone, Copy)]
pub(crate) struct Heading<'a> {
    pub(crate) code: &'a str,
    pub(crate) channel: &'a str,
    pub(crate) source: &'a str,
    pub(crate) sourcetype: &'a str,
    /// Whether events of its kind have a field of that name.
    pub(crate) has: &'a dyn Fn(&str) -> bool,
}

impl Prefilter {
    /// Whether it says anything at all.
    pub fn is_useful(&self) -> bool {
        self.earliest.is_some() || self.latest.is_some() || self.wanted.tells()
    }

    /// Whether an event of that time (microseconds) can be wanted.
    pub(crate) fn is_in_time(&self, time: i64) -> bool {
        self.earliest.is_none_or(|earliest| time >= earliest) && self.latest.is_none_or(|latest| time < latest)
    }
}

impl Wanted {
    fn tells(&self) -> bool {
        match self {
            Wanted::Untold => false,
            Wanted::All(parts) => parts.iter().any(Wanted::tells),
            Wanted::Any(parts) => parts.iter().all(Wanted::tells),
            Wanted::Field(..) => true,
            Wanted::Made(_, part) => part.tells(),
        }
    }

    /// Whether an event with that header can be wanted.
    pub(crate) fn fits(&self, heading: Heading<'_>) -> bool {
        match self {
            Wanted::Untold => true,
            Wanted::All(parts) => parts.iter().all(|part| part.fits(heading)),
            Wanted::Any(parts) => parts.iter().any(|part| part.fits(heading)),
            Wanted::Made(fields, part) => fields.iter().any(|name| (heading.has)(name)) || part.fits(heading),
            // Not a number as Windows writes them: how it compares with others is not for here.
            Wanted::Field(Told::Code, _) if !is_plain_number(heading.code) => true,
            Wanted::Field(field, patterns) => {
                let text = match field {
                    Told::Code => heading.code,
                    Told::Channel => heading.channel,
                    Told::Source => heading.source,
                    Told::Sourcetype => heading.sourcetype,
                };
                let is_metadata = matches!(field, Told::Source | Told::Sourcetype);
                let others = if is_metadata { spellings(text) } else { Vec::new() };
                patterns
                    .iter()
                    .any(|pattern| pattern.matches(text) || others.iter().any(|spelling| pattern.matches(spelling)))
            }
        }
    }
}

/// Whether a text is a whole number with no more digits than it needs.
pub(crate) fn is_plain_number(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0')) && !text.is_empty()
}
