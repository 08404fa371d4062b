//! Whole files, in and out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

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
        sourcetype: None,
        host: None,
        strict: false,
        time_zone: jiff::tz::TimeZone::UTC,
        cancelled: Arc::default(),
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

fn telemetry() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = manifest.ancestors().map(|folder| folder.join("shared/data/telemetry")).find(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: ../shared is absent");
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
fn recorded_files_give_the_events_that_another_reader_finds() {
    let Some(folder) = telemetry() else { return };
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    let mut right = 0;
    for (name, expected) in expected["files"].as_object().unwrap() {
        let path = folder.join(name);
        // The JSON recordings are zipped; unzipped ones can be named here.
        let path = match (name.split_once('!'), std::env::var("SPELUNK_MORDOR")) {
            (None, _) => path,
            (Some((_, inner)), Ok(unzipped)) => Path::new(&unzipped).join(inner),
            (Some(_), Err(_)) => continue,
        };
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
