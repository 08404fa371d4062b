//! Searches over event logs whose conditions reach the reader, beside the same searches written so that none does.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use spelunk_engine::ingest::{Input, Location, ReadReport};
use spelunk_engine::knowledge::Apps;
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Language, Session, SessionOptions};

const EVENTS: u64 = 1_500;

fn log(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("events.evtx");
    spelunk_datasets::generate_evtx(std::fs::File::create(&path).unwrap(), 11, EVENTS).unwrap();
    path
}

/// The rows of a search as texts, what was read for it, and its warnings.
async fn run(options: &SessionOptions, path: &Path, query: &str) -> (Vec<Vec<String>>, ReadReport, Vec<String>) {
    let inputs = vec![Input { location: Location::Path(path.to_owned()), index: None }];
    let session = Session::new(options.clone(), inputs).unwrap();
    let search = session.search(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let (report, told) = (search.report.as_ref().clone(), search.diagnostics.clone());
    let batches = search.stream.try_collect::<Vec<_>>().await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let texts = batch.columns().iter().map(|column| match cell(column, row, &jiff::tz::TimeZone::UTC) {
                Cell::Null => String::new(),
                Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
                Cell::Many(texts) => texts.join(" "),
            });
            rows.push(texts.collect());
        }
    }
    (rows, report, told.into_iter().map(|finding| finding.message).collect())
}

const TABLE: &str = "| table _time, host, source, EventCode, Image, TargetUserName, RecordNumber";

/// A search, and the same with its conditions behind a command that stands between them and the events.
async fn assert_same(options: &SessionOptions, path: &Path, conditions: &str, is_filtered: bool) {
    let (rows, report, told) = run(options, path, &format!("{conditions} {TABLE}")).await;
    let behind = format!("* | makemv Image | search {conditions} {TABLE}");
    let kept = SessionOptions { keep: true, ..options.clone() };
    let (expected, all, expected_told) = run(&kept, path, &format!("{conditions} {TABLE}")).await;
    assert_eq!(rows, expected, "{conditions}");
    assert_eq!(told, expected_told, "{conditions}");
    // Bounds of time belong to the first command.
    if !conditions.contains("=2") && options.earliest.is_none() {
        assert_eq!(rows, run(options, path, &behind).await.0, "{conditions}");
    }
    assert_eq!(report.files[0].events, EVENTS, "{conditions}");
    assert_eq!((all.files[0].events, all.files[0].passed_over), (EVENTS, 0), "{conditions}");
    assert_eq!(report.files[0].passed_over > EVENTS / 10, is_filtered, "{conditions}: {report:?}");
}

#[tokio::test]
async fn conditions_that_reach_the_reader_find_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    let options = SessionOptions::default();
    let (times, ..) =
        run(&options, &path, "* | stats min(_time) AS a, max(_time) AS b | eval m=(a+b)/2 | table m").await;
    let middle = times[0][0].split('.').next().unwrap().to_owned();
    for (conditions, is_filtered) in [
        ("EventCode=1", true),
        ("EventID=1 Image=*cmd.exe", true),
        ("EventCode IN (1, 3, 46*)", true),
        ("EventCode=1 OR EventCode=4624", true),
        ("(EventCode=1 Image=*e*) OR (EventCode=4688 source=*Security)", true),
        ("EventCode=1 OR Image=*cmd.exe", false),
        ("NOT EventCode=1", false),
        ("EventCode!=1 EventCode<5", false),
        ("sourcetype=WinEventLog:Security", true),
        ("source=\"XmlWinEventLog:Microsoft-Windows-Sysmon/Operational\" EventCode=3", true),
        ("Channel=security", true),
        ("source=nosuch", true),
        ("EventCode=nosuch", true),
        ("EventCode=01", true),
        ("index=nosuch EventCode=1", true),
        ("host=* EventCode=1", true),
        ("host=nosuch* EventCode=1", true),
        ("EventCode=1 cmd.exe", true),
        ("EventCode=1 | search Channel=*Sysmon* EventCode=1 Image=*", true),
        (&format!("earliest={middle}"), true),
        (&format!("latest={middle} EventCode=1"), true),
        (&format!("earliest={middle} OR EventCode=1"), false),
        ("", false),
    ] {
        assert_same(&options, &path, conditions, is_filtered).await;
    }
    let bounded = SessionOptions { earliest: Some(middle), ..SessionOptions::default() };
    assert_same(&bounded, &path, "Image=*", true).await;
    let strict = SessionOptions { strict: true, ..SessionOptions::default() };
    assert_same(&strict, &path, "sourcetype=\"XmlWinEventLog:Security\" EventCode=4624", true).await;
    assert_same(&strict, &path, "sourcetype=WinEventLog:Security", true).await;
    let renamed = SessionOptions { sourcetype: Some("other".into()), ..SessionOptions::default() };
    assert_same(&renamed, &path, "sourcetype=other EventCode=1", true).await;
    assert_same(&renamed, &path, "sourcetype=XmlWinEventLog:Security", true).await;
}

#[tokio::test]
async fn a_search_that_looks_at_the_events_twice_reads_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    for (query, first) in [
        ("EventCode=1 | stats count | append [search EventCode=3 | stats count] | stats dc(count) AS n", None),
        ("EventCode=1 [search EventCode=3 | head 1 | fields host] | stats count", None),
        ("EventCode=1 | stats count | appendcols [search * | stats count AS all] | table all", Some("1500")),
        ("| tstats count WHERE EventCode=1 OR EventCode!=1", Some("1500")),
    ] {
        let (rows, report, _) = run(&SessionOptions::default(), &path, query).await;
        assert_eq!(report.files[0].passed_over, 0, "{query}");
        assert!(first.is_none_or(|first| rows[0][0] == first), "{query}: {rows:?}");
    }
}

#[tokio::test]
async fn types_of_falcon_events_are_told_by_the_headers_of_windows_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    let options = SessionOptions { language: Language::LogScale, ..SessionOptions::default() };
    let table = "| table([aid, #event_simpleName, FileName, EventCode], limit=2000)";
    for (conditions, is_filtered) in [
        ("#event_simpleName=ProcessRollup2", true),
        ("#event_simpleName=ProcessRollup2 ImageFileName=/cmd/i", true),
        ("#event_simpleName=ProcessRollup2 OR event_simpleName=\"DnsRequest\"", true),
        ("#event_simpleName=* | #event_simpleName=Network*", true),
        ("EventCode=3", true),
        ("#event_simpleName!=ProcessRollup2", false),
        ("#event_simpleName=/^Process/", false),
        ("rename(EventCode, as=event_id) | #event_simpleName=ProcessRollup2", false),
    ] {
        let (rows, report, _) = run(&options, &path, &format!("{conditions} {table}")).await;
        let (behind, all, _) = run(&options, &path, &format!("zz:=1 | drop([zz]) | {conditions} {table}")).await;
        assert!(!rows.is_empty(), "{conditions}");
        assert_eq!(rows, behind, "{conditions}");
        assert_eq!(all.files[0].passed_over, 0, "{conditions}");
        assert_eq!(report.files[0].passed_over > EVENTS / 10, is_filtered, "{conditions}: {report:?}");
    }
}

#[tokio::test]
async fn a_field_that_an_app_makes_is_not_what_the_record_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    let app = folder.path().join("app");
    std::fs::create_dir_all(app.join("default")).unwrap();
    std::fs::write(app.join("default/props.conf"), "[source::...]\nEVAL-EventCode = 7\n").unwrap();
    let apps = Arc::new(Apps::load(&[app]).unwrap());
    let options = SessionOptions { apps, ..SessionOptions::default() };
    let (rows, report, _) = run(&options, &path, "EventCode=7 | stats count").await;
    assert_eq!((rows[0][0].as_str(), report.files[0].passed_over), ("1500", 0));
}
