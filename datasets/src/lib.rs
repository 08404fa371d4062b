//! What spelunk is tried on: published detections, attack scenarios whose outcome is known, and telemetry at any scale.
//!
//! | | |
//! |---|---|
//! | [`DCOM_SPL`], [`DCOM_CQL`], [`DETECTIONS`] | detections as their authors published them, to the byte |
//! | [`scenarios`] | DCOM lateral movement (T1021.003), event by event, with the label each detection must give |
//! | [`Generator`], [`generate`], [`generate_parquet`] | a seeded stream of everyday events of a Windows network, with attacks at a known rate |
//! | [`EvtxWriter`], [`write_evtx`], [`generate_evtx`] | event log files, as Windows keeps them |
//! | [`write_demo`] | a folder of log files made of both |
//!
//! Everything is an [`Event`]: a Windows event with its header and its named values. An event has three texts.
//! [`Event::to_xml`] is the XML that Windows renders and Splunk indexes, one event a line; only line breaks inside of a
//! value make it longer. [`Event::to_json`] is the flat object that log shippers export: `EventID`, `RecordNumber` and
//! the other numbers of the header are numbers, `@timestamp` is ISO 8601 in UTC to the millisecond, and all values of
//! the event data are text. [`Event::to_falcon`] shows a process creation as CrowdStrike's sensor reports it.
//!
//! Values are written as Windows writes them: GUIDs in braces, `true` and `false`, process identifiers in decimal
//! digits in Sysmon's events and hexadecimal in Security's, `-` where there is nothing. Times are UTC.
//!
//! All hosts, people, addresses and hashes are invented.
//!
//! ```
//! use spelunk_datasets::{Generator, GeneratorOptions};
//!
//! let options = GeneratorOptions { events: 1000, attack_rate: 0.01, ..GeneratorOptions::default() };
//! let found = Generator::new(7, options).filter(|generated| generated.spl.is_some()).count();
//! assert_eq!(found, 10);
//! ```

mod action;
mod catalogue;
mod demo;
mod detections;
mod event;
mod evtx;
mod falcon;
mod generator;
mod parquet;
mod render;
mod scenario;

pub use demo::write_demo;
pub use detections::{DCOM_CQL, DCOM_SPL, DETECTIONS, Detection, Language};
pub use event::{Data, Event, Kind, Text, kinds};
pub use evtx::{EvtxWriter, generate_evtx, write_evtx};
pub use generator::{Generated, Generator, GeneratorOptions, Written, generate};
pub use parquet::generate_parquet;
pub use render::{Format, write_json_lines, write_xml};
pub use scenario::{Role, ScenarioEvent, TECHNIQUE, scenarios};
