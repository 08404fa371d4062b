//! Lookup definitions: which file a lookup reads and how its rows are matched.
//!
//! Source: Splunk Admin Manual, "transforms.conf"; Knowledge Manager Manual, "Add field matching rules to your
//! lookup configuration", "Configure a time-based lookup".

use serde::{Deserialize, Serialize};

use crate::knowledge::conf::{self, Stanza};

/// How the cells of a column are compared with values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatchType {
    /// They are the same text.
    Exact,
    /// The cells are patterns with `*`.
    Wildcard,
    /// The cells are blocks of addresses.
    Cidr,
}

/// Which rows agree with the time of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeBounds {
    /// The column that holds the time of a row.
    pub field: String,
    /// How that time is written; `None` for seconds since the epoch.
    pub format: Option<String>,
    /// An event is at least so many seconds later.
    pub least: f64,
    /// An event is at most so many seconds later.
    pub most: f64,
}

/// Where the rows of a lookup come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A CSV file of that name.
    File(String),
    /// A collection of a KV store of that name, with these columns. A file keeps what searches write to it
    /// ([`collection_file`]); without one it is empty.
    Collection(String, Vec<String>),
    /// Something that spelunk does not have, and what.
    Refused(String),
}

/// A lookup definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Where its rows come from.
    pub source: Source,
    /// How columns are matched that are not matched exactly.
    pub match_types: Vec<(String, MatchType)>,
    /// How many rows a value finds at most.
    pub max_matches: usize,
    /// How many values an output has at least.
    pub min_matches: usize,
    /// The value that makes up for those that are missing. An empty one, which it is if nothing else is said, is no value,
    /// as an empty cell is none: published detections ask for `isnotnull` behind lookups that say nothing.
    pub default_match: String,
    /// Whether letter case counts.
    pub case_sensitive: bool,
    /// Which rows agree with the time of an event; `None` for all.
    pub time: Option<TimeBounds>,
    /// A search that the rows have to match.
    pub filter: Option<String>,
    /// What is wrong with the definition; only a search that uses it minds.
    pub problem: Option<String>,
}

/// The file that stands for a collection of a KV store, which only a server has.
pub fn collection_file(collection: &str) -> String {
    format!("{collection}.csv")
}

/// How many rows a value finds at most, and with a time.
const MAX_MATCHES: usize = 100;
const MAX_MATCHES_IN_TIME: usize = 1;

/// The most that a definition may ask for.
const MOST_MATCHES: usize = 1000;

impl Definition {
    /// A CSV file as it is.
    pub fn of_file(file: &str) -> Self {
        Self {
            source: Source::File(file.to_owned()),
            match_types: Vec::new(),
            max_matches: MAX_MATCHES,
            min_matches: 0,
            default_match: String::new(),
            case_sensitive: true,
            time: None,
            filter: None,
            problem: None,
        }
    }

    /// What a stanza defines; `None` if it is about something else than lookups.
    pub fn of(stanza: &Stanza<'_>) -> Option<Self> {
        let given = |key| stanza.get(key).filter(|value| !value.is_empty());
        let columns = given("fields_list").unwrap_or_default().split(',').map(|name| name.trim().to_owned());
        let columns: Vec<String> = columns.filter(|name| !name.is_empty()).collect();
        let source = if let Some(collection) = given("collection").filter(|_| !columns.is_empty()) {
            Source::Collection(collection.to_owned(), columns)
        } else if let Some(collection) = given("collection") {
            Source::Refused(format!("it is the collection {collection:?} of a KV store, and spelunk has none"))
        } else if let Some(kind) = given("external_type") {
            Source::Refused(format!("its external_type is {kind}: spelunk reads CSV files only"))
        } else if given("external_cmd").is_some() {
            Source::Refused("it runs a program (external_cmd), and spelunk runs none".to_owned())
        } else {
            Source::File(given("filename")?.to_owned())
        };
        let mut problems = Problems::default();
        let time = given("time_field").map(|field| TimeBounds {
            field: field.to_owned(),
            format: given("time_format").filter(|format| !matches!(*format, "%s" | "%s.%Q")).map(str::to_owned),
            least: problems.number("min_offset_secs", given("min_offset_secs"), 0.0),
            most: problems.number("max_offset_secs", given("max_offset_secs"), 2_000_000_000.0),
        });
        let usual = if time.is_some() { MAX_MATCHES_IN_TIME } else { MAX_MATCHES };
        let definition = Self {
            source,
            match_types: problems.match_types(given("match_type").unwrap_or_default()),
            max_matches: problems.matches("max_matches", given("max_matches"), 1, usual),
            min_matches: problems.matches("min_matches", given("min_matches"), 0, 0),
            default_match: stanza.get("default_match").unwrap_or_default().to_owned(),
            case_sensitive: problems.truth("case_sensitive_match", given("case_sensitive_match"), true),
            time,
            filter: given("filter").map(str::to_owned),
            problem: None,
        };
        Some(Self { problem: problems.first, ..definition })
    }

    /// How a column is matched.
    pub fn match_type(&self, column: &str) -> MatchType {
        let found = self.match_types.iter().find(|(name, _)| name == column);
        found.map_or(MatchType::Exact, |(_, match_type)| *match_type)
    }
}

/// The first thing wrong with a definition.
#[derive(Default)]
struct Problems {
    first: Option<String>,
}

impl Problems {
    fn note(&mut self, problem: String) {
        self.first.get_or_insert(problem);
    }

    fn number(&mut self, key: &str, value: Option<&str>, otherwise: f64) -> f64 {
        let Some(value) = value else { return otherwise };
        match value.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => number,
            _ => {
                self.note(format!("its {key} {value:?} is no number"));
                otherwise
            }
        }
    }

    fn matches(&mut self, key: &str, value: Option<&str>, least: usize, otherwise: usize) -> usize {
        let Some(value) = value else { return otherwise };
        match value.trim().parse::<usize>() {
            Ok(number) if (least..=MOST_MATCHES).contains(&number) => number,
            _ => {
                self.note(format!("its {key} {value:?} is no whole number from {least} to {MOST_MATCHES}"));
                otherwise
            }
        }
    }

    fn truth(&mut self, key: &str, value: Option<&str>, otherwise: bool) -> bool {
        let Some(value) = value else { return otherwise };
        conf::truth(value).unwrap_or_else(|| {
            self.note(format!("its {key} {value:?} is neither true nor false"));
            otherwise
        })
    }

    /// `WILDCARD(a), CIDR(b)`; blanks and commas separate.
    fn match_types(&mut self, text: &str) -> Vec<(String, MatchType)> {
        let mut found = Vec::new();
        let mut rest = text.trim_start_matches([' ', '\t', ',']);
        while !rest.is_empty() {
            let parts = rest.split_once('(').and_then(|(kind, after)| Some((kind.trim(), after.split_once(')')?)));
            let Some((kind, (column, after))) = parts else {
                self.note(format!("its match_type {text:?} cannot be read"));
                break;
            };
            match kind.to_ascii_uppercase().as_str() {
                "WILDCARD" => found.push((column.trim().to_owned(), MatchType::Wildcard)),
                "CIDR" => found.push((column.trim().to_owned(), MatchType::Cidr)),
                "EXACT" => found.push((column.trim().to_owned(), MatchType::Exact)),
                other => self.note(format!("its match_type has {other:?}, which is not WILDCARD, CIDR or EXACT")),
            }
            rest = after.trim_start_matches([' ', '\t', ',']);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::knowledge::Conf;

    fn definition(settings: &str) -> Option<Definition> {
        let conf = Conf::read(&format!("[a]\n{settings}"));
        conf.stanzas().next().and_then(|stanza| Definition::of(&stanza))
    }

    #[test]
    fn defaults_and_settings() {
        assert_eq!(definition("filename = a.csv").unwrap(), Definition::of_file("a.csv"));
        let found = definition(
            "filename = a.csv\nmatch_type = WILDCARD(x),cidr( y ) EXACT(z)\nmin_matches = 1\ndefault_match = no\n\
             case_sensitive_match = false\ntime_field = t\ntime_format = %Y\nmax_offset_secs = 60\nfilter = a=1\n",
        )
        .unwrap();
        assert_eq!(
            ["x", "y", "z", "w"].map(|column| found.match_type(column)),
            [MatchType::Wildcard, MatchType::Cidr, MatchType::Exact, MatchType::Exact]
        );
        assert_eq!((found.max_matches, found.min_matches, found.default_match.as_str()), (1, 1, "no"));
        assert!(!found.case_sensitive && found.problem.is_none());
        let time = TimeBounds { field: "t".into(), format: Some("%Y".into()), least: 0.0, most: 60.0 };
        assert_eq!((found.time, found.filter), (Some(time), Some("a=1".into())));
    }

    #[test]
    fn what_is_no_lookup_or_none_that_can_be_read() {
        assert_eq!(definition("REGEX = x\nFORMAT = y"), None);
        for (settings, reason) in [
            ("collection = c\nexternal_type = kvstore", "KV store"),
            ("external_type = geo\nfilename = x.kmz", "external_type is geo"),
            ("external_cmd = x.py a b", "runs a program"),
        ] {
            let found = definition(settings).unwrap();
            assert!(matches!(&found.source, Source::Refused(text) if text.contains(reason)), "{found:?}");
        }
    }

    #[test]
    fn mistakes() {
        for (setting, problem) in [
            ("match_type = WILDCARD(x", "cannot be read"),
            ("match_type = REGEX(x)", "\"REGEX\""),
            ("max_matches = 0", "from 1 to 1000"),
            ("max_matches = 1001", "from 1 to 1000"),
            ("min_matches = -1", "from 0 to 1000"),
            ("case_sensitive_match = maybe", "neither true nor false"),
            ("time_field = t\nmax_offset_secs = soon", "is no number"),
        ] {
            let found = definition(&format!("filename = a.csv\n{setting}")).unwrap().problem.unwrap_or_default();
            assert!(found.contains(problem), "{setting}: {found}");
        }
    }
}
