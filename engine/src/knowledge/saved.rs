//! Saved searches: searches that have a name.
//!
//! Source: Splunk Admin Manual, "savedsearches.conf".

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::conf::Conf;
use crate::error::Error;

/// The definitions of saved searches.
#[derive(Debug, Clone)]
pub struct SavedSearches {
    by_name: BTreeMap<String, SavedSearch>,
    assumed: bool,
}

/// A search that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSearch {
    /// Its text, with `$key$` in it.
    pub text: String,
    /// The earliest time that it looks at (SPL time modifier), where it names none itself.
    pub earliest: Option<String>,
    /// The time that it ends before.
    pub latest: Option<String>,
}

impl Default for SavedSearches {
    /// The one that the examples of the reference run.
    fn default() -> Self {
        Self::of(&built_in())
    }
}

fn built_in() -> Conf {
    Conf::read(include_str!("savedsearches.conf"))
}

impl SavedSearches {
    /// Reads `savedsearches.conf` files and folders of apps that hold some; what is named later counts.
    ///
    /// # Errors
    /// A path that does not exist, that cannot be read, or that holds no saved searches.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Error> {
        Self::load_over(&Conf::default(), paths)
    }

    /// The same over the saved searches of apps.
    ///
    /// # Errors
    /// As [`SavedSearches::load`].
    pub fn load_over(apps: &Conf, paths: &[PathBuf]) -> Result<Self, Error> {
        let mut all = built_in();
        all.overlay(apps.clone());
        for path in paths {
            for file in files(path)? {
                let bytes = fs::read(&file).map_err(|error| failed(&file, error))?;
                all.overlay(Conf::read(&String::from_utf8_lossy(&bytes)));
            }
        }
        Ok(Self::of(&all))
    }

    /// The saved searches of a `savedsearches.conf`. Stanzas without a search are none.
    pub fn of(conf: &Conf) -> Self {
        let by_name = conf.stanzas().filter_map(|stanza| {
            let given = |key| stanza.get(key).filter(|value| !value.is_empty());
            let text = given("search")?.to_owned();
            let time = |key| given(key).map(str::to_owned);
            let saved =
                SavedSearch { text, earliest: time("dispatch.earliest_time"), latest: time("dispatch.latest_time") };
            Some((stanza.name.trim().to_owned(), saved))
        });
        Self { by_name: by_name.collect(), assumed: false }
    }

    /// The same, those that are not there being assumed to exist while a search is planned without data.
    #[must_use]
    pub fn assuming(self) -> Self {
        Self { assumed: true, ..self }
    }

    /// Whether those that are not there are assumed to exist.
    pub fn assumed(&self) -> bool {
        self.assumed
    }

    /// The saved search of that name; letter case counts.
    pub fn get(&self, name: &str) -> Option<&SavedSearch> {
        self.by_name.get(name)
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

fn failed(path: &Path, reason: impl ToString) -> Error {
    Error::Input { path: path.to_owned(), reason: reason.to_string() }
}

/// The files that a path stands for, the most important last.
fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let found = fs::metadata(path).map_err(|error| failed(path, error))?;
    if !found.is_dir() {
        return match path.extension().is_some_and(|extension| extension == "conf") {
            true => Ok(vec![path.to_owned()]),
            false => Err(failed(path, "saved searches are read from .conf files, and from folders of apps")),
        };
    }
    let layers = ["savedsearches.conf", "default/savedsearches.conf", "local/savedsearches.conf"];
    let files: Vec<PathBuf> = layers.map(|layer| path.join(layer)).into_iter().filter(|file| file.is_file()).collect();
    match files.is_empty() {
        true => Err(failed(path, format!("no saved searches: expected {}", layers.join(", ")))),
        false => Ok(files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        write("app/default/savedsearches.conf", "[A b]\nsearch = index=x \\\n| head 1\ndispatch.earliest_time = -1h\n");
        write("app/local/savedsearches.conf", "[A b]\ndispatch.earliest_time = -2h\n[no search]\ncron = x\n");
        let saved = SavedSearches::load(&[folder.path().join("app")]).unwrap();
        assert_eq!(saved.names().collect::<Vec<_>>(), ["A b", "spelunk:example"]);
        let found = saved.get("A b").unwrap();
        assert_eq!(found.text, "index=x \n| head 1");
        assert_eq!((found.earliest.as_deref(), found.latest.as_deref()), (Some("-2h"), None));
        let reason = |path: &str| SavedSearches::load(&[folder.path().join(path)]).unwrap_err().to_string();
        write("app/x.txt", "");
        assert!(reason("app/x.txt").contains("are read from .conf files"));
        assert!(reason("app/local/none.conf").contains("none.conf: "));
        fs::create_dir(folder.path().join("empty")).unwrap();
        assert!(reason("empty").contains("no saved searches: expected savedsearches.conf"));
    }
}
