//! Searches on a cluster give what they give on one machine, row for row: a scheduler and two workers in this process, a
//! store of what the project generates itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod cases;
mod failing;
mod searches;
mod setting;
#[path = "../searches/mod.rs"]
mod store;

use std::fs::{self, File};
use std::path::Path;

use setting::{Setting, assert_same, cluster, indexed, local};
use spelunk_datasets::{DCOM_CQL, DCOM_SPL, Format, Generator, GeneratorOptions, generate, write_json_lines};
use spelunk_engine::Language;

/// Everyday events with attacks among them, of several shapes and in several files.
fn events(folder: &Path) {
    let options = GeneratorOptions { events: 3_000, attack_rate: 0.02, ..GeneratorOptions::default() };
    let generated = Generator::new(5, options).map(|generated| generated.event);
    write_json_lines(&mut File::create(folder.join("a.jsonl")).unwrap(), generated).unwrap();
    generate(File::create(folder.join("b.xml")).unwrap(), Format::Xml, 9, 300).unwrap();
    fs::write(folder.join("c.log"), "2024-01-01T00:00:01Z hello world\n2024-01-01T00:00:02Z bye a=1\nno time\n")
        .unwrap();
    let mixed = "{\"_time\":\"2024-01-01T00:00:01Z\",\"tag\":[\"x\",\"y\"],\"mixed\":1,\"ratio\":0.25,\"host\":\"h\"}\n\
                 {\"_time\":\"2024-01-01T00:00:01Z\",\"tag\":\"x\",\"mixed\":\"one\",\"ratio\":1e-7,\"empty\":\"\"}\n";
    fs::write(folder.join("d.json"), mixed).unwrap();
}

#[test]
fn what_stores_are_tried_with() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let store = indexed(folder.path());
    assert_same(&store, Language::Spl, store::SEARCHES);
}

#[test]
fn searches_of_every_command() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let store = indexed(folder.path());
    assert_same(&store, Language::Spl, searches::SPL);
    assert_same(&store, Language::LogScale, searches::LOGSCALE);
}

#[test]
fn published_detections() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let store = indexed(folder.path());
    assert_same(&store, Language::Spl, &[DCOM_SPL]);
    assert_same(&store, Language::LogScale, &[DCOM_CQL]);
    let setting = Setting::new();
    let found = setting.run(&setting.session(&store, Language::Spl, cluster()), DCOM_SPL).unwrap();
    assert!(found.rows.len() > 10 && found.remote, "{} rows", found.rows.len());
}

/// What stands above an aggregate, or counts on the order of rows, runs here, on less.
#[test]
fn what_runs_where_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let store = indexed(folder.path());
    let setting = Setting::new();
    let session = setting.session(&store, Language::Spl, cluster());
    for (query, remote, here) in [
        ("EventCode=1 | stats count by Image", "AggregateExec: mode=FinalPartitioned", "RemoteExec"),
        ("EventCode=1 | head 3", "SortExec: TopK(fetch=3)", "RemoteExec"),
        ("EventCode=1 | dedup Image | table Image", "LeadingExec", "RemoteExec"),
        ("EventCode=1 | streamstats count by host", "DataSourceExec", "RunningExec"),
        ("EventCode=1 | transaction host", "DataSourceExec", "TransactionExec"),
        ("EventCode=1 | stats count by Image | streamstats sum(count)", "AggregateExec", "RunningExec"),
        ("* | timechart count by host", "while the search was planned", "DataSourceExec: partitions"),
        ("EventCode=1 [search EventCode=3 | head 1 | fields host]", "while the search was planned", "RemoteExec"),
    ] {
        let explained = setting.block_on(session.explain(query)).unwrap();
        let stages = explained.remote.join("\n");
        assert!(stages.contains(remote), "{query}\n{stages}");
        assert!(explained.physical.contains(here), "{query}\n{}", explained.physical);
    }
    let explained = setting.block_on(setting.session(&store, Language::Spl, local()).explain("*")).unwrap();
    assert!(explained.remote.is_empty());
    // The rows of a search for nothing have columns all the same.
    let found = setting.run(&session, "EventCode=1 Image=nosuchthing* | table Image host").unwrap();
    assert_eq!(found.rows, [["Image", "host"]]);
}

/// Of `stats by`, what passes between workers are the partial aggregates.
#[test]
fn aggregates_are_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let (store, setting, cluster) = (indexed(folder.path()), Setting::new(), cluster().unwrap());
    let session = setting.session(&store, Language::Spl, Some(cluster.clone()));
    let found = setting.run(&session, "* | stats count by EventCode").unwrap();
    let done = cluster.take_done();
    let scanned: u64 = done.iter().map(|stage| stage.scanned).sum();
    assert!(scanned > 3_000, "{done:?}");
    assert!(done.iter().all(|stage| stage.rows < scanned / 10), "{done:?}");
    assert_eq!(done.last().unwrap().rows, found.rows.len() as u64 - 1, "{done:?}");
    assert!(cluster.take_done().is_empty());
}

/// The table of a lookup travels with the plan, and what an app makes of events.
#[test]
fn lookups_and_apps_travel() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let store = indexed(folder.path());
    let tables = folder.path().join("tables");
    fs::create_dir_all(tables.join("default")).unwrap();
    fs::create_dir_all(tables.join("lookups")).unwrap();
    fs::write(tables.join("lookups/codes.csv"), "code,what,kinds\n1,started,\"a\"\n3,connected,b\n3,talked,c\n")
        .unwrap();
    fs::write(tables.join("lookups/wild.csv"), "image,tool\n*\\\\cmd.exe,shell\n*powershell*,shell\n").unwrap();
    let transforms = "[wild]\nfilename = wild.csv\nmatch_type = WILDCARD(image)\ncase_sensitive_match = false\nmin_matches = 1\ndefault_match = none\n\
        [pairs]\nREGEX = \"(\\w+)\":(\\d+)\nFORMAT = $1::$2\nMV_ADD = 1\n";
    fs::write(tables.join("default/transforms.conf"), transforms).unwrap();
    fs::write(tables.join("default/props.conf"), "[source::...]\nREPORT-p = pairs\nEVAL-twice = mixed * 2\n").unwrap();
    let setting = Setting::new();
    let run = |language, query, cluster| {
        let session = setting.session_with(&store, language, cluster, &tables);
        let remote = setting.block_on(session.explain(query)).unwrap().remote.join("\n");
        (setting.run(&session, query).unwrap(), remote)
    };
    for (language, query) in [
        (Language::Spl, "* | lookup codes.csv code AS EventCode OUTPUT what | stats count by what"),
        (Language::Spl, "* | lookup codes.csv code AS EventCode | table EventCode what kinds | head 50"),
        (Language::Spl, "EventCode=1 | lookup wild image AS Image OUTPUT tool | stats count by tool"),
        (Language::Spl, "* | lookup codes.csv code AS EventCode OUTPUTNEW what AS host | stats count by host"),
        (Language::Spl, "* | stats count(twice) AS n values(twice) AS t values(mixed) AS m by sourcetype"),
        (Language::LogScale, "match(file=\"codes.csv\", field=EventID, column=code) | groupBy(what)"),
    ] {
        let (here, _) = run(language, query, local());
        let (there, stages) = run(language, query, cluster());
        assert_eq!((&here.rows, &here.findings), (&there.rows, &there.findings), "{query}");
        let travels = [("lookup ", "spl_lookup"), ("twice", "spl_pairs")].into_iter();
        for (_, function) in travels.filter(|(piece, _)| query.contains(piece)) {
            assert!(stages.contains(function), "{query}\n{stages}");
        }
    }
}

/// Logs that are no store are read here.
#[test]
fn logs_are_searched_here() {
    let folder = tempfile::tempdir().unwrap();
    events(folder.path());
    let setting = Setting::new();
    let found = setting.run(&setting.session(folder.path(), Language::Spl, cluster()), "* | stats count").unwrap();
    assert!(!found.remote);
    assert_eq!(found.rows[1].len(), 1);
    assert!(found.findings.iter().any(|finding| finding.contains("no store")), "{:?}", found.findings);
}
