//! Whole files, in and out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod archives;
mod evtx;
mod exports;
mod forms;
mod heads;
mod hostile;
mod json;
mod passed_over;
mod ranges;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::Value;

use super::*;

pub(super) fn options() -> ReadOptions {
    ReadOptions {
        fields: FieldSelection::AllButRaw,
        wanted: None,
        sourcetype: None,
        host: None,
        source: None,
        strict: false,
        time_zone: jiff::tz::TimeZone::UTC,
        cancelled: Arc::default(),
        temp: None,
        pool: None,
        watch: Arc::default(),
    }
}

pub(super) fn input(path: &Path) -> Input {
    Input { location: Location::Path(path.to_owned()), index: None }
}

pub(super) fn read_path(path: &Path, options: &ReadOptions) -> (Store, ReadReport) {
    read(&[input(path)], options).unwrap()
}

/// The events as text, by serial: (field, value) pairs that are not null.
pub(super) fn events(store: &Store) -> Vec<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for shape in &store.shapes {
        for batch in &shape.batches {
            assert_eq!(batch.schema(), shape.schema);
            assert!(batch.num_rows() <= 8192);
            rows(batch, &mut found);
        }
    }
    found.into_values().collect()
}

fn rows(batch: &RecordBatch, found: &mut BTreeMap<i64, BTreeMap<String, String>>) {
    let serials = batch.column_by_name("_serial").unwrap().as_primitive::<arrow::datatypes::Int64Type>().clone();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let format = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(column, &format).unwrap();
        for row in 0..batch.num_rows() {
            let event: &mut BTreeMap<_, _> = found.entry(serials.value(row)).or_default();
            if field.name() == "_serial" || column.is_null(row) {
                continue;
            }
            event.insert(field.name().clone(), formatter.value(row).to_string());
        }
    }
}

/// Reads a file that holds `bytes`.
fn read_bytes(bytes: &[u8], options: &ReadOptions) -> (Store, ReadReport) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    std::fs::write(&path, bytes).unwrap();
    read_path(&path, options)
}

/// The events of a file that holds `text`, and what was wrong with it.
fn read_text(text: &str) -> (Vec<BTreeMap<String, String>>, FileReport) {
    let (store, report) = read_bytes(text.as_bytes(), &options());
    (events(&store), report.files[0].clone())
}

fn telemetry() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = manifest.ancestors().map(|folder| folder.join("shared/data/telemetry")).find(|folder| folder.is_dir());
    if found.is_none() {
        // Past the capture of test output, so that it shows.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is absent\n");
    }
    found
}

fn text_at(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let column = batch.column_by_name(column)?;
    if column.is_null(row) {
        return None;
    }
    Some(ArrayFormatter::try_new(column, &FormatOptions::default()).unwrap().value(row).to_string())
}

/// What `expected.json` says about a file, from a store that holds only that file.
fn summary(store: &Store) -> Value {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    let mut events = 0;
    for batch in store.shapes.iter().flat_map(|shape| &shape.batches) {
        let times = batch.column_by_name("_time").unwrap().as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            events += 1;
            let channel = text_at(batch, "Channel", row).unwrap_or_default();
            let code = text_at(batch, "EventCode", row).unwrap_or_default();
            *counts.entry(format!("{channel}|{code}")).or_default() += 1;
            if times.is_valid(row) {
                first = first.min(times.value(row));
                last = last.max(times.value(row));
            }
        }
    }
    serde_json::json!({ "events": events, "eids": counts, "first": first, "last": last })
}

#[test]
fn the_rows_of_the_reference_detection_have_the_expected_fields() {
    let Some(folder) = telemetry() else { return };
    let mut rows = ::csv::Reader::from_path(folder.join("expected_spl_seed.csv")).unwrap();
    let mut checked = 0;
    for row in rows.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let file = row["file"].split_once('!').map_or(row["file"].as_str(), |(zip, _)| zip);
        let (store, _) = read_path(&folder.join(file), &options());
        let events = events(&store);
        let event = events.iter().find(|event| event["RecordNumber"] == row["rec"]).unwrap();
        for field in ["host", "User", "Image", "CommandLine", "ParentImage", "ParentCommandLine"] {
            assert_eq!(event.get(field).unwrap_or(&String::new()), &row[field], "{field} of {row:?}");
        }
        assert_eq!(event["Channel"], row["channel"]);
        assert_eq!(event["source"], format!("XmlWinEventLog:{}", row["channel"]));
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn the_same_events_as_xml_and_as_json_give_the_same_rows() {
    let Some(folder) = telemetry() else { return };
    let scenarios = folder.join("../../data/scenarios");
    let read = |name: &str| events(&read_path(&scenarios.join(name), &options()).0);
    let (xml, json) = (read("t1021003_events.xml"), read("t1021003_events.jsonl"));
    assert_eq!(xml.len(), 30);
    assert_eq!(json.len(), 30);
    for (xml, json) in xml.iter().zip(&json) {
        // The JSON has no more of the System element than these, and the notes of whoever made it.
        let only_xml = ["ProviderGuid", "Level", "Task", "Opcode", "Keywords", "Version", "UserID", "_file"];
        let only_json = ["test", "signal", "note", "_file"];
        let strip = |event: &BTreeMap<String, String>, names: &[&str]| -> BTreeMap<String, String> {
            let keep = |name: &str| !names.contains(&name) && !name.starts_with("Execution");
            event.iter().filter(|(name, _)| keep(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        let mut json = strip(json, &only_json);
        if !xml.contains_key("UtcTime") {
            // The JSON has the time of every event under this name, not only of Sysmon's.
            json.remove("UtcTime");
        }
        assert_eq!(strip(xml, &only_xml), json);
    }
}

#[test]
fn recorded_files_give_the_events_that_another_reader_finds() {
    let Some(folder) = telemetry() else { return };
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    let mut right = 0;
    for (name, expected) in expected["files"].as_object().unwrap() {
        // The JSON recordings are zipped.
        let path = folder.join(name.split_once('!').map_or(name.as_str(), |(zip, _)| zip));
        let (store, report) = read_path(&path, &options());
        let got = summary(&store);
        let micros = |key: &str| {
            let time = expected[key].as_str().unwrap();
            Value::from(time.parse::<jiff::Timestamp>().unwrap().as_microsecond())
        };
        let same = got["events"] == expected["events"]
            && got["eids"] == expected["eids"]
            && got["first"] == micros("first")
            && got["last"] == micros("last");
        if same {
            right += 1;
        } else {
            wrong.push(format!(
                "{name}: {got}\n expected {} {} {} {} {}\n {:?}",
                expected["events"],
                expected["eids"],
                expected["first"],
                micros("first"),
                micros("last"),
                report.files[0]
            ));
        }
        if report.files[0].skipped > 0 {
            println!("{name}: {:?}", report.files[0]);
        }
    }
    println!("{right} files as expected");
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), wrong.len() + right, wrong.join("\n"));
}

#[test]
fn recorded_event_logs_and_their_json_exports_give_the_same_rows() {
    let Some(folder) = telemetry() else { return };
    // The exports have GUIDs in capitals and without braces, lack spaces at the end, and one was edited by hand.
    let plain = |event: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        let fields = event.iter().filter(|(name, _)| *name != "_file");
        fields
            .map(|(name, value)| {
                let is_guid = name.to_ascii_lowercase().ends_with("guid") || name == "ActivityID";
                let value = if is_guid { value.trim_matches(['{', '}']) } else { value.trim_end() };
                (name.clone(), value.to_lowercase())
            })
            .collect()
    };
    let mut pairs = 0;
    for entry in walkdir::WalkDir::new(folder.join("sigma-regression")) {
        let json = entry.unwrap().into_path();
        let log = json.with_extension("evtx");
        if json.extension().is_none_or(|extension| extension != "json") || !log.exists() {
            continue;
        }
        let read = |path: &Path| -> Vec<_> { events(&read_path(path, &options()).0).iter().map(plain).collect() };
        assert_eq!(read(&log), read(&json), "{}", json.display());
        pairs += 1;
    }
    assert!(pairs > 0);
}
