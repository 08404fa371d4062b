//! Why an event is not in a result: the verdicts agree with the results, and name the condition that fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use spelunk_datasets::{DCOM_CQL, DCOM_SPL, Event, scenarios, write_xml};
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::session::EVENT;
use spelunk_engine::trace::Reason;
use spelunk_engine::{Judged, Language, Session, SessionOptions, Verdict};

fn session(path: &Path) -> Session {
    let inputs = vec![Input { location: Location::Path(path.to_path_buf()), index: None }];
    Session::new(SessionOptions { keep: true, ..SessionOptions::default() }, inputs).unwrap()
}

/// The scenarios as Windows events, and as Falcon's.
fn logs(folder: &Path) -> (Session, Session) {
    let events: Vec<Event> = scenarios().into_iter().map(|step| step.event).collect();
    let (xml, falcon) = (folder.join("events.xml"), folder.join("falcon.jsonl"));
    write_xml(&mut std::fs::File::create(&xml).unwrap(), events.iter().cloned()).unwrap();
    std::fs::write(&falcon, events.iter().filter_map(Event::to_falcon).map(|line| line + "\n").collect::<String>())
        .unwrap();
    (session(&xml), session(&falcon))
}

async fn found(session: &Session, language: Language, query: &str) -> BTreeSet<i64> {
    let search = session.trace(language, query).await.unwrap();
    assert_eq!(search.schema.fields().last().unwrap().name(), EVENT, "{query}");
    let mut found = BTreeSet::new();
    for batch in search.stream.try_collect::<Vec<_>>().await.unwrap() {
        let serials = batch.columns().last().unwrap().as_primitive::<Int64Type>().clone();
        found.extend(serials.iter().flatten());
    }
    found
}

async fn judged(session: &Session, language: Language, query: &str) -> Vec<Judged> {
    let all = found(session, Language::Spl, "*").await;
    session.judge(language, query, all.into_iter().collect()).await.unwrap()
}

const SPL: &[&str] = &[
    DCOM_SPL,
    "EventCode=1",
    "EventCode=1 NOT Image=*cmd.exe (User=*alice OR User=*build) CommandLine!=*whoami*",
    "EventCode IN (1, 3) | where match(Image, \"cmd\") OR (EventCode=3 AND DestinationPort=135)",
    "EventCode=1 | regex Image=\"(?i)power\" | search ParentImage=*",
    "EventCode=1 | eval n=len(CommandLine) | where n > 40 | eval label=case(n > 100, \"long\", n > 60, \"middle\")",
    "EventCode=1 | rex field=Image \"(?<base>[^\\\\\\\\]+)$\" | search base=cmd.exe | rename base AS name | where name=\"cmd.exe\"",
    "nothing_like_this_word | where x=1",
    "index=wineventlog | table Image, ParentImage | search Image=*mmc.exe",
    "EventCode=1 | fillnull value=none ParentUser | where ParentUser=\"none\" OR NOT like(ParentUser, \"LAB%\")",
];

const LOGSCALE: &[&str] = &[
    DCOM_CQL,
    "#event_simpleName=ProcessRollup2 FileName=/cmd/i",
    "FileName=cmd.exe or ParentBaseFileName=/mmc|EXCEL/ | UserName!=alice",
    "in(FileName, values=[\"cmd.exe\", \"reg.exe\"]) | not CommandLine=/whoami/",
    "short := FileName = \"cmd.exe\" | where short AND NOT UserName in (\"alice\")",
    "case { FileName=cmd.exe | kind := \"shell\"; FileName=mmc.exe | kind := \"console\" } | kind=shell",
    "regex(\"(?<drive>Harddisk\\\\w+)\", field=ImageFileName) | drive=*",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_every_condition_is_what_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (windows, falcon) = logs(folder.path());
    let queries = SPL.iter().map(|query| (&windows, Language::Spl, query));
    for (session, language, query) in queries.chain(LOGSCALE.iter().map(|query| (&falcon, Language::LogScale, query))) {
        let judged = judged(session, language, query).await;
        let passes = |judged: &&Judged| !matches!(judged.verdict, Verdict::Fails(_));
        let passing: BTreeSet<i64> = judged.iter().filter(passes).map(|judged| judged.serial).collect();
        let all = found(session, Language::Spl, "*").await;
        assert_eq!(judged.len(), all.len(), "{query}");
        assert_eq!(passing, found(session, language, query).await, "{query}");
        for Judged { verdict, .. } in judged {
            if let Verdict::Fails(reason) = verdict {
                assert!(query.get(reason.span.range()).is_some_and(|place| !place.is_empty()), "{query}: {reason:?}");
            }
        }
    }
}

/// The reasons of the event with a record number.
async fn reason(session: &Session, language: Language, query: &str, record: u64) -> Reason {
    let named = format!("RecordNumber={record}");
    let serials = found(session, Language::Spl, &named).await.into_iter().collect();
    let judged = session.judge(language, query, serials).await.unwrap();
    match judged.into_iter().next().unwrap().verdict {
        Verdict::Fails(reason) => *reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_closest_alternative_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (windows, _) = logs(folder.path());
    // VISIO.EXE starts cmd.exe: the parent is what the first alternative lacks.
    let found = reason(&windows, Language::Spl, DCOM_SPL, 1026).await;
    assert_eq!((found.closest.len(), found.others.len()), (1, 2), "{found:?}");
    assert!(found.closest[0][0].clause.starts_with("ParentImage=\"*\\mmc.exe\" OR "), "{found:?}");
    let value = found.closest[0][0].values[0].1.as_deref().unwrap();
    assert!(value.ends_with("VISIO.EXE"), "{value}");
    // Two alternatives of the MMC20 command line lack one condition each.
    let found = reason(&windows, Language::Spl, DCOM_SPL, 1000).await;
    let lacking: Vec<&str> = found.closest.iter().map(|failed| failed[0].values[0].0.as_str()).collect();
    assert_eq!(lacking, ["ParentImage", "CommandLine"]);
    // The network event fails before any of that.
    assert_eq!(reason(&windows, Language::Spl, DCOM_SPL, 1002).await.clause, "EventCode=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_are_not_given_have_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let (windows, _) = logs(folder.path());
    let serials = found(&windows, Language::Spl, "RecordNumber=1022").await.into_iter().collect();
    let judged = windows.judge(Language::Spl, DCOM_SPL, serials).await.unwrap();
    let unchosen = judged[0].unchosen.iter().find(|found| found.value == "COM_SuspiciousChild").unwrap();
    assert_eq!(unchosen.field, "DetectionPattern");
    let failed = &unchosen.reason.closest[0][0];
    assert!(failed.any_case && failed.clause.starts_with("match(ParentImage"), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_other_rows_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let (windows, falcon) = logs(folder.path());
    for (session, language, query, command) in [
        (&windows, Language::Spl, "EventCode=* | dedup host | where x=1", "dedup"),
        (&windows, Language::Spl, "EventCode=* | stats count by host", "stats"),
        (&windows, Language::Spl, "EventCode=* | sort 1 - _time", "sort"),
        (&windows, Language::Spl, "| makeresults | where 1=2", "makeresults"),
        (&windows, Language::Spl, "| tstats count where EventCode=7", "tstats"),
        (&falcon, Language::LogScale, "FileName=* | groupBy(FileName) | _count > 1000", "groupBy"),
        (&falcon, Language::LogScale, "FileName=* | head(1)", "head"),
    ] {
        for judged in judged(session, language, query).await {
            match judged.verdict {
                Verdict::Reaches(ended) => assert_eq!(ended.command, command, "{query}"),
                Verdict::Fails(reason) => assert_eq!(language, Language::Spl, "{query}: {reason:?}"),
                Verdict::Kept => panic!("{query}"),
            }
        }
    }
    // Rows of many events carry no event's number.
    let search = windows.trace(Language::Spl, "EventCode=1 | stats count by host").await.unwrap();
    assert!(search.schema.field_with_name(EVENT).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_or_is_judged_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (windows, _) = logs(folder.path());
    let many: Vec<String> = (0..300).map(|n| format!("field_{n}=x OR other_{n}=y")).collect();
    let found = reason(&windows, Language::Spl, &format!("EventCode=1 ({})", many.join(" OR ")), 1005).await;
    assert_eq!((found.closest.len(), found.closest[0].len()), (1, 1), "{found:?}");
    assert!(found.clause.starts_with("field_0=x OR ") && found.clause.contains("field_299"), "{}", found.clause);
}
