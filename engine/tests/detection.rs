//! The published DCOM detection, word for word, over the scenarios and generated events that the project makes itself,
//! in each format that it writes; and over recorded attacks where these are at hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use spelunk_datasets::{DCOM_SPL, Event, Generator, GeneratorOptions, scenarios, write_json_lines, write_xml};
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Session, SessionOptions};

/// How many rows the detection gives for each time and label.
type Hits = BTreeMap<(String, String), usize>;

async fn hits(path: &Path) -> Hits {
    let inputs = vec![Input { location: Location::Path(path.to_path_buf()), index: None }];
    let session = Session::new(SessionOptions::default(), inputs).unwrap();
    let search = session.search(DCOM_SPL).await.unwrap();
    assert!(search.diagnostics.is_empty(), "{:?}", search.diagnostics);
    let names: Vec<String> = search.schema.fields().iter().map(|field| field.name().clone()).collect();
    let expected =
        ["_time", "host", "User", "Image", "CommandLine", "ParentImage", "ParentCommandLine", "DetectionPattern"];
    assert_eq!(names, expected);
    let mut hits = Hits::new();
    let mut last = None;
    for batch in search.stream.try_collect::<Vec<_>>().await.unwrap() {
        for row in 0..batch.num_rows() {
            let (Cell::Time(time), Cell::Text(label)) = (
                cell(batch.column(0), row, &jiff::tz::TimeZone::UTC),
                cell(batch.column(7), row, &jiff::tz::TimeZone::UTC),
            ) else {
                panic!("a row without time or label");
            };
            assert!(last.as_ref().is_none_or(|last| *last >= time), "newest first");
            last = Some(time.clone());
            *hits.entry((time, label)).or_default() += 1;
        }
    }
    hits
}

fn expected<'e>(events: impl Iterator<Item = (&'e Event, Option<&'static str>)>) -> Hits {
    let mut hits = Hits::new();
    for (event, label) in events {
        if let Some(label) = label {
            let time = event.time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
            *hits.entry((time, label.to_string())).or_default() += 1;
        }
    }
    hits
}

/// The same events as Windows event XML and as JSON lines.
fn both_forms(folder: &Path, events: &[Event]) -> [PathBuf; 2] {
    let [xml, json] = ["events.xml", "events.jsonl"].map(|name| folder.join(name));
    write_xml(&mut File::create(&xml).unwrap(), events.iter().cloned()).unwrap();
    write_json_lines(&mut File::create(&json).unwrap(), events.iter().cloned()).unwrap();
    [xml, json]
}

#[tokio::test]
async fn every_scenario_gives_the_label_that_it_should() {
    let scenarios = scenarios();
    let expected = expected(scenarios.iter().map(|scenario| (&scenario.event, scenario.spl)));
    assert!(expected.len() > 20, "the scenarios lost their attacks");
    let events: Vec<Event> = scenarios.into_iter().map(|scenario| scenario.event).collect();
    let folder = tempfile::tempdir().unwrap();
    for path in both_forms(folder.path(), &events) {
        assert_eq!(hits(&path).await, expected, "{}", path.display());
    }
}

#[tokio::test]
async fn generated_attacks_are_found_and_nothing_else() {
    let options = GeneratorOptions { events: 20_000, attack_rate: 0.002, ..GeneratorOptions::default() };
    let generated: Vec<_> = Generator::new(11, options).collect();
    let expected = expected(generated.iter().map(|generated| (&generated.event, generated.spl)));
    assert_eq!(expected.values().sum::<usize>(), 40);
    let events: Vec<Event> = generated.into_iter().map(|generated| generated.event).collect();
    let folder = tempfile::tempdir().unwrap();
    for path in both_forms(folder.path(), &events) {
        assert_eq!(hits(&path).await, expected, "{}", path.display());
    }
}

#[tokio::test]
async fn recorded_attacks_are_found() {
    let telemetry = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/telemetry");
    if !telemetry.exists() {
        // Past the capture of test output, so that it shows.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is absent\n");
        return;
    }
    let found = hits(&telemetry.join("evtx")).await;
    assert_eq!(found.values().sum::<usize>(), 6, "{found:?}");
    let found = hits(&telemetry.join("sigma-regression")).await;
    assert!(found.is_empty(), "{found:?}");
}
