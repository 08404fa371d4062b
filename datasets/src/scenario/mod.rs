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

/// All events of the scenarios, in the order of their record numbers, which is also the order of their times.
pub fn scenarios() -> Vec<ScenarioEvent> {
    let parts = [atomics::STEPS, probes::STEPS, lookalikes::STEPS, remote::STEPS];
    parts.into_iter().flatten().map(step::Step::event).collect()
}
