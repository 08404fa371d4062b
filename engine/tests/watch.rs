//! Searches that are ended early, and what their commands take.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use futures::TryStreamExt;
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::watch::profile::Line;
use spelunk_engine::{Error, Language, Session, SessionOptions};

const EVENTS: usize = 50_000;

fn session() -> (Session, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let line = |n: usize| format!("{{\"_time\":{},\"host\":\"h{}\",\"n\":{n}}}\n", 1_500_000_000 + n, n % 7);
    std::fs::write(folder.path().join("log.jsonl"), (0..EVENTS).map(line).collect::<String>()).unwrap();
    let input = Input { location: Location::Path(folder.path().to_owned()), index: None };
    let options = SessionOptions { keep: true, ..SessionOptions::default() };
    (Session::new(options, vec![input]).unwrap(), folder)
}

async fn profile(session: &Session, language: Language, text: &str) -> (usize, Vec<Line>) {
    session.measure(true);
    let search = session.probe(language, text).await.unwrap();
    let profile = search.profile;
    let batches: Vec<_> = search.stream.try_collect().await.unwrap();
    session.measure(false);
    (batches.iter().map(|batch| batch.num_rows()).sum(), profile.lines())
}

/// Each line as `rows: command | command`, with `…` behind a part of one.
fn shown(lines: &[Line]) -> Vec<String> {
    let line = |line: &Line| {
        let commands =
            line.commands.iter().map(|share| format!("{}{}", share.text, if share.divided { " …" } else { "" }));
        let ahead = line.ahead.as_ref().map_or(String::new(), |by| format!("({by}) "));
        format!("{}: {ahead}{}", line.rows, commands.collect::<Vec<_>>().join(" | "))
    };
    lines.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_as_one_is_one_line() {
    let (session, _folder) = session();
    let lines = |text: &'static str| {
        let session = &session;
        async move {
            let (rows, lines) = profile(session, Language::Spl, text).await;
            assert_eq!(lines.last().map(|line| line.rows), Some(rows as u64), "{text}: {lines:?}");
            shown(&lines)
        }
    };
    assert_eq!(lines("n<100 | eval m=n*2 | where m>50").await, ["74: search n<100 | eval m=n * 2 | where m > 50"]);
    assert_eq!(
        lines("n<100 | eval m=n%3 | stats count by m | where count>33").await,
        [
            "100: search n<100 | eval m=n % 3 | stats count BY m …",
            "3: stats count BY m …",
            "1: stats count BY m … | where count > 33"
        ]
    );
    // A condition on a group is moved below the aggregate, so no line before it is what its commands alone give.
    assert_eq!(
        lines("n<100 | stats count by host | where host=\"h1\"").await,
        ["1: search n<100 | stats count BY host | where host = \"h1\""]
    );
    assert_eq!(lines("n<100 | sort - n | head 5").await, ["100: search n<100", "5: sort -n | head limit=5"]);
    assert_eq!(lines("n<100 | streamstats count AS c | where c>98").await.last().unwrap().split(':').next(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_ahead_is_told() {
    let (session, _folder) = session();
    let (rows, lines) = profile(&session, Language::Spl, "n<100 | chart count by host, index").await;
    assert_eq!(rows, 7);
    let shown = shown(&lines);
    assert!(shown.iter().any(|line| line == "100: (chart) search n<100"), "{shown:?}");
    assert!(shown.last().unwrap().starts_with("7: chart count"), "{shown:?}");
    // What was measured before is not told again.
    let (_, lines) = profile(&session, Language::LogScale, "n=5 | groupBy(host)").await;
    assert!(lines.iter().all(|line| line.ahead.is_none() && line.rows == 1), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn which_searches_have_parts() {
    let (session, _folder) = session();
    for (language, text, whole) in [
        (Language::Spl, "n<5", None),
        (Language::Spl, "n<5 | eval m=1 | where m=1 | table m | sort 0 m", None),
        (Language::Spl, "n<5 | mvexpand n | rex field=host \"(?<d>[0-9])\"", None),
        (Language::Spl, "n<5 | stats count", Some("`stats`")),
        (Language::Spl, "n<5 | eval m=1 | head 3 | stats count", Some("`head`")),
        (Language::Spl, "n<5 | dedup host", Some("`dedup`")),
        (Language::Spl, "n<5 | transaction host", Some("`transaction`")),
        (Language::Spl, "n<5 | eventstats count", Some("`eventstats`")),
        (Language::LogScale, "n=5 | m:=1", None),
        (Language::LogScale, "n=5 | groupBy(host)", Some("`groupBy()`")),
    ] {
        let search = session.probe(language, text).await.unwrap();
        assert_eq!(search.whole.as_deref(), whole, "{text}");
    }
}

// On one thread, nothing runs before the stream is asked.
#[tokio::test(flavor = "current_thread")]
async fn what_was_ended_gives_what_came() {
    let (session, _folder) = session();
    session.load().await.unwrap();
    let search = session.search("n>=0 | table n").await.unwrap();
    assert!(search.complete);
    session.watch().end();
    assert!(search.stream.try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert!(session.watch().has_ended());
    // The next search is whole again.
    let search = session.search("n>=0 | stats count").await.unwrap();
    let batches: Vec<_> = search.stream.try_collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1);
    let progress = session.watch().progress();
    assert_eq!(progress.scanned, EVENTS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ended_while_it_was_planned_is_no_result() {
    let (session, _folder) = session();
    session.load().await.unwrap();
    // A runner that never gets to the end by itself: it ends the search from outside as soon as events are looked at.
    let watch = session.watch();
    let ending = std::thread::spawn(move || {
        while watch.progress().scanned == 0 {
            std::thread::yield_now();
        }
        watch.end();
    });
    let found =
        session.search("n>=0 | eval k=sha512(tostring(n)) | append [search n>=0 | stats dc(k)] | transpose").await;
    ending.join().unwrap();
    match found {
        Err(Error::Unfinished(command)) => assert!(command.starts_with('`'), "{command}"),
        // It was faster than the other thread.
        Ok(search) => assert!(search.whole.is_some() || !session.watch().has_ended()),
        Err(other) => panic!("{other}"),
    }
}
