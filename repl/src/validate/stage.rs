//! Events on disk for a detection to run over, and which signal each of them shows.

use std::path::PathBuf;

/// A signal, by the place of its case and its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The case.
    pub case: usize,
    /// The signal within it.
    pub signal: usize,
}

/// How the events are led back to signals.
#[derive(Debug, Clone)]
pub enum Matching {
    /// The events show these signals, in the order in which they are read.
    Order(Vec<Place>),
    /// A signal is what its SPL search finds.
    Searches(Vec<(Place, String)>),
}

/// Events of one or several cases.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What holds them.
    pub inputs: Vec<PathBuf>,
    /// In what form.
    pub telemetry: String,
    /// Which signals they show.
    pub matching: Matching,
    /// The cases whose signals are looked for.
    pub cases: Vec<usize>,
}

/// Where scenarios come from.
pub trait Scenarios {
    /// What they are called in reports.
    fn name(&self) -> String;

    /// The events for detections of a language: all in as few stages as can be, or each case in its own.
    ///
    /// # Errors
    /// What the file system says.
    fn stages(&self, language: spelunk_engine::Language, each: bool) -> std::io::Result<Vec<Stage>>;
}
