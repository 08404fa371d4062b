//! `transforms.conf`: how `REPORT` settings take fields out of events.
//!
//! Source: Splunk Admin Manual, "transforms.conf".

use std::sync::LazyLock;

use regex::Regex;

use crate::functions::pattern::Pattern;
use crate::knowledge::conf::{self, Conf, Stanza};

/// How fields are taken out of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extraction {
    /// Groups of a regular expression that have a field each.
    Groups {
        /// The field that is looked at.
        source: String,
        /// The regular expression.
        pattern: String,
        /// The fields, and what they hold.
        fields: Vec<(String, Taken)>,
        /// Whether every match counts, and adds to a field that is there.
        several: bool,
    },
    /// A regular expression that finds names and values.
    Pairs {
        /// The field that is looked at.
        source: String,
        /// The regular expression.
        pattern: String,
        /// The groups of name and value.
        groups: (String, String),
        /// Whether every match counts, and adds to a field that is there.
        several: bool,
    },
    /// Values between separators that have a field each.
    Positions {
        /// The field that is looked at.
        source: String,
        /// The characters that separate values.
        separators: String,
        /// The fields, in order.
        fields: Vec<String>,
    },
    /// A JSON or XML text whose parts are fields.
    Document,
}

/// What a field holds of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// The group of that name or number.
    Group(String),
    /// Texts and groups, one after the other.
    Written(Vec<Piece>),
}

/// A part of a value that is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// What stands in the setting itself.
    Text(String),
    /// The number of a group.
    Group(String),
}

/// The keys and values of text as most logs write them.
pub const USUAL_PAIRS: &str = r#"(?:^|[\s,;|&?])([A-Za-z_][\w.:-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s,;|&"]+))"#;

/// How deep patterns may be made of others.
const MOST_DEPTH: usize = 8;

/// The extraction that a stanza defines; `None` if it is about something else, such as a lookup or reading files.
///
/// # Errors
/// What is wrong with it.
pub fn extraction(conf: &Conf, name: &str) -> Result<Option<Extraction>, String> {
    let Some(stanza) = conf.stanzas().find(|stanza| stanza.name.trim() == name) else {
        return Err(format!("transforms.conf has no stanza [{name}]"));
    };
    let given = |key| stanza.get(key).filter(|value: &&str| !value.is_empty());
    if given("DEST_KEY").is_some() {
        return Ok(None);
    }
    let source =
        given("SOURCE_KEY").map_or("_raw", |source| source.strip_prefix("field:").unwrap_or(source)).to_owned();
    if let Some(separators) = given("DELIMS") {
        return delimited(&stanza, separators, source).map(Some);
    }
    let Some(regex) = given("REGEX") else { return Ok(None) };
    let pattern = format!("(?ms){}", modular(conf, regex, 0)?);
    let compiled = Pattern::new(&pattern)?;
    let several = truth(given("MV_ADD"));
    let Some(format) = given("FORMAT") else {
        let number = |wanted: &str| compiled.names().iter().position(|name| name.as_deref() == Some(wanted));
        if let (Some(key), Some(value)) = (number("_KEY_1"), number("_VAL_1")) {
            if number("_KEY_2").is_some() {
                return Err(format!("the REGEX of [{name}] names several pairs, which is not supported"));
            }
            return Ok(Some(Extraction::Pairs {
                source,
                pattern,
                groups: (key.to_string(), value.to_string()),
                several,
            }));
        }
        let mut fields: Vec<(String, Taken)> = Vec::new();
        for name in compiled.names().into_iter().flatten() {
            if !fields.iter().any(|(known, _)| *known == name) {
                fields.push((name.clone(), Taken::Group(name)));
            }
        }
        return match fields.is_empty() {
            true => Err(format!("[{name}] has a REGEX without named groups and no FORMAT")),
            false => Ok(Some(Extraction::Groups { source, pattern, fields, several })),
        };
    };
    let groups = compiled.names().len();
    let has = |group: &str| match group.parse::<usize>() {
        Ok(number) if number < groups => Ok(()),
        _ => Err(format!("the FORMAT of [{name}] names the group ${group}, which its REGEX does not have")),
    };
    let mut fields = Vec::new();
    let parts = words(format);
    for part in &parts {
        let Some((field, value)) = part.split_once("::") else {
            return Err(format!("the FORMAT of [{name}] is not of the form name::$1"));
        };
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        let pieces = pieces(value);
        for piece in &pieces {
            if let Piece::Group(group) = piece {
                has(group)?;
            }
        }
        match (field.strip_prefix('$'), pieces.as_slice()) {
            (Some(_), _) if parts.len() > 1 => {
                return Err(format!("the FORMAT of [{name}] names several pairs, which is not supported"));
            }
            (Some(key), [Piece::Group(group)]) => {
                has(key)?;
                let groups = (key.to_owned(), group.clone());
                return Ok(Some(Extraction::Pairs { source, pattern, groups, several }));
            }
            (Some(_), _) => {
                return Err(format!("the FORMAT of [{name}] puts together {value:?}, which is not supported"));
            }
            (None, [Piece::Group(group)]) => fields.push((field.to_owned(), Taken::Group(group.clone()))),
            (None, _) => fields.push((field.to_owned(), Taken::Written(pieces))),
        }
    }
    Ok(Some(Extraction::Groups { source, pattern, fields, several }))
}

/// The parts of a text between blanks that are not in quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        is_quoted ^= letter == '"';
        if letter.is_whitespace() && !is_quoted {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(letter);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The texts of a value, and the groups that stand in it as `$1`.
fn pieces(value: &str) -> Vec<Piece> {
    let (mut found, mut text, mut rest) = (Vec::new(), String::new(), value);
    while let Some(letter) = rest.chars().next() {
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        let digits = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
        match rest.split_at_checked(digits).filter(|(number, _)| letter == '$' && !number.is_empty()) {
            Some((number, after)) => {
                if !text.is_empty() {
                    found.push(Piece::Text(std::mem::take(&mut text)));
                }
                found.push(Piece::Group(number.to_owned()));
                rest = after;
            }
            None => text.push(letter),
        }
    }
    if !text.is_empty() || found.is_empty() {
        found.push(Piece::Text(text));
    }
    found
}

/// The elements and values of an event log that a regular expression for its XML seems to look at.
pub fn elements(pattern: &str) -> Vec<String> {
    /// A name with alternatives in it, such as `ProcessI(d|D)`.
    static SPLIT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"([A-Z]\w*)(?:\((?:\?:)?(\w+(?:\|\w+)+)\)|\[(\w+)\])(\w*)").ok());
    let opens = |(place, _): (usize, &str)| {
        let begin = |piece: Option<&str>| piece.and_then(|piece| piece.chars().next());
        let is_group = pattern.get(..place).is_some_and(|before| before.ends_with("(?"));
        !is_group && begin(pattern.get(place.saturating_add(1)..)).is_some_and(|letter| letter.is_ascii_uppercase())
    };
    if !pattern.match_indices('<').any(opens) {
        return Vec::new();
    }
    let words = pattern.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let mut found: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        let is_name = word.starts_with(|letter: char| letter.is_ascii_uppercase()) && !STRUCTURE.contains(&word);
        if is_name && !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    };
    words.for_each(&mut add);
    for name in SPLIT.iter().flat_map(|split| split.captures_iter(pattern)) {
        let part = |number| name.get(number).map_or("", |part| part.as_str());
        let (before, after) = (part(1), part(4));
        let alternatives = part(2).split('|').map(str::to_owned).chain(part(3).chars().map(String::from));
        alternatives.filter(|middle| !middle.is_empty()).for_each(|middle| add(&format!("{before}{middle}{after}")));
    }
    found
}

/// What stands in the XML of every event, and one-letter escapes.
const STRUCTURE: [&str; 11] = ["Event", "System", "EventData", "UserData", "Data", "Name", "S", "W", "D", "B", "N"];

/// A truth value, no where it is none.
fn truth(value: Option<&str>) -> bool {
    value.and_then(conf::truth).unwrap_or(false)
}

/// `DELIMS` with one set of characters or two.
fn delimited(stanza: &Stanza<'_>, separators: &str, source: String) -> Result<Extraction, String> {
    let sets = quoted(separators);
    let fields: Vec<String> = stanza.get("FIELDS").map(quoted).unwrap_or_default();
    match sets.as_slice() {
        [set] if !fields.is_empty() => Ok(Extraction::Positions { source, separators: set.clone(), fields }),
        [between, inside] => {
            let (between, inside) = (class(between), class(inside));
            let pattern = format!("(?s)([^{between}{inside}]+)[{inside}](?:\"([^\"]*)\"|([^{between}]*))");
            let several = truth(stanza.get("MV_ADD"));
            Ok(Extraction::Pairs { source, pattern, groups: ("1".into(), "2".into()), several })
        }
        _ => Err(format!("the DELIMS of [{}] are neither two sets of characters nor one with FIELDS", stanza.name)),
    }
}

/// Texts in quotes, or between commas and blanks where there are none.
fn quoted(text: &str) -> Vec<String> {
    let unescaped = |text: &str| text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
    if !text.contains('"') {
        let parts = text.split([',', ' ', '\t']).filter(|part| !part.is_empty());
        return parts.map(unescaped).collect();
    }
    text.split('"').skip(1).step_by(2).map(unescaped).collect()
}

/// Characters as they stand in a class of a regular expression.
fn class(characters: &str) -> String {
    characters.chars().flat_map(|letter| ['\\', letter]).collect::<String>().replace("\\\n", "\\n")
}

/// A regular expression with `[[name]]` replaced by that of the stanza.
fn modular(conf: &Conf, regex: &str, depth: usize) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = regex;
    while let Some((before, after)) = rest.split_once("[[") {
        let Some((name, after)) = after.split_once("]]") else { break };
        let (name, prefix) = name.split_once(':').unwrap_or((name, ""));
        let part = conf.stanzas().find(|stanza| stanza.name.trim() == name).and_then(|stanza| stanza.get("REGEX"));
        let Some(part) = part else { break };
        if depth >= MOST_DEPTH {
            return Err(format!("its REGEX is made of others more than {MOST_DEPTH} deep"));
        }
        whole.push_str(before);
        let part = modular(conf, part, depth.saturating_add(1))?;
        match prefix {
            "" => whole.push_str(&part),
            // The groups of a part that is named are named after it.
            prefix => whole.push_str(
                &part
                    .replace("(?<", &format!("(?<{prefix}"))
                    .replace(&format!("(?<{prefix}!"), "(?<!")
                    .replace(&format!("(?<{prefix}="), "(?<="),
            ),
        }
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(settings: &str) -> Result<Option<Extraction>, String> {
        let conf = Conf::read(&format!("[part]\nREGEX = \\d+\n[a]\n{settings}"));
        extraction(&conf, "a")
    }

    #[test]
    fn forms() {
        let groups = |pattern: &str, fields: &[(&str, &str)], several| {
            let group = |(field, group): &(&str, &str)| ((*field).to_owned(), Taken::Group((*group).to_owned()));
            let fields = fields.iter().map(group).collect();
            Ok(Some(Extraction::Groups { source: "_raw".into(), pattern: pattern.into(), fields, several }))
        };
        assert_eq!(of("REGEX = (?<u>[[part]])\n"), groups("(?ms)(?<u>\\d+)", &[("u", "u")], false));
        assert_eq!(
            of("REGEX = (a)(b)\nFORMAT = x::$2 y::\"$1\"\nMV_ADD = true\n"),
            groups("(?ms)(a)(b)", &[("x", "2"), ("y", "1")], true)
        );
        assert!(matches!(of("REGEX = (a)=(b)\nFORMAT = $1::$2\n"), Ok(Some(Extraction::Pairs { .. }))));
        let written = of("REGEX = (a)(b)\nFORMAT = x::\"$1 to $2b\" y::z\n");
        let (text, group) = (|text: &str| Piece::Text(text.into()), |group: &str| Piece::Group(group.into()));
        let taken = |pieces| Taken::Written(pieces);
        let expected = vec![
            ("x".to_owned(), taken(vec![group("1"), text(" to "), group("2"), text("b")])),
            ("y".to_owned(), taken(vec![text("z")])),
        ];
        assert!(matches!(written, Ok(Some(Extraction::Groups { fields, .. })) if fields == expected));
        assert!(matches!(of("DELIMS = \"\\n\", \"=\"\n"), Ok(Some(Extraction::Pairs { .. }))));
        assert!(matches!(of("DELIMS = \"|\"\nFIELDS = a, b\n"), Ok(Some(Extraction::Positions { .. }))));
        assert_eq!(of("filename = x.csv\n"), Ok(None));
        assert_eq!(of("REGEX = x\nDEST_KEY = queue\nFORMAT = nullQueue\n"), Ok(None));
    }

    #[test]
    fn elements_of_event_logs() {
        assert_eq!(elements(r"(?ms)<Data Name='NewProcessName'>(?<new>[^<]+)<\/Data>"), ["NewProcessName"]);
        assert_eq!(elements(r"<EventID>104<\/EventID>[\S\s]*<Computer>(.+?)<"), ["EventID", "Computer"]);
        let names = elements(r"<Data Name='(ProcessI(d|D)|New[PQ]id)'>(?<id>[^<]+)<");
        assert!(["ProcessId", "ProcessID", "NewPid", "NewQid"].iter().all(|name| names.iter().any(|n| n == name)));
        assert!(elements(r"Computer=(?<Computer>\w+)").is_empty());
    }

    #[test]
    fn mistakes() {
        for (settings, reason) in [
            ("REGEX = (?<a\n", ""),
            ("REGEX = (a)\n", "without named groups"),
            ("REGEX = (?<_KEY_1>a)(?<_VAL_1>b)(?<_KEY_2>c)(?<_VAL_2>d)\n", "several pairs"),
            ("REGEX = (a)\nFORMAT = x::$2\n", "the group $2"),
            ("REGEX = (?<k>a)=(b)\nFORMAT = $k::$2\n", "the group $k"),
            ("REGEX = (a)=(b)\nFORMAT = $3::$2\n", "the group $3"),
            ("REGEX = (a)=(b)\nFORMAT = $99999999999999999999::$2\n", "the group $9"),
            ("REGEX = (a)\nFORMAT = $1::a$1\n", "puts together"),
            ("REGEX = (a)(b)(c)(d)\nFORMAT = $1::$2 $3::$4\n", "several pairs"),
            ("REGEX = (a)\nFORMAT = x::a$2\n", "the group $2"),
            ("DELIMS = \",\"\n", "neither two sets"),
        ] {
            assert!(of(settings).unwrap_err().contains(reason), "{settings}");
        }
        assert!(extraction(&Conf::default(), "b").unwrap_err().contains("no stanza [b]"));
    }
}
