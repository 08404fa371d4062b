//! Which events a stanza of `props.conf` is about.
//!
//! Source: Splunk Admin Manual, "props.conf", "[<spec>]".

use std::sync::Arc;

use crate::functions::pattern::Pattern;
use crate::ingest::spellings;

/// The field of events that a stanza names values of; of several stanzas the first kind here counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `[source::...]`
    Source,
    /// `[host::...]`
    Host,
    /// `[name]`
    Sourcetype,
}

impl Field {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Field::Source => "source",
            Field::Host => "host",
            Field::Sourcetype => "sourcetype",
        }
    }
}

/// Which events a stanza is about.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The field that it looks at.
    pub field: Field,
    /// The value or the pattern.
    pub text: String,
    pattern: Option<Arc<Pattern>>,
}

/// What makes a stanza of a sourcetype a pattern: a regular expression that matches nothing.
const PATTERN_MARKS: [&str; 2] = ["(::){0}", "(?::){0}"];

impl Spec {
    /// What stands in the brackets; `None` for kinds of stanzas that are about reading files.
    ///
    /// # Errors
    /// Its pattern does not compile.
    pub fn parse(name: &str) -> Result<Option<Self>, String> {
        if name.starts_with("rule::") || name.starts_with("delayedrule::") {
            return Ok(None);
        }
        let (field, text) = match (name.strip_prefix("source::"), name.strip_prefix("host::")) {
            (Some(text), _) => (Field::Source, text),
            (_, Some(text)) => (Field::Host, text),
            _ => (Field::Sourcetype, name),
        };
        let marked = PATTERN_MARKS.iter().find_map(|mark| text.strip_prefix(mark));
        let is_pattern = match field {
            Field::Sourcetype => marked.is_some(),
            _ => text.contains("...") || text.contains(['*', '|', '(']),
        };
        let text = marked.unwrap_or(text);
        let pattern = match is_pattern {
            true => {
                let case = if field == Field::Host || names_channel(text) { "(?i)" } else { "" };
                Some(Pattern::new(&format!("{case}^(?:{})$", regex_of(text)))?)
            }
            false => None,
        };
        Ok(Some(Self { field, text: text.to_owned(), pattern }))
    }

    /// Whether it names one value rather than a pattern.
    pub fn is_literal(&self) -> bool {
        self.pattern.is_none()
    }

    /// Whether a value of the field, or another name under which Splunk knows it, is meant. An event log that is read as
    /// XML is none that is read as text: add-ons describe the two apart.
    pub fn matches(&self, value: &str) -> bool {
        let others = spellings(value).into_iter().filter(|other| !other.starts_with("WinEventLog"));
        self.fits(value) || (self.field != Field::Host && others.into_iter().any(|other| self.fits(&other)))
    }

    /// Whether it names all event logs, which say less of an event than the name of its own.
    pub fn is_general(&self) -> bool {
        self.field == Field::Sourcetype && self.text.eq_ignore_ascii_case("XmlWinEventLog")
    }

    fn fits(&self, value: &str) -> bool {
        match (&self.pattern, self.field) {
            (Some(pattern), _) => pattern.is_match(value),
            // Published data and published add-ons do not agree about letter case.
            (None, Field::Sourcetype | Field::Host) => value.eq_ignore_ascii_case(&self.text),
            (None, Field::Source) if names_channel(&self.text) => value.eq_ignore_ascii_case(&self.text),
            (None, Field::Source) => value == self.text,
        }
    }
}

/// Whether a source is a channel of Windows, whose names Windows compares without regard to letter case.
fn names_channel(source: &str) -> bool {
    source.to_ascii_lowercase().contains("wineventlog:")
}

/// The regular expression that a pattern of a stanza means: `...` is any text, `*` any but separators of paths.
fn regex_of(pattern: &str) -> String {
    let mut regex = String::with_capacity(pattern.len().saturating_mul(2));
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("...") {
            regex.push_str(".*");
            rest = after;
            continue;
        }
        match letter {
            '*' => regex.push_str(r"[^/\\]*"),
            '.' => regex.push_str(r"\."),
            other => regex.push(other),
        }
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        if letter == '\\'
            && let Some(escaped) = rest.chars().next()
        {
            regex.push(escaped);
            rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
        }
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(stanza: &str, value: &str) -> bool {
        Spec::parse(stanza).unwrap().unwrap().matches(value)
    }

    #[test]
    fn values_and_patterns() {
        assert!(fits("source::/var/log/x", "/var/log/x"));
        assert!(!fits("source::/var/log/x", "/var/log/X"));
        assert!(fits("source::/var/.../x*.log", "/var/a/b/x1.log"));
        assert!(!fits("source::/var/*.log", "/var/a/b.log"));
        assert!(!fits("source::...a.c", "abc"));
        assert!(fits("source::...(one|two)", "path/two"));
        assert!(fits("source::C:\\\\logs\\\\*", "C:\\logs\\a"));
        assert!(fits("host::WEB*", "web01"));
        assert!(fits("linux:audit", "Linux:Audit"));
        assert!(fits("(?::){0}foo:*", "foo:bar"));
        assert!(!fits("foo:*", "foo:bar"));
        assert!(Spec::parse("rule::x").unwrap().is_none());
        assert!(Spec::parse("source::...(").is_err());
    }

    #[test]
    fn channels_of_windows_answer_to_their_other_names() {
        let channel = "XmlWinEventLog:Security";
        assert!(["XmlWinEventLog", "source::Security", "xmlwineventlog"].iter().all(|stanza| fits(stanza, channel)));
        let classic = ["source::WinEventLog:Security", "WinEventLog", "source::(WMI:WinEventLog|WinEventLog)..."];
        assert!(!classic.iter().any(|stanza| fits(stanza, channel)));
        assert!(classic.iter().any(|stanza| fits(stanza, "WinEventLog:Security")));
        let written = ["source::XmlWinEventLog:Security", "source::...WinEventLog:Security"];
        assert!(written.iter().all(|stanza| fits(stanza, "XmlWinEventLog:security")));
    }
}
