//! Event types and tags: names for searches, and names for values.
//!
//! Source: Splunk Admin Manual, "eventtypes.conf", "tags.conf"; Knowledge Manager Manual, "About event types",
//! "About tags and aliases".

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use spelunk_grammar::Span;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::spl::search::{Comparison, ComparisonOperator, Literal, Matching, Operand, SearchExpression};

use crate::functions::comparison::search_expression;
use crate::functions::wildcard::Wildcard;
use crate::knowledge::conf::{self, Conf};
use crate::knowledge::macros::Macros;
use crate::plan::{Clock, suggest};

/// The event types and tags of apps.
#[derive(Debug, Default)]
pub struct Labels {
    /// The searches of event types by their names.
    event_types: BTreeMap<String, String>,
    /// The values of fields that each tag is for.
    tags: BTreeMap<String, BTreeSet<(String, String)>>,
    /// Searches of event types that were read before, by their texts: a pack names the same ones over and over.
    read: Mutex<HashMap<String, Result<Option<SearchExpression>, String>>>,
}

impl Labels {
    /// Reads `eventtypes.conf` and `tags.conf`.
    pub fn of(event_types: &Conf, tags: &Conf, problems: &mut Vec<String>) -> Self {
        let mut labels = Self::default();
        for stanza in event_types.stanzas() {
            let disabled = stanza.get("disabled").and_then(conf::truth).unwrap_or(false);
            match stanza.get("search").filter(|search| !search.is_empty()) {
                Some(search) if !disabled => {
                    labels.event_types.insert(stanza.name.trim().to_owned(), search.to_owned());
                }
                Some(_) => {}
                None if disabled => {}
                None => problems.push(format!("{}: the event type [{}] has no search", stanza.place, stanza.name)),
            }
        }
        for stanza in tags.stanzas() {
            let Some((field, value)) = stanza.name.split_once('=') else {
                problems.push(format!("{}: the stanza [{}] is no field=value", stanza.place, stanza.name));
                continue;
            };
            let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8_lossy().into_owned();
            for (tag, state) in stanza.settings() {
                if conf::truth(state).unwrap_or(false) {
                    let pairs = labels.tags.entry(tag.to_owned()).or_default();
                    pairs.insert((field.trim().to_owned(), value.clone()));
                }
            }
        }
        labels
    }

    /// The names of the event types.
    pub fn event_types(&self) -> impl Iterator<Item = &str> {
        self.event_types.keys().map(String::as_str)
    }

    /// The names of the tags of a field, or of any.
    pub fn tags<'l>(&'l self, field: Option<&'l str>) -> impl Iterator<Item = &'l str> {
        let of_field = move |pairs: &BTreeSet<(String, String)>| {
            field.is_none_or(|field| pairs.iter().any(|(known, _)| known == field))
        };
        self.tags.iter().filter(move |(_, pairs)| of_field(pairs)).map(|(tag, _)| tag.as_str())
    }

    /// The values of a field that have tags, each with one of them.
    pub fn tagged<'l>(&'l self, field: &'l str) -> impl Iterator<Item = (&'l str, &'l str)> {
        self.tags.iter().flat_map(move |(tag, pairs)| {
            let of_field = pairs.iter().filter(move |(known, _)| known == field);
            of_field.map(move |(_, value)| (value.as_str(), tag.as_str()))
        })
    }

    /// The fields whose values have tags.
    pub fn tagged_fields(&self) -> BTreeSet<&str> {
        self.tags.values().flatten().map(|(field, _)| field.as_str()).collect()
    }

    /// The field that a label is looked for in: event types, tags of any field, or tags of one.
    pub fn is_label(field: &str) -> bool {
        matches!(field, "eventtype" | "tag") || field.starts_with("tag::")
    }

    /// What events look like that have one of these labels, at that place of the search; `None` if there are none.
    ///
    /// # Errors
    /// Why an event type cannot be used.
    pub fn search(
        &self,
        field: &str,
        value: &str,
        macros: &Macros,
        clock: &Clock,
        place: Span,
    ) -> Result<Option<SearchExpression>, String> {
        let wildcard = Wildcard::any_case(value)?;
        if field == "eventtype" {
            let names = self.event_types.keys().filter(|name| wildcard.matches(name));
            return self.any(names.map(|name| ("eventtype".to_owned(), name.clone())).collect(), macros, clock, place);
        }
        let of = field.strip_prefix("tag::");
        let tags = self.tags.iter().filter(|(tag, _)| wildcard.matches(tag)).flat_map(|(_, pairs)| pairs);
        let pairs = tags.filter(|(known, _)| of.is_none_or(|of| known == of)).cloned().collect();
        self.any(pairs, macros, clock, place)
    }

    /// What events look like that have all of these tags. Pairs that carry all of them stand first and once: with
    /// C in both, `(C OR A) (C OR B)` is `C OR (A B)`.
    ///
    /// # Errors
    /// As [`Labels::search`].
    pub fn all_tags(
        &self,
        tags: &[&str],
        macros: &Macros,
        clock: &Clock,
        place: Span,
    ) -> Result<Option<SearchExpression>, String> {
        let none = BTreeSet::new();
        let sets = tags.iter().map(|tag| {
            let mut found = self.tags.iter().filter(|(known, _)| known.eq_ignore_ascii_case(tag));
            found.next().map_or(&none, |(_, pairs)| pairs)
        });
        let sets: Vec<&BTreeSet<(String, String)>> = sets.collect();
        let Some((first, others)) = sets.split_first() else { return Ok(None) };
        let common: BTreeSet<_> =
            first.iter().filter(|pair| others.iter().all(|set| set.contains(*pair))).cloned().collect();
        let mut rest = Vec::new();
        for set in &sets {
            let own: BTreeSet<_> = set.difference(&common).cloned().collect();
            match self.any(own, macros, clock, place)? {
                Some(expression) => rest.push(expression),
                // Nothing has this tag alone, so only the common ones have all.
                None => return self.any(common, macros, clock, place),
            }
        }
        let mixed = SearchExpression::And(rest);
        Ok(Some(match self.any(common, macros, clock, place)? {
            Some(common) => SearchExpression::Or(vec![common, mixed]),
            None => mixed,
        }))
    }

    fn any(
        &self,
        pairs: BTreeSet<(String, String)>,
        macros: &Macros,
        clock: &Clock,
        place: Span,
    ) -> Result<Option<SearchExpression>, String> {
        let mut found = Vec::new();
        for (field, value) in &pairs {
            found.extend(match field.as_str() {
                "eventtype" => self.event_type(value, macros, clock, place, &mut Vec::new())?,
                _ => Some(equals(field, value, place)),
            });
        }
        Ok(match found.len() {
            0 => None,
            1 => found.pop(),
            _ => Some(SearchExpression::Or(found)),
        })
    }

    /// The search of an event type, with those that it names replaced by theirs; `None` if there is none of that name,
    /// which happens where one was disabled that a tag is still for.
    fn event_type(
        &self,
        name: &str,
        macros: &Macros,
        clock: &Clock,
        place: Span,
        chain: &mut Vec<String>,
    ) -> Result<Option<SearchExpression>, String> {
        if chain.iter().any(|known| known == name) {
            return Err(format!("the event type {name:?} refers to itself"));
        }
        let Some(text) = self.event_types.get(name) else { return Ok(None) };
        let failed = |reason: String| format!("the search of the event type {name:?} cannot be used: {reason}");
        let expanded = macros.expand(text, clock);
        if expanded.failed() {
            let first = expanded.report(Vec::new()).into_iter().next();
            return Err(failed(first.map_or_else(String::new, |finding| finding.message)));
        }
        let Some(mut expression) = self.read(expanded.text).map_err(failed)? else {
            return Ok(Some(SearchExpression::And(Vec::new())));
        };
        chain.push(name.to_owned());
        self.nested(&mut expression, macros, clock, place, chain)?;
        chain.pop();
        Ok(Some(expression))
    }

    fn read(&self, text: String) -> Result<Option<SearchExpression>, String> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entry(text).or_insert_with_key(|text| search_expression(text)).clone()
    }

    /// Replaces event types inside the search of one, and moves everything to its place.
    fn nested(
        &self,
        expression: &mut SearchExpression,
        macros: &Macros,
        clock: &Clock,
        place: Span,
        chain: &mut Vec<String>,
    ) -> Result<(), String> {
        match expression {
            SearchExpression::And(parts) | SearchExpression::Or(parts) => {
                parts.iter_mut().try_for_each(|part| self.nested(part, macros, clock, place, chain))?;
            }
            SearchExpression::Not(inner) => self.nested(inner, macros, clock, place, chain)?,
            SearchExpression::Comparison(comparison) => {
                comparison.span = place;
                comparison.field.span = place;
                let field = comparison.field.text.clone();
                let Operand::Literal(literal) = &mut comparison.value else {
                    return Err("an event type has no subsearch".to_owned());
                };
                literal.span = place;
                if field == "eventtype" && comparison.operator == ComparisonOperator::Equal {
                    let wildcard = Wildcard::any_case(&literal.text)?;
                    let mut any = Vec::new();
                    for name in self.event_types.keys().filter(|name| wildcard.matches(name)) {
                        any.extend(self.event_type(name, macros, clock, place, chain)?);
                    }
                    *expression = match any.len() {
                        0 => SearchExpression::Not(Box::new(SearchExpression::And(Vec::new()))),
                        _ => SearchExpression::Or(any),
                    };
                } else if Self::is_label(&field) {
                    return Err(format!("an event type cannot depend on `{field}`"));
                }
            }
            SearchExpression::In(list) => {
                if Self::is_label(&list.field.text) {
                    return Err(format!("an event type cannot depend on `{} IN (...)`", list.field.text));
                }
                list.span = place;
                list.field.span = place;
                list.values.iter_mut().for_each(|value| value.span = place);
            }
            SearchExpression::Term(literal) => literal.span = place,
            SearchExpression::Subsearch(_) => return Err("an event type has no subsearch".to_owned()),
            SearchExpression::Macro(call) => return Err(format!("the macro `{}` is not defined", call.name)),
        }
        Ok(())
    }

    /// The label that is nearest to one that is not there.
    pub fn nearest(&self, field: &str, value: &str) -> Option<String> {
        let found = match field {
            "eventtype" => suggest::nearest(value, self.event_types()),
            _ => suggest::nearest(value, self.tags(field.strip_prefix("tag::"))),
        };
        found.map(str::to_owned)
    }
}

/// `field="value"`, the value taken as it is.
pub fn equals(field: &str, value: &str, place: Span) -> SearchExpression {
    SearchExpression::Comparison(Comparison {
        field: Name { text: field.to_owned(), span: place },
        operator: ComparisonOperator::Equal,
        value: Operand::Literal(Literal {
            text: value.to_owned(),
            quoted: true,
            matching: Matching::AnyCase,
            span: place,
        }),
        span: place,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    fn labels(event_types: &str, tags: &str) -> (Labels, Vec<String>) {
        let mut problems = Vec::new();
        let event_types = Conf::read_file(event_types, "eventtypes.conf", &mut problems);
        let tags = Conf::read_file(tags, "tags.conf", &mut problems);
        (Labels::of(&event_types, &tags, &mut problems), problems)
    }

    fn shown(labels: &Labels, field: &str, value: &str) -> String {
        let clock = Clock { now: Timestamp::UNIX_EPOCH, time_zone: TimeZone::UTC };
        match labels.search(field, value, &Macros::default(), &clock, Span::default()) {
            Ok(Some(expression)) => expression.to_string(),
            Ok(None) => "nothing".to_owned(),
            Err(reason) => reason,
        }
    }

    #[test]
    fn event_types_and_tags_become_searches() {
        let (labels, problems) = labels(
            "[web]\nsearch = sourcetype=access OR x=1\n[bad]\nsearch = eventtype=web status>499\n[off]\nsearch = a=1\ndisabled = 1\n[empty]\n",
            "[eventtype=bad]\nerror = enabled\nold = disabled\n[host=win%3Aa]\nerror = 1\n[eventtype=off]\ngone = enabled\n[broken]\nx = enabled\n",
        );
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(shown(&labels, "eventtype", "WEB"), "sourcetype=access OR x=1");
        assert_eq!(shown(&labels, "eventtype", "bad"), "(sourcetype=access OR x=1) status>499".replace(") ", ") AND "));
        assert_eq!(shown(&labels, "tag::host", "error"), "host=\"win:a\"");
        assert!(shown(&labels, "tag", "error").contains(" OR host="));
        assert_eq!(shown(&labels, "tag", "old"), "nothing");
        assert_eq!(shown(&labels, "tag", "gone"), "nothing");
        assert_eq!(labels.nearest("eventtype", "wep").as_deref(), Some("web"));
    }

    #[test]
    fn circles_and_what_event_types_cannot_be() {
        let (labels, _) = labels(
            "[a]\nsearch = eventtype=b\n[b]\nsearch = eventtype=a\n[c]\nsearch = tag=x\n[d]\nsearch = x=1 | head 1\n",
            "",
        );
        assert!(shown(&labels, "eventtype", "a").contains("refers to itself"));
        assert!(shown(&labels, "eventtype", "c").contains("cannot depend on `tag`"));
        assert!(shown(&labels, "eventtype", "d").contains("cannot be used"));
    }
}
