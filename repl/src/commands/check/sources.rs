//! Finds the searches in files and folders.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use spelunk_engine::knowledge::{Conf, yaml};
use walkdir::WalkDir;

use super::parallel;
use crate::commands::inputs::without_mark;
use crate::escape;
use crate::exit::Failure;

/// A search, or the place of one.
pub struct Item {
    /// What names it within its file.
    pub id: String,
    /// The file that it stands in.
    pub file: String,
    /// The search.
    pub text: Text,
}

/// What stands where a search was looked for.
pub enum Text {
    /// A search.
    Spl(String),
    /// A search in LogScale's language.
    LogScale(String),
    /// A search in a language that spelunk does not run; its name.
    OtherLanguage(String),
    /// Nothing that can be read, and why.
    Unreadable(String),
}

impl Item {
    /// The file, and the name of the search where the file does not say as much.
    pub fn origin(&self) -> String {
        if Path::new(&self.file).file_stem().is_some_and(|stem| stem == self.id.as_str()) {
            self.file.clone()
        } else {
            format!("{} ({})", self.file, self.id)
        }
    }
}

/// The searches of all files, in order; folders are read recursively, in the order of names.
///
/// # Errors
/// A path that does not exist, or a file of a kind that holds no searches.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Item>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let shown = || escape::line(&path.display().to_string()).into_owned();
        if path.is_dir() {
            let found = WalkDir::new(path).sort_by_file_name().into_iter().filter_map(Result::ok);
            let found = found.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
            // An app has many .conf files, whose `search` settings are parts of searches.
            files.extend(found.filter_map(|file| {
                let kind = kind(&file)?;
                let saved = file.file_name().is_some_and(|name| name == "savedsearches.conf");
                (kind != Kind::Conf || saved).then_some((file, kind))
            }));
        } else if !path.exists() {
            return Err(Failure::Usage(format!("{}: no such file or folder", shown())));
        } else if let Some(kind) = kind(path) {
            files.push((path.clone(), kind));
        } else {
            let known = ".spl, .cql, .logscale, .yml, .yaml, .conf or .jsonl";
            return Err(Failure::Usage(format!("{}: expected a file that ends in {known}", shown())));
        }
    }
    Ok(parallel::map(&files, |(file, kind)| read_file(file, *kind)).into_iter().flatten().collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Spl,
    LogScale,
    Yaml,
    Conf,
    Jsonl,
}

fn kind(path: &Path) -> Option<Kind> {
    match path.extension()?.to_str()? {
        "spl" => Some(Kind::Spl),
        "cql" | "logscale" => Some(Kind::LogScale),
        "yml" | "yaml" => Some(Kind::Yaml),
        "conf" => Some(Kind::Conf),
        "jsonl" => Some(Kind::Jsonl),
        _ => None,
    }
}

fn read_file(path: &Path, kind: Kind) -> Vec<Item> {
    let file = path.display().to_string();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let item = |id: String, text: Text| Item { id, file: file.clone(), text };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return vec![item(stem, Text::Unreadable(error.to_string()))],
    };
    let text = String::from_utf8_lossy(&bytes);
    let text = without_mark(&text);
    match kind {
        Kind::Spl => vec![item(stem, Text::Spl(text.to_owned()))],
        Kind::LogScale => vec![item(stem, Text::LogScale(text.to_owned()))],
        Kind::Conf => Conf::read(text)
            .stanzas()
            .filter_map(|stanza| Some((stanza.name, stanza.get("search").filter(|search| !search.is_empty())?)))
            .map(|(name, search)| item(name.to_owned(), Text::Spl(search.to_owned())))
            .collect(),
        Kind::Yaml => match yaml::documents::<Detection>(text) {
            Ok(found) => found
                .into_iter()
                .filter_map(|detection| {
                    let id = detection.id.or(detection.name).unwrap_or_else(|| stem.clone());
                    Some(item(id, Text::Spl(detection.search?)))
                })
                .collect(),
            Err(reason) => vec![item(stem, Text::Unreadable(reason))],
        },
        Kind::Jsonl => text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(number, line)| {
                let place = format!("line {}", number + 1);
                match serde_json::from_str::<Entry>(line) {
                    Ok(entry) => item(entry.id.map_or(place, name), in_language(entry.lang, entry.query)),
                    Err(error) => item(place, Text::Unreadable(error.to_string())),
                }
            })
            .collect(),
    }
}

/// A detection. Files of other things (lookups, macros, baselines) have no search.
#[derive(Deserialize)]
struct Detection {
    id: Option<String>,
    name: Option<String>,
    search: Option<String>,
}

/// A line of a `.jsonl` file.
#[derive(Deserialize)]
struct Entry {
    id: Option<serde_json::Value>,
    query: String,
    lang: Option<String>,
}

fn name(id: serde_json::Value) -> String {
    match id {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

fn in_language(language: Option<String>, query: String) -> Text {
    match language {
        None => Text::Spl(query),
        Some(language) if language.eq_ignore_ascii_case("spl") => Text::Spl(query),
        Some(language) if language.eq_ignore_ascii_case("logscale") => Text::LogScale(query),
        Some(language) => Text::OtherLanguage(format!("language {language:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(name: &str, content: &str) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), content).unwrap();
        let items = read(&[folder.path().to_owned()]).unwrap_or_default();
        let show = |text| match text {
            Text::Spl(query) => query,
            Text::LogScale(query) => format!("<LogScale> {query}"),
            Text::OtherLanguage(language) => format!("<{language}>"),
            Text::Unreadable(reason) => format!("!{reason}"),
        };
        items.into_iter().map(|item| (item.id, show(item.text))).collect()
    }

    fn pair(id: &str, text: &str) -> (String, String) {
        (id.to_owned(), text.to_owned())
    }

    #[test]
    fn the_whole_file() {
        assert_eq!(read_as("rule.spl", "\u{feff}a\n| b\n"), [pair("rule", "a\n| b\n")]);
    }

    #[test]
    fn detections() {
        let yaml =
            "name: A rule\nid: 1234-5\nversion: 3\ntags:\n  x: [1, 2]\nsearch: |-\n  index=main\n  | stats count\n";
        assert_eq!(read_as("a.yml", yaml), [pair("1234-5", "index=main\n| stats count")]);
        assert_eq!(read_as("a.yaml", "name: 'N'\nsearch: 'a: b'\n"), [pair("N", "a: b")]);
        assert_eq!(read_as("a.yml", "definition: x\n"), []);
        let careless = "search: 'a\n| b'\nname: N\ntags:\n- x\n";
        assert_eq!(read_as("a.yml", careless), [pair("N", "a | b")]);
        let broken = read_as("a.yml", "search: [1\n");
        assert!(broken.len() == 1 && broken[0].1.starts_with('!'), "{broken:?}");
    }

    #[test]
    fn saved_searches() {
        assert_eq!(read_as("savedsearches.conf", "[A]\nsearch = x \\\n| y\n"), [pair("A", "x \n| y")]);
        let defaults = "[default]\nsearch = a\n[One]\nx = y\n[Empty]\nsearch =\n";
        assert_eq!(read_as("savedsearches.conf", defaults), [pair("One", "a")]);
        assert_eq!(read_as("eventtypes.conf", "[A]\nsearch = x\n"), []);
    }

    #[test]
    fn lines_of_json() {
        let lines = "{\"id\":\"a\",\"query\":\"x\",\"lang\":\"spl\"}\n\n{\"id\":7,\"query\":\"y\"}\n\
                     {\"query\":\"z\",\"lang\":\"logscale\"}\n{\"id\":\"q\"}\n";
        let read = read_as("a.jsonl", lines);
        assert_eq!(read[..3], [pair("a", "x"), pair("7", "y"), pair("line 4", "<LogScale> z")]);
        assert!(read[3].1.starts_with("!missing field `query`"), "{read:?}");
    }

    #[test]
    fn what_holds_no_searches() {
        assert!(read(&["/no/such/thing".into()]).is_err());
        let file = tempfile::NamedTempFile::with_suffix(".exe").unwrap();
        assert!(read(&[file.path().to_owned()]).is_err());
    }
}
