//! Runs every `.cases` file below `tests/cases`: queries with the rows that they must give.
//!
//! A case is `query NAME [rowsort]`, the query, `----`, then the expected CSV (header first; null is an unquoted
//! empty cell, the empty string is `""`, a multivalue cell holds its values one per line) ended by a blank line; or
//! one line `error: WORD` where the query must be refused with WORD in the message. Lines that start with `#`
//! before a case say where the expectation comes from. A query whose first line is `// lang: logscale` is one of LogScale.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use libtest_mimic::{Arguments, Failed, Trial};
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Error, Language, Session, SessionOptions};

struct Case {
    name: String,
    rowsort: bool,
    query: String,
    expected: String,
}

type Row = Vec<Option<String>>;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut trials = Vec::new();
    for file in case_files(&folder) {
        let group = file.file_stem().unwrap().to_string_lossy().into_owned();
        for case in read(&file) {
            let name = format!("{group}::{}", case.name);
            trials.push(Trial::test(name, move || check(&case)));
        }
    }
    assert!(!trials.is_empty(), "no cases below {}", folder.display());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn case_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cases"))
        .collect();
    files.sort();
    files
}

fn read(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    let mut cases = Vec::new();
    let mut next = 0;
    while next < lines.len() {
        let Some(head) = lines[next].strip_prefix("query ") else {
            next += 1;
            continue;
        };
        let mut words = head.split_whitespace();
        let name = words.next().expect("a case needs a name").to_string();
        let rowsort = words.any(|word| word == "rowsort");
        let dashes = next + lines[next..].iter().position(|line| *line == "----").expect("a case needs `----`");
        let query = lines[next + 1..dashes].join("\n");
        let mut expected = Vec::new();
        let mut quoted = false;
        next = dashes + 1;
        while next < lines.len() && (quoted || !lines[next].is_empty()) {
            quoted ^= lines[next].matches('"').count() % 2 == 1;
            expected.push(lines[next]);
            next += 1;
        }
        cases.push(Case { name, rowsort, query, expected: expected.join("\n") });
    }
    cases
}

fn check(case: &Case) -> Result<(), Failed> {
    let found = tokio::runtime::Runtime::new().unwrap().block_on(run(&case.query));
    if let Some(word) = case.expected.strip_prefix("error:") {
        let word = word.trim().trim_matches('"').to_lowercase();
        return match found {
            Ok(_) => Err("the query was accepted, it must be refused".into()),
            Err(error) if error.to_string().to_lowercase().contains(&word) => Ok(()),
            Err(error) => Err(format!("refused, but the message lacks {word:?}: {error}").into()),
        };
    }
    let mut found = found.map_err(|error| error.to_string())?;
    let mut expected = parse_csv(&case.expected);
    if case.rowsort {
        for rows in [&mut found, &mut expected] {
            if let Some(rows) = rows.get_mut(1..) {
                rows.sort();
            }
        }
    }
    let same = found.len() == expected.len() && found.iter().zip(&expected).all(|(a, b)| same_row(a, b));
    if same { Ok(()) } else { Err(format!("expected {expected:#?}\nfound {found:#?}").into()) }
}

fn same_row(a: &Row, b: &Row) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_cell(a.as_deref(), b.as_deref()))
}

/// Long fractions may differ in their last digits.
fn same_cell(a: Option<&str>, b: Option<&str>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return a == b };
    let long = |text: &str| text.len() >= 9 && text.contains('.');
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) if long(a) && long(b) => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
        _ => a == b,
    }
}

async fn run(query: &str) -> Result<Vec<Row>, Error> {
    let language = match query.trim_start().starts_with("// lang: logscale") {
        true => Language::LogScale,
        false => Language::Spl,
    };
    let session = Session::new(SessionOptions { language, ..SessionOptions::default() }, Vec::new())?;
    let search = session.search(query).await?;
    let mut rows: Vec<Row> = Vec::new();
    rows.push(search.schema.fields().iter().map(|field| Some(field.name().clone())).collect());
    let batches: Vec<_> = search.stream.try_collect().await?;
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| match cell(column, row, &jiff::tz::TimeZone::UTC) {
                Cell::Null => None,
                Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => Some(text),
                Cell::Many(values) => Some(values.join("\n")),
            });
            rows.push(cells.collect());
        }
    }
    Ok(rows)
}

/// CSV that tells an empty cell (null) from a quoted empty one (the empty string).
fn parse_csv(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut row: Row = Vec::new();
    let mut cell: Option<String> = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if cell.is_none() => {
                let mut quoted = String::new();
                while let Some(letter) = letters.next() {
                    match letter {
                        '"' if letters.peek() == Some(&'"') => {
                            letters.next();
                            quoted.push('"');
                        }
                        '"' => break,
                        _ => quoted.push(letter),
                    }
                }
                cell = Some(quoted);
            }
            ',' => row.push(cell.take()),
            '\n' => {
                row.push(cell.take());
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.get_or_insert_default().push(letter),
        }
    }
    row.push(cell.take());
    rows.push(row);
    rows
}
