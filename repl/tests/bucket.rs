//! Stores in a bucket, as the program makes and searches them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "bucket/service.rs"]
mod service;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use service::Service;
use tempfile::TempDir;

struct Site {
    folder: TempDir,
    service: Service,
}

/// Logs of so many events, and a service without objects.
fn site(events: u32) -> Site {
    let site = Site { folder: tempfile::tempdir().unwrap(), service: Service::start() };
    let (code, _, told) = site.run(&["generate", "--events", &events.to_string(), "--out", "logs.jsonl"]);
    assert_eq!(code, 0, "{told}");
    site
}

impl Site {
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        spelunk(self.folder.path(), &self.service.address, arguments)
    }
}

fn spelunk(folder: &Path, address: &str, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spelunk"));
    for (name, value) in [
        ("AWS_ENDPOINT_URL", address),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ] {
        command.env(name, value);
    }
    let output = command.args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

const SEARCHES: [&str; 4] = [
    "EventCode=1 | stats count by host | sort host",
    "EventCode=1 Image=*powershell* | table _time host Image CommandLine | head 20",
    "4688 cmd.exe | stats count dc(host)",
    "index=* | stats count by sourcetype EventCode | sort sourcetype EventCode",
];

#[test]
fn a_store_in_a_bucket_is_one_in_a_folder() {
    let site = site(14_000);
    let place = "s3://logs/case 7/store";
    for store in [place, "store"] {
        let (code, _, told) = site.run(&["index", "-o", store, "logs.jsonl", "--row-group", "1000"]);
        assert_eq!(code, 0, "{told}");
        let all = format!("14,000 events of 1 file added to {store} · now 14,000 events in ");
        assert!(told.contains(&all), "{told}");
    }
    let keys = site.service.keys();
    assert!(keys.contains(&"logs/case 7/store/spelunk-store.json".to_owned()), "{keys:?}");
    assert!(!keys.iter().any(|key| key.ends_with("/lock")), "{keys:?}");
    for search in SEARCHES {
        let (code, out, told) = site.run(&["run", search, place]);
        assert_eq!((code, &out), (0, &site.run(&["run", search, "store"]).1), "{search}: {told}");
        assert!(!out.is_empty(), "{search}");
    }
    // What cannot match is not fetched.
    site.service.take_asked();
    let (_, out, told) = site.run(&["run", "EventCode=99999 | stats count", place]);
    assert!(out.contains("{\"count\":0}"), "{out}");
    assert!(told.contains(" · read 0 of "), "{told}");
    let asked = site.service.take_asked();
    assert!(!asked.iter().any(|asked| asked.ends_with(".parquet")), "{asked:?}");
}

#[test]
fn a_store_in_a_bucket_grows_by_what_is_new() {
    let site = site(500);
    let index = |log: &str| {
        let (code, _, told) = site.run(&["index", "-o", "s3://logs/store", log]);
        assert_eq!(code, 0, "{told}");
        told
    };
    index("logs.jsonl");
    let told = index("logs.jsonl");
    assert!(told.contains("1 file added nothing"), "{told}");
    // What an interrupted run left is not seen, and goes.
    site.service.put("logs/store/events/x/000009-000000.parquet", b"half");
    let count = |told: &str| {
        let (code, out, said) = site.run(&["run", "* | stats count", "s3://logs/store"]);
        assert_eq!((code, out.trim()), (0, told), "{said}");
    };
    count("{\"count\":500}");
    site.run(&["generate", "--events", "100", "--seed", "2", "--out", "more.jsonl"]);
    index("more.jsonl");
    count("{\"count\":600}");
    assert!(!site.service.keys().iter().any(|key| key.contains("000009")), "{:?}", site.service.keys());
}

#[test]
fn parquet_in_a_bucket_is_searched_beside_stores() {
    let site = site(3_000);
    let all = "* | table _time _raw host source sourcetype index EventCode Image CommandLine";
    let (code, _, told) = site.run(&["run", all, "logs.jsonl", "--output", "parquet", "--out", "part.parquet"]);
    assert_eq!(code, 0, "{told}");
    let part = std::fs::read(site.folder.path().join("part.parquet")).unwrap();
    site.service.put("logs/exported/2024/a.parquet", &part);
    site.service.put("logs/exported/2024/", b"");
    for place in ["s3://logs/exported", "s3://logs/exported/2024/a.parquet"] {
        for search in SEARCHES {
            let (code, out, told) = site.run(&["run", search, place]);
            assert_eq!((code, &out), (0, &site.run(&["run", search, "part.parquet"]).1), "{place} {search}: {told}");
            assert!(!out.is_empty(), "{place} {search}");
        }
    }
    // A store below the same prefix is one more place of events, and a log is named.
    assert_eq!(site.run(&["index", "-o", "s3://logs/exported/store", "logs.jsonl"]).0, 0);
    site.service.put("logs/exported/raw.jsonl", b"{}");
    let (code, out, told) = site.run(&["run", "* | stats count", "s3://logs/exported"]);
    assert_eq!((code, out.trim()), (3, "{\"count\":6000}"), "{told}");
    assert!(
        told.contains("s3://logs/exported/raw.jsonl: of a bucket, stores and Parquet files are searched"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_with_a_bucket_is_told() {
    let site = site(50);
    let told = |arguments: &[&str], code: i32, what: &str| {
        let (found, out, told) = site.run(arguments);
        assert_eq!((found, out.as_str()), (code, ""), "{arguments:?}: {told}");
        assert!(told.contains(what), "{arguments:?}: {told}");
    };
    site.service.put("logs/other/file", b"x");
    told(&["index", "-o", "s3://logs/other", "logs.jsonl"], 1, "neither a store nor an empty folder");
    told(&["index", "-o", "s3://", "logs.jsonl"], 1, "it names no bucket");
    told(&["index", "-o", "store", "s3://logs/store"], 1, "a store already");
    site.service.put("logs/held/lock", b"process 7 since yesterday");
    told(&["index", "-o", "s3://logs/held", "logs.jsonl"], 1, "another `spelunk index` (process 7 since yesterday)");
    told(&["run", "* | stats count", "s3://logs/none"], 1, "s3://logs/none: nothing is there");
    // Of an object that went lost, what it had is named.
    assert_eq!(site.run(&["index", "-o", "s3://logs/store", "logs.jsonl"]).0, 0);
    let key = site.service.keys().into_iter().find(|key| key.ends_with(".parquet")).unwrap();
    site.service.put(&key, b"PAR1");
    let (code, _, said) = site.run(&["run", "* | stats count", "s3://logs/store"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("torn, it has 4 bytes"), "{said}");
}

#[test]
fn a_service_that_does_not_answer_is_told_soon() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let (code, out, told) = spelunk(folder.path(), "http://127.0.0.1:1", &["run", "*", "s3://logs/store"]);
    assert!(code == 1 && out.is_empty() && told.contains("s3://logs/store: "), "{code} {told}");
    // No bound of speed: it must not try for the three minutes that the library would.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
