//! Which view serves a search, what it has to read for that, and what it has to tell.

use std::collections::HashMap;

use arrow::datatypes::Schema;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::fields::{TAGGED_TYPE, TYPE};
use super::{Asked, Definition, Event, Make, Source, View, falcon, sysmon, untagged, windows};
use crate::ingest::FieldSelection;
use crate::plan::Events;

/// From which telemetry to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Windows' events under Falcon's names.
    Falcon,
    /// Falcon's own events, with what LogScale adds to them.
    Added,
    /// Falcon's events under Sysmon's names.
    Sysmon,
}

impl Direction {
    pub(super) fn definition(self) -> &'static Definition {
        match self {
            Direction::Falcon => &falcon::FALCON,
            Direction::Added => &falcon::ADDED,
            Direction::Sysmon => &sysmon::AS_SYSMON,
        }
    }
}

/// Of which events views may make a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayMake {
    /// Of none.
    Nothing,
    /// Of those that have one of these fields.
    OfTypes(&'static [&'static str]),
    /// Of any.
    OfAny,
}

/// The views that serve a search over loaded events.
#[derive(Debug, Clone)]
pub struct Serving {
    pub(super) directions: Vec<Direction>,
    /// The fields that are made.
    pub(super) targets: Vec<String>,
    /// Names of `windows.`, and the fields that they stand for.
    pub(super) aliases: Vec<(String, String)>,
    /// What has to be told.
    pub notes: Vec<Diagnostic>,
}

impl Serving {
    /// The fields that have to be read: those that the search can need, and those that views would make them of.
    pub fn read(view: View, asked: &Asked) -> FieldSelection {
        if !matches!(asked.fields, FieldSelection::Only(_)) {
            return asked.fields.clone();
        }
        let mut names: Vec<String> = Vec::new();
        for direction in directions(view, asked) {
            let definition = direction.definition();
            for event in definition.kinds {
                let own = event.fields.iter().chain(definition.shared);
                let mut own = own.filter(|(name, _)| is_asked(asked, name)).peekable();
                // What LogScale adds to Falcon's own events is no matter of a search that asks for nothing of it.
                if direction != Direction::Added || own.peek().is_some() {
                    event.tested().iter().for_each(|name| names.push((*name).to_owned()));
                }
                own.for_each(|(_, make)| make.sources(&mut names));
            }
        }
        if view != View::None {
            names.extend(asked.names.iter().filter_map(|(name, _)| windows::field(name)));
        }
        asked.fields.clone().and(FieldSelection::Only(names))
    }

    /// Whether a view may make a field of that name for a search, and of which events.
    pub fn may_make(view: View, asked: &Asked, name: &str) -> MayMake {
        if view == View::None {
            return MayMake::Nothing;
        }
        let is_made = |direction: &Direction| {
            let definition = direction.definition();
            definition.targets().chain([TYPE, TAGGED_TYPE]).any(|made| made == name || made == untagged(name))
        };
        let mut makers = directions(view, asked).into_iter().filter(is_made).peekable();
        if windows::field(name).is_some() {
            MayMake::OfAny
        } else if makers.peek().is_none() {
            MayMake::Nothing
        } else if makers.all(|direction| direction.definition().is_of_falcon()) {
            MayMake::OfTypes(&[TYPE, TAGGED_TYPE])
        } else {
            MayMake::OfAny
        }
    }

    /// The views that serve a search over these events; `None` where there is nothing to do.
    pub fn of(view: View, asked: &Asked, events: &Events) -> Option<Self> {
        if view == View::None || events.rows == 0 {
            return None;
        }
        let schema = events.table.schema();
        let mut serving = Self { directions: Vec::new(), targets: Vec::new(), aliases: Vec::new(), notes: Vec::new() };
        for direction in directions(view, asked) {
            let definition = direction.definition();
            let known = |name: &str| has(&schema, name) || events.unread.iter().any(|unread| unread == name);
            let told = |name: &&(String, Span)| definition.telling.contains(&name.0.as_str());
            let missed = |name: &&(String, Span)| {
                definition.targets().any(|made| made == name.0 || made == untagged(&name.0))
                    && !known(&name.0)
                    && !known(untagged(&name.0))
            };
            let serves = view != View::Auto
                || direction == Direction::Added
                || asked.names.iter().any(|name| (told(&name) || asked.falcon) && missed(&name));
            if serves && definition.kinds.iter().any(|event| event.is_there(events, &schema)) {
                serving.serve(direction, asked, events, &schema);
            }
        }
        serving.alias(asked, &schema);
        let nothing = serving.targets.is_empty() && serving.aliases.is_empty() && serving.notes.is_empty();
        (!nothing).then_some(serving)
    }

    /// The values of metadata that views make are found by searches as those of the events are.
    pub fn add_metadata(&self, metadata: &mut HashMap<String, Vec<String>>) {
        for name in ["source", "sourcetype"] {
            if self.directions.contains(&Direction::Sysmon) && self.targets.iter().any(|made| made == name) {
                let values = metadata.entry(name.to_owned()).or_default();
                if !values.iter().any(|value| value == sysmon::SOURCETYPE) {
                    values.push(sysmon::SOURCETYPE.to_owned());
                }
            }
        }
    }

    fn serve(&mut self, direction: Direction, asked: &Asked, events: &Events, schema: &Schema) {
        let definition = direction.definition();
        self.directions.push(direction);
        let wanted = |event: &&Event| event.is_there(events, schema) && event.is_wanted(definition, asked);
        let fills = |name: &str| {
            let makes = definition.kinds.iter().filter(wanted).filter_map(|event| event.make(definition, name));
            makes.into_iter().any(|make| make.is_possible(schema))
        };
        for name in definition.targets() {
            let open = !matches!(asked.fields, FieldSelection::Only(_));
            // A listing of whole events shows what these are, not every constant there is.
            let shown = if open { fills(name) && name != "#repo" } else { true };
            if is_asked(asked, name) && (shown || names(asked, name)) && !self.targets.iter().any(|known| known == name)
            {
                self.targets.push(name.to_owned());
            }
        }
        if direction == Direction::Falcon && has(schema, TAGGED_TYPE) && is_asked(asked, TYPE) {
            self.targets.push(TAGGED_TYPE.to_owned());
        }
        if direction == Direction::Added {
            return;
        }
        let is_made = |name: &str| definition.targets().any(|made| made == untagged(name) || made == name);
        let mut served: Vec<&(String, Span)> = Vec::new();
        for name in asked.names.iter().filter(|(name, _)| is_made(name)) {
            if !served.iter().any(|known| untagged(&known.0) == untagged(&name.0)) {
                served.push(name);
            }
        }
        let place = asked.names.iter().find(|(name, _)| definition.telling.contains(&name.as_str()));
        let place = place.or(served.first().copied()).map(|(_, span)| *span).unwrap_or_default();
        let shown = served.iter().take(3).map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let more = if served.len() > 3 { " and others" } else { "" };
        let what = if shown.is_empty() { String::new() } else { format!(" serves {shown}{more}") };
        let message =
            format!("the view `{}`{what}: {} stand under {}", definition.name, definition.events, definition.names);
        self.notes.push(
            Diagnostic::note(Code::Note, message, place)
                .with_help("`--view none` searches the events as they were recorded"),
        );
        if !asked.falcon {
            // SPL warns of every field that no event has.
            return;
        }
        let mut told: Vec<&str> = Vec::new();
        for (name, span) in &asked.names {
            let vocabulary = is_made(name) || definition.unknown.contains(&untagged(name));
            if vocabulary
                && !has(schema, name)
                && !fills(untagged(name))
                && !fills(name)
                && !told.contains(&untagged(name))
            {
                told.push(untagged(name));
                let message = format!("the view `{}` cannot fill `{name}`: it stays empty", definition.name);
                let help = format!("none of the {} that the query can mean say it", definition.events);
                self.notes.push(Diagnostic::warning(Code::UnknownField, message, *span).with_help(help));
            }
        }
    }

    fn alias(&mut self, asked: &Asked, schema: &Schema) {
        let mut place = Span::default();
        for (name, span) in &asked.names {
            let plain = untagged(name);
            let Some(field) = windows::field(plain) else { continue };
            let done = self.aliases.iter().any(|(known, _)| known == plain);
            if done || has(schema, name) || has(schema, plain) || !has(schema, &field) {
                continue;
            }
            if self.aliases.is_empty() {
                place = *span;
            }
            self.aliases.push((plain.to_owned(), field));
        }
        let Some((name, field)) = self.aliases.first() else { return };
        let more = if self.aliases.len() > 1 { " and others" } else { "" };
        let message = format!("the view `windows` serves `{name}`{more}: it is the field {field:?} of Windows events");
        self.notes.push(
            Diagnostic::note(Code::Note, message, place)
                .with_help("`--view none` searches the events as they were recorded"),
        );
    }
}

/// The directions that a search may need, as far as its text tells.
fn directions(view: View, asked: &Asked) -> Vec<Direction> {
    let tells = |direction: Direction, any: bool| {
        let definition = direction.definition();
        asked.names.iter().any(|(name, _)| {
            definition.telling.contains(&name.as_str()) || (any && definition.targets().any(|made| made == name))
        })
    };
    let mut directions = Vec::new();
    if view == View::None {
        return directions;
    }
    if view == View::Falcon || (view == View::Auto && tells(Direction::Falcon, asked.falcon)) {
        directions.push(Direction::Falcon);
    }
    if view == View::Sysmon || (view == View::Auto && tells(Direction::Sysmon, false)) {
        directions.push(Direction::Sysmon);
    }
    directions.push(Direction::Added);
    directions
}

/// Whether the search can need the field.
fn is_asked(asked: &Asked, name: &str) -> bool {
    asked.fields.wants(name)
}

/// Whether the search names the field.
fn names(asked: &Asked, name: &str) -> bool {
    asked.names.iter().any(|(known, _)| known == name)
}

fn has(schema: &Schema, name: &str) -> bool {
    schema.column_with_name(name).is_some()
}

impl Event {
    /// The fields that decide whether an event is of the kind.
    fn tested(&self) -> Vec<&'static str> {
        let source: &[&'static str] = match self.source {
            Source::Windows(..) => &["EventCode", "EventID", "Channel", "source", "sourcetype"],
            Source::Falcon(_) => &[TYPE, TAGGED_TYPE],
        };
        source.iter().copied().chain(self.when.map(|(field, _)| field)).collect()
    }

    /// Whether such events may have been loaded.
    fn is_there(&self, events: &Events, schema: &Schema) -> bool {
        match self.source {
            Source::Falcon(_) => has(schema, TYPE) || has(schema, TAGGED_TYPE),
            Source::Windows(channel, _) => {
                let coded = has(schema, "EventCode") || has(schema, "EventID");
                let values = ["source", "sourcetype"].iter().filter_map(|name| events.metadata.get(*name)).flatten();
                // The source of an event need not be its channel, where it was exported so.
                let (mut told, mut unclear) = (false, false);
                for value in values {
                    told |= value.ends_with(channel);
                    unclear |= !value.contains("WinEventLog:");
                }
                coded && (told || (unclear && has(schema, "Channel")))
            }
        }
    }

    /// Whether the search can mean events of the kind.
    fn is_wanted(&self, definition: &'static Definition, asked: &Asked) -> bool {
        let made = self.fields.iter().chain(definition.shared).find(|(name, _)| *name == TYPE);
        match made {
            Some((_, Make::Text(own))) => asked.types.is_empty() || asked.types.iter().any(|wanted| wanted == own),
            _ => true,
        }
    }
}

impl Make {
    /// The fields that it is made of.
    fn sources(&self, names: &mut Vec<String>) {
        match self {
            Make::Text(_) | Make::Integer(_) | Make::Nothing => {}
            Make::Field(name) | Make::Of(_, name) | Make::With(_, name, _) => names.push((*name).to_owned()),
            Make::Several(_, fields) => names.extend(fields.iter().map(|name| (*name).to_owned())),
            Make::First(makes) => makes.iter().for_each(|make| make.sources(names)),
        }
    }

    /// Whether events with these columns can have it.
    fn is_possible(&self, schema: &Schema) -> bool {
        match self {
            Make::Text(_) | Make::Integer(_) => true,
            Make::Nothing => false,
            Make::Field(name) | Make::Of(_, name) | Make::With(_, name, _) => has(schema, name),
            Make::Several(_, fields) => fields.iter().any(|name| has(schema, name)),
            Make::First(makes) => makes.iter().any(|make| make.is_possible(schema)),
        }
    }
}
