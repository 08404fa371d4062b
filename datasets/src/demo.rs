//! A folder of logs to try spelunk on.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::event::Event;
use crate::generator::{Generator, GeneratorOptions};
use crate::render::{Format, write_json_lines, write_xml};
use crate::scenario::scenarios;

/// The files of the demo: name, form, and whose channel they hold.
const FILES: [(&str, Format, &str); 4] = [
    ("sysmon.xml", Format::Xml, "Microsoft-Windows-Sysmon/Operational"),
    ("security.jsonl", Format::JsonLines, "Security"),
    ("powershell.jsonl", Format::JsonLines, "Microsoft-Windows-PowerShell/Operational"),
    ("system.xml", Format::Xml, "System"),
];

/// Writes the scenarios into a folder, which is created, among 2,000 everyday events of other hosts.
///
/// There is one file for each channel, and `falcon.jsonl` with the same process creations as Falcon reports them, for
/// queries in the LogScale language. Only scenario events are found by the detections: as many as [`scenarios`] says.
/// Returns the files.
pub fn write_demo(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let events = demo_events();
    let mut paths = Vec::with_capacity(FILES.len() + 1);
    for (name, format, channel) in FILES {
        let path = folder.join(name);
        let mut file = File::create(&path)?;
        let part = events.iter().filter(|event| event.kind.channel == channel).cloned();
        match format {
            Format::Xml => write_xml(&mut file, part)?,
            Format::JsonLines => write_json_lines(&mut file, part)?,
        };
        paths.push(path);
    }
    let path = folder.join("falcon.jsonl");
    let lines: String = events.iter().filter_map(Event::to_falcon).map(|line| line + "\n").collect();
    File::create(&path)?.write_all(lines.as_bytes())?;
    paths.push(path);
    Ok(paths)
}

/// Scenarios and everyday events in the order of their times.
fn demo_events() -> Vec<Event> {
    let everyday = GeneratorOptions {
        events: 2000,
        attack_rate: 0.0,
        hosts: 12,
        users: 10,
        start: Timestamp::constant(1_716_543_000, 0),
        events_per_second: 0.5,
        first_record: 10_000,
    };
    let mut events: Vec<Event> = scenarios().into_iter().map(|step| step.event).collect();
    events.extend(Generator::new(1, everyday).map(|generated| generated.event));
    events.sort_by_key(|event| event.time);
    events
}
