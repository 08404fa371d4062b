//! A scheduler and workers as processes, and searches on them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

// The tests of buckets look at more of it.
#[allow(dead_code)]
#[path = "bucket/service.rs"]
mod service;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use service::Service;

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
        Self::started(spelunk(arguments))
    }

    fn started(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
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

/// An authority, and a folder for each of so many that it knows.
fn certificates(folder: &Path, count: usize) -> Vec<String> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let made = (0..count).map(|number| {
        let folder = folder.join(format!("tls-{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        for (name, text) in [("ca.pem", authority.pem()), ("cert.pem", own.pem()), ("key.pem", key.serialize_pem())] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        folder.to_str().unwrap().to_owned()
    });
    made.collect()
}

#[test]
fn processes_speak_tls() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), "4000");
    let tls = certificates(folder.path(), 4);
    let other = certificates(&folder.path().join("other"), 1);
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let port = free();
    let _scheduler = Process::start(&["scheduler", "--port", &port, "--tls", &tls[0]]);
    let url = format!("https://127.0.0.1:{port}");
    let workers = tls[1..3].iter().map(|tls| {
        let temp = folder.path().to_str().unwrap();
        Process::start(&["worker", &url, "--tls", tls, "--cores", "1", "--memory", "512MB", "--temp", temp])
    });
    let _workers: Vec<Process> = workers.collect();
    let here = run(&["run", "-q", SEARCH, &store]);
    let there = run(&["run", "-q", "--cluster", &url, "--cluster-tls", &tls[3], SEARCH, &store]);
    assert!(there.status.success(), "{}", text(&there.stderr));
    assert_eq!(text(&here.stdout), text(&there.stdout));
    // Nobody else is let in: not who speaks plainly, nor who has a certificate of another authority.
    let plain = format!("http://127.0.0.1:{port}");
    for (arguments, what) in [
        (vec!["--cluster", &plain], "a scheduler with certificates is reached by https"),
        (vec!["--cluster", &url, "--cluster-tls", &other[0]], "at https://127.0.0.1"),
    ] {
        let told = run(&[&["run"], &arguments[..], &[SEARCH, &store]].concat());
        assert_eq!(told.status.code(), Some(1), "{arguments:?}");
        assert!(told.stdout.is_empty() && text(&told.stderr).contains(what), "{}", text(&told.stderr));
    }
}

#[test]
fn a_store_in_a_bucket_is_read_by_the_workers() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start();
    let known = |mut command: Command| {
        command.env("AWS_ENDPOINT_URL", &service.address).env("AWS_ALLOW_HTTP", "true");
        command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "secret");
        command
    };
    let log = folder.path().join("a.jsonl");
    let log = log.to_str().unwrap();
    assert!(run(&["generate", "--events", "4000", "--out", log]).status.success());
    let indexed =
        known(spelunk(&["index", "-q", "-o", "s3://logs/store", "--row-group", "500", log])).output().unwrap();
    assert!(indexed.status.success(), "{}", text(&indexed.stderr));
    let (_scheduler, url) = scheduler();
    let temp = folder.path().to_str().unwrap();
    let worker = || known(spelunk(&["worker", &url, "--cores", "1", "--memory", "512MB", "--temp", temp]));
    let _workers = [Process::started(worker()), Process::started(worker())];
    let here = known(spelunk(&["run", "-q", SEARCH, "s3://logs/store"])).output().unwrap();
    let there = known(spelunk(&["run", "--cluster", &url, SEARCH, "s3://logs/store"])).output().unwrap();
    assert!(there.status.success(), "{}", text(&there.stderr));
    assert_eq!(text(&here.stdout), text(&there.stdout));
    assert!(text(&there.stderr).contains("on the cluster"), "{}", text(&there.stderr));
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
        (vec!["run", "--cluster", "https://a", SEARCH, &store], 2, "https needs the certificates"),
        (vec!["run", "--cluster", "https://a", "--cluster-tls", &store, SEARCH, &store], 1, "ca.pem: No such file"),
        (vec!["scheduler", "--tls", &store], 1, "ca.pem: No such file"),
        (vec!["run", "--cluster-partitions", "4", SEARCH, &store], 2, "--cluster <URL>"),
        (vec!["scheduler", "--bind", "0.0.0.0"], 1, "with --host"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(text(&output.stderr).contains(told), "{arguments:?}: {}", text(&output.stderr));
    }
}
