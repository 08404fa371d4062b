//! Stores on disk: searches over them give what they give over the logs, and nothing that happens to one is silent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod searches;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use searches::SEARCHES;
use spelunk_datasets::{Format, generate};
use spelunk_engine::ingest::{
    FieldSelection, IndexOptions, Indexed, Input, Location, Problem, ReadOptions, ReadReport, index,
};
use spelunk_engine::scans::Read;
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Error, Language, Session, SessionOptions};
use tempfile::TempDir;

/// Logs of every form that the project can make itself.
fn logs(folder: &Path) -> PathBuf {
    let logs = folder.join("logs");
    fs::create_dir_all(logs.join("deep")).unwrap();
    generate(File::create(logs.join("a.jsonl")).unwrap(), Format::JsonLines, 7, 1200).unwrap();
    generate(File::create(logs.join("b.xml")).unwrap(), Format::Xml, 9, 200).unwrap();
    let write = |name: &str, text: &str| fs::write(logs.join(name), text).unwrap();
    write("c.log", "2024-01-01T00:00:01Z hello world\n2024-01-01T00:00:02Z bye a=1\nand a line without a time\n");
    write("d.csv", "t,a,b\n2024-01-01T00:00:00Z,1,x\n2024-01-02T00:00:00Z,2.5,\nnever,two,\"y\nz\"\n");
    write(
        "deep/e.json",
        concat!(
            "{\"_time\":\"2024-01-01T00:00:01Z\",\"tag\":[\"x\",\"y\"],\"mixed\":1,\"ratio\":0.25,\"deep\":{\"er\":\"v\"}}\n",
            "{\"_time\":\"2024-01-01T00:00:01Z\",\"tag\":\"x\",\"mixed\":\"one\",\"ratio\":1e-7,\"host\":\"h\"}\n",
            "{\"_time\":\"2024-01-01T00:00:01Z\",\"mixed\":2.50,\"ratio\":0.75,\"empty\":\"\",\"Image\":7}\n",
            "{\"\":1,\"a b\":[1,[2]],\"__file_row\":5,\"__file_path\":\"q\",\"__file_serial\":1,\"_serial\":9,\"A\":2,\"a\":1}\n",
        ),
    );
    // Found beside them, and no log.
    write("deep/notes.txt", "nothing that bears a time\n");
    logs
}

fn reading() -> ReadOptions {
    ReadOptions {
        fields: FieldSelection::All,
        wanted: None,
        sourcetype: None,
        host: None,
        source: None,
        strict: false,
        time_zone: TimeZone::UTC,
        cancelled: Default::default(),
        temp: None,
        pool: None,
        watch: Default::default(),
    }
}

fn input(path: &Path) -> Input {
    Input { location: Location::Path(path.to_owned()), index: None }
}

fn indexed_with(store: &Path, paths: &[&Path], options: &IndexOptions) -> Result<Indexed, Error> {
    let inputs: Vec<Input> = paths.iter().map(|path| input(path)).collect();
    index(store, &inputs, &reading(), options)
}

fn indexed(store: &Path, paths: &[&Path]) -> Indexed {
    indexed_with(store, paths, &IndexOptions::default()).unwrap()
}

fn session(paths: &[&Path]) -> Session {
    let now = "2026-01-01T00:00:00Z".parse::<Timestamp>().ok();
    let options = SessionOptions { now, ..SessionOptions::default() };
    Session::new(options, paths.iter().map(|path| input(path)).collect()).unwrap()
}

/// Everything that a search gives: its columns, its rows, what it says of the query, what could not be read.
struct Found {
    rows: Vec<Vec<String>>,
    findings: Vec<String>,
    report: ReadReport,
    read: Option<Read>,
    torn: Vec<Problem>,
}

async fn found(session: &Session, query: &str) -> Found {
    let search = session.search(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut rows = vec![search.schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>()];
    let findings = search.diagnostics.iter().map(|finding| finding.to_string()).collect();
    let batches: Vec<RecordBatch> =
        search.stream.try_collect().await.unwrap_or_else(|error| panic!("{query}: {error}"));
    for batch in batches {
        for row in 0..batch.num_rows() {
            let text = |column| match cell(column, row, &TimeZone::UTC) {
                Cell::Null => "(null)".to_owned(),
                Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
                Cell::Many(texts) => texts.join("+"),
            };
            rows.push(batch.columns().iter().map(text).collect());
        }
    }
    let report = search.report.as_ref().clone();
    Found { rows, findings, report, read: search.scans.read(), torn: search.scans.damaged().0 }
}

async fn count(session: &Session, query: &str) -> String {
    found(session, &format!("{query} | stats count")).await.rows[1][0].clone()
}

async fn assert_same(one: &Session, other: &Session, searches: &[&str]) {
    for query in searches {
        let (expected, got) = (found(one, query).await, found(other, query).await);
        assert_eq!(expected.rows, got.rows, "{query}");
        assert_eq!(expected.findings, got.findings, "{query}");
    }
}

/// The committed files of a store, with the number of each one's events as the manifest tells it.
fn files(store: &Path) -> BTreeMap<PathBuf, u64> {
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(store.join("spelunk-store.json")).unwrap()).unwrap();
    let files = manifest["files"].as_array().unwrap();
    files.iter().map(|file| (store.join(file["path"].as_str().unwrap()), file["rows"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn a_store_gives_what_the_logs_give() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("store"));
    let indexed = indexed(&store, &[&logs]);
    assert_eq!((indexed.added.events, indexed.added.inputs), (1410, 5));
    assert_same(&session(&[&logs]), &session(&[&store]), SEARCHES).await;
}

#[tokio::test]
async fn however_little_memory_and_however_many_files() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("store"));
    let options = IndexOptions { memory: Some(16 << 20), group_rows: Some(50) };
    // One by one, in the order in which a folder is read.
    for name in ["a.jsonl", "b.xml", "c.log", "d.csv", "deep"] {
        indexed_with(&store, &[&logs.join(name)], &options).unwrap();
    }
    assert!(files(&store).len() > 5);
    assert_same(&session(&[&logs]), &session(&[&store]), SEARCHES).await;
}

#[tokio::test]
async fn stores_and_logs_are_searched_together() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("a store"));
    let parts: Vec<PathBuf> = ["a.jsonl", "b.xml", "c.log", "d.csv", "deep"].map(|name| logs.join(name)).into();
    indexed(&store, &[&parts[0], &parts[1]]);
    let together = session(&[&store, &parts[2], &parts[3], &parts[4]]);
    // Which fields are there is the same; in what order, those in memory begin.
    let searches: Vec<&str> =
        SEARCHES.iter().filter(|query| query.contains("stats") || query.contains("| table _")).copied().collect();
    assert!(searches.len() > 30);
    assert_same(&session(&[&logs]), &together, &searches).await;
    // A store inside a folder of logs is one, and its files are not read as Parquet of their own.
    let nested = folder.path().join("nested");
    fs::create_dir(&nested).unwrap();
    fs::rename(&store, nested.join("store")).unwrap();
    assert_eq!(count(&session(&[&nested]), "*").await, "1400");
}

#[tokio::test]
async fn a_store_can_be_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("store"));
    indexed(&store, &[&logs]);
    let named = |path: &Path| {
        let input = Input { index: Some("hunt".to_owned()), ..input(path) };
        Session::new(SessionOptions { strict: true, ..SessionOptions::default() }, vec![input]).unwrap()
    };
    let (logs, store) = (named(&logs), named(&store));
    for query in ["index=hunt | stats count by index", "index=main | stats count", "index=h* EventCode=1 | stats count"]
    {
        assert_eq!(found(&logs, query).await.rows, found(&store, query).await.rows, "{query}");
    }
    assert_eq!(count(&store, "index=hunt").await, "1410");
    assert_eq!(count(&store, "index=main").await, "0");
}

#[tokio::test]
async fn the_same_content_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("store"));
    indexed(&store, &[&logs]);
    let before = fs::read(store.join("spelunk-store.json")).unwrap();
    fs::copy(logs.join("c.log"), logs.join("moved.log")).unwrap();
    let again = indexed(&store, &[&logs]);
    assert_eq!((again.added.events, again.added.files, again.known.len()), (0, 0, 6));
    assert_eq!(fs::read(store.join("spelunk-store.json")).unwrap(), before);
    // The same text as another index is other events.
    let other = Input { index: Some("other".to_owned()), ..input(&logs.join("c.log")) };
    let third = index(&store, &[other], &reading(), &IndexOptions::default()).unwrap();
    assert_eq!(third.added.events, 3);
    assert_eq!(count(&session(&[&store]), "index=other").await, "3");
}

#[tokio::test]
async fn only_what_can_match_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("store"));
    fs::remove_file(logs.join("a.jsonl")).unwrap();
    generate(File::create(logs.join("a.jsonl")).unwrap(), Format::JsonLines, 3, 6_000).unwrap();
    let options = IndexOptions { group_rows: Some(100), ..IndexOptions::default() };
    indexed_with(&store, &[&logs], &options).unwrap();
    let (logs, store) = (session(&[&logs]), session(&[&store]));
    let all = found(&store, "*").await.read.unwrap();
    assert_eq!((all.groups, all.files), (all.all.groups, all.all.files));
    let times = &found(&logs, "EventCode=1 | stats min(_time) AS least max(_time) AS most").await.rows[1];
    let (least, most) = (times[0].parse::<f64>().unwrap(), times[1].parse::<f64>().unwrap());
    let (early, middle) = (least + (most - least) / 20.0, least + (most - least) / 2.0);
    // What each search may open at most, of all row groups.
    for (query, part) in [
        ("EventCode=1 | stats count by host".to_owned(), 0.2),
        ("EventCode=\"1\" Image=*cmd.exe | stats count by Image".to_owned(), 0.2),
        ("EventCode IN (1, 4688) | stats count by host".to_owned(), 0.4),
        ("NOT EventCode!=1 source=*Sysmon* | stats count by EventCode".to_owned(), 0.2),
        ("source=XmlWinEventLog:Security | stats count by EventCode".to_owned(), 0.7),
        ("index=main | stats count by source".to_owned(), 0.1),
        ("Image=*cmd.exe QueryName=* | stats count by Image".to_owned(), 0.2),
        ("LogonType=3 OR TargetFilename=*.exe | stats count by EventCode".to_owned(), 0.6),
        ("tag=x | stats count by tag".to_owned(), 0.1),
        (format!("_time<{early} | stats count by EventCode"), 0.4),
        (format!("EventCode=1 _time>={middle} _time<{} | stats count by host", middle + 60.0), 0.1),
        (format!("* | where _time<{early} AND EventCode=1 | stats count by host"), 0.1),
        (format!("latest={} EventCode=3 | stats count by host", early.ceil()), 0.1),
        ("EventCode=1 EventCode=3 | stats count by host".to_owned(), 0.0),
        ("EventCode=77777 | stats count by host".to_owned(), 0.0),
        ("QueryName=* LogonType=* | stats count by host".to_owned(), 0.0),
    ] {
        let (expected, got) = (found(&logs, &query).await, found(&store, &query).await);
        assert_eq!(expected.rows, got.rows, "{query}");
        let read = got.read.unwrap();
        assert_eq!(read.all, all.all, "{query}");
        let most = (part * all.all.groups as f64) as u64;
        assert!(read.groups <= most, "{query}: {} of {} row groups", read.groups, all.all.groups);
    }
    let stores = store.explain("EventCode=1 QueryName=* | stats count by host").await.unwrap().stores.join("\n");
    assert!(stores.contains("no event there has the field \"QueryName\""), "{stores}");
    assert!(stores.contains("\"EventCode\" has other values there"), "{stores}");
    assert!(logs.explain("EventCode=1").await.unwrap().stores.is_empty());
}

/// What views and apps make of the fields chooses files too.
#[tokio::test]
async fn conditions_on_made_fields_leave_files_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (folder.path().join("a.jsonl"), folder.path().join("store"));
    generate(File::create(&logs).unwrap(), Format::JsonLines, 3, 6_000).unwrap();
    indexed_with(&store, &[&logs], &IndexOptions { group_rows: Some(100), ..IndexOptions::default() }).unwrap();
    let in_language = |language: Language, path: &Path| {
        let options = SessionOptions { language, ..SessionOptions::default() };
        Session::new(options, vec![input(path)]).unwrap()
    };
    for (language, query, part) in [
        (Language::LogScale, "#event_simpleName=ProcessRollup2 FileName=cmd.exe | groupBy(aid)", 0.35),
        (Language::LogScale, "event_simpleName=NetworkConnectIP4 | groupBy(RemoteAddressIP4)", 0.2),
        (Language::LogScale, "#event_simpleName=UserLogon LogonType=3 | groupBy(UserName)", 0.2),
        (Language::LogScale, "windows.EventData.QueryName=* | groupBy(ComputerName)", 0.2),
        (Language::LogScale, "#event_simpleName=NoSuchEvent | count()", 0.4),
        (Language::Spl, "src_ip=10.* | stats count by src_ip", 0.5),
        (Language::Spl, "tag=authentication | stats count by EventCode", 0.2),
        (Language::Spl, "process_name=cmd.exe EventCode=4688 | stats count by process_name", 0.2),
    ] {
        let (logs, store) = (in_language(language, &logs), in_language(language, &store));
        let (expected, got) = (found(&logs, query).await, found(&store, query).await);
        assert_eq!(expected.rows, got.rows, "{query}");
        let read = got.read.unwrap();
        let most = (part * read.all.groups as f64) as u64;
        assert!(read.groups <= most, "{query}: {} of {} row groups", read.groups, read.all.groups);
    }
    let store = in_language(Language::LogScale, &store);
    let stores = store.explain("#event_simpleName=DnsRequest").await.unwrap().stores.join("\n");
    assert!(stores.contains("what is calculated of the fields there cannot meet the conditions"), "{stores}");
}

/// The values in the text of an event are kept once, and come out as they were.
#[tokio::test]
async fn texts_are_put_together_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    fs::create_dir(&logs).unwrap();
    generate(File::create(logs.join("a.jsonl")).unwrap(), Format::JsonLines, 3, 3_000).unwrap();
    generate(File::create(logs.join("b.xml")).unwrap(), Format::Xml, 4, 1_000).unwrap();
    let lines: String = (0..300)
        .map(|n| match n % 5 {
            0 => format!("{{\"k\":\"v{n}\", \"_raw_skeleton\" : \"own\", \"t\":\"\\u00e9\\/{n}\"}}\n"),
            1 => format!("{{\"k\":{n}.50,\"t\":\"é \\t\\\\ {n}\",\"k\":\"again\"}}\n"),
            2 => format!("{{\"k\":null,\"t\":[\"a{n}\",{{\"b\":{n}}}],\"e\":\"\"}}\n"),
            3 => format!("{{\"k\":\"\\u0001{n}\",\"t\":\"\u{1}\"}}\n"),
            _ => format!("{{\"t\":\"{}\",\"key{n}\":1}}\n", "long ".repeat(20_000)),
        })
        .collect();
    fs::write(logs.join("c.jsonl"), lines.replace('\u{1}', "\\u001b")).unwrap();
    let indexed = indexed(&store, &[&logs]);
    let said: Vec<_> = indexed.report.files.iter().flat_map(|file| &file.problems).map(|p| p.reason.as_str()).collect();
    assert!(said.iter().any(|reason| reason.contains("_raw_skeleton and _raw_gaps, were not kept")), "{said:?}");
    let searches = ["* | table _raw _time _serial", "* | stats count by k", "long | stats count", "own | table _raw"];
    assert_same(&session(&[&logs]), &session(&[&store]), &searches).await;
    let manifest = fs::read_to_string(store.join("spelunk-store.json")).unwrap();
    assert!(manifest.contains("\"in_text\":["), "{manifest}");
    // A log that is nothing but lines keeps them, as all stores did in the first form.
    let (plain, lines) = (folder.path().join("plain"), folder.path().join("d.log"));
    fs::write(&lines, "2024-01-01T00:00:01Z hello a=1\n2024-01-01T00:00:02Z bye a=2\n").unwrap();
    indexed_with(&plain, &[&lines], &IndexOptions::default()).unwrap();
    let path = plain.join("spelunk-store.json");
    let manifest = fs::read_to_string(&path).unwrap();
    assert!(!manifest.contains("in_text"), "{manifest}");
    fs::write(&path, manifest.replace("\"version\":2", "\"version\":1")).unwrap();
    assert_same(&session(&[&lines]), &session(&[&plain]), &["* | table _raw a", "bye | table _raw"]).await;
}

/// Fields that are too many are dropped, and the text that their values stand in is not.
#[tokio::test]
async fn a_text_outlives_the_fields_that_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (folder.path().join("a.jsonl"), folder.path().join("store"));
    let record = |n: usize| {
        let fields: Vec<String> = (0..500).map(|m| format!("\"f{}\":\"v{n}\"", n * 400 + m)).collect();
        format!("{{{}}}\n", fields.join(","))
    };
    fs::write(&logs, (0..20).map(record).collect::<String>()).unwrap();
    let indexed = indexed(&store, &[&logs]);
    assert!(indexed.report.files[0].skipped > 0);
    assert_same(&session(&[&logs]), &session(&[&store]), &["* | table _raw", "v7 | table _raw"]).await;
}

#[tokio::test]
async fn many_small_shapes_share_files() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    fs::create_dir(&logs).unwrap();
    for file in 0..200 {
        let text: String = (0..3)
            .map(|n| {
                format!("{{\"EventID\":{file},\"Channel\":\"C{}\",\"f{file}\":{n},\"Computer\":\"h\"}}\n", file % 7)
            })
            .collect();
        fs::write(logs.join(format!("{file:03}.json")), text).unwrap();
    }
    let indexed = indexed(&store, &[&logs]);
    assert!(indexed.added.groups < 10, "{:?}", indexed.added);
    let (logs, store) = (session(&[&logs]), session(&[&store]));
    assert_same(
        &logs,
        &store,
        &["EventCode=77 | table EventCode Channel f77", "Channel=C3 | stats count by EventCode"],
    )
    .await;
}

#[tokio::test]
async fn what_was_interrupted_is_as_if_it_had_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("store"));
    indexed(&store, &[&logs.join("a.jsonl")]);
    let committed = fs::read(store.join("spelunk-store.json")).unwrap();
    // A run that was stopped while it wrote, after it had put a file in place, and while it wrote the manifest.
    let shape = files(&store).into_keys().next().unwrap();
    fs::create_dir_all(store.join("aside")).unwrap();
    fs::write(store.join("aside/000002-000000.parquet"), "half").unwrap();
    fs::copy(&shape, shape.with_file_name("000002-000001.parquet")).unwrap();
    fs::write(store.join("spelunk-store.json.new"), "{\"for").unwrap();
    let seen = found(&session(&[&store]), "* | stats count").await;
    assert_eq!(seen.rows[1], ["1200"]);
    assert_eq!(seen.report.files[0].skipped, 0, "{:?}", seen.report);
    let added = indexed(&store, &[&logs]);
    assert_eq!(added.added.events, 210);
    assert_ne!(fs::read(store.join("spelunk-store.json")).unwrap(), committed);
    assert!(!store.join("aside").exists() && !store.join("spelunk-store.json.new").exists());
    let there: usize = walk(&store.join("events"));
    assert_eq!(there, files(&store).len());
    assert_same(&session(&[&logs]), &session(&[&store]), &["* | stats count by source", "* | head 7"]).await;
    // One that is stopped by the user.
    let (other, cancelled) = (folder.path().join("other"), reading());
    cancelled.cancelled.store(true, std::sync::atomic::Ordering::SeqCst);
    let error = index(&other, &[input(&logs)], &cancelled, &IndexOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error}");
    assert_eq!(count(&session(&[&other]), "*").await, "0");
    assert_eq!(indexed(&other, &[&logs]).added.events, 1410);
}

fn walk(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}

async fn problems(store: &Path) -> (u64, String) {
    let seen = found(&session(&[store]), "* | stats count by source").await;
    let file = &seen.report.files[0];
    let places =
        file.problems.iter().chain(&seen.torn).map(|problem| format!("{}: {}\n", problem.place, problem.reason));
    (file.skipped + seen.torn.len() as u64, places.collect())
}

#[tokio::test]
async fn torn_missing_and_foreign_files_are_named_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("store"));
    indexed(&store, &[&logs]);
    let all = files(&store);
    let (torn, rows) = all.iter().next().unwrap();
    let whole = fs::read(torn).unwrap();
    let total: u64 = all.values().sum();

    fs::write(torn, &whole[..whole.len() / 2]).unwrap();
    let (count_of, told) = problems(&store).await;
    assert_eq!(count_of, 1, "{told}");
    assert!(told.contains("torn") && told.contains(&format!("its {rows} events are missing")), "{told}");
    assert_eq!(count(&session(&[&store]), "*").await, (total - rows).to_string());

    // The right size, but the end was never written.
    let mut zeros = whole.clone();
    let end = zeros.len();
    zeros[end / 2..].fill(0);
    fs::write(torn, &zeros).unwrap();
    let (count_of, told) = problems(&store).await;
    assert_eq!(count_of, 1, "{told}");
    assert!(told.contains("its end is missing"), "{told}");

    fs::remove_file(torn).unwrap();
    let strict = SessionOptions { strict: true, ..SessionOptions::default() };
    let strict = Session::new(strict, vec![input(&store)]).unwrap();
    let error = strict.search("*").await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("not there"), "{error}");
    let (count_of, told) = problems(&store).await;
    assert_eq!(count_of, 1, "{told}");
    assert!(told.contains("not there"), "{told}");

    fs::write(torn, &whole).unwrap();
    fs::write(torn.with_file_name("mine.parquet"), "x").unwrap();
    fs::write(store.join("notes.txt"), "x").unwrap();
    // A name as the store gives them, of a run that was committed.
    fs::write(torn.with_file_name("000001-009999.parquet"), "x").unwrap();
    let (count_of, told) = problems(&store).await;
    assert_eq!(count_of, 3, "{told}");
    assert!(told.contains("mine.parquet: ") && told.contains("notes.txt: "), "{told}");
    assert_eq!(count(&session(&[&store]), "*").await, total.to_string());
}

#[tokio::test]
async fn a_damaged_manifest_is_named_and_never_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("store"));
    indexed(&store, &[&logs.join("c.log")]);
    let path = store.join("spelunk-store.json");
    let text = fs::read_to_string(&path).unwrap();
    let damaged = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        text.replace(from, to)
    };
    for (manifest, reason) in [
        (text[..text.len() / 2].to_owned(), "the manifest is damaged"),
        (damaged("\"version\":2", "\"version\":3"), "reads the forms 1 to 2"),
        (damaged("spelunk store", "a shop"), "not one of a store"),
        (damaged("\"path\":\"events/", "\"path\":\"../../"), "contradicts itself"),
        (damaged("\"schema\":0", "\"schema\":7"), "contradicts itself"),
        (damaged("\"rows\":3", "\"rows\":4"), "contradicts itself"),
    ] {
        fs::write(&path, manifest).unwrap();
        let seen = found(&session(&[&store]), "* | stats count").await;
        let file = &seen.report.files[0];
        assert_eq!((seen.rows[1][0].as_str(), file.skipped), ("0", 1), "{reason}");
        assert!(file.problems[0].reason.contains(reason), "{:?}", file.problems);
        let error = indexed_with(&store, &[&logs], &IndexOptions::default()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (logs(folder.path()), folder.path().join("store"));
    indexed(&store, &[&logs.join("c.log")]);
    let lock = File::options().write(true).open(store.join("lock")).unwrap();
    lock.lock().unwrap();
    fs::write(store.join("lock"), "4711").unwrap();
    let error = indexed_with(&store, &[&logs], &IndexOptions::default()).unwrap_err().to_string();
    assert!(error.contains("another `spelunk index` (process 4711) is adding to it"), "{error}");
    lock.unlock().unwrap();
    assert_eq!(indexed(&store, &[&logs]).added.events, 1407);
}

#[test]
fn what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let logs = logs(folder.path());
    let refused = |store: &Path, inputs: &[&Path], reason: &str| {
        let error = indexed_with(store, inputs, &IndexOptions::default()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    };
    // Evidence is only read.
    refused(&logs.join("store"), &[&logs], "would lie in a folder that is indexed");
    refused(&logs.join("deep/er/store"), &[&logs], "would lie in a folder that is indexed");
    refused(&logs, &[&logs], "it is or lies in the store");
    refused(&logs.join("deep"), &[&logs.join("c.log")], "neither a store nor an empty folder");
    refused(&folder.path().join("s"), &[&folder.path().join("nothing")], "No such file");
    assert!(!logs.join("store").exists() && !logs.join("deep/er").exists());
    let stdin = Input { location: Location::Stdin, index: None };
    let error = index(&folder.path().join("s"), &[stdin], &reading(), &IndexOptions::default()).unwrap_err();
    assert!(error.to_string().contains("standard input"), "{error}");
    // What has columns already is searched where it is.
    let store = folder.path().join("store");
    indexed(&store, &[&logs]);
    let again = indexed(&folder.path().join("other"), &[&store]);
    assert_eq!((again.added.events, again.report.files[0].skipped), (0, 1));
    assert!(again.report.files[0].problems[0].reason.contains("searched where it is"));
}

#[tokio::test]
async fn damage_is_told_and_strictness_leaves_the_store_alone() {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let (log, store) = (folder.path().join("a.json"), folder.path().join("store"));
    fs::write(&log, "{\"a\":1}\n{\"a\":\n{\"a\":3}\n").unwrap();
    let strict = ReadOptions { strict: true, ..reading() };
    let error = index(&store, &[input(&log)], &strict, &IndexOptions::default()).unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
    assert_eq!(count(&session(&[&store]), "*").await, "0");
    let indexed = indexed(&store, &[&log]);
    assert_eq!((indexed.added.events, indexed.report.files[0].skipped), (2, 1));
}
