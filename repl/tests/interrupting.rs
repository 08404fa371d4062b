//! Ctrl-C, progress and what a search took: the binary on a terminal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect};

/// More than is read ahead on any number of cores that a test machine has.
const EVENTS: usize = 600_000;

fn spawn(mut command: Command, home: &Path) -> OsSession {
    command.env("HOME", home).env("XDG_STATE_HOME", home).env("XDG_CONFIG_HOME", home).env("TERM", "xterm");
    command.env("NO_COLOR", "1").env("SPELUNK_PAGER", "").env_remove("COLUMNS").current_dir(home);
    let mut session = OsSession::spawn(command).unwrap();
    session.get_process_mut().set_window_size(120, 30).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(60)));
    session
}

fn spelunk(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.args(arguments);
    command
}

fn line(number: usize) -> String {
    format!("{{\"_time\":\"2019-06-21T07:35:37Z\",\"host\":\"A\",\"n\":{number}}}\n")
}

/// A log that stops in the middle until it is told to go on.
struct Slow {
    path: PathBuf,
    go_on: std::sync::mpsc::Sender<()>,
    writer: JoinHandle<()>,
}

fn slow(home: &Path) -> Slow {
    let path = home.join("slow.jsonl");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (go_on, wait) = std::sync::mpsc::channel();
    let target = path.clone();
    let writer = std::thread::spawn(move || {
        let mut log = File::options().write(true).open(target).unwrap();
        let half: String = (0..EVENTS / 3).map(line).collect();
        // Who was interrupted may read none of it.
        let _ = log.write_all(half.as_bytes());
        let _ = wait.recv();
        let rest: String = (EVENTS / 3..EVENTS).map(line).collect();
        let _ = log.write_all(rest.as_bytes());
    });
    Slow { path, go_on, writer }
}

#[test]
fn control_c_keeps_what_was_read() {
    let home = tempfile::tempdir().unwrap();
    let slow = slow(home.path());
    let log = slow.path.to_str().unwrap();
    let out = home.path().join("out.csv");
    let mut session = spawn(spelunk(&["run", "host=A | table n", log, "--out", out.to_str().unwrap()]), home.path());
    session.expect("events read (Ctrl-C ends it)").unwrap();
    session.send(ControlCode::EndOfText).unwrap();
    session.expect("Ctrl-C again gives it up").unwrap();
    slow.go_on.send(()).unwrap();
    session.expect("interrupted: ").unwrap();
    session.expect("reading ended after ").unwrap();
    session.expect(Eof).unwrap();
    assert!(matches!(session.get_process().wait().unwrap(), WaitStatus::Exited(_, 130)));
    slow.writer.join().unwrap();
    let rows = fs::read_to_string(out).unwrap().lines().count();
    assert!(rows > 1 && rows < EVENTS, "{rows}");
}

#[test]
fn a_count_of_a_part_is_no_result() {
    let home = tempfile::tempdir().unwrap();
    let slow = slow(home.path());
    let mut session = spawn(spelunk(&["run", "host=A | stats count", slow.path.to_str().unwrap()]), home.path());
    session.expect("events read (Ctrl-C ends it)").unwrap();
    session.send(ControlCode::EndOfText).unwrap();
    session.expect("Ctrl-C again gives it up").unwrap();
    slow.go_on.send(()).unwrap();
    session.expect("interrupted: `stats` needs all events, so there is no result of a part of them").unwrap();
    session.expect(Eof).unwrap();
    assert!(matches!(session.get_process().wait().unwrap(), WaitStatus::Exited(_, 130)));
    slow.writer.join().unwrap();
}

#[test]
fn the_shell_goes_on_after_control_c() {
    let home = tempfile::tempdir().unwrap();
    let mut session = spawn(spelunk(&["repl"]), home.path());
    session.expect("spl> ").unwrap();
    // Enough work for any machine, of which each batch is a part of the result.
    session.send("| makeresults count=5000000 | eval x=sha512(random())\r").unwrap();
    session.expect("scanned").unwrap();
    session.expect("(Ctrl-C ends it)").unwrap();
    session.send(ControlCode::EndOfText).unwrap();
    session.expect("interrupted: ").unwrap();
    session.expect("spl> ").unwrap();
    session.send(".last\r").unwrap();
    session.expect("perhaps not all of its rows").unwrap();
    session.expect("spl> ").unwrap();
    session.send("| makeresults count=5000000 | eval x=sha512(random()) | stats dc(x)\r").unwrap();
    session.expect("(Ctrl-C ends it)").unwrap();
    session.send(ControlCode::EndOfText).unwrap();
    session.expect("interrupted: `stats` needs all events").unwrap();
    session.expect("spl> ").unwrap();
    session.send("| makeresults | eval answer=51 | table answer\r").unwrap();
    session.expect("│     51 │").unwrap();
    session.expect("spl> ").unwrap();
    session.send(ControlCode::EndOfTransmission).unwrap();
    session.expect(Eof).unwrap();
}

#[test]
fn who_wants_quiet_gets_no_progress() {
    for quiet in ["--quiet", "--plain"] {
        let home = tempfile::tempdir().unwrap();
        let slow = slow(home.path());
        let log = slow.path.to_str().unwrap().to_owned();
        let mut session = spawn(spelunk(&["run", "host=A | stats count", &log, quiet]), home.path());
        // Time enough for a line to be drawn, if there were one.
        std::thread::sleep(Duration::from_millis(1500));
        slow.go_on.send(()).unwrap();
        let shown = session.expect(Eof).unwrap();
        let shown = String::from_utf8_lossy(shown.as_bytes()).into_owned();
        assert!(shown.contains(&EVENTS.to_string()) && !shown.contains("Ctrl-C"), "{quiet}: {shown}");
        assert_eq!(shown.contains(" in 1 file"), quiet == "--plain", "{quiet}: {shown}");
        slow.writer.join().unwrap();
    }
}

#[test]
fn a_window_that_changes_and_a_large_paste() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("log.jsonl"), (0..3).map(line).collect::<String>()).unwrap();
    let mut session = spawn(spelunk(&["repl", "log.jsonl"]), home.path());
    session.expect("spl> ").unwrap();
    for (columns, rows) in [(200, 50), (20, 5), (1, 1), (40, 10)] {
        session.get_process_mut().set_window_size(columns, rows).unwrap();
        session.send("n=1 | table n, host\r").unwrap();
        // What a terminal of one column shows can hardly be waited for.
        std::thread::sleep(Duration::from_millis(1000));
    }
    session.get_process_mut().set_window_size(120, 30).unwrap();
    session.send("\x15| makeresults | eval answer=53 | table answer\r").unwrap();
    session.expect("│     53 │").unwrap();
    session.expect("spl> ").unwrap();
    let comments = "```a comment```\n".repeat(5_000);
    let search = format!("\x1b[200~| makeresults\n{comments}| eval answer=52\n| table answer\x1b[201~\r");
    session.send(search).unwrap();
    session.expect("│     52 │").unwrap();
    session.expect("spl> ").unwrap();
    session.send(ControlCode::EndOfTransmission).unwrap();
    session.expect(Eof).unwrap();
}
