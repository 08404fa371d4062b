//! How results are shown and understood: the binary, driven by scripts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use tempfile::TempDir;

const LOG: &str = r#"{"_time":"2019-06-21T07:35:37Z","host":"A","Image":"C:\\Windows\\cmd.exe","n":1}
{"_time":"2019-06-22T07:35:37Z","host":"A","Image":"C:\\Windows\\whoami.exe","n":2}
{"_time":"2019-06-23T07:35:37Z","host":"B","Image":"<script>alert(1)</script>","n":3,"x":"=cmd|' /C calc'!A0 \u001b[31m\u202e"}
"#;

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// A folder with a folder of logs, and one for results.
fn site() -> TempDir {
    let site = tempfile::tempdir().unwrap();
    std::fs::create_dir(site.path().join("logs")).unwrap();
    std::fs::write(site.path().join("logs/a.jsonl"), LOG).unwrap();
    site
}

fn spelunk(site: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.args(arguments).current_dir(site).env("COLUMNS", "100").timeout(std::time::Duration::from_secs(60));
    let output = command.write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn why(query: &str, more: &[&str]) -> String {
    let site = site();
    let ran = spelunk(site.path(), &[&["run", "--why", query, "logs"], more].concat(), "");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    // Lines are broken to fit the terminal.
    ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shell(script: &str) -> (Ran, TempDir) {
    let site = site();
    (spelunk(site.path(), &["repl", "-q", "-o", "table", "logs"], script), site)
}

#[test]
fn why_names_a_wrong_letter_case() {
    let told = why("image=*cmd.exe", &[]);
    assert!(told.contains(r#"no event has a field "image": it is written "Image", and letter case counts"#), "{told}");
}

#[test]
fn why_names_a_misspelt_field() {
    let told = why("n=1 | where Imgae=\"x\" AND n=1", &[]);
    assert!(told.contains("1 | search n=1 0 | where"), "{told}");
    assert!(told.contains("did you mean \"Image\"?"), "{told}");
    assert!(told.contains("1 by `n = 1` alone"), "{told}");
}

#[test]
fn why_names_what_there_is_to_search() {
    let told = why("index=windows n=1", &["--strict"]);
    assert!(told.contains("the events have index main"), "{told}");
    assert!(told.contains("0 ! by `index=windows` alone 1 by `n=1` alone"), "{told}");
}

#[test]
fn why_tells_the_time_of_the_data() {
    let told = why("n=1", &["--earliest", "2024-01-01T00:00:00"]);
    assert!(told.contains("is outside of the data"), "{told}");
    assert!(told.contains("from 2019-06-21T07:35:37.000Z to 2019-06-23T07:35:37.000Z"), "{told}");
    let told = why("earliest=-24h n=1", &[]);
    assert!(told.contains("--now latest"), "{told}");
}

#[test]
fn why_tells_that_only_letter_case_differs() {
    let told = why("n=1 | where Image=\"c:\\\\windows\\\\cmd.exe\"", &[]);
    assert!(told.contains("but for letter case"), "{told}");
}

#[test]
fn the_clock_can_be_that_of_the_latest_event() {
    let site = site();
    let arguments = ["run", "--now", "latest", "earliest=-36h | stats count", "logs", "-o", "csv"];
    assert_eq!(spelunk(site.path(), &arguments, "").stdout, "count\n2\n");
    let arguments = ["run", "--now", "latest", "earliest=-36h alert | stats count", "-", "-o", "csv"];
    assert_eq!(spelunk(site.path(), &arguments, LOG).stdout, "count\n1\n");
    let ran = spelunk(site.path(), &["run", "--now", "yesterday", "*", "logs"], "");
    assert!(ran.code == 2 && ran.stderr.contains("expected real, latest or a time"), "{}", ran.stderr);
    let ran = spelunk(site.path(), &["validate", "--now", "latest"], "");
    assert!(ran.code == 2 && ran.stderr.contains("name the time itself"), "{}", ran.stderr);
}

#[test]
fn why_judges_the_event_that_fulfils_the_other_conditions() {
    let told = why("Image=*whoami.exe n=3", &[]);
    assert!(told.contains("of the event that comes closest: `n=3` fails: n=2"), "{told}");
    // An index that is there is not to blame, nor is a clock that no time counts from.
    let told = why("index=main earliest=\"06/24/2019:00:00:00\"", &[]);
    assert!(!told.contains("the events have index") && !told.contains("relative times"), "{told}");
    assert!(told.contains("the events are from 2019-06-21T07:35:37.000Z"), "{told}");
}

#[test]
fn help_is_shown_on_the_logs() {
    let (ran, _site) = shell(".help stats\n.help lower\n.help keys\n.help makeresults\n");
    let shown = &ran.stdout;
    assert!(
        shown.contains("Run here\n  * | stats count, dc(host) AS hosts BY Image | sort -count | head 3\n"),
        "{shown}"
    );
    assert!(shown.contains("│ C:\\Windows\\cmd.exe"), "{shown}");
    assert!(shown.contains("eval result=lower(Image)") && shown.contains("c:\\windows\\cmd.exe"), "{shown}");
    assert!(shown.contains("Ctrl-X Ctrl-E"), "{shown}");
    assert!(shown.contains("Run here\n  | makeresults count=3\n"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
    // Without logs there is nothing to show it on.
    let ran = spelunk(Path::new("."), &["repl", "-q"], ".help lower\n");
    assert!(!ran.stdout.contains("Run here"), "{}", ran.stdout);
}

#[test]
fn rows_are_laid_out_as_the_user_says() {
    let (ran, _site) = shell("n=1;\n.set view records\n.last\n.set view list\n.last\n.set view tall\n.set view\n");
    assert!(ran.stdout.contains("── 1 ──") && ran.stdout.contains("[1] 2019-06-21T07:35:37.000Z A"), "{}", ran.stdout);
    assert!(ran.stderr.contains("view is auto, grid, records or list"), "{}", ran.stderr);
    assert!(ran.stdout.ends_with("view       list\n"), "{}", ran.stdout);
}

#[test]
fn what_is_plain_has_no_lines() {
    let site = site();
    let script = ".files\n.config\n.fields\n.step n<3 | stats count\n.timeline\n";
    let ran = spelunk(site.path(), &["repl", "-q", "--plain", "logs"], script);
    assert!(ran.stdout.contains("a.jsonl\tjson\t") && ran.stdout.contains("Image\t100.0%\t"), "{}", ran.stdout);
    assert!(!ran.stdout.contains(['│', '█', '╭']), "{}", ran.stdout);
    assert!(ran.stdout.contains("3 events, 1 bar = "), "{}", ran.stdout);
}

#[test]
fn pages_of_events_have_a_timeline() {
    let site = site();
    let page = |query: &str| spelunk(site.path(), &["run", query, "logs", "-o", "html"], "").stdout;
    let events = page("*");
    assert_eq!(events.matches("<rect ").count(), 3, "{events}");
    assert!(events.contains("2019-06-21 ") && events.contains(" · 3 events · 1 bar = "), "{events}");
    assert!(!page("* | stats count").contains("<figure"));
}

#[test]
fn forms_are_escaped() {
    let site = site();
    let form = |form: &[&str]| spelunk(site.path(), &[&["run", "n=3", "logs"], form].concat(), "").stdout;
    let html = form(&["-o", "html"]);
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    let markdown = form(&["-o", "markdown"]);
    assert!(markdown.contains("&lt;script&gt;") && markdown.contains("=cmd\\|"), "{markdown}");
    assert!(!markdown.contains(['\x1b', '\u{202e}']), "{markdown}");
    assert!(form(&["-o", "csv", "--csv-safe"]).contains("'=cmd"));
    assert!(form(&["--plain"]).contains("␛[31m"));
    let sketch = form(&["-o", "timesketch"]);
    assert!(sketch.starts_with("message,datetime,timestamp_desc,"), "{sketch}");
    assert!(sketch.contains(",2019-06-23T07:35:37.000Z,Event Logged,"), "{sketch}");
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let site = site();
    for (arguments, reason) in [
        (&["run", "*", "logs", "--plain", "-o", "csv"][..], "--plain is a form of tables"),
        (&["run", "*", "logs", "--csv-safe", "-o", "json"], "--csv-safe guards cells of CSV"),
    ] {
        let ran = spelunk(site.path(), arguments, "");
        assert!(ran.code == 2 && ran.stderr.contains(reason), "{}", ran.stderr);
    }
}

#[test]
fn colours_are_as_the_user_says() {
    let site = site();
    let table = |colour: &str| {
        spelunk(site.path(), &["run", "n=1 | table n", "logs", "-o", "table", "--color", colour], "").stdout
    };
    assert!(table("always").contains('\x1b'));
    assert!(!table("never").contains('\x1b') && !table("auto").contains('\x1b'));
}

#[test]
fn the_last_result_is_looked_at_again() {
    let (ran, site) = shell(
        "n<3;\n.show 2\n.show 9\n.fields Image\n.fields image\n.drill 1 Image\n.last\n.context 1 2d\n.save out.csv\n\
         .save out.csv\n.save logs/out.csv\n.save out.doc\n",
    );
    let (stdout, stderr) = (&ran.stdout, &ran.stderr);
    assert!(stdout.contains("Image       C:\\Windows\\cmd.exe"), "{stdout}");
    assert!(stderr.contains("there is no row 9: the last result has 2 rows"), "{stderr}");
    assert!(stdout.contains("Image: 100.0% of rows, 2 distinct, text"), "{stdout}");
    assert!(stderr.contains("no row has a field image: did you mean Image?"), "{stderr}");
    assert!(stderr.contains(r#"n<3 | where Image = "C:\Windows\whoami.exe""#), "{stderr}");
    assert!(stderr.contains("File exists"), "{stderr}");
    assert!(stderr.contains("logs is searched, so nothing is written beside it"), "{stderr}");
    assert!(stderr.contains("the name of the file tells its form"), "{stderr}");
    // The host's events within two days, the oldest first.
    let saved = std::fs::read_to_string(site.path().join("out.csv")).unwrap();
    let images: Vec<bool> = saved.lines().skip(1).map(|line| line.contains("cmd.exe")).collect();
    assert_eq!(images, [true, false], "{saved}");
}

#[test]
fn every_form_is_saved() {
    let (ran, site) =
        shell("n=3;\n.save a.json\n.save a.jsonl\n.save a.parquet\n.save a.md\n.save a.html\n.save a.txt\n");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for name in ["a.json", "a.jsonl", "a.parquet", "a.md", "a.html", "a.txt"] {
        assert!(std::fs::metadata(site.path().join(name)).unwrap().len() > 0, "{name}");
    }
    let read = spelunk(site.path(), &["run", "* | table n", "a.parquet", "-o", "csv"], "");
    assert_eq!(read.stdout, "n\n3\n");
}

#[test]
fn what_surrounds_a_search_can_be_changed() {
    let (ran, _site) = shell(
        ".tz Europe/Berlin\n.now latest\n.time -36h\n* | stats count;\n.time\n.time nonsense\n.tz Mars\n.time all\n\
         * | stats count;\n.set rows 1\n.set rows none\n.set colour blue\n.set rows\n",
    );
    let (stdout, stderr) = (&ran.stdout, &ran.stderr);
    assert!(stdout.contains("2019-06-23T09:35:37.000+02:00"), "{stdout}");
    assert!(stdout.contains("│     2 │") && stdout.contains("│     3 │"), "{stdout}");
    assert!(stdout.contains("2019-06-21T21:35:37.000+02:00 to the end"), "{stdout}");
    assert!(stderr.contains("nonsense") && stderr.contains("Mars: expected UTC"), "{stderr}");
    assert!(stderr.contains("there is no setting colour") && stderr.contains("rows is how many"), "{stderr}");
    assert!(stdout.contains("rows       1\n"), "{stdout}");
}

#[test]
fn steps_tell_rows_and_fields() {
    let ran = spelunk(Path::new("."), &["repl", "-q"], ".why | makeresults | eval a=1 | where a=2\n.why *\n");
    assert!(ran.stdout.contains("`a = 2` fails: a=1") || ran.stdout.contains("0  | where a = 2"), "{}", ran.stdout);
    assert!(ran.stdout.contains("- there are no events to search"), "{}", ran.stdout);
    let (ran, _site) = shell(".step n<3 | eval a=1 | stats count by host\n.why\n");
    let shown = &ran.stdout;
    assert!(shown.contains("1  | search n<3\n   2 rows · "), "{shown}");
    assert!(shown.contains("2  | eval a=1\n") && shown.contains("   + a\n"), "{shown}");
    assert!(shown.contains("   + count\n   - Image, "), "{shown}");
    assert!(ran.stderr.contains("there was no search yet"), "{}", ran.stderr);
}

#[test]
fn steps_write_nothing() {
    let site = site();
    let arguments = ["repl", "--allow-write", ".", "-q", "-o", "table"];
    let ran = spelunk(site.path(), &arguments, ".step | makeresults | eval a=1 | outputlookup seen.csv\n");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!site.path().join("seen.csv").exists());
}

#[test]
fn more_is_opened() {
    let site = site();
    std::fs::write(site.path().join("b.jsonl"), LOG).unwrap();
    let script = "* | stats count;\n.open b.jsonl\n* | stats count;\n.open b.jsonl\n.open nowhere\n";
    let ran = spelunk(site.path(), &["repl", "-q", "-o", "csv", "logs"], script);
    assert!(ran.stdout.starts_with("count\n3\n6 events, ") && ran.stdout.ends_with("count\n6\n"), "{}", ran.stdout);
    assert!(ran.stderr.contains("b.jsonl is open already"), "{}", ran.stderr);
    assert!(ran.stderr.contains("no such file or folder: nowhere"), "{}", ran.stderr);
}

#[test]
fn the_session_is_written_down() {
    let (ran, site) = shell(
        ".time 2019-06-22T00:00:00\n* | stats count;\n.note <b>odd</b>\nImgae=*;\n*;\n.report r.md\n.report r.html\n.report r.doc\n.note\n",
    );
    let report = std::fs::read_to_string(site.path().join("r.md")).unwrap();
    assert!(report.contains("* | stats count") && report.contains("1 row in "), "{report}");
    assert!(report.contains("of events from 2019-06-22T00:00:00.000Z to the end"), "{report}");
    let hash = report.lines().find(|line| line.contains("a.jsonl")).unwrap().rsplit(" | ").next().unwrap();
    assert_eq!(hash.trim_end_matches(" |").len(), 64, "{report}");
    assert!(report.contains("2. 20") && report.contains(", note: &lt;b&gt;odd&lt;/b&gt;\n"), "{report}");
    assert!(report.contains("        warning[SPL0101]: 1:1: no event has a field \"Imgae\""), "{report}");
    assert!(report.contains(" · 2 events · 1 bar = "), "{report}");
    let page = std::fs::read_to_string(site.path().join("r.html")).unwrap();
    assert!(page.contains("<pre>* | stats count</pre>") && page.contains("note: &lt;b&gt;odd"), "{page}");
    assert_eq!(page.matches("<rect ").count(), 2, "{page}");
    assert!(ran.stderr.contains(".note takes what"), "{}", ran.stderr);
    assert!(ran.stderr.contains(".md or .html"), "{}", ran.stderr);
}
