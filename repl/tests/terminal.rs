//! What only a terminal gets: explanations that nobody asked for, and a pager.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::process::Command;
use std::time::Duration;

use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect};

/// A shell over 60 events with this pager, at its prompt, and the folder that has to live as long.
fn open(pager: &str) -> (OsSession, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("log.jsonl");
    let line =
        |n: u32| format!("{{\"_time\":\"2019-06-21T07:{n:02}:37Z\",\"host\":\"A\",\"Image\":\"x.exe\",\"n\":{n}}}\n");
    std::fs::write(&log, (0..60).map(line).collect::<String>()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.arg("repl").arg(&log).env("HOME", home.path()).env("XDG_STATE_HOME", home.path()).env("TERM", "xterm");
    command.env("NO_COLOR", "1").env("SPELUNK_PAGER", pager).env_remove("COLUMNS");
    let mut session = OsSession::spawn(command).unwrap();
    session.get_process_mut().set_window_size(80, 24).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("spl> ").unwrap();
    (session, home)
}

fn leave(mut session: OsSession) {
    session.send(ControlCode::EndOfTransmission).unwrap();
    session.expect(Eof).unwrap();
}

#[test]
fn a_search_that_finds_nothing_says_why() {
    let (mut session, _home) = open("");
    session.send("image=x.exe\r").unwrap();
    session.expect("this pipe lets no row through").unwrap();
    session.expect("letter case").unwrap();
    session.expect("spl> ").unwrap();
    leave(session);
}

#[test]
fn what_is_longer_than_the_screen_is_paged() {
    let (mut session, _home) = open("sed s/^/paged:/");
    session.send("n<60\r").unwrap();
    session.expect("paged:").unwrap();
    session.expect("spl> ").unwrap();
    // What fits is not, and has a number for each event.
    session.send("n<3\r").unwrap();
    let shown = session.expect("spl> ").unwrap();
    let shown = String::from_utf8_lossy(shown.before()).into_owned();
    assert!(shown.contains("[3] 2019-06-21T07:00:37.000Z A") && !shown.contains("paged:"), "{shown}");
    assert!(shown.contains("1 bar = "), "{shown}");
    leave(session);
}

#[test]
fn a_pager_that_is_closed_or_missing_keeps_the_session() {
    for pager in ["head -1 >/dev/null", "no-such-pager-here"] {
        let (mut session, _home) = open(pager);
        session.send("n<60\r").unwrap();
        session.expect("60 rows · ").unwrap();
        session.expect("spl> ").unwrap();
        leave(session);
    }
}
