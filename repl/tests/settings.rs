//! Settings and their places, completions, the manual, and what every form of output is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;

use tempfile::TempDir;

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// A folder for the user and one for a project with logs.
fn site() -> TempDir {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir_all(site.path().join("user/spelunk")).unwrap();
    fs::create_dir_all(site.path().join("project/logs")).unwrap();
    let log = "{\"_time\":\"2019-06-21T07:35:37Z\",\"n\":1,\"x\":\"=1+1\"}\n";
    fs::write(site.path().join("project/logs/a.jsonl"), log).unwrap();
    site
}

fn spelunk(site: &Path, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Ran {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.args(arguments).current_dir(site.join("project/logs")).env("COLUMNS", "160");
    command.env("XDG_CONFIG_HOME", site.join("user")).env("HOME", site.join("user")).env_remove("SPELUNK_GEOIP");
    command.envs(variables.iter().copied()).timeout(std::time::Duration::from_secs(60));
    let output = command.write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn project(site: &TempDir, text: &str) {
    fs::write(site.path().join("project/.spelunk.toml"), text).unwrap();
}

fn user(site: &TempDir, text: &str) {
    fs::write(site.path().join("user/spelunk/config.toml"), text).unwrap();
}

/// The line of `.config` on a setting.
fn configured(site: &TempDir, arguments: &[&str], variables: &[(&str, &str)], key: &str) -> String {
    let ran = spelunk(site.path(), &[&["repl", "-o", "table"], arguments].concat(), variables, ".config\n");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let line = ran.stdout.lines().find(|line| line.starts_with(&format!("│ {key} "))).unwrap_or_default().to_owned();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_strongest_place_counts() {
    let site = site();
    assert_eq!(configured(&site, &[], &[], "tz"), "│ tz ┆ UTC ┆ default │");
    user(&site, "# mine\ntz = \"Asia/Tokyo\"\n");
    let line = configured(&site, &[], &[], "tz");
    assert!(line.starts_with("│ tz ┆ Asia/Tokyo ┆ ") && line.contains("spelunk/config.toml:2"), "{line}");
    project(&site, "tz = \"Europe/Berlin\"\n");
    let line = configured(&site, &[], &[], "tz");
    assert!(line.starts_with("│ tz ┆ Europe/Berlin ┆ ") && line.contains(".spelunk.toml:1"), "{line}");
    let variable = [("SPELUNK_TZ", "+03:00")];
    assert_eq!(configured(&site, &[], &variable, "tz"), "│ tz ┆ +03:00 ┆ $SPELUNK_TZ │");
    assert_eq!(configured(&site, &["--tz", "+04:00"], &variable, "tz"), "│ tz ┆ +04:00 ┆ --tz │");
    // It is not only shown.
    let ran = spelunk(site.path(), &["run", "n=1 | table _time", "a.jsonl", "-o", "csv"], &variable, "");
    assert_eq!(ran.stdout, "_time\n2019-06-21T10:35:37.000+03:00\n");
    let ran =
        spelunk(site.path(), &["run", "n=1 | table _time", "a.jsonl", "-o", "csv"], &[("SPELUNK_CONFIG", "off")], "");
    assert_eq!(ran.stdout, "_time\n2019-06-21T07:35:37.000Z\n");
}

#[test]
fn a_session_changes_settings() {
    let site = site();
    let ran =
        spelunk(site.path(), &["repl"], &[], ".set tz Europe/Berlin\n.set lang logscale\n.set lang\n.set\n.config\n");
    assert!(ran.stdout.contains("Europe/Berlin") && ran.stdout.contains("this session"), "{}", ran.stdout);
    assert!(ran.stdout.contains("lang       logscale\n"), "{}", ran.stdout);
    let ran = spelunk(site.path(), &["repl"], &[], ".set tz Mars\n.set tzz x\n");
    assert!(ran.stderr.contains("Mars: expected UTC") && ran.stderr.contains("no setting tzz"), "{}", ran.stderr);
}

#[test]
fn knowledge_is_loaded_as_seen_from_the_file() {
    let site = site();
    fs::write(site.path().join("project/macros.conf"), "[mine]\ndefinition = n=1\n").unwrap();
    project(&site, "macros = [\"macros.conf\"]\nquiet = true\n");
    let ran = spelunk(site.path(), &["run", "`mine` | table n", "a.jsonl", "-o", "csv"], &[], "");
    assert_eq!(ran.stdout, "n\n1\n", "{}", ran.stderr);
    // That a file beside the logs was heeded is told, and what it may not hide is not hidden.
    assert!(ran.stderr.contains(".spelunk.toml sets macros"), "{}", ran.stderr);
    assert!(ran.stderr.contains("may not set quiet") && ran.stderr.contains(" in 1 file"), "{}", ran.stderr);
}

#[test]
fn a_project_runs_nothing_and_writes_nothing() {
    let site = site();
    let search = "n=1 | outputlookup made.csv";
    for (setting, reason) in [
        ("allow-write = \".\"", "may not set allow-write"),
        ("pager = \"touch made\"", "may not set pager"),
        ("temp = \".\"", "may not set temp"),
        ("latest = \"0\"", "may not set latest"),
    ] {
        project(&site, &format!("{setting}\n"));
        let ran = spelunk(site.path(), &["run", search, "a.jsonl"], &[], "");
        assert!(ran.stderr.contains(reason) && ran.stderr.contains(".spelunk.toml:1"), "{}", ran.stderr);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
    }
    assert!(fs::read_dir(site.path().join("project")).unwrap().all(|found| !found.unwrap().path().ends_with("made")));
    fs::write(site.path().join("outside.conf"), "[mine]\ndefinition = n=1\n").unwrap();
    for path in ["../outside.conf", "/etc/hosts"] {
        project(&site, &format!("macros = [\"{path}\"]\n"));
        let ran = spelunk(site.path(), &["run", "n=1", "a.jsonl"], &[], "");
        assert!(ran.code == 2 && ran.stderr.contains("what lies in its folder only"), "{}", ran.stderr);
    }
    // The user may.
    project(&site, "");
    fs::create_dir(site.path().join("written")).unwrap();
    user(&site, "allow-write = \"../../written\"\n");
    let ran = spelunk(site.path(), &["run", search, "a.jsonl", "-o", "csv"], &[], "");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(site.path().join("written/made.csv").exists());
}

#[test]
fn mistakes_have_file_and_line() {
    let site = site();
    let run = || spelunk(site.path(), &["run", "n=1 | table n", "a.jsonl", "-o", "csv"], &[], "");
    project(&site, "\ntzz = \"UTC\"\nwhatever-else = 1\n");
    let ran = run();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "n\n1\n"));
    assert!(ran.stderr.contains(".spelunk.toml:2: there is no setting tzz: did you mean tz?"), "{}", ran.stderr);
    assert!(ran.stderr.contains(".spelunk.toml:3: there is no setting whatever-else: "), "{}", ran.stderr);
    for (text, reason) in [
        ("tz = \"Mars\"\n", ".spelunk.toml:1: tz: invalid value 'Mars' for '--tz <ZONE>': expected UTC"),
        ("\nstrict = \"maybe\"\n", ".spelunk.toml:2: strict is true or false"),
        ("tz = [\"UTC\", \"local\"]\n", ".spelunk.toml:1: tz is one value"),
        ("tz = 1979-05-27\n", ".spelunk.toml:1: tz is a text"),
        ("tz = \n", ".spelunk.toml:1: "),
        ("lookups = [\"none.csv\"]\n", ".spelunk.toml:1: lookups: "),
    ] {
        project(&site, text);
        let ran = run();
        assert!(ran.code == 2 && ran.stderr.contains(reason), "{text}: {}", ran.stderr);
    }
    let ran = spelunk(site.path(), &["help", "stats"], &[], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "what has no settings reads none");
    project(&site, "");
    let ran = spelunk(site.path(), &["run", "n=1", "a.jsonl"], &[("SPELUNK_STRICT", "maybe")], "");
    assert!(ran.code == 2 && ran.stderr.contains("$SPELUNK_STRICT: strict is true or false"), "{}", ran.stderr);
}

#[test]
fn what_holds_for_one_set_of_logs_is_no_mistake_elsewhere() {
    let site = site();
    user(&site, "now = \"latest\"\nlang = \"logscale\"\n");
    let ran = spelunk(site.path(), &["validate", "dcom.cql"], &[], "");
    assert!(!ran.stderr.contains("latest"), "{}", ran.stderr);
    fs::write(site.path().join("project/logs/q.spl"), "earliest=-1d | stats count").unwrap();
    let ran = spelunk(site.path(), &["run", "--file", "q.spl", "a.jsonl", "-o", "csv"], &[], "");
    assert_eq!(ran.stdout, "count\n1\n", "{}", ran.stderr);
}

#[test]
fn completions_and_manual() {
    let site = site();
    for (shell, sign) in [
        ("bash", "complete -F _spelunk"),
        ("zsh", "#compdef spelunk"),
        ("fish", "complete -c spelunk"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[spelunk]"),
    ] {
        let ran = spelunk(site.path(), &["completions", shell], &[], "");
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
        assert!(ran.stdout.contains(sign) && ran.stdout.contains("csv-safe"), "{shell}: {}", ran.stdout);
    }
    assert_eq!(spelunk(site.path(), &["completions", "tcsh"], &[], "").code, 2);
    let page = spelunk(site.path(), &["man"], &[], "").stdout;
    assert!(page.contains(".TH spelunk 1") && page.contains("LogScale"), "{page}");
    let folder = site.path().join("man1");
    let ran = spelunk(site.path(), &["man", folder.to_str().unwrap()], &[], "");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for page in ["spelunk.1", "spelunk-run.1", "spelunk-completions.1"] {
        let text = fs::read_to_string(folder.join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
    assert!(fs::read_to_string(folder.join("spelunk-run.1")).unwrap().contains("csv"));
}

/// Results go to standard output, everything else to standard error; each form takes each option or says why not.
#[test]
fn every_form_with_every_option() {
    let site = site();
    let forms = ["table", "csv", "json", "jsonl", "markdown", "html", "timesketch"];
    for form in forms {
        let run = |more: &[&str], variables: &[(&str, &str)]| {
            spelunk(
                site.path(),
                &[&["run", "n=1 | table _time n x", "a.jsonl", "-o", form], more].concat(),
                variables,
                "",
            )
        };
        let plain = run(&[], &[("NO_COLOR", "1")]);
        assert!(plain.code == 0 && plain.stdout.contains("1+1") && !plain.stdout.contains('\x1b'), "{form}");
        assert!(plain.stderr.contains(" in 1 file") && !plain.stdout.contains("in 1 file"), "{form}");
        let quiet = run(&["--quiet"], &[]);
        assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), (plain.stdout.as_str(), ""), "{form}");
        let coloured = run(&["--color", "always"], &[("NO_COLOR", "1")]);
        assert_eq!(coloured.stdout.contains('\x1b'), form == "table", "{form}");
        assert!(!run(&["--color", "never"], &[]).stderr.contains('\x1b'), "{form}");
        let safe = run(&["--csv-safe"], &[]);
        match form {
            "csv" | "timesketch" => assert!(safe.stdout.contains("'=1+1"), "{form}: {}", safe.stdout),
            _ => assert!(safe.code == 2 && safe.stderr.contains("--csv-safe guards cells of CSV"), "{form}"),
        }
        let tabs = run(&["--plain"], &[]);
        match form {
            "table" => assert!(tabs.stdout.contains("\t1\t=1+1"), "{}", tabs.stdout),
            _ => assert!(tabs.code == 2 && tabs.stderr.contains("--plain is a form of tables"), "{form}"),
        }
    }
}

#[test]
fn what_each_command_took() {
    let site = site();
    let query = "n=1 | eval y=n*2 | stats count by y | where count>0";
    let ran = spelunk(site.path(), &["run", "--profile", query, "a.jsonl", "-o", "csv"], &[], "");
    assert_eq!(ran.stdout, "y,count\n2,1\n");
    for part in
        ["(reading the logs)", "(planning)", "search n=1 | eval y=n * 2 | stats count BY y …", "where count > 0"]
    {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let ran = spelunk(site.path(), &["repl", "-q", "a.jsonl"], &[], ".profile n=1 | head 1\n.profile\n");
    assert!(ran.stdout.contains("search n=1") && ran.stdout.contains("head"), "{}", ran.stdout);
    assert!(ran.stderr.contains("there was no search yet"), "{}", ran.stderr);
}
