//! The shell on a terminal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::process::Command;
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect};

struct Shell {
    session: OsSession,
    home: tempfile::TempDir,
}

/// A shell without data, at its prompt.
fn open() -> Shell {
    open_in(tempfile::tempdir().unwrap())
}

fn open_in(home: tempfile::TempDir) -> Shell {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.arg("repl").env("HOME", home.path()).env("XDG_STATE_HOME", home.path()).env("TERM", "xterm");
    command.env("NO_COLOR", "1").env("SPELUNK_PAGER", "");
    let mut session = OsSession::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("Ctrl-D leaves").unwrap();
    session.expect("spl> ").unwrap();
    Shell { session, home }
}

impl Shell {
    /// Types a line and waits until it has been run, that is for a prompt on a line of its own: while one types, the
    /// prompt is painted again and again.
    fn type_line(&mut self, line: &str) -> String {
        self.session.send(line).unwrap();
        self.session.send(ControlCode::CarriageReturn).unwrap();
        self.wait_for("\n");
        self.wait_for("spl> ")
    }

    /// What stands before the text, once it is there.
    fn wait_for(&mut self, text: &str) -> String {
        String::from_utf8_lossy(self.session.expect(text).unwrap().before()).into_owned()
    }

    /// Leaves from the prompt. While a command runs, the terminal itself would take the Ctrl-D.
    fn leave(mut self) -> tempfile::TempDir {
        self.session.send(ControlCode::EndOfTransmission).unwrap();
        self.session.expect(Eof).unwrap();
        assert!(matches!(self.session.get_process().wait().unwrap(), WaitStatus::Exited(_, 0)));
        self.home
    }
}

#[test]
fn control_d_leaves() {
    open().leave();
}

#[test]
fn control_c_at_the_prompt_keeps_the_session() {
    let mut shell = open();
    shell.session.send("| makeres").unwrap();
    shell.session.send(ControlCode::EndOfText).unwrap();
    shell.wait_for("spl> ");
    shell.session.send(".help\r").unwrap();
    shell.wait_for("what was read, and what could not be");
    shell.wait_for("spl> ");
    shell.leave();
}

#[test]
fn dot_commands() {
    let mut shell = open();
    shell.session.send(".hepl\r").unwrap();
    shell.wait_for("did you mean .help?");
    shell.session.send(".files\r").unwrap();
    shell.wait_for("no files");
    shell.session.send(".quit\r").unwrap();
    shell.session.expect(Eof).unwrap();
}

#[test]
fn history_is_kept() {
    let mut shell = open();
    let shown = shell.type_line(".help");
    assert!(shown.contains("what was read, and what could not be"), "{shown}");
    let home = shell.leave();
    let history = std::fs::read_to_string(home.path().join("spelunk/history")).unwrap();
    assert!(history.contains(".help"), "{history}");
    let mut shell = open_in(home);
    shell.session.send("\x1b[A\r").unwrap();
    shell.wait_for("what was read, and what could not be");
}

/// What needs an engine that runs.
mod searches {
    use super::*;

    #[test]
    fn a_result_is_a_table() {
        let mut shell = open();
        shell.session.send("| makeresults | eval answer=42 | table answer\r").unwrap();
        shell.wait_for("│ answer │");
        shell.wait_for("│     42 │");
        shell.wait_for("spl> ");
        shell.leave();
    }

    #[test]
    fn a_search_may_span_lines() {
        let mut shell = open();
        shell.session.send("| makeresults |\r").unwrap();
        shell.session.send("eval answer=43 | table answer\r").unwrap();
        shell.wait_for("│     43 │");
        shell.wait_for("spl> ");
        shell.leave();
    }

    #[test]
    fn an_error_keeps_the_session() {
        let mut shell = open();
        shell.session.send("| stast count\r").unwrap();
        shell.wait_for("SPL0003");
        shell.wait_for("spl> ");
        let shown = shell.type_line(".files");
        assert!(shown.contains("no files"), "{shown}");
        shell.leave();
    }
}
