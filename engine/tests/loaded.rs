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
    rows(options, query).await.into_iter().filter_map(|row| row.into_iter().next()).collect()
}

/// The texts of all columns that the search gives.
async fn rows(options: SessionOptions, query: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.json");
    std::fs::write(&path, EVENTS).unwrap();
    let session = Session::new(options, vec![Input { location: Location::Path(path), index: None }]).unwrap();
    let search = session.search(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let batches = search.stream.try_collect::<Vec<_>>().await.unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let texts = batch.columns().iter().map(|column| match cell(column, row, &jiff::tz::TimeZone::UTC) {
                Cell::Null => String::new(),
                Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
                Cell::Many(texts) => texts.join(" "),
            });
            rows.push(texts.collect());
        }
    }
    rows
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

/// Searches in which `@` stands where `uniq` changes nothing but that every field is read.
const SEARCHES: &[&str] = &[
    "* @ | stats count BY User | append [search User=bob] | table User count n Image",
    "* @ | stats count BY User | append [search User=bob] | eval z=coalesce(Image, \"x\") | table z",
    "* @ | fields User | append [search * | fields n] | stats sum(n) BY User",
    "* @ | stats count BY User | join User [search *] | table User count n Image",
    "* @ | stats count BY User | join User [search * | stats values(Image) AS i, max(n) BY User] | table User i *n*",
    "* @ | join left=L right=R where L.User=R.User [search n=*] | table L.User R.n L.Image",
    "* @ | table User n | join [search n=* | table User Image n] | table User Image n",
    "* @ | table User Image _time | join User usetime=t earlier=f [search *] | table User n",
    "* @ | stats count | appendcols [search * | head 1] | table count User n",
    "* @ | appendpipe [stats sum(n) AS n BY Image] | table User n",
    "* @ | stats count BY User | appendpipe [append [search * | head 2]] | table User Image",
    "* @ | stats count BY User | appendpipe [map search=\"search User=$User$ | head 1\"] | table User Image",
    "* @ | stats count BY User | union [search User=bob] | table User n count",
    "| union [search User=bob @ | stats count BY User] [search n=*] | stats sum(count) sum(n) BY User",
    "| set diff [search * @ | table User] [search n=80 | table User]",
    "| set intersect [search *] [search n=80] | table User n",
    "| append [search * @ | head 2] | append [search * | stats count BY User] | table User n count",
    "| makeresults | eval User=\"bob\" | join User max=0 [search * @] | table User n Image",
    "* @ | head 2 | map search=\"search User=$User$ Image=$Image$ | table User n\"",
    "* @ | transaction User | table User Image duration linecount",
    "* @ | transaction User startswith=(Image=*cmd*) keepevicted=t mvlist=n | table User n closed_txn",
    "* @ | transaction User | search calc | table User",
    "* @ | concurrency duration=n | table User concurrency",
    "* @ | localize maxpause=1s | table starttime eventcount",
    "* [search n=80 | fields User] @ | table n Image",
    "* [search n=80 | eval search=\"Image=*\".substr(Image,-7) | fields search] @ | table User",
    "* NOT [search n=80 | fields User Image] @ | table User",
    "* @ | where n>[search * | stats avg(n) AS a | return $a] | table User",
    "* @ | eval m=[search * | stats max(n) AS a | return $a] | table User m",
    "* @ | chart sum(n) BY User Image | addtotals | foreach *exe [eval t=1] | table User Total t",
    "* @ | foreach n [eval x_<<FIELD>>=<<FIELD>>.User] | table x_n",
    "* @ | cluster field=Image | table cluster_count User",
    "* @ | anomalydetection action=annotate | table User n log_event_prob",
    "* @ | kmeans k=2 n | table User CLUSTERNUM",
    "* @ | selfjoin keepsingle=t User | table n Image",
    "* @ | mvcombine n | table User n",
    "* @ | diff position1=1 position2=2",
    "* @ | dedup User keepevents=t sortby -n | table User n",
    "| tstats count WHERE index=* BY User | join User [search * @] | table User n count",
];

#[tokio::test]
async fn enough_is_read_for_searches_in_searches() {
    for search in SEARCHES {
        let narrow = rows(SessionOptions::default(), &search.replace('@', "")).await;
        let all = rows(SessionOptions::default(), &search.replace('@', "| uniq")).await;
        assert!(!all.is_empty(), "{search} finds nothing");
        assert_eq!(narrow, all, "{search}");
    }
}

/// Splunk Search Reference, "timechart": `fixedrange` and `partial`.
#[tokio::test]
async fn timechart_reaches_over_the_range_that_was_named() {
    let named = "index=* earliest=01/01/2024:00:00:00 latest=01/01/2024:00:00:06";
    let chart = format!("{named} | timechart span=2s count | table count");
    assert_finds(&chart, &["2", "1", "0"]).await;
    assert_finds(&format!("{named} | timechart span=2s fixedrange=f count | table count"), &["2", "1"]).await;
    assert_finds(&format!("{named} | timechart span=2s cont=f count | table count"), &["2", "1"]).await;
    assert_finds(&format!("{named} | timechart span=4s partial=f count | table count"), &["3"]).await;
    assert_finds("index=* earliest=0 | timechart span=2s count | table count", &["2", "1"]).await;
    // Rows by the year would be fewer than the events' own.
    assert_finds("index=* earliest=01/01/1990:00:00:00 | timechart span=1s count | table count", &["1", "1", "1"])
        .await;
}

/// Each step names the one before it twice, so that written out the last one is a text of gigabytes.
#[tokio::test]
async fn what_is_computed_step_by_step_is_not_written_out() {
    let step = r#"| eval k=if(isnull(k), "x".a, k), a=if(isnull(k), "y".k, a."0")"#;
    let steps = std::iter::repeat_n(step, 26).collect::<Vec<_>>().join(" ");
    let begin = format!(r#"| makeresults | eval a="1" {steps} | eval k=substr(k, 1, 2)"#);
    for end in [
        r#"| join k [| makeresults | eval k="x1"] | table k"#,
        "| where k=\"x1\" | table k",
        "| sort 2 k, a | table k",
        "| stats max(a) by k | where k=\"x1\" | table k",
        "| append [| makeresults | eval k=1] | search k=x* | table k",
    ] {
        let found = first_column(SessionOptions::default(), &format!("{begin} {end}")).await;
        assert_eq!(found, ["x1"], "{end}");
    }
}
