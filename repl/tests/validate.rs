//! `spelunk validate` and `spelunk compare` as a build runs them.

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
    command.args(arguments).current_dir(folder).env_remove("COLUMNS").timeout(std::time::Duration::from_secs(120));
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

/// What each detection makes of a signal: its labels, or `missed`.
fn outcomes(report: &Value, id: &str) -> Vec<String> {
    let signals = report["tests"].as_array().unwrap().iter().flat_map(|test| test["signals"].as_array().unwrap());
    let signal = signals.into_iter().find(|signal| signal["id"] == id).unwrap();
    let outcome = |outcome: &Value| match (outcome["caught"] == true, outcome["labels"][0].as_str()) {
        (true, Some(label)) => label.to_owned(),
        (true, None) => "caught".to_owned(),
        (false, _) if outcome["in_telemetry"] == false => "absent".to_owned(),
        (false, _) => "missed".to_owned(),
    };
    signal["outcomes"].as_array().unwrap().iter().map(outcome).collect()
}

const EXPLORER: &str =
    r#"EventCode=1 ParentImage="*\\explorer.exe" Image="*\\cmd.exe" | eval label="shell" | table _time host label"#;

mod validate {
    use super::*;

    #[test]
    fn the_published_detections_do_what_is_documented() {
        let here = folder(&[]);
        let ran = run(here.path(), &["validate", "dcom.spl", "dcom.cql", "--output", "json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let report = json(&ran);
        for (id, spl, logscale) in [
            ("1000", "missed", "missed"),
            ("1001", "missed", "absent"),
            ("1005", "COM_SuspiciousChild", "COM_SuspiciousChild"),
            ("1010", "missed", "missed"),
            ("1017", "missed", "missed"),
            ("1018", "missed", "missed"),
            ("1019", "DCOM_ConfigTool", "DCOM_ConfigTool"),
            ("1022", "DCOM_Other", "COM_SuspiciousChild"),
            ("1025", "missed", "COM_SuspiciousChild"),
            ("1026", "missed", "COM_SuspiciousChild"),
            ("1163", "missed", "COM_SuspiciousChild"),
            ("1170", "DCOM_ConfigTool", "DCOM_ConfigTool"),
        ] {
            assert_eq!(outcomes(&report, id), [spl, logscale], "{id}");
        }
        let coverage = |test: &str| {
            let tests = report["tests"].as_array().unwrap();
            tests.iter().find(|found| found["name"] == test).unwrap()["coverage"]["dcom.spl"].clone()
        };
        assert_eq!((coverage("T1"), coverage("T2"), coverage("FP")), ("caught".into(), "known".into(), "none".into()));
    }

    #[test]
    fn the_table_tells_the_telemetry_and_the_reasons() {
        let here = folder(&[]);
        let ran = run(here.path(), &["validate"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        for part in [
            "dcom.spl sees Windows events as XML\n",
            "dcom.cql sees the process starts as Falcon JSON\n",
            "  T2 1017, dcom.spl:3:2: `ParentImage=\"*\\mmc.exe\" OR ",
            "fails: ParentImage=C:\\Windows\\explorer.exe",
            "dcom_parent: `ParentBaseFileName in (\"mmc.exe\", ",
            "OR `CommandLine=\"*-Exec*\"` fails: CommandLine=\"powershell.exe\" & {",
            "EXCEL.EXE, but for letter case\n",
            "in 3 of 6 tests (nothing of T1-published, T2-published, T2); 20 of 36 look-alikes flagged\n",
            "nothing is missed that is not documented\n",
        ] {
            assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
        }
    }

    #[test]
    fn what_is_missed_fails_unless_it_is_documented() {
        let known = "mine.spl:\n  T1: missed\n  T1-published: missed\n  T2-published: missed\n  T3: missed\n  \
                     T1-remote: missed\n  1017: shell\n";
        let wrong = known.replace("shell", "console");
        let odd = "mine.spl:\n  T9: missed\n";
        let here = folder(&[("mine.spl", EXPLORER), ("known.yml", known), ("wrong.yml", &wrong), ("odd.yml", odd)]);
        let with = |more: &[&str]| run(here.path(), &[&["validate", "mine.spl", "--label", "label"], more].concat());
        let ran = with(&[]);
        assert_eq!(ran.code, 1);
        assert!(ran.stdout.contains("FAILED mine.spl: no signal of T1 is caught, which nothing documents\n"));
        assert!(!ran.stdout.contains("no signal of T2 is caught"), "{}", ran.stdout);
        let ran = with(&["--known", "known.yml"]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        let ran = with(&["--known", "wrong.yml"]);
        assert_eq!(ran.code, 1);
        assert!(ran.stdout.contains("shell, documented as caught under console"), "{}", ran.stdout);
        let ran = with(&["--known", "odd.yml"]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("no signal or test is called \"T9\""), "{}", ran.stderr);
    }

    #[test]
    fn noise_fails_where_that_is_asked_for() {
        let here = folder(&[("wide.spl", "EventCode=1 OR EventCode=4688")]);
        let ran = run(here.path(), &["validate", "wide.spl"]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        assert!(ran.stdout.contains("look-alikes flagged that nothing documents"), "{}", ran.stdout);
        assert_eq!(run(here.path(), &["validate", "wide.spl", "--fail-on-noise"]).code, 1);
    }

    #[test]
    fn rows_of_many_events_are_led_back_to_those_that_went_in() {
        let search = "EventCode=1 Image=\"*\\\\dcomcnfg.exe\" | stats count by host";
        let never = "EventCode=1 Image=\"*\\\\dcomcnfg.exe\" | stats count by host | where count > 100";
        let here = folder(&[("some.spl", search), ("never.spl", never)]);
        let ran = run(here.path(), &["validate", "some.spl", "never.spl", "--output", "json"]);
        let report = json(&ran);
        assert_eq!(outcomes(&report, "1019"), ["caught", "missed"]);
        assert_eq!(outcomes(&report, "1005"), ["missed", "missed"]);
    }

    #[test]
    fn forms_for_builds() {
        let here = folder(&[("a & b.spl", EXPLORER)]);
        let ran = run(here.path(), &["validate", "a & b.spl", "--output", "junit"]);
        assert_eq!(ran.code, 1);
        assert!(ran.stdout.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "), "{}", ran.stdout);
        assert!(ran.stdout.contains("<testsuite name=\"a &amp; b.spl\" tests=\"73\" "), "{}", ran.stdout);
        let count = |what: &str| ran.stdout.matches(what).count();
        assert_eq!((count("<testcase "), count("</testcase>")), (73, 73));
        assert!(ran.stdout.contains(&format!("failures=\"{}\"", count("<failure "))), "{}", ran.stdout);
        assert!(ran.stdout.contains(&format!("skipped=\"{}\"", count("<skipped "))));

        let arguments = ["validate", "a & b.spl", "--output", "sarif", "--attack-layer", "layer.json"];
        let report = json(&run(here.path(), &arguments));
        assert_eq!(report["version"], "2.1.0");
        let results = report["runs"][0]["results"].as_array().unwrap();
        let rules = report["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        for result in results {
            assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "a%20&%20b.spl");
            assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
            assert_eq!(result["suppressions"], Value::Array(Vec::new()));
        }
        assert!(results.iter().any(|result| result["ruleId"] == "missed-signal" && result["level"] == "error"));
        let layer: Value =
            serde_json::from_str(&std::fs::read_to_string(here.path().join("layer.json")).unwrap()).unwrap();
        assert_eq!(layer["versions"]["layer"], "4.5");
        assert_eq!(layer["techniques"][1]["techniqueID"], "T1021.003");
        assert_eq!(layer["techniques"][1]["score"], 16);

        let report = json(&run(here.path(), &["validate", "--output", "sarif"]));
        let results = report["runs"][0]["results"].as_array().unwrap();
        assert!(results.iter().all(|result| result["suppressions"][0]["kind"] == "external"), "{results:?}");
    }

    #[test]
    fn scenarios_of_the_users_own() {
        let scenario = "title: the red one\ntechnique: T1021.003\nsignals:\n- id: a\n  name: \"one\\e[0m\"\n  \
                        match: n=1\n  expect: {mine.spl: found}\n- {id: b, role: benign, match: n=2}\n\
                        - {id: c, match: n=9, falcon_match: n=3}\n";
        let events = "{\"n\":1,\"x\":\"found\"}\n{\"n\":2,\"x\":\"\\u001b]0;evil\\u0007\"}\n";
        let here = folder(&[
            ("s/one/scenario.yml", scenario),
            ("s/one/events.jsonl", events),
            ("s/odd.txt", "no scenario"),
            ("mine.spl", "n=* | table n x"),
            ("none/readme.txt", ""),
            ("bad/scenario.yml", "signal: []\n"),
        ]);
        let with = |more: &[&str]| run(here.path(), &[&["validate", "mine.spl", "--label", "x"], more].concat());
        let ran = with(&["--scenarios", "s"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("no event that mine.spl sees matches one c"), "{}", ran.stderr);
        assert!(!ran.stdout.contains('\u{1b}') && ran.stdout.contains("one␛[0m"), "{}", ran.stdout);
        assert!(ran.stdout.contains("␛]0;evil␇"), "{}", ran.stdout);
        for form in ["json", "junit", "sarif"] {
            let ran = with(&["--scenarios", "s", "--output", form]);
            assert!(!ran.stdout.contains(['\u{1b}', '\u{7}']), "{form}: {}", ran.stdout);
        }
        for (path, reason) in
            [("none", "no scenario.yml in it"), ("bad", "unknown field"), ("missing", "no such folder")]
        {
            let ran = with(&["--scenarios", path]);
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
            assert!(ran.stderr.contains(reason), "{}", ran.stderr);
        }
    }

    #[test]
    fn the_users_own_logs_are_counted_by_label() {
        let here = folder(&[("logs/a.jsonl", "{\"n\":1,\"x\":\"p\"}\n{\"n\":2,\"x\":\"q\"}\n{\"n\":3,\"x\":\"q\"}\n")]);
        std::fs::write(here.path().join("mine.spl"), "n=* | table n x").unwrap();
        let ran = run(here.path(), &["validate", "mine.spl", "logs", "--label", "x"]);
        assert!(ran.stdout.contains("\nIn your own logs\n  mine.spl: 3 rows, 1 p, 2 q\n"), "{}", ran.stdout);
    }

    #[test]
    fn bad_input() {
        let here = folder(&[("bad.spl", "EventCode=1 | stat count"), ("bad.cql", "a | nosuch()")]);
        let ran = run(here.path(), &["validate", "bad.spl"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.starts_with("in bad.spl:\nerror[SPL0003]"), "{}", ran.stderr);
        assert_eq!(run(here.path(), &["validate", "bad.cql"]).code, 2);
        assert_eq!(run(here.path(), &["validate", "nosuch.spl"]).code, 1);
        let ran = run(here.path(), &["validate", "dcom.spl", "-"]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("standard input can be read once only"), "{}", ran.stderr);
    }
}

mod compare {
    use super::*;

    #[test]
    fn the_published_detections_side_by_side() {
        let here = folder(&[]);
        let report = json(&run(here.path(), &["compare", "dcom.spl", "dcom.cql", "--output", "json"]));
        assert_eq!(
            (&report["a"]["found"], &report["b"]["found"], &report["both"]),
            (&27.into(), &30.into(), &27.into())
        );
        let differences = report["differences"].as_array().unwrap();
        let only: Vec<&Value> = differences.iter().filter(|found| found["only"] == "b").collect();
        let names: Vec<&str> = only.iter().map(|found| found["fields"]["FileName"].as_str().unwrap()).collect();
        assert_eq!(names, ["regsvr32.exe", "cmd.exe", "certutil.exe"]);
        let failed = &only[1]["why"]["closest"][0][0];
        assert_eq!((failed["line"].clone(), failed["but_for_case"].clone()), (3.into(), false.into()));
        assert!(failed["values"]["ParentImage"].as_str().unwrap().ends_with("VISIO.EXE"), "{failed}");
        let renamed = differences.iter().find(|found| found["only"].is_null()).unwrap();
        assert_eq!((&renamed["a"][0], &renamed["b"][0]), (&"DCOM_Other".into(), &"COM_SuspiciousChild".into()));
        assert_eq!(renamed["labels_not_given"]["a"][0]["closest"][0][0]["but_for_case"], true);
    }

    #[test]
    fn over_logs() {
        let here = folder(&[
            ("logs.jsonl", "{\"n\":1,\"x\":\"a\\u001b\"}\n{\"n\":2,\"x\":\"b\"}\n{\"n\":3}\n"),
            ("a.spl", "n=* | table n x"),
            ("b.spl", "n<3 | where x=\"B\" | head 1 | table n"),
            ("count.spl", "n=* | stats count by x"),
            ("other.spl", "n=* | stats max(n) AS most"),
        ]);
        let ran = run(here.path(), &["compare", "a.spl", "b.spl", "logs.jsonl"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("Only A finds: 3\n"), "{}", ran.stdout);
        assert!(ran.stdout.contains("    B (1:1): `n<3` fails: n=3\n"), "{}", ran.stdout);
        assert!(ran.stdout.contains("    B (1:13): `x = \"B\"` fails: x=b, but for letter case\n"), "{}", ran.stdout);
        assert!(ran.stdout.contains("x=a␛") && !ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
        assert!(ran.stdout.ends_with("\nA finds 3 events, B 0, both 0\n"), "{}", ran.stdout);

        let ran = run(here.path(), &["compare", "a.spl", "count.spl", "logs.jsonl"]);
        assert!(ran.stderr.contains("compared by the columns that both results have (x)"), "{}", ran.stderr);
        assert!(ran.stdout.ends_with("\nA finds 3 rows, B 2, both 2\n"), "{}", ran.stdout);
        let ran = run(here.path(), &["compare", "a.spl", "other.spl", "logs.jsonl"]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("no column in common"), "{}", ran.stderr);
        assert_eq!(run(here.path(), &["compare", "a.spl"]).code, 2);
        assert_eq!(run(here.path(), &["compare", "a.spl", "b.spl", "-"]).code, 2);
    }

    #[test]
    fn macros_are_placed_at_their_calls() {
        let here = folder(&[
            ("logs.jsonl", "{\"n\":1}\n{\"n\":2}\n"),
            ("a.spl", "n=*"),
            ("b.spl", "n=* | search `small`"),
            ("macros.conf", "[small]\ndefinition = n=1\n"),
        ]);
        let ran = run(here.path(), &["compare", "a.spl", "b.spl", "logs.jsonl", "--macros", "macros.conf"]);
        assert!(ran.stdout.contains("    B (1:14): `n=1` fails: n=2\n"), "{}\n{}", ran.stdout, ran.stderr);
    }
}
