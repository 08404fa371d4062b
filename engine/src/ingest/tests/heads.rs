//! Lines of JSON that are passed over by what their first keys say change no result.

use super::json::{generated, searched};
use super::*;

/// Lines whose head says something else than the whole line, or may be taken for that.
const ODD: &[&str] = &[
    r#"{"EventID":7,"Channel":"Security","a":"x","EventCode":1}"#,
    r#"{"EventID":7,"a":"plain","EventCode":1}"#,
    r#"{"EventID":[7],"EventCode":1,"Channel":"Security"}"#,
    r#"{"EventID":[1,7],"Channel":"Security","a":"several"}"#,
    r#"{"EventCode":7,"EventCode":1,"a":"twice"}"#,
    r#"{"EventID":"","EventID":1,"Channel":"Security","Image":"C:\\x\\cmd.exe"}"#,
    r#"{"EventID":null,"EventID":1,"Channel":"Security","Image":"C:\\y\\cmd.exe"}"#,
    r#"{"EventID":"\/1","EventCode":1,"Channel":"Security"}"#,
    r#"{"EventID":"01","Channel":"Security","a":"not as Windows writes it"}"#,
    r#"{"EventID":7,"Channel":"","EventCode":1}"#,
    r#"{"a":{"EventID":7},"EventID":1,"Channel":"Security"}"#,
    r##"{"Event":{"System":{"EventID":{"#text":1},"Channel":"Security"},"EventData":{"Image":"C:\\z\\cmd.exe"}}}"##,
    r#"{"winlog":{"event_id":1,"channel":"Security","event_data":{"Image":"C:\\w\\cmd.exe"}},"host":{"name":"h1"}}"#,
    r#"{"winlog":{"event_id":5,"channel":"Security","event_data":{"Image":"C:\\w\\cmd.exe"}},"host":{"name":"h2"}}"#,
    r#"{"EventID":7,"Channel":"Security","sourcetype":"own","Image":"C:\\v\\cmd.exe"}"#,
    r#"{"EventID":7,"Channel":"Security"} {"EventID":1,"Channel":"Security"}"#,
    r#"  {"EventID":7,"Channel":"Security"}  "#,
    r#"{"host":"only-here","EventID":7,"Channel":"Security"}"#,
    r#"{"Computer":"c","EventID":7,"Channel":"Security","host":"behind"}"#,
    r#"{"EventID":7,"Channel":"Security","index":"own"}"#,
];

const SEARCHES: &[&str] = &[
    "EventCode=1 | stats count by a, Image",
    "EventCode=1 Channel=security | table _time host a Image EventID Channel",
    "EventID=1 | stats count by host, Channel",
    "(EventCode=1 Image=*cmd.exe) OR (EventCode=4624 Channel=Sec*) | stats count by EventCode",
    "EventCode IN (4624, 7*) Channel=Security | stats count by Channel, EventCode",
    "EventCode=99 | table Image",
    "source=own OR sourcetype=own EventCode=7 | table EventCode Image",
    "index=wineventlog sourcetype=XmlWinEventLog:Security EventCode=1 | stats count",
    "EventCode=1 host=only-here | stats count",
    "EventCode=1 host=behind | stats count",
    "EventCode=1 index=own | stats count",
    "EventCode=1 OR a=x | stats count by EventCode",
    "NOT EventCode=1 | stats count by EventCode",
];

fn passed_over(path: &Path, search: &str) -> u64 {
    let (rows, told, _) = searched(path, search, false);
    let (all_rows, all_told, all) = searched(path, search, true);
    assert_eq!((rows, told), (all_rows, all_told), "{search}");
    let session = crate::session::Session::new(Default::default(), vec![input(path)]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(session.search(search)).unwrap().report;
    assert_eq!(report.files.iter().map(|file| file.events).sum::<u64>(), all[0].0, "{search}");
    report.files.iter().map(|file| file.passed_over).sum()
}

#[test]
fn lines_are_passed_over_by_their_heads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    std::fs::write(&path, generated(31, 3000)).unwrap();
    let counts: Vec<u64> = SEARCHES.iter().map(|search| passed_over(&path, search)).collect();
    // All but those of a few kinds; none where not only the head decides.
    assert!(counts.iter().filter(|count| **count > 2000).count() >= 6, "{counts:?}");
    assert_eq!(counts[counts.len() - 2..], [0, 0]);
}

#[test]
fn odd_lines_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let events = generated(32, 400);
    for (number, odd) in ODD.iter().enumerate() {
        let path = folder.path().join(format!("{number}.jsonl"));
        // Twice, because the first of a kind is read anyway.
        let lines: Vec<&str> = events.lines().chain([*odd]).chain(events.lines()).chain([*odd, *odd]).collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        for search in SEARCHES {
            passed_over(&path, search);
        }
    }
    let path = folder.path().join("all.jsonl");
    let odd = ODD.join("\n");
    std::fs::write(&path, [&events, odd.as_str(), "\n", &events, &odd].concat()).unwrap();
    for search in SEARCHES {
        passed_over(&path, search);
    }
}

#[test]
fn a_block_with_unusual_text_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    for unusual in [
        r#"{"EventID":7,"Channel":"Security","\u0045ventCode":1}"#,
        r#"{"EventID":3,"event_simpleName":"ProcessRollup2","ImageFileName":"\\Device\\HarddiskVolume1\\cmd.exe"}"#,
        r#"{"EventID":7,"Channel":"Sec","RuleTitle":"t"}"#,
        "{\"EventID\":7,\"Channel\":\"Security\",\"a\":\"\u{1}\"}",
        r#"{"EventID":7,"Channel":"Security","a":1,"index":"own"}"#,
    ] {
        std::fs::write(&path, [generated(33, 200).as_str(), unusual, "\n"].concat()).unwrap();
        // Abbreviated channels matter to who asks for channels.
        let asked = |search: &&&str| !unusual.contains("RuleTitle") || search.contains("Channel=");
        for search in SEARCHES[..6].iter().filter(asked) {
            assert_eq!(passed_over(&path, search), 0, "{search}, {unusual}");
        }
    }
}
