//! The reference pages are those that the registries make, and their examples run.
//!
//! `UPDATE_REFERENCE=1 cargo test -p spelunk-engine --test reference` writes the pages anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt;
use spelunk_engine::lookups::{Lookups, Writable};
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Session, SessionOptions, reference};
use spelunk_grammar::spl::commands;

/// The first cell of the result, several values with blanks between them.
fn value(query: &str) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // What the examples of lookups read, and where they write.
        let folder = tempfile::tempdir().unwrap();
        let table =
            "status,status_description,status_type\n301,Moved Permanently,Redirection\n404,Not Found,Client Error\n";
        fs::create_dir(folder.path().join("written")).unwrap();
        fs::write(folder.path().join("http_status.csv"), table).unwrap();
        let writable = Writable::folder(&folder.path().join("written")).unwrap();
        let lookups = Arc::new(Lookups::load(&[folder.path().to_path_buf()], writable).unwrap());
        let options = SessionOptions { lookups, ..SessionOptions::default() };
        let session = Session::new(options, Vec::new()).unwrap();
        let search = session.search(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        let batches: Vec<_> = search.stream.try_collect().await.unwrap_or_else(|error| panic!("{query}: {error}"));
        let batch = batches.iter().find(|batch| batch.num_rows() > 0).unwrap_or_else(|| panic!("{query}: no row"));
        match cell(batch.column(0), 0, &jiff::tz::TimeZone::UTC) {
            Cell::Null => "null".to_string(),
            Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
            Cell::Many(values) => values.join(" "),
        }
    })
}

#[test]
fn every_function_gives_what_its_example_says() {
    for function in reference::eval_functions() {
        let (expression, expected) = function.example;
        let query =
            format!(r#"| makeresults | eval x=split("5,10,15", ",") | eval result={expression} | table result"#);
        assert_eq!(value(&query), expected, "{expression}");
    }
}

#[test]
fn every_statistical_function_gives_what_its_example_says() {
    for statistic in reference::STATISTICS {
        let (call, expected) = statistic.example;
        let rows = "| makeresults format=csv data=\"x,g,t\n2,a,100\n3,b,101\n6,a,102\" | eval _time=t";
        assert_eq!(value(&format!("{rows} | stats {call} AS result")), expected, "{call}");
    }
}

#[test]
fn every_example_of_a_command_runs() {
    for doc in commands::commands() {
        assert!(!doc.examples.is_empty(), "{} has no example", doc.name);
        for example in doc.examples {
            let (macros, saved_searches) = Default::default();
            let apps = Arc::default();
            let knowledge = spelunk_engine::knowledge::Knowledge {
                macros: &macros,
                saved_searches: &saved_searches,
                apps: &apps,
                lookups: None,
            };
            // Without events no row comes of a data model, so what reads one is only checked.
            if matches!(doc.name, "datamodel" | "pivot") || example.contains("datamodel:") {
                let checked = spelunk_engine::session::check(example, knowledge);
                assert!(matches!(checked, spelunk_engine::session::Checked::Ok(_)), "{example}: {checked:?}");
            } else {
                value(example);
            }
        }
    }
}

#[test]
fn the_reference_pages_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference");
    for (name, page) in [
        ("commands.md", reference::commands()),
        ("functions.md", reference::functions()),
        ("logscale.md", reference::logscale()),
    ] {
        let file = folder.join(name);
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &page).unwrap();
        }
        let written = fs::read_to_string(&file).unwrap_or_default();
        assert!(written == page, "docs/reference/{name} is stale; UPDATE_REFERENCE=1 writes it anew");
    }
}
