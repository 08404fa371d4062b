//! Saved queries of LogScale, and the values of parameters.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::yaml;
use crate::error::Error;
use crate::plan::suggest;

/// How deep the folders of packages may nest.
const MOST_FOLDERS: usize = 16;

/// What a LogScale query may call or name beyond its own text.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    /// The values of parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// The queries that have names.
    pub saved_queries: Arc<SavedQueries>,
}

/// Queries that have a name: `package/query` where they are in the folder of a package.
#[derive(Debug, Clone, Default)]
pub struct SavedQueries {
    by_name: BTreeMap<String, String>,
}

/// A saved query as the vendor exports it.
#[derive(Deserialize)]
struct Exported {
    name: Option<String>,
    #[serde(rename = "queryString")]
    query: Option<String>,
}

impl SavedQueries {
    /// Reads `.cql` and `.logscale` files, which are named as their queries are, exported queries in YAML, and folders
    /// of them; what is named later counts.
    ///
    /// # Errors
    /// A path that does not exist, that cannot be read, or that holds no query.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut all = Self::default();
        for path in paths {
            let found = fs::metadata(path).map_err(|error| failed(path, error))?;
            let before = all.by_name.len();
            if found.is_dir() {
                all.read_folder(path, "", 0)?;
                if all.by_name.len() == before {
                    return Err(failed(path, "no saved queries: expected .cql, .logscale or .yaml files"));
                }
            } else if !all.read_file(path, "")? {
                return Err(failed(path, "saved queries are read from .cql, .logscale and .yaml files, and folders"));
            }
        }
        Ok(all)
    }

    fn read_folder(&mut self, folder: &Path, package: &str, depth: usize) -> Result<(), Error> {
        if depth > MOST_FOLDERS {
            return Err(failed(folder, format!("more than {MOST_FOLDERS} folders inside each other")));
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
            entries.push(entry.map_err(|error| failed(folder, error))?.path());
        }
        entries.sort();
        for entry in entries {
            if entry.is_dir() {
                let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                self.read_folder(&entry, &format!("{package}{name}/"), depth.saturating_add(1))?;
            } else {
                self.read_file(&entry, package)?;
            }
        }
        Ok(())
    }

    /// Whether the file is one that holds queries.
    fn read_file(&mut self, path: &Path, package: &str) -> Result<bool, Error> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        let read = || {
            let bytes = fs::read(path).map_err(|error| failed(path, error))?;
            let text = String::from_utf8_lossy(&bytes);
            Ok::<String, Error>(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
        };
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        match ending.as_str() {
            "cql" | "logscale" => {
                self.by_name.insert(format!("{package}{stem}"), read()?);
            }
            "yaml" | "yml" => {
                for exported in yaml::documents::<Exported>(&read()?).map_err(|reason| failed(path, reason))? {
                    // Other things of a package lie beside its queries.
                    let Some(query) = exported.query else { continue };
                    let name = exported.name.unwrap_or_else(|| stem.clone());
                    self.by_name.insert(format!("{package}{}", slashed(&name)), query);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The query of that name. A package's name may be left out of a file's name, or out of a call's where only one
    /// query is called so.
    pub fn get(&self, name: &str) -> Option<&str> {
        let name = slashed(name);
        if let Some(text) = self.by_name.get(&name) {
            return Some(text);
        }
        match name.rsplit_once('/') {
            Some((_, last)) => self.by_name.get(last).map(String::as_str),
            None => {
                let mut called = self.by_name.iter().filter(|(known, _)| known.rsplit('/').next() == Some(&name));
                match (called.next(), called.next()) {
                    (Some((_, text)), None) => Some(text),
                    _ => None,
                }
            }
        }
    }

    /// The name that is nearest to one that is not there.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        suggest::nearest(&slashed(name), self.by_name.keys().map(String::as_str))
    }
}

/// A name as files are named: a colon stands between a package and its query.
pub fn slashed(name: &str) -> String {
    name.trim().replace(':', "/")
}

fn failed(path: &Path, reason: impl ToString) -> Error {
    Error::Input { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn files_folders_and_packages() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("plain.cql", "a=1");
        write("acme/tools/Names.logscale", "b=1");
        write("acme/tools/x.yaml", "name: \"Other Names\"\nqueryString: |\n  c=1\n");
        write("acme/tools/dashboard.yaml", "name: D\nsections: {}\n");
        write("notes.txt", "");
        let saved = SavedQueries::load(&[folder.path().to_owned()]).unwrap();
        assert_eq!(saved.get("plain"), Some("a=1"));
        assert_eq!(saved.get("some/package:plain"), Some("a=1"));
        assert_eq!(saved.get("acme/tools:Names"), Some("b=1"));
        assert_eq!(saved.get("Names"), Some("b=1"));
        assert_eq!(saved.get("acme/tools:Other Names"), Some("c=1\n"));
        assert_eq!(saved.get("D"), None);
        assert_eq!(saved.nearest("plian"), Some("plain"));
        let reason = |path: &str| SavedQueries::load(&[folder.path().join(path)]).unwrap_err().to_string();
        assert!(reason("notes.txt").contains("are read from .cql"));
        assert!(reason("none").contains("none: "));
        fs::create_dir(folder.path().join("empty")).unwrap();
        assert!(reason("empty").contains("no saved queries"));
    }
}
