//! `spelunk index` as scripts drive it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

fn spelunk(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_spelunk")).args(arguments).current_dir(folder).output().unwrap();
    told(output)
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// A folder with logs of so many events.
fn folder(events: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let events = events.to_string();
    let (code, _, told) = spelunk(folder.path(), &["generate", "--events", &events, "--out", "logs.jsonl"]);
    assert_eq!(code, 0, "{told}");
    folder
}

#[test]
fn what_is_indexed_is_found_and_what_is_skipped_is_told() {
    // Enough of them for the shape to have a file of its own.
    let folder = folder(14_000);
    let (code, out, told) = spelunk(folder.path(), &["index", "-o", "store", "logs.jsonl", "--row-group", "1000"]);
    assert_eq!((code, out.as_str()), (0, ""), "{told}");
    assert!(told.contains("14,000 events of 1 file added to store · now 14,000 events in "), "{told}");
    let query = "EventCode=1 | stats count by host | sort host";
    let (code, stored, told) = spelunk(folder.path(), &["run", query, "store"]);
    assert_eq!((code, &stored), (0, &spelunk(folder.path(), &["run", query, "logs.jsonl"]).1), "{told}");
    assert!(!stored.is_empty());
    assert!(told.contains(" · read 1 of ") || told.contains(" · read 2 of "), "{told}");
    let (code, explained, _) = spelunk(folder.path(), &["explain", query, "store"]);
    assert_eq!(code, 0);
    assert!(explained.contains("\nStores\n  store: "), "{explained}");
    assert!(explained.contains("\"EventCode\" has other values there"), "{explained}");
    // A keyword is looked for in what the texts are made of.
    let query = "sysmon \"cmd.exe\" | stats count";
    let (code, stored, told) = spelunk(folder.path(), &["run", query, "store"]);
    assert_eq!((code, &stored), (0, &spelunk(folder.path(), &["run", query, "logs.jsonl"]).1), "{told}");
    let explained = spelunk(folder.path(), &["explain", query, "store"]).1;
    assert!(explained.contains("spl_restored_keyword(sysmon"), "{explained}");
    assert!(!explained.contains("spl_keyword(spl_restored("), "{explained}");
    // Once more adds nothing.
    let (code, _, told) = spelunk(folder.path(), &["index", "-o", "store", "logs.jsonl"]);
    assert_eq!(code, 0);
    assert!(told.contains("1 file added nothing, the store has the same content already: logs.jsonl"), "{told}");
}

#[test]
fn what_is_refused() {
    let folder = folder(10);
    std::fs::create_dir(folder.path().join("other")).unwrap();
    std::fs::write(folder.path().join("other/file"), "x").unwrap();
    for (arguments, code, reason) in [
        (&["index", "-o", "store"][..], 2, "no logs"),
        (&["index", "logs.jsonl"], 2, "--output <STORE>"),
        (&["index", "-o", "store", "-"], 2, "standard input cannot be indexed"),
        (&["index", "-o", "store", "nothing"], 1, "nothing: No such file"),
        (&["index", "-o", "other", "logs.jsonl"], 1, "neither a store nor an empty folder"),
        (&["index", "-o", "./store", "."], 1, "would lie in a folder that is indexed"),
        (&["index", "-o", "store", "--temp", "nowhere", "logs.jsonl"], 1, "nowhere: No such file"),
        (&["index", "-o", "store", "--temp", "logs.jsonl", "logs.jsonl"], 1, "temporary files need a folder"),
        (&["index", "-o", "store", "--row-group", "0", "logs.jsonl"], 2, "0 is not in 1..=1048576"),
    ] {
        let (found, out, told) = spelunk(folder.path(), arguments);
        assert_eq!((found, out.as_str()), (code, ""), "{arguments:?}: {told}");
        assert!(told.contains(reason), "{arguments:?}: {told}");
    }
    assert!(!folder.path().join("store").exists());
}

#[test]
fn a_damaged_store_is_a_partial_result() {
    let folder = folder(3000);
    spelunk(folder.path(), &["index", "-o", "store", "logs.jsonl"]);
    std::fs::write(folder.path().join("store/events/foreign"), "x").unwrap();
    let (code, out, told) = spelunk(folder.path(), &["run", "* | stats count", "store"]);
    assert_eq!((code, out.trim()), (3, "{\"count\":3000}"), "{told}");
    assert!(told.contains("store: events/foreign: it is in the store but not of it"), "{told}");
}

/// A run that is killed leaves what was there, and the next one finishes the work.
#[test]
fn a_killed_run_loses_nothing() {
    let folder = folder(200);
    spelunk(folder.path(), &["index", "-o", "store", "logs.jsonl"]);
    let (code, _, told) =
        spelunk(folder.path(), &["generate", "--events", "20000", "--seed", "2", "--out", "more.jsonl"]);
    assert_eq!(code, 0, "{told}");
    for pause in [20, 200, 800] {
        let mut running = Command::new(env!("CARGO_BIN_EXE_spelunk"))
            .args(["index", "-o", "store", "more.jsonl"])
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(pause));
        running.kill().unwrap();
        running.wait().unwrap();
        let (code, out, told) = spelunk(folder.path(), &["run", "* | stats count", "store"]);
        assert_eq!(code, 0, "{told}");
        // Whatever it came to: all or nothing.
        assert!(["{\"count\":200}", "{\"count\":20200}"].contains(&out.trim()), "{out}");
    }
    let (code, _, told) = spelunk(folder.path(), &["index", "-o", "store", "more.jsonl"]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(spelunk(folder.path(), &["run", "* | stats count", "store"]).1.trim(), "{\"count\":20200}");
}

/// A disk that takes no more bytes, as a limit on the size of files makes it.
#[cfg(unix)]
#[test]
fn a_full_disk_is_named_and_leaves_the_store_as_it_was() {
    let folder = folder(200);
    spelunk(folder.path(), &["index", "-o", "store", "logs.jsonl"]);
    spelunk(folder.path(), &["generate", "--events", "5000", "--seed", "2", "--out", "more.jsonl"]);
    let script = "trap '' XFSZ; ulimit -f 50; exec \"$0\" index -o store more.jsonl";
    let output = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_spelunk")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let (code, _, said) = told(output);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("store: File too large") && said.contains("make room and index again"), "{said}");
    assert!(!folder.path().join("store/aside").exists());
    let (code, out, _) = spelunk(folder.path(), &["run", "* | stats count", "store"]);
    assert_eq!((code, out.trim()), (0, "{\"count\":200}"));
    assert_eq!(spelunk(folder.path(), &["index", "-o", "store", "more.jsonl"]).0, 0);
    assert_eq!(spelunk(folder.path(), &["run", "* | stats count", "store"]).1.trim(), "{\"count\":5200}");
}

/// Of two that begin at once, one adds; the other is refused, or finds that all is there.
#[test]
fn two_at_once_add_once() {
    let folder = folder(3000);
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_spelunk"))
            .args(["index", "-o", "store", "logs.jsonl"])
            .current_dir(folder.path())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let runs = [start(), start()].map(|run| told(run.wait_with_output().unwrap()));
    assert!(runs.iter().any(|(code, ..)| *code == 0), "{runs:?}");
    for (code, _, said) in &runs {
        let refused = *code == 1 && said.contains("another `spelunk index`");
        assert!(refused || *code == 0, "{said}");
    }
    assert_eq!(spelunk(folder.path(), &["run", "* | stats count", "store"]).1.trim(), "{\"count\":3000}");
}
