//! The pipelines of the cases that make their rows from CSV, over a store that holds these rows.

use std::fs;
use std::path::Path;

use spelunk_engine::Language;
use spelunk_engine::ingest::{Input, Location};

use crate::setting::{assert_same, indexed_as};

/// One of so many is run: all of them take minutes.
const STEP: usize = 4;

/// A case: its rows, and the commands after these.
struct Case {
    name: String,
    rows: String,
    commands: String,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| of(&fs::read_to_string(file).unwrap())).collect()
}

fn of(text: &str) -> Vec<Case> {
    let of_one = |text: &str| {
        let (head, rest) = text.split_once('\n')?;
        let (query, expected) = rest.split_once("\n----\n")?;
        let made = query.strip_prefix("| makeresults format=csv data=\"")?;
        let (rows, commands) = made.split_once("\"\n")?;
        let plain = !rows.contains('\\') && !expected.starts_with("error:");
        let name = head.split_whitespace().next()?.to_lowercase();
        plain.then(|| Case { name, rows: rows.to_owned(), commands: commands.to_owned() })
    };
    text.split("\nquery ").skip(1).filter_map(of_one).collect()
}

#[test]
fn pipelines_of_the_cases() {
    let step = std::env::var("SPELUNK_CASES_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(STEP);
    let cases: Vec<Case> = cases().into_iter().step_by(step).collect();
    let folder = tempfile::tempdir().unwrap();
    let (mut inputs, mut searches) = (Vec::new(), Vec::new());
    for (number, case) in cases.iter().enumerate() {
        let index = format!("{number}-{}", case.name);
        let path = folder.path().join(format!("{index}.csv"));
        fs::write(&path, format!("{}\n", case.rows)).unwrap();
        searches.push(format!("index=\"{index}\"\n{}", case.commands));
        inputs.push(Input { location: Location::Path(path), index: Some(index) });
    }
    let store = folder.path().join("store");
    indexed_as(&store, inputs);
    let searches: Vec<&str> = searches.iter().map(String::as_str).collect();
    let remote = assert_same(&store, Language::Spl, &searches);
    assert!(searches.len() > 400 / step && remote * 3 > searches.len() * 2, "{remote} of {} ran there", searches.len());
}
