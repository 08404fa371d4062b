//! The events of one telemetry under the names of another: the published detections over events that they were not
//! written for, and what is told of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use spelunk_datasets::{DCOM_CQL, DCOM_SPL, Event, scenarios, write_json_lines};
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Language, Session, SessionOptions, View};
use spelunk_grammar::{Diagnostic, Severity};

/// What a search gives: the values of each row as text, and what is told.
struct Found {
    names: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    told: Vec<Diagnostic>,
}

impl Found {
    fn column(&self, name: &str) -> Vec<Option<String>> {
        let at = self.names.iter().position(|known| known == name).expect(name);
        self.rows.iter().map(|row| row[at].clone()).collect()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        self.column(name).into_iter().map(|value| value.unwrap_or_else(|| "-".to_owned())).collect()
    }

    fn is_told(&self, severity: Severity, words: &str) -> bool {
        self.told.iter().any(|finding| finding.severity == severity && finding.message.contains(words))
    }
}

async fn search_in(language: Language, view: View, query: &str, path: &Path) -> Found {
    let inputs = vec![Input { location: Location::Path(path.to_path_buf()), index: None }];
    let options = SessionOptions { language, view, ..SessionOptions::default() };
    let search = Session::new(options, inputs).unwrap().search(query).await.unwrap();
    let names: Vec<String> = search.schema.fields().iter().map(|field| field.name().clone()).collect();
    let told = search.diagnostics.clone();
    let mut rows = Vec::new();
    for batch in search.stream.try_collect::<Vec<_>>().await.unwrap() {
        for row in 0..batch.num_rows() {
            let value = |column| match cell(batch.column(column), row, &jiff::tz::TimeZone::UTC) {
                Cell::Null => None,
                Cell::Number(text) | Cell::Text(text) | Cell::Time(text) => Some(text),
                Cell::Many(texts) => Some(texts.join(",")),
            };
            rows.push((0..names.len()).map(value).collect());
        }
    }
    Found { names, rows, told }
}

async fn logscale(query: &str, path: &Path) -> Found {
    search_in(Language::LogScale, View::Auto, query, path).await
}

async fn spl(query: &str, path: &Path) -> Found {
    search_in(Language::Spl, View::Auto, query, path).await
}

fn written(folder: &tempfile::TempDir, name: &str, lines: &[String]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, lines.join("\n")).unwrap();
    path
}

/// The 14 process creations on which the two published versions of one detection part ways: the parent, the child, the
/// command line, and the label that each version gives.
const TRIAL: [(&str, &str, &str, &str, &str); 14] = [
    (r"C:\W\mmc.exe", r"C:\W\cmd.exe", "cmd.exe /c whoami", "COM_SuspiciousChild", "COM_SuspiciousChild"),
    (r"C:\W\VISIO.EXE", r"C:\W\powershell.exe", "powershell.exe -nop", "-", "COM_SuspiciousChild"),
    (r"C:\W\EXCEL.EXE", r"C:\W\regsvr32.exe", "regsvr32.exe /s /u x.sct", "-", "COM_SuspiciousChild"),
    (r"C:\W\WINWORD.EXE", r"C:\W\certutil.exe", "certutil.exe -decode a b", "-", "COM_SuspiciousChild"),
    (r"C:\W\explorer.exe", r"C:\W\dcomcnfg.exe", "dcomcnfg.exe", "DCOM_ConfigTool", "DCOM_ConfigTool"),
    (
        r"C:\W\svchost.exe",
        r"C:\W\powershell.exe",
        "powershell.exe Invoke-DCOM -Target x -Exec y",
        "DCOM_CommandLineRef",
        "DCOM_CommandLineRef",
    ),
    (
        r"C:\W\svchost.exe",
        r"C:\W\powershell.exe",
        "powershell.exe invoke-dcom -executionpolicy bypass",
        "DCOM_Other",
        "DCOM_CommandLineRef",
    ),
    (r"C:\W\MMC.EXE", r"C:\W\CMD.EXE", "CMD.EXE /c dir", "DCOM_Other", "COM_SuspiciousChild"),
    (r"C:\W\mmc.exe", r"C:\W\dcomcnfg.exe", "dcomcnfg.exe", "DCOM_ConfigTool", "DCOM_ConfigTool"),
    (r"C:\W\mmc.exe", r"C:\W\cmdkey.exe", "cmdkey.exe /list -Exec DCOM", "COM_SuspiciousChild", "DCOM_CommandLineRef"),
    (r"C:\W\explorer.exe", r"C:\W\cmd.exe", "cmd.exe", "-", "-"),
    (r"C:\W\explorer.exe", r"C:\W\powershell.exe", "powershell.exe Get-DCOM", "-", "-"),
    (r"C:\W\OUTLOOK.EXE", r"C:\W\mshta.exe", "mshta.exe http://x/a.hta", "DCOM_Other", "COM_SuspiciousChild"),
    (
        r"C:\winword\agent.exe",
        r"C:\powershell-tools\dcomcnfg.exe",
        "dcomcnfg.exe",
        "COM_SuspiciousChild",
        "DCOM_ConfigTool",
    ),
];

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// The events of the trial as a shipper of Sysmon's log exports them.
fn as_sysmon() -> Vec<String> {
    let events = TRIAL.iter().enumerate().map(|(at, (parent, child, line, ..))| {
        format!(
            r#"{{"@timestamp":"2024-03-05T10:00:{at:02}.000Z","Hostname":"h{at}.lab.example","Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"User":"LAB\\alice","Image":{},"ParentImage":{},"CommandLine":{},"ProcessId":{},"ProcessGuid":"{{a-{at}}}","ParentProcessId":7,"ParentProcessGuid":"{{b-{at}}}","Hashes":"MD5=AB,SHA256=CD","IntegrityLevel":"High","LogonId":"0x3e7"}}"#,
            quoted(child),
            quoted(parent),
            quoted(line),
            at + 100,
        )
    });
    events.collect()
}

/// The events of the trial as Falcon's sensor exports them: flat, every value a text, no name of file and host.
fn as_falcon() -> Vec<String> {
    let base = |path: &str| path.rsplit('\\').next().unwrap().to_owned();
    let events = TRIAL.iter().enumerate().map(|(at, (parent, child, line, ..))| {
        let image = child.replacen("C:", r"\Device\HarddiskVolume2", 1);
        format!(
            r#"{{"event_simpleName":"ProcessRollup2","timestamp":"{}","aid":"00","event_platform":"Win","ImageFileName":{},"ParentBaseFileName":{},"ParentImageFileName":{},"CommandLine":{},"RawProcessId":"{}","TargetProcessId":"{}","ParentProcessId":"9007199254740993","ProcessStartTime":"1709632800.123"}}"#,
            1_709_632_800_000_u64 + at as u64,
            quoted(&image),
            quoted(&base(parent)),
            quoted(&parent.replacen("C:", r"\Device\HarddiskVolume2", 1)),
            quoted(line),
            at + 100,
            9_007_199_254_740_993_u64 + at as u64,
        )
    });
    events.collect()
}

fn labels(detection: impl Fn(&(&str, &str, &str, &'static str, &'static str)) -> &'static str) -> Vec<String> {
    // Newest first, as the detections list them.
    let labels = TRIAL.iter().rev().map(detection).filter(|label| *label != "-");
    labels.map(str::to_owned).collect()
}

#[tokio::test]
async fn both_detections_give_their_labels_over_either_telemetry() {
    let folder = tempfile::tempdir().unwrap();
    for (name, lines) in [("sysmon.jsonl", as_sysmon()), ("falcon.jsonl", as_falcon())] {
        let path = written(&folder, name, &lines);
        assert_eq!(spl(DCOM_SPL, &path).await.texts("DetectionPattern"), labels(|event| event.3), "SPL over {name}");
        let found = logscale(DCOM_CQL, &path).await;
        assert_eq!(found.texts("DetectionPattern"), labels(|event| event.4), "LogScale over {name}");
        assert_eq!(found.is_told(Severity::Note, "the view `falcon`"), name == "sysmon.jsonl", "{:?}", found.told);
    }
}

#[tokio::test]
async fn every_scenario_gives_its_labels_over_either_telemetry() {
    let scenarios = scenarios();
    let folder = tempfile::tempdir().unwrap();
    let events: Vec<Event> = scenarios.iter().map(|scenario| scenario.event.clone()).collect();
    let windows = folder.path().join("windows.jsonl");
    write_json_lines(&mut fs::File::create(&windows).unwrap(), events.iter().cloned()).unwrap();
    let sensor: Vec<String> = events.iter().filter_map(Event::to_falcon).collect();
    let sensor = written(&folder, "falcon.jsonl", &sensor);
    let hits = |label: fn(&spelunk_datasets::ScenarioEvent) -> Option<&'static str>, audited: bool| {
        let of = scenarios.iter().filter(move |scenario| audited || scenario.event.to_falcon().is_some());
        let mut labels: Vec<String> = of.filter_map(label).map(str::to_owned).collect();
        labels.sort();
        labels
    };
    let sorted = |mut labels: Vec<String>| {
        labels.sort();
        labels
    };
    let found = spl(DCOM_SPL, &sensor).await;
    assert_eq!(sorted(found.texts("DetectionPattern")), hits(|scenario| scenario.spl, false));
    let found = logscale(DCOM_CQL, &sensor).await;
    assert_eq!(sorted(found.texts("DetectionPattern")), hits(|scenario| scenario.logscale, false));
    // The audit's copies of process creations are process creations to Falcon too, so there are more of them.
    let found = logscale(DCOM_CQL, &windows).await;
    let found = sorted(found.texts("DetectionPattern"));
    let mut left = found.clone();
    for label in hits(|scenario| scenario.logscale, false) {
        let at = left.iter().position(|found| *found == label);
        left.remove(at.unwrap_or_else(|| panic!("{label} is missing in {found:?}")));
    }
}

#[tokio::test]
async fn falcon_names_hold_what_sysmon_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, "sysmon.jsonl", &as_sysmon());
    let query = "#event_simpleName=ProcessRollup2 RawProcessId=107 | table([event_platform, ImageFileName, FilePath, \
                 FileName, ComputerName, UserName, LogonDomain, MD5HashData, SHA256HashData, IntegrityLevel, \
                 AuthenticationId, TargetProcessId, ParentProcessId, SourceProcessId])";
    let found = logscale(query, &path).await;
    let row: Vec<String> = found.rows[0].iter().map(|value| value.clone().unwrap_or_default()).collect();
    let device = r"\Device\HarddiskVolume3\W\";
    let image = format!("{device}CMD.EXE");
    assert_eq!(
        row[..11],
        ["Win", &image, device, "CMD.EXE", "h7", "alice", "LAB", "ab", "cd", "12288", "999"].map(str::to_owned)
    );
    assert!(row[11].parse::<u64>().is_ok_and(|number| number < 1 << 63), "{}", row[11]);
    // Who joins the parent's identifier finds it, and never the number that the system gave the parent.
    assert_eq!(row[12], row[13]);
    assert_ne!(row[12], "7");
}

#[tokio::test]
async fn identifiers_of_64_bits_keep_every_digit() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, "falcon.jsonl", &as_falcon());
    // To a float its two neighbours are the same number.
    let found =
        logscale("TargetProcessId=9007199254740996 | table([TargetProcessId, FileName, FilePath])", &path).await;
    assert_eq!(found.texts("TargetProcessId"), ["9007199254740996"]);
    assert_eq!(found.texts("FileName"), ["certutil.exe"], "from the path, where the record has none");
    assert_eq!(found.texts("FilePath"), [r"\Device\HarddiskVolume2\W\"]);
    let found = spl("EventCode=1 ProcessId=100 | table ProcessGuid Image ParentImage UtcTime", &path).await;
    assert_eq!(found.texts("ProcessGuid"), ["9007199254740993"]);
    assert_eq!(found.texts("Image"), [r"C:\W\cmd.exe"]);
    assert_eq!(found.texts("ParentImage"), [r"C:\W\mmc.exe"]);
    assert!(found.is_told(Severity::Note, "the view `sysmon`"), "{:?}", found.told);
}

#[tokio::test]
async fn the_view_can_be_switched_off_and_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, "sysmon.jsonl", &as_sysmon());
    let query = "#event_simpleName=ProcessRollup2 | count()";
    let found = search_in(Language::LogScale, View::None, query, &path).await;
    assert_eq!(found.texts("_count"), ["0"]);
    assert!(!found.is_told(Severity::Note, "the view"), "{:?}", found.told);
    let found = search_in(Language::LogScale, View::Sysmon, query, &path).await;
    assert_eq!(found.texts("_count"), ["0"]);
    let found = search_in(Language::LogScale, View::Falcon, query, &path).await;
    assert_eq!(found.texts("_count"), ["14"]);
    // A search that names nothing of the other telemetry sees the events as they are.
    let found = spl("EventCode=1 | stats count", &path).await;
    assert_eq!((found.texts("count"), found.told.len()), (vec!["14".to_owned()], 0));
}

#[tokio::test]
async fn what_the_view_cannot_fill_is_told_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, "sysmon.jsonl", &as_sysmon());
    let query = "#event_simpleName=ProcessRollup2 | groupBy([UserSid, GrandParentBaseFileName, FileName])";
    let found = logscale(query, &path).await;
    for name in ["UserSid", "GrandParentBaseFileName"] {
        let warning = found.told.iter().find(|told| told.message.contains(&format!("cannot fill `{name}`"))).unwrap();
        assert_eq!((warning.severity, query.get(warning.span.range())), (Severity::Warning, Some(name)));
    }
    assert!(!found.is_told(Severity::Warning, "fill `FileName`"), "{:?}", found.told);
}

#[tokio::test]
async fn audited_processes_connections_names_and_logons() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(
        &folder,
        "windows.jsonl",
        &[
            r#"{"@timestamp":"2024-03-05T10:00:00Z","Hostname":"h","Channel":"Security","EventID":4688,"NewProcessName":"C:\\W\\cmd.exe","ParentProcessName":"C:\\W\\mmc.exe","NewProcessId":"0x1f4","SubjectUserName":"bob","TargetUserName":"-","MandatoryLabel":"S-1-16-8192","CommandLine":"cmd"}"#.to_owned(),
            r#"{"@timestamp":"2024-03-05T10:00:01Z","Hostname":"h","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":3,"Initiated":"true","Protocol":"tcp","Image":"C:\\W\\a.exe","SourceIp":"192.0.2.1","SourcePort":5000,"DestinationIp":"192.0.2.9","DestinationPort":135}"#.to_owned(),
            r#"{"@timestamp":"2024-03-05T10:00:02Z","Hostname":"h","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":22,"QueryName":"a.example","QueryResults":"type:  5 b.example;::ffff:192.0.2.7;","Image":"C:\\W\\a.exe"}"#.to_owned(),
            r#"{"@timestamp":"2024-03-05T10:00:03Z","Hostname":"h","Channel":"Security","EventID":4625,"TargetUserName":"eve","SubStatus":"0xc000006a","LogonType":3,"IpAddress":"192.0.2.5"}"#.to_owned(),
            r#"{"@timestamp":"2024-03-05T10:00:04Z","Hostname":"h","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":10,"SourceImage":"C:\\W\\a.exe"}"#.to_owned(),
        ],
    );
    let found = logscale(
        "#event_simpleName=* | sort(@timestamp, order=asc) | table([#event_simpleName, FileName, RawProcessId, UserName, \
         IntegrityLevel, Protocol, RemoteAddressIP4, RemotePort, ContextBaseFileName, DomainName, IP4Records, SubStatus, \
         ConnectionDirection], sortby=@timestamp, order=asc)",
        &path,
    )
    .await;
    let rows: Vec<String> = found
        .rows
        .iter()
        .map(|row| row.iter().map(|v| v.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        rows,
        [
            "ProcessRollup2 cmd.exe 500 bob 8192 - - - - - - - -",
            "NetworkConnectIP4 - - - - 6 192.0.2.9 135 a.exe - - - 0",
            "DnsRequest - - - - - - - a.exe a.example 192.0.2.7 - -",
            "UserLogonFailed2 - - eve - - 192.0.2.5 - - - - 3221225578 -",
        ]
    );
    let found =
        logscale("#windows.EventID=4688 | table([windows.EventData.NewProcessName, windows.Computer])", &path).await;
    assert_eq!(found.rows, [[Some(r"C:\W\cmd.exe".to_owned()), Some("h".to_owned())]]);
    assert!(found.is_told(Severity::Note, "the view `windows`"), "{:?}", found.told);
    // Without a column at all there is still a row for each event.
    let found = logscale("#event_simpleName=* | count()", &path).await;
    assert_eq!(found.texts("_count"), ["4"]);
}

#[tokio::test]
async fn only_what_a_query_names_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, "sysmon.jsonl", &as_sysmon());
    let explained = |query: &'static str| {
        let inputs = vec![Input { location: Location::Path(path.clone()), index: None }];
        let options = SessionOptions { language: Language::LogScale, ..SessionOptions::default() };
        async move { Session::new(options, inputs).unwrap().explain(query).await.unwrap() }
    };
    let plan = explained("EventID=1 | table([Image])").await.physical;
    assert!(plan.contains("Image") && !plan.contains("CommandLine") && !plan.contains("_raw"), "{plan}");
    let plan = explained("ParentBaseFileName=mmc.exe | groupBy([UserName])").await;
    assert!(plan.physical.contains("ParentImage") && !plan.physical.contains("CommandLine"), "{}", plan.physical);
    assert!(plan.diagnostics.iter().any(|told| told.message.contains("the view `falcon`")), "{:?}", plan.diagnostics);
    // A search for text looks at the text of the event, and at every field.
    let found = logscale("whoami | table([CommandLine])", &path).await;
    assert_eq!(found.texts("CommandLine"), ["cmd.exe /c whoami"]);
    let found = logscale("regex(\"User[^,]*alice\") | count()", &path).await;
    assert_eq!(found.texts("_count"), ["14"]);
    let found = logscale("wildcard(pattern=*whoami*) | count()", &path).await;
    assert_eq!(found.texts("_count"), ["1"]);
}
