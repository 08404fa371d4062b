//! DCOM lateral movement (T1021.003) as telemetry, event by event, with what each detection must say of it.
//!
//! The events are synthesised: one host (a second one for the remote variant), one user, one morning. Records
//! 1000–1021 are the signals that the three tests of the detections' methodology promise, and the two public atomics;
//! 1022–1029 probe where the two detections differ; 1100 onwards are the everyday activities that the published
//! documents name as false positives; 1200 onwards is the first test again between two hosts.

mod atomics;
mod lookalikes;
mod probes;
mod remote;
mod step;

use crate::event::Event;

/// One event of a scenario, with the outcome that each detection must have for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioEvent {
    /// Which part of the scenario it belongs to: `T1`, `T1-published`, `T2`, `T2-published`, `T3`, `CTRL` (probes and
    /// controls), `FP` (benign look-alikes), `T1-remote`.
    pub test: &'static str,
    /// What the event shows.
    pub signal: &'static str,
    /// The event.
    pub event: Event,
    /// The `DetectionPattern` that the SPL detection gives it; none if it must not be returned.
    pub spl: Option<&'static str>,
    /// The same for the LogScale detection, over the event as [`Event::to_falcon`] shows it.
    pub logscale: Option<&'static str>,
}

/// What a scenario's event says about a detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Part of an attack: some event of its test should be returned.
    Attack,
    /// At the edge of what the published detections look for: worth knowing, neither right nor wrong.
    Probe,
    /// Everyday activity that a detection should leave alone.
    Benign,
}

impl ScenarioEvent {
    /// What it says about a detection.
    pub fn role(&self) -> Role {
        match self.test {
            "FP" => Role::Benign,
            // The probes that neither detection returns are the controls.
            "CTRL" if self.spl.is_none() && self.logscale.is_none() => Role::Benign,
            "CTRL" => Role::Probe,
            _ => Role::Attack,
        }
    }

    /// The title of its test.
    pub fn title(&self) -> &'static str {
        match self.test {
            "T1" => "a shell through MMC20.Application",
            "T1-published" => "the public atomic with MMC20.Application",
            "T1-remote" => "MMC20.Application between two hosts",
            "T2" => "a shell through ShellWindows",
            "T2-published" => "the public atomic with Excel.Application",
            "T3" => "the DCOM configuration tool",
            "CTRL" => "probes at the edges of the detections",
            _ => "everyday activity that looks alike",
        }
    }
}

/// The ATT&CK technique of the scenarios.
pub const TECHNIQUE: &str = "T1021.003";

/// All events of the scenarios, in the order of their record numbers, which is also the order of their times.
pub fn scenarios() -> Vec<ScenarioEvent> {
    let parts = [atomics::STEPS, probes::STEPS, lookalikes::STEPS, remote::STEPS];
    parts.into_iter().flatten().map(step::Step::event).collect()
}
