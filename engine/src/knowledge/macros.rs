//! Search macros: where they are defined, and which one a call means.
//!
//! Source: Splunk Admin Manual, "macros.conf"; Knowledge Manager Manual, "Use search macros in searches".

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::conf::{self, Conf};
use super::yaml;
use crate::error::Error;

/// The definitions of search macros.
#[derive(Debug, Clone)]
pub struct Macros {
    by_name: BTreeMap<String, BTreeMap<usize, Definition>>,
    given: bool,
}

/// What a macro stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The names of its arguments.
    pub arguments: Vec<String>,
    /// The text, with `$argument$` in it.
    pub text: String,
    /// Whether the text is an eval expression whose value is what the macro stands for.
    pub evaluated: bool,
    /// An eval expression that says whether the arguments are right.
    pub validation: Option<String>,
    /// What is said if they are not.
    pub message: Option<String>,
    /// What is wrong with the definition; only a search that calls it minds.
    pub problem: Option<String>,
}

impl Default for Macros {
    /// The few that are known without a file.
    fn default() -> Self {
        Self::of(&built_in())
    }
}

fn built_in() -> Conf {
    Conf::read(include_str!("macros.conf"))
}

/// A macro of a folder in the layout of published detections.
#[derive(Deserialize)]
struct Entry {
    name: Option<String>,
    definition: Option<String>,
    #[serde(default)]
    arguments: Option<Vec<String>>,
}

impl Macros {
    /// Reads `macros.conf` files, folders of apps that hold some, and YAML files and folders of them; what is named
    /// later counts.
    ///
    /// # Errors
    /// A path that does not exist, that cannot be read, or that holds no macros.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Error> {
        Self::load_over(&Conf::default(), false, paths)
    }

    /// The same over the macros of apps; `given` if there are apps besides spelunk's own.
    ///
    /// # Errors
    /// As [`Macros::load`].
    pub fn load_over(apps: &Conf, given: bool, paths: &[PathBuf]) -> Result<Self, Error> {
        let mut all = built_in();
        all.overlay(apps.clone());
        for path in paths {
            for file in files(path)? {
                all.overlay(read(&file)?);
            }
        }
        Ok(Self { given: given || !paths.is_empty(), ..Self::of(&all) })
    }

    /// The macros of a `macros.conf`.
    pub fn of(conf: &Conf) -> Self {
        let mut by_name: BTreeMap<String, BTreeMap<usize, Definition>> = BTreeMap::new();
        for stanza in conf.stanzas() {
            let (name, arity) = signature(stanza.name);
            by_name.entry(name.to_owned()).or_default().insert(arity, definition(&stanza, arity));
        }
        Self { by_name, given: false }
    }

    /// Whether there are more than those known without a file.
    pub fn given(&self) -> bool {
        self.given
    }

    /// The definitions of that name by how many arguments they take; letter case counts.
    pub fn get(&self, name: &str) -> Option<&BTreeMap<usize, Definition>> {
        self.by_name.get(name)
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// `name(2)` is the macro `name` with two arguments, another one than `name`.
fn signature(stanza: &str) -> (&str, usize) {
    let parts = stanza.trim().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    match parts.and_then(|(name, arity)| Some((name.trim_end(), arity.trim().parse().ok()?))) {
        Some(signature) => signature,
        None => (stanza.trim(), 0),
    }
}

fn definition(stanza: &conf::Stanza<'_>, arity: usize) -> Definition {
    let given = |key| stanza.get(key).filter(|value| !value.is_empty());
    let arguments: Vec<String> =
        given("args").map_or_else(Vec::new, |names| names.split(',').map(|name| name.trim().to_owned()).collect());
    let evaluated = given("iseval").map_or(Some(false), conf::truth);
    let problem = if stanza.get("definition").is_none() {
        Some("has no definition".to_owned())
    } else if arguments.len() != arity {
        Some(format!("takes {} but names {}", counted(arity), arguments.len()))
    } else if evaluated.is_none() {
        Some("has an `iseval` that is neither true nor false".to_owned())
    } else {
        None
    };
    Definition {
        arguments,
        text: stanza.get("definition").unwrap_or_default().to_owned(),
        evaluated: evaluated.unwrap_or_default(),
        validation: given("validation").map(str::to_owned),
        message: given("errormsg").map(str::to_owned),
        problem,
    }
}

/// So many arguments, in words.
pub fn counted(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

fn failed(path: &Path, reason: impl ToString) -> Error {
    Error::Input { path: path.to_owned(), reason: reason.to_string() }
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
}

/// The macros in the YAML files of a folder in the layout of published detections. What is wrong with a file is told,
/// and the others count all the same.
///
/// # Errors
/// A folder that cannot be read.
pub fn of_yaml_folder(path: &Path, problems: &mut Vec<String>) -> Result<Conf, Error> {
    let mut all = Conf::default();
    for file in yaml_files(path)? {
        match read(&file) {
            Ok(conf) => all.overlay(conf),
            Err(error) => problems.push(error.to_string()),
        }
    }
    Ok(all)
}

/// The files that a path stands for, the most important last.
fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let found = fs::metadata(path).map_err(|error| failed(path, error))?;
    if !found.is_dir() {
        let known = is_yaml(path) || path.extension().is_some_and(|extension| extension == "conf");
        return match known {
            true => Ok(vec![path.to_owned()]),
            false => Err(failed(path, "macros are read from .conf, .yml and .yaml files, and from folders of them")),
        };
    }
    let mut files = yaml_files(path)?;
    let layers = ["macros.conf", "default/macros.conf", "local/macros.conf"].map(|layer| path.join(layer));
    files.extend(layers.into_iter().filter(|file| file.is_file()));
    match files.is_empty() {
        true => {
            Err(failed(path, "no macros: expected macros.conf, default/macros.conf, local/macros.conf or .yml files"))
        }
        false => Ok(files),
    }
}

/// The YAML files of a folder and of its folder `macros`.
fn yaml_files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for folder in [path.to_owned(), path.join("macros")].iter().filter(|folder| folder.is_dir()) {
        let entries = fs::read_dir(folder).map_err(|error| failed(folder, error))?;
        let mut found = Vec::new();
        for entry in entries {
            found.push(entry.map_err(|error| failed(folder, error))?.path());
        }
        found.retain(|file| is_yaml(file) && file.is_file());
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

fn read(file: &Path) -> Result<Conf, Error> {
    let bytes = fs::read(file).map_err(|error| failed(file, error))?;
    let text = String::from_utf8_lossy(&bytes);
    if !is_yaml(file) {
        return Ok(Conf::read(&text));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut conf = Conf::default();
    for entry in yaml::documents::<Entry>(text).map_err(|reason| failed(file, reason))? {
        // Other things may lie in the same folder.
        let Entry { name: Some(name), definition: Some(definition), arguments } = entry else { continue };
        let arguments = arguments.unwrap_or_default();
        let stanza = match arguments.len() {
            0 => name,
            several => format!("{name}({several})"),
        };
        conf.set(&stanza, "definition", definition.trim());
        conf.set(&stanza, "args", &arguments.join(","));
    }
    Ok(conf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures() {
        assert_eq!(signature("a"), ("a", 0));
        assert_eq!(signature("a(2)"), ("a", 2));
        assert_eq!(signature("a (0)"), ("a", 0));
        assert_eq!(signature("a(b)"), ("a(b)", 0));
        assert_eq!(signature("(3)"), ("", 3));
    }

    #[test]
    fn overloads_and_what_is_wrong_with_them() {
        let conf = "[a]\ndefinition = x\n[a(2)]\nargs = p, q\ndefinition = $p$\niseval = true\n[b(1)]\ndefinition = x\n[c]\nargs=\n[d]\ndefinition=\niseval=si\n";
        let macros = Macros::of(&Conf::read(conf));
        let problem = |name: &str, arity| macros.get(name).unwrap()[&arity].problem.clone().unwrap_or_default();
        assert_eq!(macros.names().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(macros.get("a").unwrap()[&2].arguments, ["p", "q"]);
        assert!(macros.get("a").unwrap()[&2].evaluated && !macros.get("a").unwrap()[&0].evaluated);
        assert_eq!(problem("a", 2), "");
        assert_eq!(problem("b", 1), "takes 1 argument but names 0");
        assert_eq!(problem("c", 0), "has no definition");
        assert_eq!(problem("d", 0), "has an `iseval` that is neither true nor false");
    }

    #[test]
    fn files_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        write("app/default/macros.conf", "[a]\ndefinition = default\n[b]\ndefinition = default\n");
        write("app/local/macros.conf", "[a]\ndefinition = local\n");
        write("content/macros/a.yml", "name: a\ndefinition: yaml\n");
        write("content/macros/c.yml", "name: c\ndefinition: '$x$\n| y'\narguments:\n  - x\ndescription: careless\n");
        write("content/macros/other.yml", "search: x\n");
        let single = write("my.conf", "[a]\ndefinition = single\n");
        let text = |paths: &[&str], name: &str| {
            let paths: Vec<PathBuf> = paths.iter().map(|path| folder.path().join(path)).collect();
            let macros = Macros::load(&paths).unwrap();
            macros.get(name).map(|all| all.values().map(|one| one.text.clone()).collect::<Vec<_>>().join(";"))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(text(&["app"], "a"), some("local"));
        assert_eq!(text(&["app"], "b"), some("default"));
        assert_eq!(text(&["app", "content"], "a"), some("yaml"));
        assert_eq!(text(&["content/macros", "app"], "a"), some("local"));
        assert_eq!(text(&["content/macros/c.yml"], "c"), some("$x$ | y"));
        assert_eq!(text(&["app", "my.conf"], "a"), some("single"));
        assert_eq!(text(&["app"], "drop_dm_object_name"), some("rename \"$object$.*\" as *"));
        assert_eq!(text(&["app"], "c"), None);
        fs::rename(&single, folder.path().join("my.txt")).unwrap();
        let reason = |path: &str| Macros::load(&[folder.path().join(path)]).unwrap_err().to_string();
        assert!(reason("my.txt").contains(".yaml files"));
        assert!(reason("my.conf").contains("my.conf: "));
        fs::create_dir(folder.path().join("empty")).unwrap();
        assert!(reason("empty").contains("no macros: expected macros.conf"));
        write("broken/x.yml", "name: [\n");
        assert!(reason("broken").contains("x.yml: "));
    }
}
