//! Detections on trial: which of the signals of known attacks they catch, and which look-alikes they flag.
//!
//! A suite of scenarios is made of cases ([`Case`]): a test of a technique, with its signals. Each detection runs over
//! the telemetry of its language ([`stage`]), the rows are led back to the signals ([`trial`]), and the outcome is
//! judged against what is documented ([`verdict`]). Each form of the report has a file of its own.

pub mod builtin;
pub mod folder;
pub mod json;
pub mod junit;
pub mod known;
pub mod layer;
pub mod sarif;
pub mod stage;
pub mod table;
pub mod trial;
pub mod verdict;

use std::collections::BTreeMap;

use serde::Deserialize;
use spelunk_engine::{Unchosen, Verdict};

use crate::detections::Detection;

/// What a signal says about a detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Part of an attack: some signal of its case should be caught.
    Attack,
    /// Worth knowing, neither right nor wrong.
    Probe,
    /// Should be left alone.
    Benign,
}

impl Role {
    /// Its name in scenario files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Role::Attack => "attack",
            Role::Probe => "probe",
            Role::Benign => "benign",
        }
    }
}

/// A test of a technique.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its short name.
    pub name: String,
    /// What happens in it.
    pub title: String,
    /// The ATT&CK technique; may be empty.
    pub technique: String,
    /// What can be seen of it.
    pub signals: Vec<Signal>,
}

/// What can be seen of a test.
#[derive(Debug, Clone)]
pub struct Signal {
    /// Names it within the suite.
    pub id: String,
    /// What it shows.
    pub name: String,
    /// What it says about a detection.
    pub role: Role,
    /// What is documented of detections, by their names.
    pub documented: BTreeMap<String, Documented>,
}

/// What is documented of a detection and a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Documented {
    /// It is not returned.
    Missed,
    /// It is returned, under this label if one is named.
    Caught(Option<String>),
}

impl Documented {
    /// `missed`, `caught`, or a label.
    pub fn read(text: &str) -> Self {
        match text {
            "missed" => Documented::Missed,
            "caught" | "flagged" => Documented::Caught(None),
            label => Documented::Caught(Some(label.to_owned())),
        }
    }
}

/// What became of a signal in a detection.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A row comes from it, under these labels.
    Caught(Vec<String>),
    /// It is among the events of which this command made rows.
    Through(String),
    /// No row comes from it; the first condition that it fails.
    Missed(Option<Verdict>),
    /// The telemetry has no event that shows it.
    Absent,
}

impl Outcome {
    /// Whether the detection returns it.
    pub fn is_caught(&self) -> bool {
        matches!(self, Outcome::Caught(_) | Outcome::Through(_))
    }
}

/// A detection and what it did with the signals of all cases.
pub struct Trial {
    /// The detection.
    pub detection: Detection,
    /// In what form it saw the events.
    pub telemetry: String,
    /// Case by case, signal by signal.
    pub outcomes: Vec<Vec<Outcome>>,
    /// The labels that signals do not get, by case and signal.
    pub unchosen: BTreeMap<(usize, usize), Vec<Unchosen>>,
    /// How many rows it found in the user's own logs, by label.
    pub own: Option<BTreeMap<String, u64>>,
}

/// All that a report shows.
pub struct Report {
    /// Where the scenarios are from.
    pub scenarios: String,
    /// The cases.
    pub cases: Vec<Case>,
    /// The detections.
    pub trials: Vec<Trial>,
    /// Whether a look-alike that is flagged and not documented counts as a failure.
    pub noise_fails: bool,
}
