//! JSON lines: what is read in one pass is what serde reads, and what a search cannot want changes no result.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use proptest::prelude::*;
use spelunk_datasets::{Generator, GeneratorOptions, write_json_lines};

use super::super::blocks::{Lines, Spare};
use super::super::event::{EventBuilder, FileContext, Shared};
use super::super::json;
use super::*;
use crate::session::{Session, SessionOptions};

pub(super) fn generated(seed: u64, events: u64) -> String {
    let options = GeneratorOptions { events, ..GeneratorOptions::default() };
    let mut text = Vec::new();
    write_json_lines(&mut text, Generator::new(seed, options).map(|generated| generated.event)).unwrap();
    String::from_utf8(text).unwrap()
}

/// Lines of other kinds than ours, some of them broken.
const LINES: &[&str] = &[
    r#"{"a":1,"b":{"c":[1,2,{"d":"x"}],"e":null},"needle":"haystack"}"#,
    r#"{"a": 1.5, "b": {"c": "needle \"quoted\" \\ \/ \b\f\n\r\t"}, "EventID": 1, "Channel": "Security"}"#,
    r#"{"\u0061":"\u0041needle","b":"\ud83d\ude00","c":"\ud800","EventID":"\u0031","Channel":"Security"}"#,
    r#"{"_raw":"a text with a needle","host":"h","_time":"2024-05-24T10:01:00Z"}"#,
    r#"{"\u005fraw":"another NEEDLE here","sourcetype":"t"}"#,
    r#"{"preview":false,"result":{"_raw":"x needle y","_time":"2024-05-24 10:01:00.678 UTC","host":"h"}}"#,
    r#"{"Records":[{"a":"needle"},{"a":2},{"a":"needle","eventSource":"s","eventVersion":"1","awsRegion":"r"}]}"#,
    r#"{"results":[{"a":"needle"}],"preview":false}"#,
    r#"{"ts":1716544860.5,"id.orig_h":"10.0.0.1","_path":"conn"}"#,
    r#"{"RuleTitle":"t","Channel":"Sec","EventID":4688,"Details":"Cmdline: needle ¦ Proc: y"}"#,
    r##"{"PayloadData1":"x","MapDescription":"m","EventId":4688,"Channel":"Security","Payload":"{\"EventData\":{\"Data\":[{\"@Name\":\"A\",\"#text\":\"needle\"}]}}"}"##,
    r#"{"EventID":4624,"Channel":"Security","Computer":"h.lab","TargetUserName":"straße","Image":"C:\\Windows\\CMD.exe"}"#,
    r#"{"a":"the needle is here","a":"twice"}"#,
    r#"{"k":"NEEDLE"}"#,
    r#"{"k":"needles"}"#,
    r#"{"k":"Kelvin K and long s: ſ"}"#,
    "{}",
    "{ }",
    "  {\"needle\" : \"x\" }  \r",
    "",
    "needle",
    "[1,2]",
    "null",
    r#"{"a":1}{"a":2}"#,
    r#"{"a":1} x"#,
    r#"{"a":01}"#,
    r#"{"a":1.}"#,
    r#"{"a":1e400,"b":-0,"c":-0.0e+5}"#,
    r#"{"a":tru}"#,
    r#"{"a":"x"#,
    r#"{"a":"\x"}"#,
    r#"{"a":"\u12g4"}"#,
    r#"{"a","b"}"#,
    r#"{"a":1,}"#,
    r#"{,"a":1}"#,
    r#"{"a":[1,2,]}"#,
    r#"{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["needle"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"#,
    "{\"a\":\"tab\tneedle\"}",
    "{\"a\":\"zero\u{0}needle\"}",
];

/// Changes of bytes: where, and to what.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    let odd = prop::sample::select(b"\"\\{}[]:,0u\n\r\t\0\xff 1e.-".to_vec());
    prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![odd, any::<u8>()]), 0..12)
}

/// Everyday events and other lines in turn, with some bytes changed.
fn log(seed: u64, lines: &[prop::sample::Index], changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let events = generated(seed, 30);
    let mut text = String::new();
    for (event, line) in events.lines().zip(lines.iter().cycle()) {
        text.push_str(event);
        text.push('\n');
        text.push_str(line.get::<&str>(LINES));
        text.push('\n');
    }
    let mut bytes = text.into_bytes();
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    bytes
}

fn lines() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 1..40)
}

/// What a block becomes, as text, and the fields that were not selected.
fn block(bytes: &[u8], fields: FieldSelection, read: fn(Lines, &mut EventBuilder<'_>)) -> (String, BTreeSet<String>) {
    let options = ReadOptions { fields, ..options() };
    let shared = Shared { options: &options, selection: select::Selection::new(&options.fields) };
    let clock = time::Clock { zone: jiff::tz::TimeZone::UTC, latest: "2024-06-01T00:00:00Z".parse().unwrap() };
    let file = FileContext { ordinal: 0, path: "log".to_owned(), index: None, clock };
    let mut builder = EventBuilder::new(&shared, &file);
    read(Lines { bytes: bytes.to_vec(), first_line: 1, spare: Spare::default() }, &mut builder);
    let mut result = builder.finish();
    let unread = std::mem::take(&mut result.unread);
    (format!("{result:?}"), unread)
}

/// How many events a file has, how many were skipped, and why.
pub(super) type Health = (u64, u64, Vec<Problem>);

/// The rows of a search and what was told about it.
pub(super) fn searched(path: &Path, search: &str, keep: bool) -> (String, Vec<String>, Vec<Health>) {
    let session = Session::new(SessionOptions { keep, ..SessionOptions::default() }, vec![input(path)]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let search = session.search(search).await.unwrap();
        let told = search.diagnostics.iter().map(|found| found.message.clone()).collect();
        let files = search.report.files.iter();
        let read = files.map(|file| (file.events, file.skipped, file.problems.clone())).collect();
        let batches: Vec<_> = search.stream.try_collect().await.unwrap();
        (arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string(), told, read)
    })
}

/// Searches that want few events, in all the forms that conditions have.
const SEARCHES: &[&str] = &[
    "needle | table _time, host, a, b.c, k",
    "needle OR \"cmd.exe\" | stats count by host, index, source, sourcetype",
    "NEEDLE EventCode=1 | table _raw",
    "CASE(needle) | stats count by k",
    "TERM(needle)",
    "\"quoted*here\" OR need*",
    "EventCode=1 Image=*\\\\cmd.exe | table _time Image ParentImage RecordNumber nofield",
    "EventCode IN (1, 4624) (User=*a* OR TargetUserName=straße OR a=1*) | sort - _time | head 5",
    "a=1 | stats count sum(a) max(a) by a",
    "index=foo sourcetype=bar EventCode=4688",
    "index=wineventlog source=*Sysmon* EventCode=1 NOT Image=*svchost* | stats dc(Image) values(User) by host",
    "EventID=1 Channel=Security | table EventID c b.c",
    "b.c=2 OR b.c.d=x OR k=*K*",
    "nothing_like_this_word | stats count",
    "EventCode=99 | table Image",
    "a=* | top 3 a",
    "DETECTION=x needle",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn one_pass_reads_what_serde_reads(seed in 0_u64..50, lines in lines(), changes in changes()) {
        let log = log(seed, &lines, &changes);
        let named = ["_time", "host", "Image", "a", "b.c", "_raw", "EventCode", "c"].map(str::to_owned).to_vec();
        for fields in [FieldSelection::All, FieldSelection::AllButRaw, FieldSelection::Only(named)] {
            let (by_serde, unread) = block(&log, fields.clone(), json::read_lines_by_serde);
            let (in_one_pass, unread_in_one_pass) = block(&log, fields, |lines, builder| {
                json::read_lines(lines, builder);
            });
            let differs = in_one_pass.bytes().zip(by_serde.bytes()).position(|(one, other)| one != other);
            let around = |text: &str| {
                let at = differs.unwrap_or(0);
                String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(200)..text.len().min(at + 200)]).into_owned()
            };
            prop_assert!(in_one_pass == by_serde, "{}\n{}", around(&in_one_pass), around(&by_serde));
            // In one pass, names are met before it shows that their line is broken.
            prop_assert!(unread_in_one_pass.is_superset(&unread));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn what_cannot_be_wanted_changes_no_result(seed in 0_u64..50, lines in lines(), changes in changes()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        // The first line says that it is JSON.
        std::fs::write(&path, [b"{\"a\":0}\n".to_vec(), log(seed, &lines, &changes)].concat()).unwrap();
        for search in SEARCHES {
            let (rows, told, read) = searched(&path, search, false);
            let (all_rows, all_told, all_read) = searched(&path, search, true);
            prop_assert_eq!(rows, all_rows, "{}", search);
            prop_assert_eq!(told, all_told, "{}", search);
            // Lines that are looked at from outside may be broken inside.
            for ((events, skipped, _), (all_events, all_skipped, _)) in read.iter().zip(&all_read) {
                prop_assert!(events >= all_events && skipped <= all_skipped, "{}", search);
                prop_assert_eq!(events + skipped, all_events + all_skipped, "{}", search);
            }
        }
    }
}

#[test]
fn lines_without_the_word_are_looked_at_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let mut text = generated(7, 200);
    text.push_str("{\"a\":\"needle\"}\n{\"a\":\"cut o\n\nno object\n{\"a\":\"zero\n");
    text.push_str("{\"a\":}\n{\"Records\":[{\"a\":\"needle\"},{\"a\":3}]}\n");
    std::fs::write(&path, &text).unwrap();
    let (rows, _, read) = searched(&path, "needle | stats count", false);
    let (all_rows, _, all_read) = searched(&path, "needle | stats count", true);
    assert_eq!(rows, all_rows);
    // What is broken inside only is an event that has not the word.
    let (events, skipped, problems) = &read[0];
    let (all_events, all_skipped, all_problems) = &all_read[0];
    assert_eq!((*events, *skipped), (all_events + 1, all_skipped - 1));
    assert_eq!(problems[..], all_problems[..3]);
    assert_eq!(*all_skipped, 4);
    // With `--strict`, all of them are read.
    let options = SessionOptions { strict: true, ..SessionOptions::default() };
    let session = Session::new(options, vec![input(&path)]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(session.search("nothing_like_this_word | stats count")).is_err());
}

#[test]
fn a_block_without_the_word_hides_nothing_that_is_wrong_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let lines = generated(7, 200);
    let pieces: [(&[u8], u64); 8] = [
        (b"", 0),
        ("{\"a\":\"\u{fc}\"}\n".as_bytes(), 0),
        (b"{\"a\":1}\r\n\r\n{\"a\":2}\r\n", 0),
        (b"{\"a\":\"\xff\"}\n", 1),
        (b"{\"a\":\"\0\"}\n", 1),
        (b"[{\"a\":1},{\"a\":2}]\n", 1),
        (b"not JSON\n", 1),
        (b"{\"a\":\"\\u006eeedle\"}\n", 0),
    ];
    for (piece, skipped) in pieces {
        let name = String::from_utf8_lossy(piece);
        std::fs::write(&path, [lines.as_bytes(), piece, lines.as_bytes()].concat()).unwrap();
        for search in ["needle | stats count", "no.needle | stats count", "ask | stats count"] {
            let (rows, _, read) = searched(&path, search, false);
            let (all_rows, _, all_read) = searched(&path, search, true);
            assert_eq!(rows, all_rows, "{name}");
            assert_eq!(read, all_read, "{name}");
            assert_eq!(read[0].1, skipped, "{name}");
        }
    }
}

#[test]
fn a_log_of_iis_is_read_by_its_header() {
    let text = "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2024-05-24 10:00:00\r\n\
        #Fields: date time s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
        cs(User-Agent) sc-status time-taken\r\n\
        2024-05-24 10:01:00 WEB01 10.0.0.5 GET /owa/ a=1&b=#2 443 - 203.0.113.9 Mozilla/5.0+(Windows+NT) 200 31\r\n\
        2024-05-24 10:01:01 WEB01 10.0.0.5 POST /x - 443 LAB\\alice 203.0.113.9 - 500\r\n\
        #Date: 2024-05-25 00:00:00\r\n#Fields: time c-ip sc-status\r\n00:00:07 203.0.113.9 404\r\n";
    let (events, report) = read_text(text);
    assert_eq!((report.format, events.len(), report.skipped), ("w3c", 3, 1));
    assert_eq!(report.problems[0].place, "line 6");
    assert!(report.problems[0].reason.contains("12 fields where the header has 13"));
    let get = |event: usize, name: &str| events[event].get(name).map_or("(null)", String::as_str);
    for (name, value) in [
        ("_time", "2024-05-24T10:01:00Z"),
        ("host", "WEB01"),
        ("sourcetype", "iis"),
        ("index", "main"),
        ("cs_uri_stem", "/owa/"),
        ("cs_uri_query", "a=1&b=#2"),
        ("cs_User_Agent_", "Mozilla/5.0+(Windows+NT)"),
        ("cs_User_Agent", "Mozilla/5.0+(Windows+NT)"),
        ("c_ip", "203.0.113.9"),
        ("sc_status", "200"),
        ("cs_username", "(null)"),
        ("date", "2024-05-24"),
    ] {
        assert_eq!(get(0, name), value, "{name}");
    }
    assert_eq!((get(1, "cs_username"), get(1, "cs_User_Agent_"), get(1, "sc_status")), ("LAB\\alice", "(null)", "500"));
    assert_eq!((get(2, "_time"), get(2, "sc_status")), ("2024-05-25T00:00:07Z", "404"));
    // Over many blocks, the last header before a line holds.
    let many = [text, &"00:00:08 203.0.113.9 200\r\n".repeat(300_000)].concat();
    let (_, report) =
        read_bytes(many.as_bytes(), &ReadOptions { fields: FieldSelection::Only(Vec::new()), ..options() });
    assert_eq!((report.files[0].events, report.files[0].skipped), (300_003, 1));
}
