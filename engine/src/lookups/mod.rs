//! Lookup tables: where they are, what they hold, which of their rows agree with an event, and how they are
//! written.

pub mod definition;
pub mod matcher;
mod patterns;
pub mod stash;
pub mod table;
pub mod target;
pub mod write;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;
use crate::knowledge::{Conf, yaml};
use crate::plan::suggest;
use definition::{Definition, Source};
use table::Table;
pub use target::Writable;

/// The lookups that a search may read, and where it may write.
#[derive(Debug, Default)]
pub struct Lookups {
    files: BTreeMap<String, PathBuf>,
    definitions: BTreeMap<String, Definition>,
    /// Those of spelunk's own app, which count where there are no others.
    own: BTreeMap<String, Definition>,
    /// What is wrong with files of apps.
    pub problems: Vec<String>,
    /// Where a search may write; what was written there is found too.
    pub writable: Writable,
    tables: Mutex<HashMap<PathBuf, Kept>>,
}

/// A table as it was when it was read.
#[derive(Debug)]
struct Kept {
    changed: Option<SystemTime>,
    length: u64,
    table: Arc<Table>,
}

/// A lookup that a search names.
#[derive(Debug)]
pub struct Opened {
    /// What the search calls it.
    pub name: String,
    /// How its rows are matched.
    pub definition: Definition,
    /// Its rows.
    pub table: Arc<Table>,
    /// What the user should know.
    pub note: Option<String>,
}

/// Why there is no such lookup.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing {
    /// The reason.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Opened {
    /// A table without rows and columns, which a search is about to write.
    pub fn empty(name: &str) -> Self {
        let (definition, table) = (Definition::of_file(name), Arc::new(Table::empty(&[])));
        Self { name: name.to_owned(), definition, table, note: None }
    }
}

impl Lookups {
    /// Finds CSV files, `transforms.conf` files and definitions in YAML, and folders of them; what is named later
    /// counts. Tables are read when a search names them.
    ///
    /// # Errors
    /// A path that does not exist, that cannot be read, or that holds no lookups.
    pub fn load(paths: &[PathBuf], writable: Writable) -> Result<Self, Error> {
        Self::load_over(&[], paths, writable)
    }

    /// The same over the lookups of apps, which need not have any.
    ///
    /// # Errors
    /// As [`Lookups::load`].
    pub fn load_over(apps: &[PathBuf], paths: &[PathBuf], writable: Writable) -> Result<Self, Error> {
        let mut lookups = Self { writable, ..Self::default() };
        let mut conf = Conf::default();
        let of_apps = apps.iter().map(|app| (true, Ok(files(app).unwrap_or_default())));
        for (of_app, found) in of_apps.chain(paths.iter().map(|path| (false, files(path)))) {
            for file in found? {
                match kind(&file) {
                    Some(Kind::Table) => {
                        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
                        lookups.files.insert(name.unwrap_or_default(), file);
                    }
                    Some(Kind::Conf) => conf.overlay(Conf::read(&read(&file)?)),
                    Some(Kind::Yaml) => match of_yaml(&file) {
                        Ok(more) => conf.overlay(more),
                        // One file that is wrong does not keep an app from being used.
                        Err(error) if of_app => lookups.problems.push(error.to_string()),
                        Err(error) => return Err(error),
                    },
                    None => {}
                }
            }
        }
        lookups.definitions = definitions(&conf);
        lookups.own = definitions(&own_transforms());
        Ok(lookups)
    }

    /// The names of the tables and definitions that were found.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().chain(self.definitions.keys()).map(String::as_str)
    }

    /// The definition of that name.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.get(name).or_else(|| self.own.get(name).filter(|_| self.locate(name).is_none()))
    }

    /// Finds and reads a lookup: a definition, a CSV file, or a CSV file without its ending.
    ///
    /// # Errors
    /// There is none, or its file cannot be read.
    pub fn open(&self, name: &str) -> Result<Opened, Missing> {
        if let Some(definition) = self.definition(name) {
            let plain = |message| Missing { message, help: None };
            if let Some(problem) = &definition.problem {
                return Err(plain(format!("the definition of the lookup {name:?} is wrong: {problem}")));
            }
            let file = match &definition.source {
                Source::File(file) => file,
                Source::Collection(collection, columns) => {
                    let (table, note) = match self.locate(&definition::collection_file(collection)) {
                        Some(path) => (self.table(name, &path)?.with_columns(columns), None),
                        None => {
                            let note =
                                format!("the collection {collection:?} of a KV store is not here: it counts as empty");
                            (Table::empty(columns), Some(note))
                        }
                    };
                    let definition = definition.clone();
                    return Ok(Opened { name: name.to_owned(), definition, table: Arc::new(table), note });
                }
                Source::Refused(reason) => return Err(plain(format!("the lookup {name:?} cannot be read: {reason}"))),
            };
            let Some(path) = self.locate(file) else {
                return Err(Missing {
                    message: format!("the lookup {name:?} reads the file {file:?}, which is not there"),
                    help: Some("name the folder that holds it with `--lookups`".to_owned()),
                });
            };
            let table = self.table(name, &path)?;
            return Ok(Opened { name: name.to_owned(), definition: definition.clone(), table, note: None });
        }
        self.open_file(name)
    }

    /// Whether nothing defines a lookup of that name, and no file holds it.
    pub fn is_missing(&self, name: &str) -> bool {
        self.definition(name).is_none()
            && self.locate(name).filter(|_| target::is_table(name)).is_none()
            && self.locate(&format!("{name}.csv")).is_none()
    }

    /// Finds and reads a CSV file; `.csv` may be left out.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open_file(&self, name: &str) -> Result<Opened, Missing> {
        let (path, note) = match self.locate(name).filter(|_| target::is_table(name)) {
            Some(path) => (path, None),
            None => {
                let file = format!("{name}.csv");
                let Some(path) = self.locate(&file) else { return Err(self.missing(name)) };
                (path, Some(format!("no lookup is called {name:?}: the file {file:?} is used as it is")))
            }
        };
        let table = self.table(name, &path)?;
        Ok(Opened { name: name.to_owned(), definition: Definition::of_file(name), table, note })
    }

    /// Where a file is: among those that were written, or else among those that were named.
    fn locate(&self, file: &str) -> Option<PathBuf> {
        let written = match &self.writable {
            Writable::Folder(folder) => target::existing(folder, file),
            Writable::Refused | Writable::Assumed => None,
        };
        let named = || self.files.get(file).or_else(|| self.files.get(&format!("{file}.gz"))).cloned();
        written.or_else(named)
    }

    fn table(&self, name: &str, path: &Path) -> Result<Arc<Table>, Missing> {
        let failed = |reason: String| Missing {
            message: format!("the lookup {name:?} cannot be read: {}: {reason}", path.display()),
            help: None,
        };
        let found = fs::metadata(path).map_err(|error| failed(error.to_string()))?;
        let (changed, length) = (found.modified().ok(), found.len());
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = tables.get(path).filter(|kept| kept.changed == changed && kept.length == length) {
            return Ok(Arc::clone(&kept.table));
        }
        let table = Arc::new(Table::read(path).map_err(failed)?);
        tables.insert(path.to_owned(), Kept { changed, length, table: Arc::clone(&table) });
        Ok(table)
    }

    /// Forgets a table that was written anew.
    pub fn forget(&self, path: &Path) {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    fn missing(&self, name: &str) -> Missing {
        let known = self.definitions.keys().chain(self.files.keys()).map(String::as_str);
        let help = match suggest::nearest(name, known) {
            Some(near) => format!("did you mean {near:?}?"),
            None if self.definitions.is_empty() && self.files.is_empty() => {
                "name its file, or the folder that holds it, with `--lookups`".to_owned()
            }
            None => "it is in none of the folders that `--lookups` names".to_owned(),
        };
        Missing { message: format!("there is no lookup {name:?}"), help: Some(help) }
    }
}

fn definitions(conf: &Conf) -> BTreeMap<String, Definition> {
    let found = conf.stanzas().filter_map(|stanza| Some((stanza.name.trim().to_owned(), Definition::of(&stanza)?)));
    found.collect()
}

/// The lookups that published searches take from products that spelunk does not have.
fn own_transforms() -> Conf {
    Conf::read(include_str!("../../knowledge/default/transforms.conf"))
}

/// What a file is to lookups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    Conf,
    Yaml,
}

fn kind(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    if name.ends_with(".csv") || name.ends_with(".csv.gz") {
        Some(Kind::Table)
    } else if name.ends_with(".conf") {
        Some(Kind::Conf)
    } else if name.ends_with(".yml") || name.ends_with(".yaml") {
        Some(Kind::Yaml)
    } else {
        None
    }
}

fn failed(path: &Path, reason: impl ToString) -> Error {
    Error::Input { path: path.to_owned(), reason: reason.to_string() }
}

fn read(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(|error| failed(path, error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The folders in which published detections keep their lookups by their kinds.
const KINDS_OF_LOOKUPS: [&str; 2] = ["csv", "kvstore"];

/// The files that a path stands for, the most important last.
fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let found = fs::metadata(path).map_err(|error| failed(path, error))?;
    if !found.is_dir() {
        return match kind(path) {
            Some(_) => Ok(vec![path.to_owned()]),
            None => Err(failed(
                path,
                "lookups are read from .csv, .csv.gz, .conf, .yml and .yaml files, and from folders of them",
            )),
        };
    }
    let mut files = Vec::new();
    let root = if path.ends_with("lookups") { path.to_owned() } else { path.join("lookups") };
    let folders =
        [path.to_owned(), path.join("lookups")].into_iter().chain(KINDS_OF_LOOKUPS.map(|kind| root.join(kind)));
    for folder in folders.filter(|folder| folder.is_dir()) {
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|error| failed(&folder, error))? {
            found.push(entry.map_err(|error| failed(&folder, error))?.path());
        }
        found.retain(|file| matches!(kind(file), Some(Kind::Table | Kind::Yaml)) && file.is_file());
        found.sort();
        files.extend(found);
    }
    let layers = ["transforms.conf", "default/transforms.conf", "local/transforms.conf"].map(|layer| path.join(layer));
    files.extend(layers.into_iter().filter(|file| file.is_file()));
    match files.is_empty() {
        true => Err(failed(path, "no lookups: expected .csv files, lookups/*.csv, transforms.conf or .yml files")),
        false => Ok(files),
    }
}

/// What a definition in YAML leaves out: a table lies beside it in a file of the same name, the collection of a KV store
/// has the name of the lookup.
fn implied(path: &Path, name: &str, settings: &BTreeMap<String, Value>) -> Vec<(&'static str, String)> {
    let kind = settings.get("lookup_type").and_then(Value::as_str).unwrap_or_default();
    let file = path.with_extension("csv");
    let has = |key: &str| settings.contains_key(key);
    if kind == "kvstore" {
        let fields = settings.get("fields").and_then(Value::as_array).into_iter().flatten();
        let fields: Vec<&str> = fields.filter_map(Value::as_str).collect();
        let implied = [("collection", name.to_owned()), ("fields_list", fields.join(", "))];
        return implied.into_iter().filter(|(key, _)| !has(key)).collect();
    }
    let is_table = kind == "csv" || (kind.is_empty() && file.is_file());
    let is_told = ["filename", "collection", "external_type"].into_iter().any(has);
    match file.file_name().filter(|_| is_table && !is_told) {
        Some(file) => vec![("filename", file.to_string_lossy().into_owned())],
        None => Vec::new(),
    }
}

/// The lookup definitions of a YAML file, in the layout of published detections.
fn of_yaml(path: &Path) -> Result<Conf, Error> {
    #[derive(Deserialize)]
    struct Entry {
        name: Option<String>,
        #[serde(flatten)]
        settings: BTreeMap<String, Value>,
    }
    let text = read(path)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut conf = Conf::default();
    for entry in yaml::documents::<Entry>(text).map_err(|reason| failed(path, reason))? {
        // Other things may lie in the same folder.
        let Some(name) = entry.name else { continue };
        for (key, value) in implied(path, &name, &entry.settings) {
            conf.set(&name, key, &value);
        }
        for (key, value) in entry.settings {
            let value = match value {
                Value::String(text) => text,
                Value::Bool(truth) => truth.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Array(members) => members.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                Value::Null | Value::Object(_) => continue,
            };
            conf.set(&name, &key, value.trim());
        }
    }
    Ok(conf)
}
