//! What spelunk is tried on: published detections, attack scenarios whose outcome is known, and generated telemetry.

mod action;
mod catalogue;
mod detections;
mod event;
mod falcon;
mod generator;
mod render;
mod scenario;

pub use detections::{DCOM_CQL, DCOM_SPL, DETECTIONS, Detection, Language};
pub use event::{Data, Event, Kind, Text, kinds};
pub use generator::{Generated, Generator, GeneratorOptions, Written, generate};
pub use render::{Format, write_json_lines, write_xml};
pub use scenario::{ScenarioEvent, scenarios};
