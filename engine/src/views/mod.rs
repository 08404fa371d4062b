//! Views: the events of one telemetry under the names of another, so that a search that was written for the one runs
//! on the other.
//!
//! A view is a table of events ([`falcon`], [`sysmon`]): which events of the source it takes, and how each field is
//! made of theirs. It stands between the events and the plan of a search, as a table ([`ViewTable`]) with further
//! columns; what a search does not name costs nothing. Events that a view does not take stay as they are.
//!
//! | view | serves | of |
//! |---|---|---|
//! | `falcon` | Falcon's names (`#event_simpleName`, `ImageFileName`) | Sysmon's events, Security's, and a few others of Windows |
//! | `sysmon` | Sysmon's names (`EventCode`, `Image`) | Falcon's events |
//! | `windows` | `windows.EventID`, `windows.EventData.X` | any Windows event |
//!
//! Source: CrowdStrike's Events Data Dictionary, as its published queries and pySigma's pipeline use it; the manual of
//! Sysmon.

mod expressions;
mod falcon;
mod fields;
mod serving;
mod sysmon;
mod table;
mod windows;

pub use fields::TYPE;
pub use serving::{MayMake, Serving};
pub use table::ViewTable;

use spelunk_grammar::Span;

use crate::functions::kernel::Row;
use crate::functions::wildcard::Wildcard;
use crate::ingest::FieldSelection;
use crate::ingest::wanted::{Condition, Told};

/// Which view serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// The one whose names the search uses, where only the other telemetry is there.
    #[default]
    Auto,
    /// None.
    None,
    /// Windows' events always stand under Falcon's names too.
    Falcon,
    /// Falcon's events always stand under Sysmon's names too.
    Sysmon,
}

/// What a search asks of the events.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The fields that it names, and where.
    pub names: Vec<(String, Span)>,
    /// The fields that it can need.
    pub fields: FieldSelection,
    /// The types of Falcon's events that it wants; none where it may want any.
    pub types: Vec<String>,
    /// Whether it is in Falcon's own language: there a name that both telemetries could have is Falcon's.
    pub falcon: bool,
}

/// How the value of a field is made of an event of the source.
enum Make {
    /// This text.
    Text(&'static str),
    /// This number.
    Integer(i64),
    /// There is none, whatever the source calls by that name.
    Nothing,
    /// The value of a field.
    Field(&'static str),
    /// A function of a field.
    Of(&'static Row, &'static str),
    /// A function of a field and a literal.
    With(&'static Row, &'static str, &'static str),
    /// A function of several fields.
    Several(&'static Row, &'static [&'static str]),
    /// The first of these that there is.
    First(&'static [Make]),
}

/// A field of the view, and how it is made.
type Field = (&'static str, Make);

/// Which events of the source are taken.
enum Source {
    /// Of Windows: of a channel, with one of these codes.
    Windows(&'static str, &'static [i64]),
    /// Of Falcon: of one of these types, which may hold `*`.
    Falcon(&'static [&'static str]),
}

/// One kind of event of the source, and what it is in the view.
struct Event {
    source: Source,
    /// A field of the source and the pattern that its value has to fit, in any letter case.
    when: Option<(&'static str, &'static str)>,
    fields: &'static [Field],
}

impl Event {
    const fn windows(channel: &'static str, codes: &'static [i64], fields: &'static [Field]) -> Self {
        Self { source: Source::Windows(channel, codes), when: None, fields }
    }

    const fn falcon(types: &'static [&'static str], fields: &'static [Field]) -> Self {
        Self { source: Source::Falcon(types), when: None, fields }
    }

    const fn when(self, field: &'static str, pattern: &'static str) -> Self {
        Self { source: self.source, when: Some((field, pattern)), fields: self.fields }
    }

    /// How a field is made of the event.
    fn make(&self, definition: &'static Definition, name: &str) -> Option<&'static Make> {
        let fields: &'static [Field] = self.fields;
        fields.iter().chain(definition.shared).find(|(known, _)| *known == name).map(|(_, make)| make)
    }
}

/// The table of a view.
struct Definition {
    /// Its name.
    name: &'static str,
    /// Whose events it shows.
    events: &'static str,
    /// Under whose names.
    names: &'static str,
    /// The kinds of events, the first that fits an event first.
    kinds: &'static [Event],
    /// Fields that all of them have.
    shared: &'static [Field],
    /// Names that no event of the source has: a search that uses one was written for the other telemetry.
    telling: &'static [&'static str],
    /// Names of the other telemetry that nothing in the source says.
    unknown: &'static [&'static str],
}

impl Definition {
    /// Whether all that it takes are Falcon's own events, which name their type.
    fn is_of_falcon(&self) -> bool {
        self.kinds.iter().all(|event| matches!(event.source, Source::Falcon(_)))
    }

    /// Every field that it can make.
    fn targets(&self) -> impl Iterator<Item = &'static str> {
        let own = self.kinds.iter().flat_map(|event| event.fields);
        own.chain(self.shared).map(|(name, _)| *name)
    }
}

/// The fields that views can make, and those that say whose names a search uses.
pub fn targets() -> impl Iterator<Item = &'static str> {
    let views = [&falcon::FALCON, &falcon::ADDED, &sysmon::AS_SYSMON];
    views.into_iter().flat_map(|view| view.targets().chain(view.telling.iter().copied()))
}

/// The events of Windows that can be of a type of Falcon's that fits any of the patterns.
pub fn of_types(types: &[Wildcard]) -> Condition {
    let kinds = falcon::FALCON.kinds.iter().filter(|event| match event.make(&falcon::FALCON, fields::TYPE) {
        Some(Make::Text(own)) => types.iter().any(|wanted| wanted.matches(own)),
        _ => true,
    });
    let kinds = kinds.filter_map(|event| match event.source {
        Source::Windows(channel, codes) => Some(of_channel(channel, codes)),
        Source::Falcon(_) => None,
    });
    Condition::Made(&[fields::TYPE, fields::TAGGED_TYPE], Box::new(Condition::Any(kinds.collect())))
}

/// Windows' events of a channel with one of the codes, under any of the names by which views know the channel.
fn of_channel(channel: &str, codes: &[i64]) -> Condition {
    let spellings = expressions::spellings(channel);
    let field = |field: Told, patterns: &[String]| {
        let patterns = patterns.iter().map(|pattern| Wildcard::any_case(pattern).ok()).collect::<Option<_>>();
        patterns.map_or(Condition::Untold, |patterns| Condition::Header(field, patterns))
    };
    let named = [Told::Channel, Told::Source, Told::Sourcetype].map(|told| field(told, &spellings));
    let codes: Vec<String> = codes.iter().map(i64::to_string).collect();
    Condition::All(vec![field(Told::Code, &codes), Condition::Any(named.into())])
}

/// The field that a name means: a tag is the field of that name.
pub fn untagged(name: &str) -> &str {
    name.strip_prefix('#').unwrap_or(name)
}
