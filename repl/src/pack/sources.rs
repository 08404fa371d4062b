//! Finds the searches in files and folders.

use std::path::{Path, PathBuf};

use serde_json::Value;
use spelunk_engine::knowledge::{Conf, yaml};
use walkdir::WalkDir;

use super::about::About;
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
    /// What is said of it.
    pub about: About,
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
    let item = |id: String, text: Text, about: About| Item { id, file: file.clone(), text, about };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return vec![item(stem, Text::Unreadable(error.to_string()), About::default())],
    };
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let reason = "it is compressed: a packed app is read when it is named itself".to_owned();
        return vec![item(stem, Text::Unreadable(reason), About::default())];
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = without_mark(&text);
    match kind {
        Kind::Spl => vec![item(stem, Text::Spl(text.to_owned()), About::default())],
        Kind::LogScale => vec![item(stem, Text::LogScale(text.to_owned()), About::default())],
        Kind::Conf => Conf::read(text)
            .stanzas()
            .filter_map(|stanza| {
                let search = stanza.get("search").filter(|search| !search.is_empty())?;
                Some(item(stanza.name.to_owned(), Text::Spl(search.to_owned()), About::of_stanza(&stanza)))
            })
            .collect(),
        Kind::Yaml => match yaml::documents::<Value>(text) {
            Ok(found) => found.iter().filter_map(|document| of_yaml(document, &stem, &item)).collect(),
            Err(reason) => vec![item(stem, Text::Unreadable(reason), About::default())],
        },
        Kind::Jsonl => text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(number, line)| {
                let place = format!("line {}", number.saturating_add(1));
                match serde_json::from_str::<Value>(line) {
                    Ok(entry) => of_json(&entry, place, &item),
                    Err(error) => item(place, Text::Unreadable(error.to_string()), About::default()),
                }
            })
            .collect(),
    }
}

/// A detection. Files of other things (lookups, macros, baselines) have no search.
fn of_yaml(document: &Value, stem: &str, item: &dyn Fn(String, Text, About) -> Item) -> Option<Item> {
    let text = |key: &str| document.get(key).and_then(Value::as_str).map(str::to_owned);
    let given = |key: &str| document.get(key).filter(|value| !value.is_null());
    let id = given("id").or_else(|| given("name")).cloned().map_or_else(|| stem.to_owned(), name);
    let found = match (given("search"), text("search")) {
        (_, Some(search)) => Text::Spl(search),
        (Some(_), None) => Text::Unreadable("its `search` is no text".to_owned()),
        // A rule in Sigma's own form.
        _ if given("detection").is_some() && given("logsource").is_some() => {
            Text::OtherLanguage("a Sigma rule that is not converted to SPL".to_owned())
        }
        _ => return None,
    };
    Some(item(id, found, About::of_yaml(document)))
}

/// A line of a `.jsonl` file.
fn of_json(entry: &Value, place: String, item: &dyn Fn(String, Text, About) -> Item) -> Item {
    let id = entry.get("id").filter(|id| !id.is_null()).cloned().map_or(place, name);
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let found = match text("query") {
        Some(query) => in_language(text("lang"), query),
        None if entry.get("query").is_some() => Text::Unreadable("its `query` is no text".to_owned()),
        None => Text::Unreadable("missing field `query`".to_owned()),
    };
    item(id, found, About::of_json(entry))
}

fn name(id: Value) -> String {
    match id {
        Value::String(text) => text,
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
        let sigma = "title: S\nlogsource: {product: windows}\ndetection: {condition: a}\n";
        assert_eq!(read_as("a.yml", sigma), [pair("a", "<a Sigma rule that is not converted to SPL>")]);
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
