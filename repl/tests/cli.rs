//! The binary as scripts drive it: exit codes, what goes where, what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn spelunk(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.args(arguments).env_remove("COLUMNS").timeout(std::time::Duration::from_secs(60));
    command
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str]) -> Ran {
    run_with_input(arguments, "")
}

fn run_with_input(arguments: &[&str], input: &str) -> Ran {
    let Output { status, stdout, stderr } = spelunk(arguments).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}

#[track_caller]
fn refused(arguments: &[&str], reason: &str) {
    let ran = run(arguments);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains(reason), "{}", ran.stderr);
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

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

mod usage {
    use super::*;

    #[test]
    fn help_documents_the_exit_codes() {
        for arguments in [&["--help"][..], &["run", "--help"]] {
            let ran = run(arguments);
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
            assert!(ran.stdout.contains("Exit codes:") && ran.stdout.contains("130"), "{}", ran.stdout);
            assert!(ran.stdout.contains("Examples:"), "{}", ran.stdout);
        }
        for command in [
            "repl",
            "check",
            "completions",
            "validate",
            "compare",
            "man",
            "explain",
            "index",
            "demo",
            "generate",
            "help",
        ] {
            assert_eq!(run(&[command, "--help"]).code, 0, "{command}");
        }
        assert!(run(&["--version"]).stdout.starts_with("spelunk "));
    }

    #[test]
    fn what_is_refused() {
        refused(&["run"], "no search");
        refused(&["run", "a", "--output", "xml"], "invalid value 'xml'");
        refused(&["run", "a", "--lang", "kql"], "invalid value 'kql'");
        refused(&["run", "a", "--index", "main"], "expected NAME=PATH");
        refused(&["run", "a", "--tz", "Middle/Earth"], "Europe/Berlin");
        refused(&["run", "a", "--now", "yesterday"], "invalid value 'yesterday'");
        refused(&["run", "a", "-", "-"], "read once");
        refused(&["run", "a", "-", "--index", "b=-"], "read once");
        refused(&["run", "--file", "-", "-"], "both the search and its data");
        refused(&["run", "--frobnicate"], "unexpected argument");
        refused(&["explain"], "no search");
        refused(&["check"], "FILE");
        refused(&["repl", "-"], "standard input");
        refused(&["repl", "--output", "parquet"], "spelunk run");
        refused(&["chek", "x"], "did you mean check?");
        refused(&["--quiet", "run", "x"], "options come after the command");
    }

    #[test]
    fn a_file_that_does_not_exist_is_no_usage_error() {
        let ran = run(&["run", "--file", "/no/such\u{1b}.spl"]);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.starts_with("error: /no/such␛.spl: "), "{}", ran.stderr);
    }

    #[test]
    fn a_search_that_names_a_file_is_questioned() {
        let folder = folder(&[("rule.spl", "error")]);
        let path = folder.path().join("rule.spl");
        assert!(run(&["run", text(&path)]).stderr.contains("is taken as the search itself; --file"));
    }
}

mod help {
    use super::*;

    #[test]
    fn commands_and_functions_are_explained() {
        let ran = run(&["help", "Head"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        for part in ["head: command\n", "\nSyntax\n  head ", "\nArguments\n  ", "\nExamples\n  | makeresults"] {
            assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
        }
        assert!(run(&["help", "mvindex"]).stdout.starts_with("mvindex: function of eval and where\n"));
        let typed = run_with_input(&["repl"], ".help mvindex\n");
        assert_eq!((typed.code, typed.stdout), (0, run(&["help", "mvindex"]).stdout));
    }

    #[test]
    fn the_command_line_is_explained_as_before() {
        assert_eq!(run(&["help"]).stdout, run(&["--help"]).stdout);
        for command in ["run", "repl", "check", "explain", "demo", "generate"] {
            assert_eq!(run(&["help", command]).stdout, run(&[command, "--help"]).stdout);
        }
    }

    #[test]
    fn other_names_are_refused() {
        refused(&["help", "pivto"], "did you mean pivot?");
        refused(&["help", "stast"], "did you mean stats?");
        refused(&["help", "x\u{1b}"], "no command or function is called x␛");
        assert_eq!(run_with_input(&["repl"], ".help stast\n").code, 2);
    }
}

mod lookups {
    use super::*;

    fn site() -> TempDir {
        folder(&[
            ("tables/users.csv", "user,role\nann,admin\n"),
            ("app/lookups/things.csv", "pattern,kind\n*.exe,program\n"),
            ("app/default/transforms.conf", "[things]\nfilename = things.csv\nmatch_type = WILDCARD(pattern)\n"),
            ("logs/a.log", "2024-05-24T10:00:00Z hello\n"),
            ("out/keep.txt", ""),
            ("rule.spl", "index=a | lookup nowhere.csv user | outputlookup seen.csv"),
        ])
    }

    #[test]
    fn they_are_found_wherever_a_search_is_read() {
        let site = site();
        let path = |name: &str| text(&site.path().join(name)).to_owned();
        let (tables, app) = (path("tables"), path("app"));
        let query = "| makeresults | eval user=\"ann\", f=\"x.exe\" | lookup users.csv user | lookup things pattern AS f OUTPUT kind | table role kind";
        for arguments in [vec!["run", query], vec!["repl"]] {
            let arguments = [&arguments[..], &["--lookups", &tables, "--lookups", &app, "-o", "csv"]].concat();
            let ran = run_with_input(&arguments, query);
            assert_eq!((ran.code, ran.stdout.as_str()), (0, "role,kind\nadmin,program\n"), "{}", ran.stderr);
        }
        let ran = run(&["explain", query, "--lookups", &tables, "--lookups", &app]);
        assert!(ran.code == 0 && ran.stdout.contains("AS kind"), "{}{}", ran.stdout, ran.stderr);
        assert_eq!(run(&["check", &path("rule.spl")]).code, 0);
        let ran = run(&["check", "--lookups", &tables, &path("rule.spl")]);
        assert!(ran.code == 1 && ran.stdout.contains("there is no lookup \"nowhere.csv\""), "{}", ran.stdout);
        let ran = run(&["run", "| inputlookup user.csv", "--lookups", &tables]);
        assert!(ran.code == 2 && ran.stderr.contains("did you mean \"users.csv\"?"), "{}", ran.stderr);
        let ran = run(&["run", "*", "--lookups", &path("logs")]);
        assert!(ran.code == 1 && ran.stderr.contains("no lookups: expected"), "{}", ran.stderr);
    }

    #[test]
    fn nothing_is_written_that_was_not_allowed() {
        let site = site();
        let path = |name: &str| text(&site.path().join(name)).to_owned();
        let (out, logs) = (path("out"), path("logs"));
        let query = "| makeresults | eval a=1 | table a | outputlookup seen.csv";
        let ran = run(&["run", query]);
        assert!(ran.code == 2 && ran.stderr.contains("name one with `--allow-write`"), "{}", ran.stderr);
        for (folder, reason) in
            [(&logs, "nothing may be written beside it"), (&path("out/keep.txt"), "it is no folder")]
        {
            let ran = run(&["run", query, "--allow-write", folder, &logs]);
            assert!(ran.code == 2 && ran.stderr.contains(reason), "{}", ran.stderr);
        }
        let ran = run(&["run", "| makeresults | outputlookup ../seen.csv", "--allow-write", &out]);
        assert!(ran.code == 2 && ran.stderr.contains("without a folder"), "{}", ran.stderr);
        assert!(!site.path().join("seen.csv").exists());
        let ran = run(&["run", query, "--allow-write", &out, "-o", "csv", &logs]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "a\n1\n"), "{}", ran.stderr);
        assert!(ran.stderr.contains("the rows were written to"), "{}", ran.stderr);
        assert_eq!(std::fs::read_to_string(site.path().join("out/seen.csv")).unwrap(), "a\n1\n");
        let session = "| inputlookup seen.csv | eval a=2 | outputlookup seen.csv\n\n| inputlookup seen.csv";
        let ran = run_with_input(&["repl", "--allow-write", &out, "-o", "csv", "-q"], session);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "a\n2\na\n2\n"), "{}", ran.stderr);
        assert_eq!(std::fs::read_dir(site.path().join("logs")).unwrap().count(), 1);
    }
}

mod macros {
    use super::*;

    const CONF: &str = "[rows(2)]\nargs = n, name\ndefinition = makeresults count=$n$ | eval $name$=1 | `shown($name$)`\n\
                        [shown(1)]\nargs = field\ndefinition = table $field$\n\
                        [wrong]\ndefinition = eval a=1 | stast count\n\
                        [greeting(1)]\nargs = who\ndefinition = \"eval hello=\\\"\" . upper(who) . \"\\\"\"\niseval = 1\n";

    fn macros() -> TempDir {
        folder(&[
            ("macros.conf", CONF),
            (
                "app/default/macros.conf",
                "[shown(1)]\nargs = field\ndefinition = search $field$=2\n[two]\ndefinition = 2\n",
            ),
            ("app/local/macros.conf", "[shown(1)]\ndefinition = rename $field$ AS local | table local\n"),
            ("yaml/two.yml", "name: two\ndefinition: '2'\n"),
        ])
    }

    #[test]
    fn they_are_replaced_wherever_a_search_is_read() {
        let folder = macros();
        let conf = folder.path().join("macros.conf");
        let query = "| `rows(2, \"a\")`";
        let ran = run(&["run", query, "--macros", text(&conf), "-o", "csv"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "a\n1\n1\n"), "{}", ran.stderr);
        let ran = run(&["explain", query, "--macros", text(&conf)]);
        assert!(ran.stdout.contains("  | makeresults count=2 | eval a=1 | table a\n"), "{}", ran.stdout);
        let ran = run_with_input(&["repl", "--macros", text(&conf), "-o", "csv"], query);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "a\n1\n1\n"), "{}", ran.stderr);
        let rule = folder.path().join("rule.spl");
        std::fs::write(&rule, query).unwrap();
        assert_eq!(run(&["check", "--macros", text(&conf), text(&rule)]).code, 0);
        // Without any macros they are assumed to exist, as fields are; with some, one that is missing is a mistake.
        let ran = run(&["check", text(&rule)]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        assert!(ran.stdout.contains("1 query with macros that are not defined here; --macros FILE"), "{}", ran.stdout);
        let other = folder.path().join("yaml");
        let ran = run(&["check", "--macros", text(&other), text(&rule)]);
        assert!(
            ran.code == 1 && ran.stdout.contains("the macro `rows` is not defined (with 2 arguments)"),
            "{}",
            ran.stdout
        );
    }

    #[test]
    fn the_value_of_an_expression() {
        let folder = macros();
        let query = "| makeresults | `greeting(\"you, there\")` | table hello";
        let ran = run(&["run", query, "--macros", text(&folder.path().join("macros.conf")), "-o", "csv"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "hello\n\"YOU, THERE\"\n"), "{}", ran.stderr);
    }

    #[test]
    fn what_is_named_later_counts() {
        let folder = macros();
        let path = |name: &str| text(&folder.path().join(name)).to_owned();
        let (conf, app, yaml) = (path("macros.conf"), path("app"), path("yaml"));
        let ran = run(&["run", "| makeresults count=`two` | eval a=1 | `shown(a)`", "--macros", &app, "-o", "csv"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "local\n1\n1\n"), "{}", ran.stderr);
        let ran = run(&["run", "| `rows(1, a)`", "--macros", &conf, "--macros", &app, "-o", "csv"]);
        assert_eq!(ran.stdout, "local\n1\n", "{}", ran.stderr);
        let both = ["run", "| `rows(1, a)` | eval b=`two`", "--macros", &app, "--macros", &conf, "--macros", &yaml];
        assert_eq!(run(&both).stdout, "{\"a\":1,\"b\":2}\n");
    }

    #[test]
    fn mistakes_point_at_the_call() {
        let folder = macros();
        let ran = run(&["run", "| makeresults\n| `wrong`", "--macros", text(&folder.path().join("macros.conf"))]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("2 | | `wrong`\n  |   ^^^^^^^\n"), "{}", ran.stderr);
        assert!(ran.stderr.contains("`wrong` stands for `eval a=1 | stast count`"), "{}", ran.stderr);
    }

    #[test]
    fn filters_of_published_detections_need_no_definition() {
        let ran = run(&["run", "| makeresults | eval a=1 | table a | `a_rule_filter`", "-o", "csv"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "a\n1\n"));
        assert!(ran.stderr.contains("the macro `a_rule_filter` is not defined: it keeps every row"), "{}", ran.stderr);
    }

    #[test]
    fn files_that_hold_none() {
        let folder = folder(&[("notes.txt", "x")]);
        for path in ["notes.txt", "nothing.conf", ""] {
            let path = folder.path().join(path);
            for arguments in [&["run", "*"][..], &["check", "x.spl"]] {
                let ran = run(&[arguments, &["--macros", text(&path)]].concat());
                assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
            }
        }
    }
}

mod apps {
    use super::*;

    const LOG: &str = "2024-01-01T00:00:00Z took 5ms\n";

    fn site() -> TempDir {
        folder(&[
            ("logs/a.log", LOG),
            ("app/default/macros.conf", "[slow]\ndefinition = eventtype=slow\n"),
            ("app/default/eventtypes.conf", "[slow]\nsearch = took>4\n"),
            ("app/default/props.conf", "[text]\nEXTRACT-t = took (?<took>\\d+)\nEXTRACT-u = (\nTZ = UTC\n"),
            ("rule.spl", "`slow` | table took"),
        ])
    }

    #[test]
    fn they_bring_macros_event_types_and_fields() {
        let site = site();
        let (app, logs) = (site.path().join("app"), site.path().join("logs"));
        let ran = run(&["run", "`slow` | table took", "--app", text(&app), text(&logs), "-o", "csv"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "took\n5\n"), "{}", ran.stderr);
        assert!(ran.stderr.contains("props.conf:1: [text] EXTRACT-u: "), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("1 setting of props.conf says nothing about fields and is ignored"),
            "{}",
            ran.stderr
        );
        let ran = run(&["explain", "`slow` | table took", "--app", text(&app), text(&logs)]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let ran = run(&["check", "--app", text(&app), text(&site.path().join("rule.spl"))]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let ran = run_with_input(&["repl", "--app", text(&app), text(&logs), "-o", "csv"], "`slow` | table took");
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "took\n5\n"), "{}", ran.stderr);
    }

    #[test]
    fn what_is_no_app() {
        let site = folder(&[("packed.tgz", "x"), ("logs/a.log", LOG)]);
        for (name, reason) in [("packed.tgz", "it is no packed app"), ("logs", "it is no app"), ("none", "none: ")] {
            let ran = run(&["run", "*", "--app", text(&site.path().join(name))]);
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
            assert!(ran.stderr.contains(reason), "{}", ran.stderr);
        }
    }
}

mod check {
    use super::*;

    #[test]
    fn a_line_a_search() {
        let folder = folder(&[
            ("a.yml", "name: A\nid: 11-22\nsearch: 'EventCode=1 | stats count'\n"),
            ("b/savedsearches.conf", "[One]\nsearch = error \\\n| head 5\n[Two]\nsearch = warning\n"),
            ("b/eventtypes.conf", "[x]\nsearch = not | a | search |\n"),
            (
                "c.jsonl",
                "{\"id\":\"q\",\"query\":\"x\",\"lang\":\"kql\"}\n{\"id\":\"l\",\"query\":\"x | groupBy(y)\",\"lang\":\"logscale\"}\n",
            ),
            ("d.spl", "error\n| stats count by host\n"),
            ("readme.txt", "nothing"),
        ]);
        let ran = run(&["check", text(folder.path()), "--output", "jsonl"]);
        assert_eq!(ran.code, 1, "another language is an error: {}", ran.stderr);
        let lines: Vec<serde_json::Value> =
            ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: Vec<&str> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["11-22", "One", "Two", "q", "l", "d"]);
        for line in &lines {
            let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["id", "file", "parse", "plan", "code", "message", "line", "column"]);
            let other = line["id"] == "q";
            assert_eq!(line["parse"], if other { "error" } else { "ok" }, "{line}");
            assert_eq!(line["plan"], if other { "skipped" } else { "ok" }, "{line}");
            assert_eq!(line["code"], if other { "SPL0006".into() } else { serde_json::Value::Null }, "{line}");
        }
    }

    #[test]
    fn what_is_no_search() {
        let folder = folder(&[("readme.txt", "x"), ("empty/readme.txt", "x"), ("broken.yml", "search: [")]);
        let path = |name: &str| folder.path().join(name);
        refused(&["check", text(&path("none.spl"))], "no such file");
        refused(&["check", text(&path("readme.txt"))], ".jsonl");
        refused(&["check", text(&path("empty"))], "no searches found");
        let ran = run(&["check", text(&path("broken.yml"))]);
        assert_eq!(ran.code, 1);
        assert!(ran.stdout.contains("1 query: 0 ok, 1 cannot be parsed"), "{}", ran.stdout);
    }

    #[test]
    fn ten_thousand_searches_in_a_file() {
        let line = "{\"id\":\"a\",\"query\":\"EventCode=1 Image=\\\"*\\\\\\\\cmd.exe\\\" | stats count by host\"}\n";
        let folder = folder(&[("all.jsonl", &line.repeat(10_000))]);
        let ran = run(&["check", text(folder.path())]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "10,000 queries: 10,000 ok\n"), "{}", ran.stderr);
    }
}

/// What needs a grammar that parses, and an engine that runs.
mod searches {
    use super::*;

    const ONE: &str = "| makeresults | eval a=1, b=\"x\\\"y\", c=\"\", d=null() | table a b c d";

    #[test]
    fn csv() {
        let ran = run(&["run", "| makeresults | eval a=1 | table a", "--output", "csv"]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "a\n1\n", ""));
        let ran = run(&["run", ONE, "-o", "csv"]);
        assert_eq!(ran.stdout, "a,b,c,d\n1,\"x\"\"y\",\"\",\n");
    }

    #[test]
    fn json() {
        let object = "{\"a\":1,\"b\":\"x\\\"y\",\"c\":\"\",\"d\":null}";
        assert_eq!(run(&["run", ONE]).stdout, format!("{object}\n"), "a pipe gets jsonl");
        assert_eq!(run(&["run", ONE, "-o", "json"]).stdout, format!("[\n{object}\n]\n"));
    }

    #[test]
    fn table() {
        let ran = run(&["run", "| makeresults | eval a=1 | table a", "-o", "table"]);
        assert_eq!(ran.stdout, "╭───╮\n│ a │\n╞═══╡\n│ 1 │\n╰───╯\n");
    }

    #[test]
    fn only_tables_are_formatted() {
        let query = "| makeresults | eval n=1234567 | fieldformat n=tostring(n, \"commas\") | table n";
        let ran = run(&["run", "--output", "table", query]);
        assert!(ran.stdout.contains("1,234,567"), "{}", ran.stdout);
        assert_eq!(run(&["run", "--output", "csv", query]).stdout, "n\n1234567\n");
    }

    #[test]
    fn files_are_named_by_form() {
        let folder = folder(&[]);
        for (name, start) in [("r.csv", &b"a,b,c,d"[..]), ("r.json", b"[\n{"), ("r.parquet", b"PAR1"), ("r.x", b"{")] {
            let path = folder.path().join(name);
            let ran = run(&["run", ONE, "--out", text(&path)]);
            assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
            assert!(std::fs::read(&path).unwrap().starts_with(start), "{name}");
        }
    }

    #[test]
    fn the_query_from_a_file_or_standard_input() {
        let folder = folder(&[("q.spl", "\u{feff}| makeresults\n| eval a=1\n| table a\n")]);
        let path = folder.path().join("q.spl");
        assert_eq!(run(&["run", "--file", text(&path), "-o", "csv"]).stdout, "a\n1\n");
        let ran = run_with_input(&["run", "--file", "-", "-o", "csv"], "| makeresults | eval a=2 | table a");
        assert_eq!(ran.stdout, "a\n2\n");
    }

    #[test]
    fn a_limit_is_said() {
        let ran = run(&["run", "| makeresults count=5 | eval a=1 | table a", "--limit", "2", "-o", "csv"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "a\n1\n1\n"));
        assert_eq!(ran.stderr, "the first 2 rows; --limit left out the others\n");
        let ran = run(&["run", "| makeresults count=2 | eval a=1 | table a", "--limit", "2", "-o", "csv"]);
        assert_eq!(ran.stderr, "");
    }

    #[test]
    fn a_wrong_query_is_explained() {
        let ran = run(&["run", "| makeresults\n| stast count"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.starts_with("error[SPL0003]: "), "{}", ran.stderr);
        assert!(ran.stderr.contains("2 | | stast count\n  |   ^^^^^"), "{}", ran.stderr);
        assert!(ran.stderr.contains("stats"), "{}", ran.stderr);
    }

    #[test]
    fn logs_are_read_and_summed_up() {
        let folder = folder(&[("a.jsonl", "{\"level\":\"error\"}\n{\"level\":\"info\"}\n")]);
        let ran = run(&["run", "level=error | table level", text(folder.path()), "-o", "csv"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "level\nerror\n"), "{}", ran.stderr);
        assert!(ran.stderr.contains("1 row · 2 events, 35 B in 1 file · "), "{}", ran.stderr);
        let ran = run(&["run", "level=error | table level", text(folder.path()), "-o", "csv", "--quiet"]);
        assert_eq!(ran.stderr, "");
        let ran = run_with_input(&["run", "level=error | table level", "-", "-o", "csv"], "{\"level\":\"error\"}\n");
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "level\nerror\n"), "{}", ran.stderr);
    }

    #[test]
    fn damage_is_named_and_has_its_exit_code() {
        let folder = folder(&[("a.jsonl", "{\"a\":1}\n{\"a\":\n{\"a\":2}\n")]);
        let ran = run(&["run", "* | table a", text(folder.path()), "-o", "csv"]);
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stderr.contains("1 place could not be read, in 1 file"), "{}", ran.stderr);
        assert!(ran.stderr.contains("a.jsonl: line 2: "), "{}", ran.stderr);
        assert_eq!(run(&["run", "* | table a", text(folder.path()), "--strict"]).code, 1);
    }

    #[test]
    fn a_path_that_does_not_exist() {
        let ran = run(&["run", "*", "/no/such/logs"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains("/no/such/logs"), "{}", ran.stderr);
    }

    #[test]
    fn an_input_without_events_is_a_warning() {
        let folder = folder(&[("a.jsonl", "")]);
        let ran = run(&["run", "*", text(folder.path())]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("warning: no event could be read"), "{}", ran.stderr);
    }

    #[test]
    fn a_closed_pipe_is_quiet() {
        let mut child = Command::new(env!("CARGO_BIN_EXE_spelunk"))
            .args(["run", "| makeresults count=200000 | eval a=1 | table a"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut start = [0; 8];
        child.stdout.take().unwrap().read_exact(&mut start).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    }

    #[test]
    #[cfg(unix)]
    fn an_interrupt_has_its_exit_code() {
        let mut child = Command::new(env!("CARGO_BIN_EXE_spelunk"))
            .args(["run", "*", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It waits for input that never comes.
        let input = child.stdin.take();
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let output = child.wait_with_output().unwrap();
        drop(input);
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    }

    #[test]
    fn a_plan_is_explained() {
        let ran = run(&["explain", "| makeresults | eval a=1 | table a"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let titles: Vec<&str> = ran.stdout.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')).collect();
        assert_eq!(titles, ["Canonical query", "Logical plan", "Physical plan"]);
    }

    #[test]
    fn check_says_where() {
        let folder = folder(&[("a.spl", "error\n| stast count\n"), ("b.spl", "error \"open")]);
        let ran = run(&["check", text(folder.path()), "-o", "jsonl"]);
        assert_eq!(ran.code, 1);
        let lines: Vec<serde_json::Value> =
            ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let place = |line: &serde_json::Value| (line["code"].to_string(), line["line"].clone(), line["column"].clone());
        assert_eq!(place(&lines[0]), ("\"SPL0003\"".to_owned(), 2.into(), 3.into()));
        assert_eq!(place(&lines[1]), ("\"SPL0002\"".to_owned(), 1.into(), 7.into()));
        let ran = run(&["check", text(folder.path())]);
        assert!(ran.stdout.contains("a.spl:2:3"), "{}", ran.stdout);
        assert!(ran.stdout.contains("2 queries: 0 ok, "), "{}", ran.stdout);
    }

    #[test]
    fn the_shell_reads_a_pipe() {
        let queries = "| makeresults\n| eval a=1 | table a;\n| stast\n\n| makeresults | eval a=2 | table a";
        let ran = run_with_input(&["repl", "-o", "csv"], queries);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "a\n1\na\n2\n"), "{}", ran.stderr);
        assert!(ran.stderr.contains("stast"), "{}", ran.stderr);
        assert_eq!(run_with_input(&["repl"], "| stast").code, 2, "the last search's exit code");
    }

    #[test]
    fn the_demo_finds_the_attack() {
        let ran = run(&["demo"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("The published detection:"), "{}", ran.stdout);
        let kept = folder(&[]);
        assert_eq!(run(&["demo", "--keep", text(kept.path())]).code, 0);
        assert!(kept.path().join("sysmon.xml").exists());
    }

    #[test]
    fn generated_events_are_the_same_for_a_seed() {
        let events = |seed| run(&["generate", "--events", "50", "--seed", seed]).stdout;
        assert_eq!(events("7").lines().count(), 50);
        assert_eq!(events("7"), events("7"));
        assert_ne!(events("7"), events("8"));
        assert!(run(&["generate", "--events", "1", "--format", "xml"]).stdout.starts_with("<Event"));
    }

    #[test]
    fn a_generated_event_log_is_searched() {
        let kept = folder(&[]);
        let path = kept.path().join("generated.evtx");
        let ran = run(&["generate", "--events", "500", "--format", "evtx", "--out", text(&path)]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        let ran = run(&["run", "* | stats count", text(&path), "--output", "csv"]);
        assert_eq!(ran.stdout, "count\n500\n", "{}", ran.stderr);
        let ran = run(&["generate", "--format", "evtx"]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("name a file with --out"), "{}", ran.stderr);
    }
}

/// What a binary without the feature does not have, it refuses by name.
#[cfg(not(feature = "cluster"))]
#[test]
fn clusters_are_refused_by_name() {
    let logs = folder(&[("a.jsonl", "{\"a\":1}\n")]);
    for arguments in [
        vec!["run", "--cluster", "http://127.0.0.1:50050", "*", text(logs.path())],
        vec!["explain", "--cluster", "http://127.0.0.1:50050", "*", text(logs.path())],
        vec!["scheduler"],
        vec!["worker", "http://127.0.0.1:50050"],
    ] {
        refused(&arguments, "this binary was built without the feature cluster");
    }
}
