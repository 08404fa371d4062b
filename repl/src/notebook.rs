//! What a session did: its searches with their counts, and the SHA-256 of what was searched.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use spelunk_engine::ingest::FileReport;
use spelunk_engine::values;

use crate::escape;
use crate::render::timeline::{self, Timeline};
use crate::render::{html, markdown};
use crate::report;

/// How many cells the timeline of a search has in Markdown, where lines do not fit the window by themselves.
const CELLS: usize = 100;

/// What happened in a session.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A search was run.
    Searched(Box<Logged>),
    /// The user wrote something down.
    Noted {
        /// What.
        text: String,
        /// When.
        at: Timestamp,
    },
}

/// A search that was run.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Its text.
    pub query: String,
    /// The bounds of time (microseconds) that held where it named none.
    pub bounds: (Option<i64>, Option<i64>),
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub elapsed: Duration,
    /// How many rows it gave; `None` where it failed or was cancelled.
    pub rows: Option<u64>,
    /// Whether it was ended before it had all rows.
    pub ended: bool,
    /// What was said of it: errors, warnings and notes, one line each.
    pub findings: Vec<String>,
    /// When its events happened, where it gave events.
    pub times: Vec<i64>,
}

/// What is written down.
pub struct Notebook {
    /// When.
    pub at: Timestamp,
    /// The zone of times.
    pub zone: TimeZone,
    /// The files that were read, with the SHA-256 of their content and how many bytes that is; none where the file
    /// cannot be read now.
    pub files: Vec<(FileReport, Option<(String, u64)>)>,
    /// The searches and notes in their order.
    pub entries: Vec<Entry>,
}

impl Notebook {
    fn time(&self, at: Timestamp) -> String {
        values::format_time(at.as_microsecond(), &self.zone)
    }
}

const COLUMNS: [&str; 5] = ["file", "bytes", "events", "places skipped", "SHA-256"];

fn cells(file: &FileReport, hash: Option<&(String, u64)>) -> [String; 5] {
    let bytes = hash.map_or(file.bytes, |(_, bytes)| *bytes);
    let sha256 = hash.map_or("could not be read", |(sha256, _)| sha256);
    [
        file.path.clone(),
        report::thousands(bytes),
        report::thousands(file.events),
        report::thousands(file.skipped),
        sha256.to_owned(),
    ]
}

fn outcome(logged: &Logged, zone: &TimeZone) -> String {
    let seconds = logged.elapsed.as_secs_f64();
    let outcome = match logged.rows {
        Some(rows) => {
            let ended = if logged.ended { ", interrupted: perhaps not all" } else { "" };
            format!("{} in {seconds:.2} s{ended}", report::count(rows, "row"))
        }
        None => "failed or cancelled".to_owned(),
    };
    let time = |time: i64| values::format_time(time, zone);
    match logged.bounds {
        (None, None) => outcome,
        (from, to) => {
            let from = from.map_or("the beginning".to_owned(), time);
            format!("{outcome}, of events from {from} to {}", to.map_or("the end".to_owned(), time))
        }
    }
}

/// As Markdown.
pub fn markdown(notebook: &Notebook) -> String {
    let mut out = format!("# spelunk {}\n\nWritten {}.\n\n", env!("CARGO_PKG_VERSION"), notebook.time(notebook.at));
    let _ = writeln!(out, "## Inputs\n\n| {} |\n|{}", COLUMNS.join(" | "), " --- |".repeat(COLUMNS.len()));
    for (file, hash) in &notebook.files {
        let cells = cells(file, hash.as_ref()).map(|cell| markdown::text(&cell));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out.push_str("\n## Session\n");
    for (number, entry) in (1_u64..).zip(&notebook.entries) {
        let logged = match entry {
            Entry::Searched(logged) => logged,
            Entry::Noted { text, at } => {
                let _ = writeln!(out, "\n{number}. {}, note: {}", notebook.time(*at), markdown::text(text));
                continue;
            }
        };
        let _ = writeln!(out, "\n{number}. {}, {}\n", notebook.time(logged.at), outcome(logged, &notebook.zone));
        let drawn = timeline::draw(&logged.times, CELLS, false, &notebook.zone);
        let findings = logged.findings.join("\n");
        let shown = [&logged.query, &findings, &drawn].into_iter().filter(|text| !text.is_empty());
        for (position, text) in shown.enumerate() {
            if position > 0 {
                out.push('\n');
            }
            // Indented, so that no text of the search ends the block.
            for line in escape::lines(text).lines() {
                let _ = writeln!(out, "        {line}");
            }
        }
    }
    out
}

/// As a page of HTML.
pub fn html(notebook: &Notebook) -> String {
    let mut out = html::HEAD.to_owned();
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(out, "<h1>spelunk {version}</h1><p>Written {}.</p>", html::text(&notebook.time(notebook.at)));
    out.push_str("<h2>Inputs</h2><table><thead><tr>");
    COLUMNS.iter().for_each(|name| out.push_str(&format!("<th>{name}</th>")));
    out.push_str("</tr></thead><tbody>\n");
    for (file, hash) in &notebook.files {
        let cells = cells(file, hash.as_ref()).map(|cell| format!("<td>{}</td>", html::text(&cell)));
        let _ = writeln!(out, "<tr>{}</tr>", cells.concat());
    }
    out.push_str("</tbody></table>\n<h2>Session</h2><ol>\n");
    for entry in &notebook.entries {
        let logged = match entry {
            Entry::Searched(logged) => logged,
            Entry::Noted { text, at } => {
                let (time, text) = (html::text(&notebook.time(*at)), html::text(text));
                let _ = writeln!(out, "<li>{time}, note: {text}</li>");
                continue;
            }
        };
        let (time, query) = (html::text(&notebook.time(logged.at)), html::text(&logged.query));
        let _ = writeln!(out, "<li>{time}, {}<pre>{query}</pre>", html::text(&outcome(logged, &notebook.zone)));
        if let Some(timeline) = Timeline::of(&logged.times, timeline::MOST, &notebook.zone) {
            out.push_str(&timeline.picture(&notebook.zone));
        }
        if !logged.findings.is_empty() {
            let findings = logged.findings.iter().map(|finding| format!("<li>{}</li>", html::text(finding)));
            let _ = writeln!(out, "<ul>{}</ul>", findings.collect::<String>());
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ol>\n");
    out + html::FOOT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_no_markup() {
        let logged = Logged {
            query: "| makeresults\n| eval a=\"<script>\"\n# x".into(),
            bounds: (Some(0), None),
            at: Timestamp::UNIX_EPOCH,
            elapsed: std::time::Duration::from_millis(20),
            rows: Some(1),
            ended: false,
            findings: vec!["warning[SPL0101]: 1:1: no event has a field \"<b>\"".into()],
            times: vec![0, 1_000_000, 1_000_000, 5_000_000],
        };
        let noted = Entry::Noted { text: "<i>odd</i>\n| a".into(), at: Timestamp::UNIX_EPOCH };
        let file = FileReport {
            path: "a|<b>".into(),
            format: "json",
            bytes: 9,
            events: 1,
            passed_over: 0,
            skipped: 0,
            problems: vec![],
        };
        let files = vec![(file, Some(("00ff".to_owned(), 9)))];
        let entries = vec![Entry::Searched(Box::new(logged)), noted];
        let notebook = Notebook { at: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC, files, entries };
        let without_version = |text: &str| text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!(without_version(&markdown(&notebook)));
        insta::assert_snapshot!(without_version(html(&notebook).strip_prefix(html::HEAD).unwrap()));
    }
}
