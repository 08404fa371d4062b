//! Settings: what the command line does not say is taken from the environment, the project's file and the user's file.
//!
//! The strongest place that names a setting counts alone: flag, `SPELUNK_NAME`, `.spelunk.toml` in the working folder or
//! one above it, `spelunk/config.toml` in the user's folder for configuration. Each becomes the flag that it stands for,
//! so that values mean the same wherever they are written.
//!
//! A project's file may have come with the evidence. It may say how logs are read and shown, and what knowledge lies
//! beside it; it may not name a program, a place to write to, or what is left out of a search ([`Known::project`]), and
//! that it was heeded is told.

mod file;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use etcetera::BaseStrategy;

use crate::escape;
use crate::exit::Failure;
use crate::terminal;
use file::{Entry, File};

/// The name of a project's file.
const PROJECT: &str = ".spelunk.toml";
/// Where this is `off`, no file is read.
const SWITCH: &str = "SPELUNK_CONFIG";
/// The setting that stands for no flag.
pub const PAGER: &str = "pager";

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Path,
    Paths,
    /// A flag without a value.
    Switch,
}

/// A setting that there is.
#[derive(Debug, Clone, Copy)]
struct Known {
    key: &'static str,
    /// The argument that it stands for, if it stands for one.
    argument: &'static str,
    kind: Kind,
    /// Whether a project's file may set it: not what runs a program, writes, takes memory or hides events and warnings.
    project: bool,
}

const fn known(key: &'static str, argument: &'static str, kind: Kind, project: bool) -> Known {
    Known { key, argument, kind, project }
}

/// Every setting, by name.
const KNOWN: [Known; 19] = [
    known("allow-write", "allow_write", Kind::Path, false),
    known("apps", "app", Kind::Paths, true),
    known("color", "color", Kind::Text, true),
    known("earliest", "earliest", Kind::Text, false),
    known("geoip", "geoip", Kind::Path, true),
    known("lang", "lang", Kind::Text, true),
    known("latest", "latest", Kind::Text, false),
    known("lookups", "lookups", Kind::Paths, true),
    known("macros", "macros", Kind::Paths, true),
    known("memory", "memory", Kind::Text, false),
    known("now", "now", Kind::Text, true),
    known(PAGER, "", Kind::Text, false),
    known("quiet", "quiet", Kind::Switch, false),
    known("saved-queries", "saved_queries", Kind::Paths, true),
    known("savedsearches", "savedsearches", Kind::Paths, true),
    known("strict", "strict", Kind::Switch, true),
    known("temp", "temp", Kind::Path, false),
    known("tz", "tz", Kind::Text, true),
    known("view", "view", Kind::Text, true),
];

/// Where a value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody named it.
    Default,
    /// The command line.
    Flag(String),
    /// A variable of the environment.
    Environment(String),
    /// A line of the project's file.
    Project(PathBuf, usize),
    /// A line of the user's file.
    User(PathBuf, usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => out.write_str("default"),
            Origin::Flag(flag) => write!(out, "--{flag}"),
            Origin::Environment(name) => write!(out, "${name}"),
            Origin::Project(file, line) | Origin::User(file, line) => write!(out, "{}:{line}", file.display()),
        }
    }
}

/// A setting with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub key: &'static str,
    /// Its value as it is written; empty where it has none.
    pub value: String,
    /// Where that is from.
    pub origin: Origin,
}

/// All settings of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(pub Vec<Setting>);

/// The commands that search one set of logs, besides the shell without a name: only these have one latest event.
const ONE_SET: [&str; 3] = ["explain", "repl", "run"];

fn is_latest(found: &Found) -> bool {
    found.values.iter().any(|value| value == "latest")
}

/// A value that is no flag, and where it is from.
struct Found {
    values: Vec<OsString>,
    origin: Origin,
}

/// The arguments with the flags that the settings stand for, and what they are.
///
/// # Errors
/// A file that cannot be read, and a value that its flag does not take.
pub fn apply(
    definition: &Command,
    matches: &ArgMatches,
    mut arguments: Vec<OsString>,
) -> Result<(Vec<OsString>, Settings), Failure> {
    let name = matches.subcommand_name();
    let (command, matches, place) = match matches.subcommand() {
        Some((name, matches)) => match definition.find_subcommand(name) {
            Some(command) => (command, matches, 2),
            None => return Ok((arguments, Settings::default())),
        },
        None => (definition, matches, 1),
    };
    let argument_of = |known: &Known| command.get_arguments().find(|argument| argument.get_id() == known.argument);
    if KNOWN.iter().all(|known| argument_of(known).is_none()) {
        return Ok((arguments, Settings::default()));
    }
    let files = Files::read()?;
    let (mut settings, mut flags) = (Settings::default(), Vec::new());
    for known in &KNOWN {
        let argument = argument_of(known);
        // What shows results pages them.
        let pages = known.key == PAGER && command.get_arguments().any(|argument| argument.get_id() == "no_pager");
        if argument.is_none() && !pages {
            continue;
        }
        if let Some(argument) = argument
            && matches.value_source(known.argument) == Some(ValueSource::CommandLine)
        {
            let flag = argument.get_long().unwrap_or(known.key).to_owned();
            let value = raw(matches, known);
            settings.0.push(Setting { key: known.key, value, origin: Origin::Flag(flag) });
            continue;
        }
        let several = name.is_some_and(|name| !ONE_SET.contains(&name));
        let found = files.find(known)?.filter(|found| !(several && known.key == "now" && is_latest(found)));
        let Some(Found { values, origin }) = found else {
            let default = argument.map(default_of).unwrap_or_default();
            settings.0.push(Setting { key: known.key, value: default, origin: Origin::Default });
            continue;
        };
        if let Some(argument) = argument {
            let given = as_flags(argument, known, &values);
            check(argument, known, &given, &origin)?;
            flags.extend(given);
        }
        settings.0.push(Setting { key: known.key, value: shown(&values), origin });
    }
    tell_project(&settings);
    let place = place.min(arguments.len());
    arguments.splice(place..place, flags);
    Ok((arguments, settings))
}

/// That a project's file was heeded, which the user may not know to be there.
fn tell_project(settings: &Settings) {
    let of_project = |setting: &Setting| match &setting.origin {
        Origin::Project(file, _) => Some((file.clone(), setting.key)),
        _ => None,
    };
    let heeded: Vec<(PathBuf, &str)> = settings.0.iter().filter_map(of_project).collect();
    if let Some((file, _)) = heeded.first() {
        let keys: Vec<&str> = heeded.iter().map(|(_, key)| *key).collect();
        terminal::summary(&format!("{} sets {}", file.display(), keys.join(", ")));
    }
}

/// The values as the command line has them.
fn raw(matches: &ArgMatches, known: &Known) -> String {
    match known.kind {
        Kind::Switch => "true".to_owned(),
        _ => {
            let values: Vec<OsString> =
                matches.get_raw(known.argument).map(|values| values.map(OsString::from).collect()).unwrap_or_default();
            shown(&values)
        }
    }
}

fn shown(values: &[OsString]) -> String {
    values.iter().map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>().join(", ")
}

fn default_of(argument: &Arg) -> String {
    let values: Vec<OsString> = argument.get_default_values().iter().map(OsString::from).collect();
    shown(&values)
}

fn as_flags(argument: &Arg, known: &Known, values: &[OsString]) -> Vec<OsString> {
    let long = argument.get_long().unwrap_or(known.key);
    if known.kind == Kind::Switch {
        let on = values.iter().any(|value| value == "true");
        return if on { vec![OsString::from(format!("--{long}"))] } else { Vec::new() };
    }
    let flag = |value: &OsString| {
        let mut flag = OsString::from(format!("--{long}="));
        flag.push(value);
        flag
    };
    values.iter().map(flag).collect()
}

/// Reads the values as the flag will, so that a mistake is told where it was made.
fn check(argument: &Arg, known: &Known, flags: &[OsString], origin: &Origin) -> Result<(), Failure> {
    let alone = Command::new("setting").no_binary_name(true).disable_help_flag(true).arg(argument.clone());
    match alone.try_get_matches_from(flags) {
        Ok(_) => Ok(()),
        Err(error) => {
            let told = error.render().to_string();
            let first = told.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(Failure::Usage(format!("{origin}: {}: {first}", known.key)))
        }
    }
}

/// The files with settings that there are.
#[derive(Default)]
struct Files {
    project: Option<File>,
    user: Option<File>,
}

impl Files {
    fn read() -> Result<Self, Failure> {
        if std::env::var_os(SWITCH).is_some_and(|value| value == "off") {
            return Ok(Self::default());
        }
        let folder = std::env::current_dir().ok();
        let project =
            folder.and_then(|folder| folder.ancestors().map(|at| at.join(PROJECT)).find(|file| file.is_file()));
        let user = etcetera::choose_base_strategy().ok().map(|base| base.config_dir().join("spelunk/config.toml"));
        let user = user.filter(|file| file.is_file());
        let read = |path: Option<PathBuf>| path.map(|path| File::read(&path)).transpose();
        let files = Self { project: read(project)?, user: read(user)? };
        files.tell_mistakes();
        Ok(files)
    }

    /// Warns of lines that are not heeded.
    fn tell_mistakes(&self) {
        let names: Vec<&str> = KNOWN.iter().map(|known| known.key).collect();
        for (file, of_project) in [(&self.project, true), (&self.user, false)] {
            let Some(file) = file else { continue };
            for Entry { key, line, .. } in &file.entries {
                let reason = match KNOWN.iter().find(|known| known.key == key) {
                    Some(known) if of_project && !known.project => format!(
                        "a project's file may not set {key}, because it may have come with the evidence: \
                         say it on the command line, as ${} or in your own file",
                        variable(known.key)
                    ),
                    Some(_) => continue,
                    None => match crate::shell::nearest(key, &names) {
                        Some(near) => format!("there is no setting {key}: did you mean {near}?"),
                        None => format!("there is no setting {key}: {}", names.join(", ")),
                    },
                };
                terminal::warning(&format!("{}:{line}: {}", file.path.display(), escape::line(&reason)));
            }
        }
    }

    /// The strongest value that is no flag.
    fn find(&self, known: &Known) -> Result<Option<Found>, Failure> {
        let name = variable(known.key);
        if let Some(value) = std::env::var_os(&name).filter(|value| !value.is_empty()) {
            let origin = Origin::Environment(name);
            let values = match known.kind {
                Kind::Paths => std::env::split_paths(&value).map(PathBuf::into_os_string).collect(),
                Kind::Switch => vec![switch(&value.to_string_lossy(), known, &origin)?],
                Kind::Text | Kind::Path => vec![value],
            };
            return Ok(Some(Found { values, origin }));
        }
        if let Some((file, entry)) =
            self.project.as_ref().filter(|_| known.project).and_then(|file| file.get(known.key))
        {
            let origin = Origin::Project(file.path.clone(), entry.line);
            let values = values_of(file, entry, known, &origin)?;
            if matches!(known.kind, Kind::Path | Kind::Paths) {
                values.iter().try_for_each(|path| is_beside(path.as_ref(), file, known, &origin))?;
            }
            return Ok(Some(Found { values, origin }));
        }
        if let Some((file, entry)) = self.user.as_ref().and_then(|file| file.get(known.key)) {
            let origin = Origin::User(file.path.clone(), entry.line);
            return Ok(Some(Found { values: values_of(file, entry, known, &origin)?, origin }));
        }
        Ok(None)
    }
}

/// `SPELUNK_SAVED_QUERIES`
fn variable(key: &str) -> String {
    format!("SPELUNK_{}", key.replace('-', "_").to_ascii_uppercase())
}

fn switch(value: &str, known: &Known, origin: &Origin) -> Result<OsString, Failure> {
    match value {
        "true" | "1" | "yes" | "on" => Ok("true".into()),
        "false" | "0" | "no" | "off" => Ok("false".into()),
        _ => Err(Failure::Usage(format!("{origin}: {} is true or false", known.key))),
    }
}

/// The values of a line, with paths as seen from its file.
fn values_of(file: &File, entry: &Entry, known: &Known, origin: &Origin) -> Result<Vec<OsString>, Failure> {
    let refused = |expected: &str| Err(Failure::Usage(format!("{origin}: {} is {expected}", known.key)));
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let Some(values) = &entry.values else { return refused("a text, true or false, or a list of texts") };
    if values.len() > 1 && known.kind != Kind::Paths {
        return refused("one value, not several");
    }
    match known.kind {
        Kind::Text => Ok(values.iter().map(OsString::from).collect()),
        Kind::Switch => values.iter().map(|value| switch(value, known, origin)).collect(),
        Kind::Path | Kind::Paths => Ok(values.iter().map(|path| folder.join(path).into_os_string()).collect()),
    }
}

/// Refuses paths of a project that lead out of its folder.
fn is_beside(path: &Path, file: &File, known: &Known, origin: &Origin) -> Result<(), Failure> {
    let refused = |reason: &str| Failure::Usage(format!("{origin}: {}: {}: {reason}", known.key, path.display()));
    let real = path.canonicalize().map_err(|error| refused(&error.to_string()))?;
    let folder = file.path.parent().and_then(|folder| folder.canonicalize().ok());
    match folder.is_some_and(|folder| real.starts_with(folder)) {
        true => Ok(()),
        false => Err(refused("a project's file names what lies in its folder only")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_in_order_and_stand_for_flags() {
        assert!(KNOWN.iter().map(|known| known.key).is_sorted());
        let definition = <crate::cli::Cli as clap::CommandFactory>::command();
        let run = definition.find_subcommand("run").unwrap();
        for known in KNOWN.iter().filter(|known| known.key != PAGER) {
            assert!(run.get_arguments().any(|argument| argument.get_id() == known.argument), "{}", known.key);
        }
        assert_eq!(variable("saved-queries"), "SPELUNK_SAVED_QUERIES");
    }

    #[test]
    fn a_project_runs_and_writes_nothing() {
        let allowed: Vec<&str> = KNOWN.iter().filter(|known| known.project).map(|known| known.key).collect();
        for key in ["allow-write", "temp", PAGER, "memory", "quiet", "earliest", "latest"] {
            assert!(!allowed.contains(&key), "{key}");
        }
    }
}
