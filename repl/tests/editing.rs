//! Typing a search on a terminal: completion, keys, history, logs that are still being read.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect};

struct Shell {
    session: OsSession,
    home: tempfile::TempDir,
}

const ALT_ENTER: &str = "\x1b\r";
const F1: &str = "\x1bOP";
const F2: &str = "\x1bOQ";
const F3: &str = "\x1bOR";
const F4: &str = "\x1bOS";
const F6: &str = "\x1b[17~";

const EVENTS: &str = r#"{"_time":"2024-05-24T10:06:00Z","host":"WS01","Image":"C:\\Windows\\cmd.exe","User":"LAB\\alice"}
{"_time":"2024-05-24T10:06:01Z","host":"WS02","Image":"D:\\Tools\\calc.exe","User":"LAB\\bob"}
"#;

fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.arg("repl").env("HOME", home).env("XDG_STATE_HOME", home.join("state")).env("TERM", "xterm");
    command.env("NO_COLOR", "1").env("EDITOR", "false").env_remove("VISUAL");
    command
}

fn start(command: Command, home: tempfile::TempDir) -> Shell {
    let mut session = OsSession::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("Ctrl-D leaves").unwrap();
    session.expect("spl> ").unwrap();
    Shell { session, home }
}

fn open() -> Shell {
    let home = tempfile::tempdir().unwrap();
    start(command(home.path()), home)
}

/// A shell over two events.
fn open_events() -> Shell {
    let home = tempfile::tempdir().unwrap();
    let logs = home.path().join("logs.json");
    fs::write(&logs, EVENTS).unwrap();
    let mut command = command(home.path());
    command.arg(logs);
    start(command, home)
}

impl Shell {
    fn type_keys(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
    }

    fn wait_for(&mut self, text: &str) {
        if let Err(error) = self.session.expect(text) {
            panic!("{text:?} did not come: {error}");
        }
    }

    /// Waits for the text and for the prompt behind it: what is typed before that may be lost.
    fn wait_for_result(&mut self, text: &str) {
        self.wait_for(text);
        self.wait_for("l> ");
    }

    /// Presses Tab until the text is there: names are gathered behind the prompt.
    fn complete_to(&mut self, text: &str) {
        self.session.set_expect_timeout(Some(Duration::from_millis(500)));
        let found = (0..60).any(|_| {
            self.type_keys("\t");
            self.session.expect(text).is_ok()
        });
        self.session.set_expect_timeout(Some(Duration::from_secs(30)));
        assert!(found, "Tab did not complete to {text:?}");
    }

    fn leave(mut self) -> tempfile::TempDir {
        self.session.send(ControlCode::EndOfTransmission).unwrap();
        self.session.expect(Eof).unwrap();
        self.home
    }
}

#[test]
fn tab_completes_commands() {
    let mut shell = open();
    shell.type_keys("| makeres\t");
    shell.wait_for("makeresults ");
    shell.type_keys("| eval answer=6*7 | table ans\t\r");
    shell.wait_for_result("│     42 │");
    shell.leave();
}

#[test]
fn tab_completes_fields_and_writes_values_with_their_backslashes() {
    let mut shell = open_events();
    shell.type_keys("Imag");
    shell.complete_to("Image=");
    shell.type_keys("\"C\t");
    shell.wait_for("\"C:\\\\Windows\\\\cmd.exe\"");
    shell.type_keys(" | stats count AS found BY host | table found ho\t\r");
    shell.wait_for_result("│     1 ┆ WS01 │");
    shell.leave();
}

#[test]
fn several_candidates_are_listed() {
    let mut shell = open();
    shell.type_keys("| makeresults | eval a=mvind");
    shell.type_keys("\t");
    shell.wait_for("mvindex(");
    shell.type_keys("\x15");
    shell.type_keys("| tran\t");
    shell.wait_for("transaction   ");
    shell.wait_for("transpose");
    shell.type_keys("\x15");
    shell.leave();
}

#[test]
fn alt_enter_begins_a_line() {
    let mut shell = open();
    shell.type_keys("| makeresults");
    shell.type_keys(ALT_ENTER);
    shell.type_keys("| eval answer=44 | table answer\r");
    shell.wait_for_result("│     44 │");
    shell.leave();
}

#[test]
fn control_j_runs_what_is_not_complete() {
    let mut shell = open();
    shell.type_keys("| stats count(\n");
    shell.wait_for_result("error[SPL");
    shell.leave();
}

#[test]
fn logscale_goes_on_while_a_brace_is_open() {
    let mut shell = open();
    shell.type_keys(".lang logscale\r");
    shell.wait_for("cql> ");
    shell.type_keys("createEvents([\"a=1\"]) | kvParse() | case { a=1 | found := \"yes\";\r");
    shell.type_keys("* } | table([found])\r");
    shell.wait_for_result("│ yes   │");
    shell.leave();
}

#[test]
fn a_search_goes_on_in_an_editor() {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(home.path());
    command.env("EDITOR", "sed -i s/41/45/");
    let mut shell = start(command, home);
    shell.type_keys("| makeresults | eval answer=41 | table answer\x18\x05");
    shell.wait_for("answer=45");
    shell.type_keys("\r");
    shell.wait_for_result("│     45 │");
    shell.leave();
}

#[test]
fn an_editor_that_fails_leaves_the_search() {
    let mut shell = open();
    shell.type_keys("| makeresults | eval answer=46 | table answer\x18\x05");
    shell.wait_for("stays as it was");
    shell.wait_for("answer=46");
    shell.type_keys("\r");
    shell.wait_for_result("│     46 │");
    shell.leave();
}

#[test]
fn f1_explains_the_word_and_keeps_the_line() {
    let mut shell = open();
    shell.type_keys("| makeresults");
    shell.type_keys(F1);
    shell.wait_for("makeresults: command");
    shell.wait_for("spl> ");
    shell.type_keys(" | eval answer=47 | table answer\r");
    shell.wait_for_result("│     47 │");
    shell.leave();
}

#[test]
fn keys_look_at_the_last_result_and_keep_the_line() {
    let mut shell = open_events();
    shell.type_keys("host=WS*\r");
    shell.wait_for("[2] 2024-05-24T10:06:00.000Z WS01");
    shell.wait_for("2 rows · ");
    shell.wait_for("spl> ");
    shell.type_keys("| makeresults | eval answer=50");
    shell.type_keys(F2);
    shell.wait_for("2 events · 1 bar = ");
    shell.wait_for("answer=50");
    shell.type_keys(F3);
    shell.wait_for("coverage");
    shell.wait_for("answer=50");
    shell.type_keys(F4);
    shell.wait_for("── 1 ──");
    shell.wait_for("answer=50");
    shell.type_keys(F4);
    shell.wait_for("[2] 2024-05-24T10:06:00.000Z WS01");
    shell.wait_for("answer=50");
    shell.type_keys(F6);
    shell.wait_for("Physical plan");
    shell.wait_for("answer=50");
    shell.type_keys(" | table answer\r");
    shell.wait_for_result("│     50 │");
    shell.leave();
}

#[test]
fn what_is_pasted_cannot_command_the_terminal() {
    for colour in ["", "1"] {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(home.path());
        command.env("NO_COLOR", colour);
        let mut shell = start(command, home);
        shell.type_keys("\x1b[200~| makeresults \x1b[31m\x1b]0;owned\x07\u{9b}31m\u{202e}\0 end\x1b[201~");
        let typed = shell.session.expect(" end").unwrap();
        let typed = String::from_utf8_lossy(typed.before()).into_owned();
        assert!(!typed.contains(['\x07', '\u{9b}', '\u{202e}', '\0']), "{typed:?}");
        assert!(!typed.contains("\x1b[31m") && !typed.contains("\x1b]"), "{typed:?}");
        shell.type_keys("\x15");
        shell.leave();
    }
}

#[test]
fn a_window_that_became_narrower_is_noticed() {
    let mut shell = open_events();
    shell.session.get_process_mut().set_window_size(100, 24).unwrap();
    shell.type_keys("host=WS01 | eval answer=51 | table answer");
    shell.wait_for("table answer");
    // The search is laid out anew; otherwise every further key would write it once more.
    shell.session.get_process_mut().set_window_size(30, 24).unwrap();
    shell.wait_for("spl> host=WS01");
    shell.type_keys("\r");
    shell.wait_for_result("│     51 │");
    shell.leave();
}

#[test]
fn plain_has_no_colours_while_typing() {
    let home = tempfile::tempdir().unwrap();
    let mut plain = command(home.path());
    plain.env_remove("NO_COLOR").arg("--plain");
    let mut session = OsSession::spawn(plain).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("Ctrl-D leaves").unwrap();
    session.send("| makeresults | table _time\r").unwrap();
    let typed = session.expect("1 row").unwrap();
    let typed = String::from_utf8_lossy(typed.before()).into_owned();
    assert!(!typed.contains("\x1b[1") && !typed.contains("\x1b[3") && !typed.contains('│'), "{typed:?}");
    session.expect("spl> ").unwrap();
    Shell { session, home }.leave();
}

#[test]
fn a_paste_of_several_lines_is_one_search() {
    let mut shell = open();
    shell.type_keys("\x1b[200~| makeresults\n| eval answer=48\n| table answer\x1b[201~\r");
    shell.wait_for_result("│     48 │");
    let home = shell.leave();
    let mut shell = start(command(home.path()), home);
    shell.type_keys("\x1b[A\r");
    shell.wait_for_result("│     48 │");
    shell.leave();
}

#[test]
fn sessions_keep_each_others_history() {
    let first = open();
    let home = first.home.path().to_owned();
    let mut first = first;
    let second_home = tempfile::tempdir().unwrap();
    let mut second = command(second_home.path());
    second.env("XDG_STATE_HOME", home.join("state"));
    let mut second = start(second, second_home);
    first.type_keys(".lang spl\r");
    first.wait_for_result("\n");
    second.type_keys(".lang\r");
    second.wait_for_result("\n");
    second.leave();
    let home = first.leave();
    let history = fs::read_to_string(home.path().join("state/spelunk/history")).unwrap();
    assert!(history.contains(".lang spl\n") && history.contains(".lang\n"), "{history}");
}

#[test]
fn a_damaged_history_is_put_aside() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("state/spelunk");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("history"), b"#V2\n\xff\xfe\x00\n").unwrap();
    let mut session = OsSession::spawn(command(home.path())).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("is damaged").unwrap();
    session.expect("spl> ").unwrap();
    session.send(".lang spl\r").unwrap();
    session.expect("\n").unwrap();
    session.expect("spl> ").unwrap();
    let home = Shell { session, home }.leave();
    assert!(folder.join("history.damaged").exists());
    assert!(fs::read_to_string(folder.join("history")).unwrap().contains(".lang spl"));
    drop(home);
}

#[test]
fn a_home_that_cannot_be_written_is_no_reason_to_stop() {
    let home = tempfile::tempdir().unwrap();
    // A file where the folder would be: no folder can be made there, whoever runs this.
    fs::write(home.path().join("state"), "").unwrap();
    let mut session = OsSession::spawn(command(home.path())).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("what is typed cannot be kept: ").unwrap();
    session.expect("spl> ").unwrap();
    let mut shell = Shell { session, home };
    shell.type_keys("| makeresults | eval answer=49 | table answer\r");
    shell.wait_for_result("│     49 │");
    shell.leave();
}

#[test]
fn typing_does_not_wait_for_the_logs() {
    let home = tempfile::tempdir().unwrap();
    let logs = home.path().join("logs.json");
    assert!(Command::new("mkfifo").arg(&logs).status().unwrap().success());
    let mut slow = command(home.path());
    slow.arg(&logs);
    let mut shell = start(slow, home);
    shell.type_keys("host=WS02 | eval seen=50 | table se\t");
    shell.wait_for("table seen");
    // Only now there is anything to read.
    fs::write(&logs, EVENTS).unwrap();
    shell.wait_for("2 events");
    shell.type_keys("\r");
    shell.wait_for_result("│   50 │");
    shell.leave();
}

#[test]
fn a_search_waits_for_the_logs() {
    let home = tempfile::tempdir().unwrap();
    let logs = home.path().join("logs.json");
    assert!(Command::new("mkfifo").arg(&logs).status().unwrap().success());
    let mut slow = command(home.path());
    slow.arg(&logs);
    let mut shell = start(slow, home);
    shell.type_keys("| stats count AS all_of_them\r");
    shell.wait_for("waiting until the logs are read");
    fs::write(&logs, EVENTS).unwrap();
    shell.wait_for_result("│           2 │");
    shell.leave();
}

#[test]
fn colours_are_the_terminals_own() {
    let home = tempfile::tempdir().unwrap();
    let mut coloured = command(home.path());
    coloured.env_remove("NO_COLOR");
    let mut session = OsSession::spawn(coloured).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("Ctrl-D leaves").unwrap();
    session.send("| stats count ").unwrap();
    session.expect("\x1b[1;36mstats\x1b[0m").unwrap();
    session.send("BY x | stast y").unwrap();
    session.expect("\x1b[31mstast\x1b[0m").unwrap();
    session.send("\x15").unwrap();
    Shell { session, home }.leave();
}
