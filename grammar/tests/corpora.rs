//! Parses the published searches in `../shared/corpora`, where that folder is present.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use spelunk_grammar::Code;
use spelunk_grammar::spl::parse;

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("SPELUNK_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let corpora = root.join("corpora");
    corpora.is_dir().then_some(corpora)
}

/// The `query` of every line.
fn json_lines(path: &Path) -> Vec<(String, String)> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    text.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            (value["id"].as_str().unwrap().to_owned(), value["query"].as_str().unwrap().to_owned())
        })
        .collect()
}

/// The `search:` of every detection. It is a plain, quoted or folded scalar; folding joins lines by a blank.
fn detections(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            detections(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            let text = fs::read_to_string(&path).unwrap();
            if let Some(search) = yaml_search(&text) {
                found.push((path.display().to_string(), search));
            }
        }
    }
}

fn yaml_search(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("search:"));
    let first = lines.next()?.strip_prefix("search:")?.trim();
    let rest: Vec<&str> = lines.take_while(|line| line.starts_with(' ') || line.is_empty()).map(str::trim).collect();
    let rest = rest.join(" ");
    Some(match first {
        ">" | ">-" | "|" | "|-" => rest,
        _ => {
            let whole = format!("{first} {rest}").trim().to_owned();
            if let Some(inside) = whole.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
                inside.replace("''", "'")
            } else if let Some(inside) = whole.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                inside.replace("\\\"", "\"").replace("\\\\", "\\")
            } else {
                whole
            }
        }
    })
}

#[test]
fn published_searches_parse_and_print() {
    let Some(corpora) = corpora() else {
        // Past the capture of test output, so that it shows.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is absent\n");
        return;
    };
    let mut escu = Vec::new();
    detections(&corpora.join("escu/detections"), &mut escu);
    let sets = [
        ("escu", escu),
        ("sigma", json_lines(&corpora.join("sigma-spl.jsonl"))),
        ("splunkbase", json_lines(&corpora.join("splunkbase.jsonl"))),
    ];
    for (set, queries) in sets {
        let (mut parsed, mut plain) = (0, 0);
        let mut codes: BTreeMap<String, usize> = BTreeMap::new();
        for (id, query) in &queries {
            match parse(query) {
                Ok(tree) => {
                    parsed += 1;
                    let printed = tree.to_string();
                    assert_eq!(parse(&printed).as_ref(), Ok(&tree), "{id}\n{query}\n{printed}");
                }
                Err(diagnostics) => {
                    assert!(!diagnostics.is_empty(), "{id}: no reason\n{query}");
                    if std::env::var_os("SPELUNK_SHOW").is_some() {
                        for found in diagnostics.iter().filter(|found| found.code == Code::UnknownCommand) {
                            println!("@@ {set} {}", found.message);
                        }
                    }
                    let mut seen: Vec<String> = diagnostics.iter().map(|found| format!("{:?}", found.code)).collect();
                    seen.sort();
                    seen.dedup();
                    seen.into_iter().for_each(|code| *codes.entry(code).or_default() += 1);
                    if diagnostics.iter().any(|found| {
                        matches!(
                            found.code,
                            Code::Syntax | Code::Unbalanced | Code::InvalidOption | Code::InvalidArgument
                        )
                    }) {
                        plain += 1;
                        if std::env::var_os("SPELUNK_SHOW").is_some() {
                            for found in diagnostics.iter().filter(|found| {
                                matches!(
                                    found.code,
                                    Code::Syntax | Code::Unbalanced | Code::InvalidOption | Code::InvalidArgument
                                )
                            }) {
                                let around = query.floor_char_boundary(found.span.start.saturating_sub(60));
                                let end = query.floor_char_boundary((found.span.start + 50).min(query.len()));
                                println!("{set} {id}: {found}\n    {:?}", &query[around..end]);
                            }
                        }
                    }
                }
            }
        }
        println!("{set}: {} queries, {parsed} parse, {plain} with syntax errors, by code {codes:?}", queries.len());
        assert!(plain * 100 <= queries.len(), "{set}: {plain} of {} do not parse", queries.len());
    }
}
