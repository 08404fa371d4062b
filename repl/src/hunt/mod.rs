//! Hunting: all detections of a pack over the same logs, which are read once.
//!
//! [`running`] runs the detections on all cores, [`seen`] takes from their rows what a report tells, and each form of
//! the report has a file of its own.

pub mod json;
pub mod junit;
pub mod layer;
pub mod rows;
pub mod running;
pub mod sarif;
pub mod saving;
pub mod seen;
pub mod table;

use serde_json::Value;

use crate::pack::Rule;
use crate::pack::about::Severity;
use crate::pack::forms::{Reported, Rows};
use crate::validate::table::Look;
use seen::Seen;

/// What became of a detection.
#[derive(Debug)]
pub enum Outcome {
    /// It ran.
    Ran(Ran),
    /// It could not be run.
    NotRun(NotRun),
}

/// A detection that ran.
#[derive(Debug)]
pub struct Ran {
    /// What it found.
    pub seen: Seen,
    /// What was warned of, once each: above all fields and sources that no event has.
    pub warnings: Vec<String>,
    /// Where its rows were saved.
    pub saved: Option<String>,
}

/// A detection that could not be run.
#[derive(Debug, Clone)]
pub struct NotRun {
    /// A code of the registry, where one fits.
    pub code: Option<String>,
    /// Why.
    pub reason: String,
    /// The line and the column in its search.
    pub place: Option<(usize, usize)>,
}

/// What was hunted.
#[derive(Debug)]
pub struct Report {
    /// The detections, each with what became of it.
    pub outcomes: Vec<(Rule, Outcome)>,
    /// How many events there were.
    pub events: u64,
    /// From which severity on a hit counts for the exit code.
    pub least: Option<Severity>,
}

impl Report {
    /// The detections that found something, the most severe first.
    pub fn hits(&self) -> Vec<(&Rule, &Ran)> {
        let mut hits: Vec<(&Rule, &Ran)> = self.ran().filter(|(_, ran)| ran.seen.rows > 0).collect();
        hits.sort_by(|(a, _), (b, _)| (b.about.severity, &a.name).cmp(&(a.about.severity, &b.name)));
        hits
    }

    /// The detections that ran.
    pub fn ran(&self) -> impl Iterator<Item = (&Rule, &Ran)> {
        self.outcomes.iter().filter_map(|(rule, outcome)| match outcome {
            Outcome::Ran(ran) => Some((rule, ran)),
            Outcome::NotRun(_) => None,
        })
    }

    /// The detections that did not.
    pub fn not_run(&self) -> impl Iterator<Item = (&Rule, &NotRun)> {
        self.outcomes.iter().filter_map(|(rule, outcome)| match outcome {
            Outcome::NotRun(not_run) => Some((rule, not_run)),
            Outcome::Ran(_) => None,
        })
    }

    /// Whether some hit counts for the exit code.
    pub fn alarms(&self) -> bool {
        let counts =
            |rule: &Rule| self.least.is_none_or(|least| rule.about.severity.is_some_and(|found| found >= least));
        self.ran().any(|(rule, ran)| ran.seen.rows > 0 && counts(rule))
    }
}

impl Reported for Report {
    fn title(&self) -> &'static str {
        "Hunt"
    }

    fn text(&self, look: Look) -> String {
        table::text(self, look)
    }

    fn shown(&self) -> Rows {
        Rows::new(&rows::HITS, rows::hits(self))
    }

    fn notes(&self) -> Vec<String> {
        let lines = table::not_run(self).into_iter().filter(|line| !line.is_empty());
        lines.chain([table::summary(self)]).collect()
    }

    fn all(&self) -> Rows {
        Rows::new(&rows::ALL, rows::all(self))
    }

    fn json(&self) -> Value {
        json::document(self)
    }

    fn junit(&self) -> String {
        junit::document(self)
    }

    fn sarif(&self) -> Value {
        sarif::document(self)
    }

    fn layer(&self) -> Value {
        layer::document(self)
    }
}
