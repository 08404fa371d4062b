//! Scenarios of the user's own: a folder of folders, each with its events and a `scenario.yml`. The layout is described
//! in docs/scenarios.md.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use spelunk_engine::Language;
use spelunk_engine::knowledge::yaml;
use walkdir::WalkDir;

use super::stage::{Matching, Place, Scenarios, Stage};
use super::{Case, Documented, Role, Signal};
use crate::escape;
use crate::exit::{self, Failure};

/// The file that describes a scenario.
const NAMES: [&str; 2] = ["scenario.yml", "scenario.yaml"];

/// `scenario.yml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    name: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    technique: String,
    role: Option<Role>,
    #[serde(default)]
    events: Vec<PathBuf>,
    #[serde(default)]
    falcon: Vec<PathBuf>,
    signals: Vec<DescribedSignal>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DescribedSignal {
    id: String,
    #[serde(default)]
    name: String,
    role: Option<Role>,
    #[serde(rename = "match")]
    matching: String,
    falcon_match: Option<String>,
    #[serde(default)]
    expect: BTreeMap<String, String>,
}

/// A folder of scenarios.
pub struct Folder {
    path: PathBuf,
    scenarios: Vec<Scenario>,
}

struct Scenario {
    events: Vec<PathBuf>,
    falcon: Vec<PathBuf>,
    /// Each signal's search, over the events and over their form as Falcon's.
    searches: Vec<(String, String)>,
}

impl Folder {
    /// The scenarios below a folder, and their cases.
    ///
    /// # Errors
    /// No scenario, one that cannot be read, or a file that it names and that is not there.
    pub fn read(path: &Path) -> Result<(Self, Vec<Case>), Failure> {
        if !path.is_dir() {
            let shown = escape::line(&path.display().to_string()).into_owned();
            return Err(Failure::Usage(format!("--scenarios {shown}: no such folder; the bundled ones are `builtin`")));
        }
        let found = WalkDir::new(path).sort_by_file_name().into_iter().filter_map(Result::ok);
        let files: Vec<PathBuf> = found
            .filter(|entry| entry.file_type().is_file() && NAMES.iter().any(|name| entry.file_name() == *name))
            .map(walkdir::DirEntry::into_path)
            .collect();
        let (mut scenarios, mut cases): (Vec<Scenario>, Vec<Case>) = (Vec::new(), Vec::new());
        for file in files {
            let (scenario, case) = read_one(&file)?;
            if cases.iter().any(|known| known.name == case.name) {
                return Err(wrong(&file, &format!("another scenario is called {:?} too", case.name)));
            }
            scenarios.push(scenario);
            cases.push(case);
        }
        if cases.is_empty() {
            return Err(wrong(path, "no scenario.yml in it"));
        }
        Ok((Self { path: path.to_owned(), scenarios }, cases))
    }
}

fn wrong(path: &Path, reason: &str) -> Failure {
    Failure::Usage(format!("{}: {}", escape::line(&path.display().to_string()), escape::line(reason)))
}

fn read_one(file: &Path) -> Result<(Scenario, Case), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| exit::at(file, &error))?;
    let described = yaml::documents::<Described>(&text).map_err(|reason| wrong(file, &reason))?;
    let [described] = <[Described; 1]>::try_from(described).map_err(|_| wrong(file, "expected one document"))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let stem = folder.file_name().map_or_else(|| "scenario".to_owned(), |name| name.to_string_lossy().into_owned());
    let locate = |names: &[PathBuf]| {
        let absent = names.iter().find(|name| !folder.join(name).exists());
        if let Some(absent) = absent {
            return Err(wrong(file, &format!("there is no {}", absent.display())));
        }
        Ok(names.iter().map(|name| folder.join(name)).collect::<Vec<_>>())
    };
    let falcon = locate(&described.falcon)?;
    let mut events = locate(&described.events)?;
    if events.is_empty() {
        events = beside(file, folder, &falcon)?;
    }
    if events.is_empty() {
        return Err(wrong(file, "no events: name their files under `events`, or put them beside it"));
    }
    if described.signals.is_empty() {
        return Err(wrong(file, "no signals"));
    }
    let (mut searches, mut signals): (Vec<(String, String)>, Vec<Signal>) = (Vec::new(), Vec::new());
    for signal in described.signals {
        if signals.iter().any(|known| known.id == signal.id) {
            return Err(wrong(file, &format!("two signals have the id {:?}", signal.id)));
        }
        let falcon = signal.falcon_match.unwrap_or_else(|| signal.matching.clone());
        searches.push((signal.matching, falcon));
        let documented = signal.expect.into_iter().map(|(name, text)| (name, Documented::read(&text))).collect();
        let role = signal.role.or(described.role).unwrap_or(Role::Attack);
        signals.push(Signal { id: signal.id, name: signal.name, role, documented });
    }
    let name = described.name.unwrap_or(stem);
    let case = Case { name, title: described.title, technique: described.technique, signals };
    Ok((Scenario { events, falcon, searches }, case))
}

/// The files beside a description, but those that show the same as Falcon does.
fn beside(file: &Path, folder: &Path, falcon: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| exit::at(folder, &error))?;
    let mut found: Vec<PathBuf> = entries
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path != file && !falcon.contains(path))
        .collect();
    found.sort_unstable();
    Ok(found)
}

impl Scenarios for Folder {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn stages(&self, language: Language, _each: bool) -> io::Result<Vec<Stage>> {
        let stage = |(case, scenario): (usize, &Scenario)| {
            let as_falcon = language == Language::LogScale && !scenario.falcon.is_empty();
            let inputs = if as_falcon { &scenario.falcon } else { &scenario.events };
            let searches = scenario.searches.iter().enumerate().map(|(signal, (events, falcon))| {
                (Place { case, signal }, if as_falcon { falcon } else { events }.clone())
            });
            Stage {
                inputs: inputs.clone(),
                telemetry: if as_falcon { "its files under `falcon`" } else { "its events as they are" }.to_owned(),
                matching: Matching::Searches(searches.collect()),
                cases: vec![case],
            }
        };
        Ok(self.scenarios.iter().enumerate().map(stage).collect())
    }
}
