//! Searches over Parquet files, which give what the same events give in any other form.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, ListBuilder, NullArray, RecordBatch,
    StringArray, StringBuilder, StructArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field};
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Error, Session, SessionOptions};

fn write(path: &Path, batches: &[RecordBatch]) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(100)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batches[0].schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
}

fn session(paths: &[PathBuf]) -> Session {
    let input = |path: &PathBuf| Input { location: Location::Path(path.clone()), index: None };
    Session::new(SessionOptions::default(), paths.iter().map(input).collect()).unwrap()
}

async fn rows(session: &Session, query: &str) -> Vec<Vec<String>> {
    let search = session.search(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut rows = vec![search.schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>()];
    for batch in search.stream.try_collect::<Vec<_>>().await.unwrap() {
        for row in 0..batch.num_rows() {
            let text = |column| match cell(column, row, &jiff::tz::TimeZone::UTC) {
                Cell::Null => "(null)".to_owned(),
                Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
                Cell::Many(texts) => texts.join("+"),
            };
            rows.push(batch.columns().iter().map(text).collect());
        }
    }
    rows
}

async fn assert_rows(session: &Session, query: &str, expected: &[&[&str]]) {
    assert_eq!(rows(session, query).await[1..], *expected, "{query}");
}

/// Writes the result of a search as `--output parquet` does.
async fn export(session: &Session, query: &str, path: &Path) {
    let search = session.export(query).await.unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), Arc::clone(&search.schema), None).unwrap();
    for batch in search.stream.try_collect::<Vec<_>>().await.unwrap() {
        writer.write(&batch).unwrap();
    }
    writer.close().unwrap();
}

/// Columns of many types, from a tool that knows nothing of events.
fn foreign() -> RecordBatch {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("x"), Some("y")]);
    tags.append_null();
    tags.append_value([Some("z")]);
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![Some(7), None, Some(9)]));
    let nested = StructArray::from(vec![(Arc::new(Field::new("port", DataType::Int32, true)), inner)]);
    RecordBatch::try_from_iter([
        ("timestamp", Arc::new(TimestampMillisecondArray::from(vec![1_000, 3_000, 2_500])) as ArrayRef),
        ("user", Arc::new(StringArray::from(vec![Some("ann"), Some("bob"), None]))),
        ("n", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("ratio", Arc::new(Float32Array::from(vec![0.5, 1.0, 1.5]))),
        ("ok", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ("tags", Arc::new(tags.finish())),
        ("net", Arc::new(nested)),
    ])
    .unwrap()
}

#[tokio::test]
async fn a_file_of_another_tool_has_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b%20.parquet");
    write(&path, &[foreign()]);
    let session = session(std::slice::from_ref(&path));
    let shown = path.display().to_string();
    assert_rows(
        &session,
        "* | table _time user n ratio ok tags net.port index sourcetype",
        &[
            &["1970-01-01T00:00:03.000Z", "bob", "2", "1", "false", "(null)", "(null)", "main", "parquet"],
            &["1970-01-01T00:00:02.500Z", "(null)", "3", "1.5", "true", "z", "9", "main", "parquet"],
            &["1970-01-01T00:00:01.000Z", "ann", "1", "0.5", "true", "x+y", "7", "main", "parquet"],
        ],
    )
    .await;
    assert_rows(&session, "source=* | stats count by source", &[&[&shown, "3"]]).await;
    assert_rows(&session, "index=main ok=true n>1 | table n", &[&["3"]]).await;
    assert_rows(&session, "tags=y | table user", &[&["ann"]]).await;
    assert_rows(&session, "_time>2 user=BOB | table user", &[&["bob"]]).await;
    assert_rows(&session, "* | stats count", &[&["3"]]).await;
    // An event without a text of its own is searched as a JSON object.
    assert_rows(&session, "ann | table user", &[&["ann"]]).await;
    assert_rows(
        &session,
        r#"n=2 | rex "\"user\":\"(?<who>\w+)\"" | table who _raw"#,
        &[&["bob", r#"{"timestamp":"1970-01-01T00:00:03","user":"bob","n":2,"ratio":1,"ok":"false"}"#]],
    )
    .await;
}

#[tokio::test]
async fn a_keyword_is_looked_for_in_the_text_that_stands_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    let columns: [(&str, ArrayRef); 3] = [
        ("who", Arc::new(StringArray::from(vec![Some("needle"), Some("C:\\needles\\x"), None, Some("haystack")]))),
        ("n", Arc::new(Int64Array::from(vec![1, 22, 333, 4444]))),
        ("f", Arc::new(Float64Array::from(vec![f64::NAN, 0.5, f64::INFINITY, 1.5]))),
    ];
    write(&path, &[RecordBatch::try_from_iter(columns).unwrap()]);
    let session = session(&[path]);
    for (query, expected) in [
        ("needle", vec!["1"]),
        ("needle*", vec!["1", "22"]),
        ("NOT needle*", vec!["333", "4444"]),
        (r#""C:\\\\needles""#, vec!["22"]),
        ("null", vec!["1", "333"]),
        ("333", vec!["333"]),
        ("haystack OR 22", vec!["22", "4444"]),
        ("who", vec!["1", "22", "4444"]),
    ] {
        let found: Vec<String> = rows(&session, &format!("{query} | sort n | table n")).await[1..].concat();
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn a_file_without_values_has_events_without_fields() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.parquet");
    let nothing: [(&str, ArrayRef); 1] = [("nothing", Arc::new(NullArray::new(2)))];
    write(&path, &[RecordBatch::try_from_iter(nothing).unwrap()]);
    let session = session(&[path]);
    assert_rows(&session, "* | table _raw", &[&["{}"], &["{}"]]).await;
    assert_rows(&session, "nothing | stats count", &[&["0"]]).await;
}

#[tokio::test]
async fn times_come_in_many_forms() {
    let folder = tempfile::tempdir().unwrap();
    let seconds: ArrayRef = Arc::new(Int64Array::from(vec![1_700_000_000, 1_700_000_001]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["2023-11-14T22:13:22Z", "2023-11-14 22:13:23"]));
    let floats: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![1_700_000_004.25, 1_700_000_005.5]));
    let mut paths = Vec::new();
    for (name, times) in [("i", seconds), ("t", texts), ("f", floats)] {
        let path = folder.path().join(format!("{name}.parquet"));
        write(&path, &[RecordBatch::try_from_iter([("_time", times)]).unwrap()]);
        paths.push(path);
    }
    let found = rows(&session(&paths), "* | table _time | reverse | eval t=_time+0 | table t").await;
    let found: Vec<String> = found[1..].iter().map(|row| row[0].clone()).collect();
    assert_eq!(found, ["1700000000", "1700000001", "1700000002", "1700000003", "1700000004.25", "1700000005.5"]);
}

#[tokio::test]
async fn generated_events_are_the_same_as_lines_and_as_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let (lines, table) = (folder.path().join("e.jsonl"), folder.path().join("e.parquet"));
    spelunk_datasets::generate(File::create(&lines).unwrap(), spelunk_datasets::Format::JsonLines, 7, 3000).unwrap();
    spelunk_datasets::generate_parquet(File::create(&table).unwrap(), 7, 3000).unwrap();
    let (lines, table) = (session(&[lines]), session(&[table]));
    for query in [
        "*",
        "* | head 5",
        "EventCode=1 Image=*cmd.exe",
        "EventCode=1 NOT Image=*cmd.exe | head 3",
        "EventCode=1 Image=*cmd.exe | table _time host Image CommandLine",
        "index=wineventlog source=XmlWinEventLog:Security | stats count by host",
        "* | stats count dc(Image) by EventCode",
        "* | dedup host Image | table _time host Image RecordNumber",
        "* | dedup 2 host keepempty=true | table _time host RecordNumber",
        "* | dedup UserID keepempty=true | stats count by EventCode",
        "* | sort 50 Image | table Image RecordNumber",
    ] {
        assert_eq!(rows(&lines, query).await, rows(&table, query).await, "{query}");
    }
}

#[tokio::test]
async fn what_is_written_can_be_searched_again() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..300)
        .map(|n| format!("{{\"_time\":\"2024-01-01T00:00:0{}Z\",\"n\":{n},\"m\":[\"a\",\"b{n}\"]}}\n", n % 7))
        .collect();
    let (lines, first, second) =
        (folder.path().join("e.json"), folder.path().join("1.parquet"), folder.path().join("2.parquet"));
    std::fs::write(&lines, text).unwrap();
    let before = session(&[lines]);
    export(&before, "*", &first).await;
    let again = session(std::slice::from_ref(&first));
    assert_eq!(rows(&before, "*").await, rows(&again, "*").await);
    export(&again, "*", &second).await;
    assert_eq!(rows(&before, "* | head 20").await, rows(&session(&[second]), "* | head 20").await);
}

#[tokio::test]
async fn a_folder_of_several_forms_is_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    write(&folder.path().join("a.parquet"), &[RecordBatch::try_from_iter([("v", number), ("a", text)]).unwrap()]);
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1", "two"]));
    write(&folder.path().join("b.parquet"), &[RecordBatch::try_from_iter([("v", text)]).unwrap()]);
    std::fs::write(folder.path().join("c.jsonl"), "{\"v\":2.5,\"c\":\"k\"}\n").unwrap();
    let session = session(&[folder.path().to_owned()]);
    assert_rows(
        &session,
        "* | stats count values(a) AS a values(c) AS c by v",
        &[
            &["1", "2", "x", "(null)"],
            &["2", "1", "y", "(null)"],
            &["2.5", "1", "(null)", "k"],
            &["two", "1", "(null)", "(null)"],
        ],
    )
    .await;
    assert_rows(&session, "v=1 | stats count", &[&["2"]]).await;
    assert_rows(&session, "c=k | table v a", &[&["2.5", "(null)"]]).await;
}

#[tokio::test]
async fn row_groups_that_cannot_match_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.parquet");
    let codes: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    write(&path, &[RecordBatch::try_from_iter([("code", codes)]).unwrap()]);
    let session = session(&[path]);
    assert_rows(&session, "code=750 | table code", &[&["750"]]).await;
    let plan = session.explain("code=750 | table code").await.unwrap().physical;
    assert!(plan.contains("pruning_predicate=code_null_count"), "{plan}");
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.parquet");
    std::fs::write(&path, b"PAR1 and nothing that it promises").unwrap();
    let search = session(&[path]).search("*").await.unwrap();
    assert_eq!(search.report.files[0].skipped, 1);
}

#[tokio::test]
async fn memory_is_bounded() {
    let options = SessionOptions { memory: Some(32 << 20), ..SessionOptions::default() };
    let session = Session::new(options, Vec::new()).unwrap();
    let rows = "| makeresults count=400000 | streamstats count AS n | eval text=\"some text that takes room \".n";
    // What can be written to files is.
    let search = session.search(&format!("{rows} | sort 0 - text | stats count")).await.unwrap();
    search.stream.try_collect::<Vec<_>>().await.unwrap();
    let query = format!("{rows} | eventstats count");
    let search = session.search(&query).await.unwrap();
    let error = Error::from(search.stream.try_collect::<Vec<_>>().await.unwrap_err());
    let Error::Memory(finding) = error else { panic!("{error}") };
    assert_eq!(finding.message, "`eventstats` needs more memory than the limit of 32 MiB");
    assert_eq!(&query[finding.span.range()], "eventstats count");
}
