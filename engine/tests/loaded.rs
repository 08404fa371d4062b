//! Searches over events that are read from a file, where what a search names decides what is read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use futures::TryStreamExt;
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Session, SessionOptions};

const EVENTS: &str = r#"{"_time":"2024-01-01T00:00:00Z","Image":"C:\\Windows\\cmd.exe","User":"bob","n":80}
{"_time":"2024-01-01T00:00:01Z","Image":"C:\\Windows\\calc.exe","User":"alice","n":5}
{"_time":"2024-01-01T00:00:02Z","Image":"C:\\x\\CMD.EXE","User":"eve"}
"#;

/// The texts of the first column that the search gives.
async fn first_column(options: SessionOptions, query: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.json");
    std::fs::write(&path, EVENTS).unwrap();
    let session = Session::new(options, vec![Input { location: Location::Path(path), index: None }]).unwrap();
    let search = session.search(query).await.unwrap();
    let batches = search.stream.try_collect::<Vec<_>>().await.unwrap();
    let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    rows.map(|(batch, row)| match cell(batch.column(0), row, &jiff::tz::TimeZone::UTC) {
        Cell::Null => String::new(),
        Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
        Cell::Many(texts) => texts.join(" "),
    })
    .collect()
}

async fn assert_finds(query: &str, expected: &[&str]) {
    for keep in [false, true] {
        let options = SessionOptions { keep, ..SessionOptions::default() };
        assert_eq!(first_column(options, query).await, expected, "{query} (keep: {keep})");
    }
}

#[tokio::test]
async fn a_subsearch_may_name_fields_that_the_search_does_not() {
    assert_finds(r#"index=* [| makeresults | eval Image="*cmd.exe" | fields Image] | table User"#, &["eve", "bob"])
        .await;
    // What its text names cannot be seen before it runs.
    assert_finds(r#"index=* [| makeresults | eval search="Image=*calc*" | fields search] | table User"#, &["alice"])
        .await;
    assert_finds(r#"index=* [| makeresults | eval search="cmd" | fields search] | table User"#, &["eve", "bob"]).await;
    assert_finds("index=* [search User=alice | fields Image] | table User", &["alice"]).await;
    assert_finds("User=[search Image=*calc* | return $User] | table n", &["5"]).await;
    assert_finds(
        "User=bob OR NOT [search n=* | rename User AS who, n AS User | fields who] | table User",
        &["eve", "alice", "bob"],
    )
    .await;
}

#[tokio::test]
async fn an_index_that_is_not_there_leaves_nothing_out() {
    for query in ["index=nosuch", "NOT index=nosuch", "index!=nosuch", "NOT splunk_server=a", "splunk_server!=a"] {
        assert_finds(&format!("{query} | table User"), &["eve", "alice", "bob"]).await;
    }
    assert_finds("User=bob NOT (index=nosuch OR User=alice) | table User", &["bob"]).await;
}

#[tokio::test]
async fn grouped_rows_know_their_first_and_last_time() {
    let query = "* | eval g=if(n>0, 1, 2) | stats latest(User) AS last, earliest(User) AS first BY g | table last";
    assert_finds(query, &["alice", "eve"]).await;
    assert_finds("* | stats max(_time) AS _time | table _time", &["2024-01-01T00:00:02.000Z"]).await;
    assert_finds("* | rename _time AS seconds | head 1 | table seconds", &["1704067202"]).await;
    assert_finds("* | eval t=1 | fields t | rename t AS _time | head 1", &["1970-01-01T00:00:01.000Z"]).await;
}

#[tokio::test]
async fn a_time_that_was_set_is_bounded_too() {
    assert_finds("* | eval _time=n | head 1 | eval _time=5 | search earliest=4 latest=6 | table _time", &["5"]).await;
    assert_finds("* | eval _time=5 | search earliest=6", &[]).await;
}

#[tokio::test]
async fn no_rows_are_wanted() {
    assert_finds("* | head 0 | table User", &[]).await;
    assert_finds("* | tail 0 | table User", &[]).await;
    assert_finds("* | sort User | head 0 | stats count", &["0"]).await;
}

#[tokio::test]
async fn patterns_for_fields_are_known_when_the_events_are() {
    assert_finds("* | stats dc(Us*) AS *", &["3"]).await;
    assert_finds("* | stats sum(nosuch*)", &[]).await;
    assert_finds("* | eventstats max(n*) | head 1 | table max(n)", &["80"]).await;
}

#[tokio::test]
async fn totals_need_no_field_list() {
    assert_finds("* | addtotals | table Total", &["0", "5", "80"]).await;
}

#[tokio::test]
async fn the_name_of_the_serial_number_is_free() {
    assert_finds("* | eval _serial=n | table _serial", &["", "5", "80"]).await;
    assert_finds("* | table _serial, User | fields User", &["eve", "alice", "bob"]).await;
}

#[tokio::test]
async fn what_is_known_of_the_events_comes_from_looking_at_them() {
    assert_finds("| metadata type=sourcetypes | table totalCount", &["3"]).await;
    assert_finds("| metadata sourcetypes index=* | eval n=lastTime-firstTime | table n", &["2"]).await;
    assert_finds("| eventcount", &["3"]).await;
    assert_finds("| eventcount summarize=false index=* OR index=_* | table count", &["3"]).await;
    assert_finds("| metasearch calc | stats count", &["1"]).await;
    assert_finds("| metasearch index=* NOT calc | stats count", &["2"]).await;
    assert_finds("| metasearch [search User=alice | fields sourcetype] | stats count", &["3"]).await;
}

#[tokio::test]
async fn whole_rows_are_read_where_every_field_counts() {
    assert_finds(
        "User=bob | transpose | search column IN (_raw, n, User) | table \"row 1\" | sort \"row 1\" | tail 2",
        &[
            "{\"_time\":\"2024-01-01T00:00:00Z\",\"Image\":\"C:\\\\Windows\\\\cmd.exe\",\"User\":\"bob\",\"n\":80}",
            "bob",
        ],
    )
    .await;
    assert_finds("index=* | fieldsummary n User", &["User", "n"]).await;
    assert_finds("index=* | fieldsummary | search field IN (Image, n) | table distinct_count", &["3", "2"]).await;
    assert_finds("index=* | untable User f v | search f=n | table v", &["5", "80"]).await;
    assert_finds("index=* | xyseries User Image n | stats count", &["3"]).await;
    assert_finds("index=* | contingency User n | tail 1 | table TOTAL", &["2"]).await;
    assert_finds("index=* | correlate | search RowField=n | table User", &["0.6666666666666666"]).await;
    assert_finds("index=* | trendline sma2(n) AS mean | where mean>0 | table mean", &["42.5"]).await;
    assert_finds("index=* | gauge n", &["5"]).await;
    assert_finds("index=* | reltime | stats count(reltime)", &["3"]).await;
}
