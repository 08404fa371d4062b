//! The scenarios that the binary brings along, written as the telemetry that a language is made for.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use spelunk_datasets::{ScenarioEvent, TECHNIQUE, scenarios};
use spelunk_engine::Language;
use tempfile::TempDir;

use super::stage::{Matching, Place, Scenarios, Stage};
use super::{Case, Documented, Role, Signal};

/// The bundled scenarios.
pub struct Builtin {
    events: Vec<(Place, ScenarioEvent)>,
    /// Holds what is written; removed at the end.
    folder: TempDir,
}

impl Builtin {
    /// The scenarios, and their cases.
    ///
    /// # Errors
    /// No folder for temporary files.
    pub fn new() -> io::Result<(Self, Vec<Case>)> {
        let mut cases: Vec<Case> = Vec::new();
        let mut events = Vec::new();
        for event in scenarios() {
            let known = cases.iter().position(|case| case.name == event.test);
            let position = known.unwrap_or_else(|| {
                cases.push(Case {
                    name: event.test.to_owned(),
                    title: event.title().to_owned(),
                    technique: TECHNIQUE.to_owned(),
                    signals: Vec::new(),
                });
                cases.len().saturating_sub(1)
            });
            if let Some(case) = cases.get_mut(position) {
                events.push((Place { case: position, signal: case.signals.len() }, event.clone()));
                case.signals.push(signal(&event));
            }
        }
        let folder = tempfile::Builder::new().prefix("spelunk-validate-").tempdir()?;
        Ok((Self { events, folder }, cases))
    }

    fn stage(&self, file: &Path, language: Language, cases: Vec<usize>) -> io::Result<Stage> {
        let mut text = String::new();
        let mut order = Vec::new();
        for (place, event) in self.events.iter().filter(|(place, _)| cases.contains(&place.case)) {
            let line = match language {
                Language::Spl => Some(event.event.to_xml()),
                Language::LogScale => event.event.to_falcon(),
            };
            if let Some(line) = line {
                text.push_str(&line);
                text.push('\n');
                order.push(*place);
            }
        }
        std::fs::write(file, text)?;
        let telemetry = match language {
            Language::Spl => "Windows events as XML",
            Language::LogScale => "the process starts as Falcon JSON",
        };
        let telemetry = telemetry.to_owned();
        Ok(Stage { inputs: vec![file.to_owned()], telemetry, matching: Matching::Order(order), cases })
    }
}

fn signal(event: &ScenarioEvent) -> Signal {
    let documented = |label: Option<&str>| match label {
        Some(label) => Documented::Caught(Some(label.to_owned())),
        None => Documented::Missed,
    };
    Signal {
        id: event.event.record.to_string(),
        name: event.signal.to_owned(),
        role: match event.role() {
            spelunk_datasets::Role::Attack => Role::Attack,
            spelunk_datasets::Role::Probe => Role::Probe,
            spelunk_datasets::Role::Benign => Role::Benign,
        },
        documented: BTreeMap::from([
            ("dcom.spl".to_owned(), documented(event.spl)),
            ("dcom.cql".to_owned(), documented(event.logscale)),
        ]),
    }
}

impl Scenarios for Builtin {
    fn name(&self) -> String {
        "builtin".to_owned()
    }

    fn stages(&self, language: Language, each: bool) -> io::Result<Vec<Stage>> {
        let ending = match language {
            Language::Spl => "xml",
            Language::LogScale => "jsonl",
        };
        let count = self.events.iter().map(|(place, _)| place.case.saturating_add(1)).max().unwrap_or_default();
        if !each {
            let file = self.folder.path().join(format!("all.{ending}"));
            return Ok(vec![self.stage(&file, language, (0..count).collect())?]);
        }
        let stage = |case: usize| {
            let file = self.folder.path().join(format!("case-{case}.{ending}"));
            self.stage(&file, language, vec![case])
        };
        // A case that the telemetry shows nothing of has no events to run over.
        let has_events = |stage: &Stage| !matches!(&stage.matching, Matching::Order(order) if order.is_empty());
        (0..count).map(stage).filter(|made| made.as_ref().map_or(true, has_events)).collect()
    }
}
