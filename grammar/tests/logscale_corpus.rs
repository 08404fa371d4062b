//! Parses the published LogScale queries in `../shared/corpora`, where that folder is present.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use spelunk_grammar::logscale::parse;

#[test]
fn published_queries_parse_and_print() {
    let root = std::env::var_os("SPELUNK_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let Ok(text) = fs::read_to_string(root.join("corpora/logscale.jsonl")) else {
        // Past the capture of test output, so that it shows.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is absent\n");
        return;
    };
    let (mut parsed, mut all) = (0, 0);
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let (id, query) = (value["id"].as_str().unwrap(), value["query"].as_str().unwrap());
        all += 1;
        match parse(query) {
            Ok(tree) => {
                parsed += 1;
                let printed = tree.to_string();
                assert_eq!(parse(&printed).as_ref(), Ok(&tree), "{id}\n{query}\n{printed}");
            }
            Err(found) => {
                assert!(!found.is_empty(), "{id}: no reason\n{query}");
                if std::env::var_os("SPELUNK_SHOW").is_some() {
                    let at = found[0].span.start;
                    let around = query.floor_char_boundary(at.saturating_sub(60));
                    let end = query.floor_char_boundary((at + 50).min(query.len()));
                    println!("{id} broken={}: {}\n    {:?}", value["broken"], found[0], &query[around..end]);
                }
            }
        }
    }
    println!("{parsed} of {all} parse");
    assert!(parsed * 100 >= all * 97, "{parsed} of {all} parse");
}
