//! A file with settings: TOML, one line a setting.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::escape;
use crate::exit::{self, Failure};

/// A larger file has no settings.
const MOST_BYTES: u64 = 1 << 20;

/// What a file says.
#[derive(Debug)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its lines.
    pub entries: Vec<Entry>,
}

/// A setting, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub key: String,
    /// One value, or those of a list; `None` for what is no value of a setting, such as a date.
    pub values: Option<Vec<String>>,
    /// The line, counted from one.
    pub line: usize,
}

impl File {
    /// Reads a file.
    ///
    /// # Errors
    /// What the disk says, and text that is no TOML, with the line.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let size = std::fs::metadata(path).map_err(|error| exit::at(path, &error))?.len();
        if size > MOST_BYTES {
            return Err(Failure::Usage(format!("{}: too large for a file of settings", path.display())));
        }
        let text = std::fs::read_to_string(path).map_err(|error| exit::at(path, &error))?;
        let entries = parse(&text).map_err(|(line, reason)| {
            Failure::Usage(format!("{}:{line}: {}", path.display(), escape::line(&reason)))
        })?;
        Ok(Self { path: path.to_owned(), entries })
    }

    /// What it says of a setting.
    pub fn get(&self, key: &str) -> Option<(&Self, &Entry)> {
        Some((self, self.entries.iter().find(|entry| entry.key == key)?))
    }
}

/// The settings in their order, or what is wrong and in which line.
fn parse(text: &str) -> Result<Vec<Entry>, (usize, String)> {
    let line = |place: usize| text.bytes().take(place).filter(|byte| *byte == b'\n').count().saturating_add(1);
    let table = DeTable::parse(text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        (line(place), error.message().to_owned())
    })?;
    let mut entries: Vec<Entry> = table
        .get_ref()
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            values: values(value.get_ref()),
            line: line(key.span().start),
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn values(value: &DeValue<'_>) -> Option<Vec<String>> {
    match value {
        DeValue::Array(list) => list.iter().map(|value| one(value.get_ref())).collect(),
        value => Some(vec![one(value)?]),
    }
}

fn one(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(on) => Some(on.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_known() {
        let entries =
            parse("# a comment\ntz = \"local\"\n\napps = [\n  'a',\n  'b',\n]\nquiet = true\n[x]\ny = 1\n").unwrap();
        let shown: Vec<_> =
            entries.iter().map(|entry| (entry.key.as_str(), entry.line, entry.values.clone())).collect();
        let text = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            shown,
            [
                ("tz", 2, text(&["local"])),
                ("apps", 4, text(&["a", "b"])),
                ("quiet", 8, text(&["true"])),
                ("x", 9, None)
            ]
        );
    }

    #[test]
    fn mistakes_have_lines() {
        assert_eq!(parse("a = 1\nb = \"\n").unwrap_err().0, 2);
        assert_eq!(parse("a = 1\na = 2\n").unwrap_err().0, 2);
    }

    proptest! {
        #[test]
        fn any_text_will_do(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
