//! A scheduler and workers as processes, and searches on them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const SEARCH: &str =
    "EventCode=* | rex field=Image \"(?<exe>[^\\\\\\\\]+)$\" | stats count dc(host) AS hosts by exe | sort - count exe";

fn spelunk(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.args(arguments).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    spelunk(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A process that ends with the test.
struct Process(Child);

impl Process {
    /// Starts one, and waits until it says that it works.
    fn start(arguments: &[&str]) -> Self {
        let mut child = spelunk(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        assert!(line.contains("Ctrl-C ends it"), "{line}");
        // Nobody waits for a process whose output nobody reads.
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn scheduler() -> (Process, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let process = Process::start(&["scheduler", "--port", &port]);
    (process, format!("http://127.0.0.1:{port}"))
}

fn worker(url: &str, folder: &Path) -> Process {
    Process::start(&["worker", url, "--cores", "1", "--memory", "512MB", "--temp", folder.to_str().unwrap()])
}

fn store(folder: &Path, events: &str) -> String {
    let (log, store) = (folder.join("a.jsonl"), folder.join("store"));
    let (log, store) = (log.to_str().unwrap(), store.to_str().unwrap());
    assert!(run(&["generate", "--events", events, "--out", log]).status.success());
    assert!(run(&["index", "-q", "-o", store, "--row-group", "500", log]).status.success());
    store.to_owned()
}

#[test]
fn processes_work_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), "4000");
    let (_scheduler, url) = scheduler();
    let _workers = [worker(&url, folder.path()), worker(&url, folder.path())];
    let here = run(&["run", "-q", SEARCH, &store]);
    let there = run(&["run", "--cluster", &url, SEARCH, &store]);
    assert!(here.status.success() && there.status.success(), "{}", text(&there.stderr));
    assert_eq!(text(&here.stdout), text(&there.stdout));
    assert!(text(&there.stderr).contains("on the cluster"), "{}", text(&there.stderr));
    let explained = text(&run(&["explain", "--cluster", &url, SEARCH, &store]).stdout);
    assert!(explained.contains("On the cluster") && explained.contains("stage 2 on"), "{explained}");
    // What passes between the stages is less than what was scanned.
    let profile = text(&run(&["run", "--profile", "--cluster", &url, SEARCH, &store]).stderr);
    assert!(profile.contains("on the cluster, stage 1: ") && profile.contains(" scanned, "), "{profile}");
    // The shell, and back.
    let searches = folder.path().join("searches");
    std::fs::write(&searches, format!(".cluster {url}\n{SEARCH};\n.cluster off\n{SEARCH};\n.cluster nonsense://\n"))
        .unwrap();
    let shell =
        spelunk(&["repl", "--output", "csv", &store]).stdin(std::fs::File::open(&searches).unwrap()).output().unwrap();
    let (out, err) = (text(&shell.stdout), text(&shell.stderr));
    let (one, other) = out.split_at(out.len() / 2);
    assert_eq!(one, other, "{err}");
    assert_eq!(err.matches("on the cluster").count(), 1, "{err}");
    assert!(err.contains("is no address of a scheduler"), "{err}");
}

/// The others do what it did not finish.
#[test]
fn a_worker_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), "30000");
    let (_scheduler, url) = scheduler();
    let (_one, mut other) = (worker(&url, folder.path()), worker(&url, folder.path()));
    let here = run(&["run", "-q", SEARCH, &store]);
    let there = spelunk(&["run", "-q", "--cluster", &url, SEARCH, &store]);
    let there = { there }.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    other.0.kill().unwrap();
    let there = there.wait_with_output().unwrap();
    assert!(there.status.success(), "{}", text(&there.stderr));
    assert_eq!(text(&here.stdout), text(&there.stdout));
}

/// Ctrl-C ends a search that waits for the cluster.
#[cfg(unix)]
#[test]
fn control_c_ends_a_search() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), "500");
    // Without a worker, it would wait for some seconds more.
    let (_scheduler, url) = scheduler();
    let mut command = spelunk(&["run", "--cluster", &url, SEARCH, &store]);
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("interrupted"), "{}", text(&output.stderr));
}

#[test]
fn what_is_wrong_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), "200");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{free}");
    for (arguments, code, told) in [
        (vec!["run", "--cluster", &nobody, SEARCH, &store], 1, "no scheduler answers at"),
        (vec!["worker", &nobody], 1, "no scheduler answers at"),
        (vec!["run", "--cluster", "https://a", SEARCH, &store], 2, "TLS is not supported"),
        (vec!["run", "--cluster-partitions", "4", SEARCH, &store], 2, "--cluster <URL>"),
        (vec!["scheduler", "--bind", "0.0.0.0"], 1, "with --host"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(text(&output.stderr).contains(told), "{arguments:?}: {}", text(&output.stderr));
    }
}
