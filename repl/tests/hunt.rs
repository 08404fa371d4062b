//! Packs of detections over logs, as a build runs them: `hunt`, `coverage`, `test`, and the lint of `check`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.args(arguments).current_dir(folder).env_remove("COLUMNS").timeout(std::time::Duration::from_secs(300));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.stdout, ran.stderr))
}

fn of<'v>(report: &'v Value, rule: &str) -> &'v Value {
    report["rules"].as_array().unwrap().iter().find(|found| found["rule"] == rule).unwrap()
}

/// Process starts as Sysmon reports them, and something else.
const EVENTS: &str = r#"{"EventTime":"2024-05-24 12:00:00","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"ws1","Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c whoami","ParentImage":"C:\\Windows\\explorer.exe","User":"LAB\\a"}
{"EventTime":"2024-05-24 13:00:00","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"ws2","Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c \u001b[31mdir","ParentImage":"C:\\Windows\\explorer.exe","User":"LAB\\b"}
{"EventTime":"2024-05-24 13:00:01","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":11,"Computer":"<b>ws3</b>","Image":"C:\\Windows\\System32\\cmd.exe","TargetFilename":"C:\\a.txt"}
"#;

const SHELL: &str = "name: Shell\nid: a1\ntype: TTP\nsearch: '`starts` Image=\"*\\\\cmd.exe\"'\ntags:\n  risk_score: 72\n  mitre_attack_id: [T1059.003]\n";
const MODEL: &str = "name: Model\nid: a2\nsearch: '| tstats count min(_time) as firstTime max(_time) as lastTime from datamodel=Endpoint.Processes where Processes.process_name=cmd.exe by Processes.dest | `drop_dm_object_name(Processes)` | `security_content_ctime(firstTime)` | `security_content_ctime(lastTime)`'\n";
const MODEL_TOO: &str = "name: Model too\nid: a3\nsearch: '| tstats count from datamodel=Endpoint.Processes where Processes.process=*whoami* by Processes.user Processes.process'\n";
const BROKEN: &str = "name: Broken\nid: a4\nsearch: '| stast count'\n";
const NOTHING: &str = "name: Nothing\nid: a5\nsearch: 'sourcetype=proxy | stats count by user'\n";

fn pack() -> TempDir {
    folder(&[
        ("pack/macros/starts.yml", "name: starts\ndefinition: EventCode=1\n"),
        ("pack/detections/shell.yml", SHELL),
        ("pack/detections/model.yml", MODEL),
        ("pack/detections/model_too.yml", MODEL_TOO),
        ("pack/detections/broken.yml", BROKEN),
        ("pack/detections/nothing.yml", NOTHING),
        ("events.jsonl", EVENTS),
    ])
}

mod hunt {
    use super::*;

    #[test]
    fn every_detection_is_accounted_for() {
        let here = pack();
        let ran = run(here.path(), &["hunt", "--rules", "pack", "events.jsonl", "--output", "json"]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let report = json(&ran);
        assert_eq!((&report["ran"], &report["hits"], &report["not_run"]), (&4.into(), &3.into(), &1.into()));
        let shell = of(&report, "Shell");
        assert_eq!((shell["status"].as_str(), shell["count"].as_u64()), (Some("hit"), Some(2)));
        assert_eq!((shell["severity"].as_str(), shell["techniques"][0].as_str()), (Some("high"), Some("T1059.003")));
        assert_eq!(shell["tactics"][0], "Execution");
        assert_eq!(shell["hosts"].as_array().unwrap().len(), 2);
        assert_eq!(shell["first"], "2024-05-24T12:00:00Z");
        let model = of(&report, "Model");
        assert_eq!((model["count"].as_u64(), model["last"].as_str()), (Some(2), Some("2024-05-24T13:00:00Z")));
        assert_eq!(of(&report, "Model too")["count"], 1);
        let broken = of(&report, "Broken");
        assert_eq!((broken["status"].as_str(), broken["code"].as_str()), (Some("not run"), Some("SPL0003")));
        assert_eq!(of(&report, "Nothing")["status"], "no hit");
    }

    #[test]
    fn a_hunt_finds_what_the_detections_find_alone() {
        let here = pack();
        let alone = |search: &str| {
            let ran = run(here.path(), &["run", search, "events.jsonl", "--app", "pack", "--output", "jsonl", "-q"]);
            ran.stdout.lines().count() as u64
        };
        let report = json(&run(here.path(), &["hunt", "--rules", "pack", "events.jsonl", "--output", "json"]));
        for (rule, text) in [("Shell", SHELL), ("Model", MODEL), ("Model too", MODEL_TOO), ("Nothing", NOTHING)] {
            let search = text.split("search: '").nth(1).unwrap().split("'\n").next().unwrap();
            assert_eq!(of(&report, rule)["count"].as_u64(), Some(alone(search)), "{rule}");
        }
    }

    #[test]
    fn exit_codes() {
        let here = pack();
        let code = |arguments: &[&str]| run(here.path(), &[&["hunt", "-q"], arguments].concat()).code;
        assert_eq!(code(&["--rules", "pack/detections/nothing.yml", "events.jsonl"]), 0);
        assert_eq!(code(&["--rules", "pack/detections/model.yml", "events.jsonl"]), 1);
        assert_eq!(code(&["--rules", "pack", "--fail-on", "critical", "events.jsonl"]), 3);
        assert_eq!(code(&["--rules", "pack", "--fail-on", "high", "events.jsonl"]), 1);
        assert_eq!(code(&["--rules", "pack"]), 2);
        assert_eq!(code(&["--rules", "nowhere", "events.jsonl"]), 2);
        assert_eq!(code(&["--rules", "pack/macros", "events.jsonl"]), 2);
    }

    #[test]
    fn every_form() {
        let here = pack();
        let report =
            |form: &str| run(here.path(), &["hunt", "--rules", "pack", "events.jsonl", "--output", form]).stdout;
        let table = report("table");
        assert!(table.contains("Shell") && table.contains("Not run: 1 rule"), "{table}");
        assert!(table.contains("4 rules ran over 3 events: 3 with hits, 1 without"), "{table}");
        let csv = report("csv");
        assert!(csv.starts_with("rule,id,file,severity,techniques,status,count,first,last,hosts,"), "{csv}");
        assert_eq!(report("jsonl").lines().count(), 5);
        assert!(report("markdown").contains("| Shell | high |"));
        let html = report("html");
        assert!(html.contains("<h1>Hunt</h1>") && html.contains("T1059.003") && !html.contains("<b>ws3"), "{html}");
        let junit = report("junit");
        assert!(junit.contains(r#"tests="5" failures="3" errors="1""#), "{junit}");
        let sarif: Value = serde_json::from_str(&report("sarif")).unwrap();
        assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 3);
        let notes = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"];
        assert_eq!(notes.as_array().unwrap().len(), 1);
        let layer: Value = serde_json::from_str(&report("navigator")).unwrap();
        let techniques = layer["techniques"].as_array().unwrap();
        assert!(techniques.iter().any(|entry| entry["techniqueID"] == "T1059.003" && entry["score"] == 80));
    }

    #[test]
    fn rows_are_saved_away_from_the_evidence() {
        let here = pack();
        let ran = run(here.path(), &["hunt", "-q", "--rules", "pack", "--save", ".", "events.jsonl"]);
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(ran.stderr.contains("is searched"), "{}", ran.stderr);
        std::fs::create_dir(here.path().join("logs")).unwrap();
        std::fs::rename(here.path().join("events.jsonl"), here.path().join("logs/events.jsonl")).unwrap();
        let ran = run(here.path(), &["hunt", "-q", "--rules", "pack", "--save", "logs/hits", "logs"]);
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(!here.path().join("logs/hits").exists());
        let ran = run(here.path(), &["hunt", "-q", "--rules", "pack", "--save", "saved", "logs"]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let shell = std::fs::read_to_string(here.path().join("saved/shell.jsonl")).unwrap();
        assert_eq!(shell.lines().count(), 2);
        assert!(shell.contains("whoami"), "{shell}");
        let again = run(here.path(), &["hunt", "-q", "--rules", "pack", "--save", "saved", "logs"]);
        assert_eq!(again.code, 2, "results are not written over: {}", again.stdout);
    }

    #[test]
    fn a_store_gives_the_same() {
        let here = pack();
        assert_eq!(run(here.path(), &["index", "-o", "store", "events.jsonl"]).code, 0);
        let counts = |path: &str| {
            let report = json(&run(here.path(), &["hunt", "--rules", "pack", path, "--output", "json"]));
            let rules = report["rules"].as_array().unwrap().clone();
            rules.iter().map(|rule| (rule["rule"].to_string(), rule["count"].clone())).collect::<Vec<_>>()
        };
        assert_eq!(counts("store"), counts("events.jsonl"));
    }
}

mod coverage {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let here = pack();
        let ran = run(here.path(), &["coverage", "--rules", "pack", "events.jsonl", "--output", "json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let report = json(&ran);
        assert_eq!(of(&report, "Shell")["state"], "ready");
        assert_eq!(of(&report, "Model")["state"], "ready");
        let nothing = of(&report, "Nothing");
        assert_eq!(
            (nothing["state"].as_str(), nothing["missing"][0].as_str()),
            (Some("blind"), Some("sourcetype=proxy"))
        );
        assert_eq!(of(&report, "Broken")["state"], "not run");
        assert_eq!(report["tactics"]["Execution"]["ready"], 1);
        let table = run(here.path(), &["coverage", "--rules", "pack", "events.jsonl"]).stdout;
        assert!(table.contains("no event with sourcetype=proxy"), "{table}");
    }
}

mod test {
    use super::*;

    const TESTED: &str = "name: Tested\nid: t1\nsearch: 'sourcetype=\"my:events\" action=stop | stats count by dest user'\ntags:\n  observable:\n  - {name: dest, role: [Victim]}\ntests:\n- name: local\n  attack_data:\n  - {data: data/a.jsonl, sourcetype: 'my:events', source: s}\n- name: copy\n  attack_data:\n  - {data: 'https://example.org/x/datasets/b.jsonl', sourcetype: 'my:events'}\n  - {data: data/a.jsonl, sourcetype: other}\n- name: benign\n  attack_data:\n  - {data: data/c.jsonl, sourcetype: 'my:events'}\n- name: pointer\n  attack_data:\n  - {data: data/lfs.jsonl}\n";

    fn tested() -> TempDir {
        let event = "{\"EventTime\":\"2024-05-24 12:00:00\",\"action\":\"stop\",\"dest\":\"h\",\"user\":\"u\"}\n";
        folder(&[
            ("rules/tested.yml", TESTED),
            ("rules/untested.yml", "name: Untested\nsearch: a=1\n"),
            ("rules/data/a.jsonl", event),
            ("rules/data/c.jsonl", &event.replace("stop", "start")),
            ("rules/data/lfs.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
            ("copies/datasets/b.jsonl", event),
        ])
    }

    fn results(report: &Value) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tests = report["tests"].as_array().unwrap();
        tests.iter().map(|test| (text(&test["test"]), text(&test["result"]))).collect()
    }

    #[test]
    fn verdicts() {
        let here = tested();
        let detection = "rules/tested.yml";
        let ran = run(here.path(), &["test", detection, "--attack-data", "copies", "--output", "json"]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let pair = |test: &str, result: &str| (test.to_owned(), result.to_owned());
        let expected =
            [pair("local", "pass"), pair("copy", "pass"), pair("benign", "fail"), pair("pointer", "skipped")];
        assert_eq!(results(&json(&ran)), expected, "{}", ran.stdout);
        // Nothing is fetched.
        let ran = run(here.path(), &["test", detection, "--output", "json"]);
        assert_eq!(results(&json(&ran))[1], pair("copy", "skipped"));
        assert!(ran.stdout.contains("is not fetched"), "{}", ran.stdout);
    }

    #[test]
    fn what_means_nothing_to_a_pack_is_refused() {
        let here = folder(&[("rules/shell.yml", SHELL), ("logs/a.jsonl", "{}\n")]);
        for (option, value) in [("--lang", "logscale"), ("--allow-write", "logs")] {
            for command in [&["hunt", "--rules", "rules", "logs"][..], &["coverage", "--rules", "rules", "logs"]] {
                let ran = run(here.path(), &[command, &[option, value]].concat());
                assert_eq!(ran.code, 2, "{}", ran.stderr);
                assert!(ran.stderr.contains(&format!("leave out {option}")), "{}", ran.stderr);
            }
        }
    }

    #[test]
    fn a_detection_that_writes_finds_what_it_finds_and_writes_nothing() {
        let log = "{\"Image\":\"a.exe\"}\n";
        let here =
            folder(&[("rules/w.spl", "Image=a.exe | table Image | outputlookup seen.csv"), ("logs/a.jsonl", log)]);
        let ran = run(here.path(), &["hunt", "--rules", "rules", "logs", "--output", "json"]);
        assert_eq!(json(&ran)["hits"], 1, "{}", ran.stdout);
        assert!(!here.path().join("seen.csv").exists() && !here.path().join("logs/seen.csv").exists());
    }

    #[test]
    fn what_tests_say_themselves_is_not_taken_from_the_command_line() {
        let here = folder(&[("rules/untested.yml", SHELL)]);
        for (option, value) in [("--index", "main=x"), ("--sourcetype", "x"), ("--host", "x")] {
            let ran = run(here.path(), &["test", "rules", option, value]);
            assert_eq!(ran.code, 2, "{}", ran.stderr);
            assert!(ran.stderr.contains(&format!("leave out {option}")), "{}", ran.stderr);
        }
    }

    #[test]
    fn what_cannot_be_tested_is_told() {
        let here = tested();
        let ran = run(here.path(), &["test", "rules/untested.yml"]);
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stdout.contains("it has no test"), "{}", ran.stdout);
        let junit = run(here.path(), &["test", "rules", "--output", "junit"]).stdout;
        assert!(junit.contains(r#"tests="5" failures="1" errors="0" skipped="3""#), "{junit}");
    }
}

mod lint {
    use super::*;

    #[test]
    fn over_the_users_own_logs() {
        let here = folder(&[
            ("a.spl", "EventCode=1 Image=*a OR Image=*cmd.exe | stats count by TargetFilename Imagge"),
            ("b.spl", "EventCode=* | stats count by TargetFilename"),
            ("events.jsonl", EVENTS),
        ]);
        let ran = run(here.path(), &["check", "a.spl"]);
        assert_eq!((ran.code, ran.stdout.trim()), (0, "1 query: 1 ok"));
        let ran = run(here.path(), &["check", "--lint", "a.spl"]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("OR binds tighter than AND"), "{}", ran.stdout);
        let ran = run(here.path(), &["check", "--data", "events.jsonl", "a.spl", "b.spl"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains(r#"has a field "Imagge""#), "{}", ran.stdout);
        assert!(ran.stdout.contains("2 of 3 rows have no TargetFilename"), "{}", ran.stdout);
        let ran = run(here.path(), &["check", "--lint", "a.spl", "--output", "jsonl"]);
        assert_eq!(json(&ran)["warnings"][0]["column"], 13);
    }
}

mod apps {
    use super::*;

    /// An app as a tar, in the way of its oldest form.
    fn tar(members: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, text) in members {
            let mut header = [0_u8; 512];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[100..107].copy_from_slice(b"0000644");
            header[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
            header[136..147].copy_from_slice(b"00000000000");
            header[156] = b'0';
            header[257..263].copy_from_slice(b"ustar\0");
            header[263..265].copy_from_slice(b"00");
            header[148..156].copy_from_slice(b"        ");
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            out.extend(header);
            out.extend(text.as_bytes());
            out.resize(out.len().next_multiple_of(512), 0);
        }
        out.resize(out.len() + 1024, 0);
        out
    }

    #[test]
    fn packed_ones_load_but_for_what_leads_elsewhere() {
        let here = folder(&[("events.jsonl", EVENTS)]);
        let packed = tar(&[
            ("TA/default/macros.conf", "[starts]\ndefinition = EventCode=1\n"),
            ("TA/lookups/l.csv", "Image,known\nx,1\n"),
            ("../../outside.conf", "[x]\n"),
        ]);
        std::fs::write(here.path().join("ta.spl"), packed).unwrap();
        let ran = run(here.path(), &["run", "`starts` | stats count", "events.jsonl", "--app", "ta.spl", "-q"]);
        assert_eq!((ran.code, ran.stdout.trim()), (0, r#"{"count":2}"#), "{}", ran.stderr);
        assert!(ran.stderr.contains("its path leads out of the app"), "{}", ran.stderr);
        let ran = run(here.path(), &["run", "| inputlookup l.csv", "--app", "ta.spl", "-q"]);
        assert_eq!(ran.stdout.trim(), r#"{"Image":"x","known":"1"}"#, "{}", ran.stderr);
    }

    #[test]
    fn the_shell_loads_one() {
        let here =
            folder(&[("events.jsonl", EVENTS), ("app/default/macros.conf", "[starts]\ndefinition = EventCode=1\n")]);
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_spelunk"));
        let input = "`starts` | stats count\n\n.app app\n\n`starts` | stats count\n";
        let output = command.args(["repl", "-q", "events.jsonl"]).current_dir(here.path()).write_stdin(input);
        let output = output.output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(stdout.trim(), r#"{"count":2}"#, "{stderr}");
        assert!(stderr.contains("starts"), "{stderr}");
    }
}

#[test]
fn the_examples_of_the_guide_run() {
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/hunting.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_spelunk")).parent().unwrap().to_path_buf();
    let others = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([binary].into_iter().chain(std::env::split_paths(&others))).unwrap();
    let mut ran = 0;
    for block in guide.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for example in block.split("$ ").skip(1) {
            let (command, expected) = example.split_once('\n').unwrap();
            let mut shell = std::process::Command::new("sh");
            let output = shell.args(["-c", command]).env("PATH", &path).current_dir(folder.path()).output().unwrap();
            let found = String::from_utf8(output.stdout).unwrap();
            assert_eq!(found, expected, "{command}\n{}", String::from_utf8_lossy(&output.stderr));
            ran += 1;
        }
    }
    assert!(ran > 5, "the guide lost its examples");
}
