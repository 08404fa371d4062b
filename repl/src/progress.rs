//! A line on standard error that tells a patient user that a search is running.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use spelunk_engine::Watch;
use spelunk_engine::watch::Progress as Counts;

use crate::render::fit;
use crate::report;
use crate::terminal;

/// A search that is done before that needs no progress.
const PATIENCE: Duration = Duration::from_millis(300);
/// How often the line is drawn.
const PERIOD: Duration = Duration::from_millis(100);
/// What turns.
const TURNS: [char; 8] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧'];

/// The progress of one search. Dropping it ends it.
pub struct Progress {
    rows: Arc<AtomicU64>,
    /// What is counted, and how many of it there will be, where that is known.
    unit: Unit,
    line: Arc<Mutex<Line>>,
}

/// What is counted.
#[derive(Debug, Clone, Copy)]
struct Unit {
    noun: &'static str,
    total: Option<u64>,
}

/// What stands on the screen.
#[derive(Debug, Default)]
struct Line {
    drawn: bool,
    over: bool,
}

impl Progress {
    /// Starts to tell, if standard error is a terminal that can take back what it shows.
    pub fn start(wanted: bool, watch: Arc<Watch>) -> Self {
        Self::counting(wanted, watch, "row", None)
    }

    /// The same for something else than rows, of which there are so many.
    pub fn counting(wanted: bool, watch: Arc<Watch>, noun: &'static str, total: Option<u64>) -> Self {
        let unit = Unit { noun, total };
        let progress = Self { rows: Arc::default(), unit, line: Arc::default() };
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if wanted && !dumb && terminal::stderr_is_terminal() {
            let (rows, line, unit) = (Arc::clone(&progress.rows), Arc::clone(&progress.line), progress.unit);
            // The threads of the engine may all compute for a while, and nothing else runs on them then.
            let telling = move || {
                let started = Instant::now();
                thread::sleep(PATIENCE);
                for turn in TURNS.iter().cycle() {
                    let (rows, width) = (rows.load(Ordering::Relaxed), terminal::stderr_width());
                    let text = told(*turn, started.elapsed(), rows, unit, &watch, width);
                    {
                        let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
                        if line.over {
                            return;
                        }
                        let mut out = std::io::stderr().lock();
                        let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
                        line.drawn = true;
                    }
                    thread::sleep(PERIOD);
                }
            };
            // Without a thread a search runs all the same.
            let _ = thread::Builder::new().name("spelunk-progress".to_owned()).spawn(telling);
        }
        progress
    }

    /// So many more rows came.
    pub fn add(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Takes the line away until it is drawn anew, below what is shown next.
    pub fn pause(&self) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.clear();
    }

    /// Takes the line away for good, before something else is shown.
    pub fn end(&self) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.over = true;
        line.clear();
    }
}

impl Line {
    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// One line that leaves the last cell free, so that no terminal breaks it.
fn told(turn: char, elapsed: Duration, rows: u64, unit: Unit, watch: &Watch, width: usize) -> String {
    let hint = if watch.has_ended() { "ending; Ctrl-C again gives it up" } else { "Ctrl-C ends it" };
    let mut text = format!("{turn} {:.1} s", elapsed.as_secs_f64());
    for part in counted(&watch.progress(), rows, unit) {
        text.push_str(" · ");
        text.push_str(&part);
    }
    fit::cut_end(&format!("{text} ({hint})"), width.saturating_sub(1))
}

/// What there is to say of how far a search is.
fn counted(counts: &Counts, rows: u64, unit: Unit) -> Vec<String> {
    let Counts { files, bytes, events, scanned, matched } = *counts;
    let mut parts = Vec::new();
    // In a shell the files were read before.
    if scanned == 0 && files > 0 {
        let files = report::count(files, "file");
        parts.push(format!("{files}, {}, {} read", report::bytes(bytes), report::count(events, "event")));
    }
    if scanned > 0 {
        parts.push(match matched {
            // The first that match wait for others to come with them.
            Some(matched) if matched > 0 => {
                format!("{} scanned, {} matched", report::thousands(scanned), report::thousands(matched))
            }
            _ => format!("{} scanned", report::thousands(scanned)),
        });
    }
    match unit.total {
        Some(total) => parts.push(format!("{} of {}", report::thousands(rows), report::count(total, unit.noun))),
        None if rows > 0 => parts.push(report::count(rows, unit.noun)),
        None => {}
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn the_line_fits() {
        let unit = Unit { noun: "row", total: None };
        let watch = Watch::default();
        for width in 0..100 {
            let text = told('⠋', Duration::from_secs(99), u64::MAX, unit, &watch, width);
            assert!(text.width() <= width.saturating_sub(1));
        }
        assert_eq!(told('⠋', Duration::from_millis(2100), 0, unit, &watch, 80), "⠋ 2.1 s (Ctrl-C ends it)");
        watch.end();
        let text = told('⠋', Duration::from_millis(2100), 1, unit, &watch, 80);
        assert_eq!(text, "⠋ 2.1 s · 1 row (ending; Ctrl-C again gives it up)");
    }

    #[test]
    fn reading_comes_before_scanning() {
        let unit = Unit { noun: "row", total: None };
        let reading = Counts { files: 12, bytes: 640 << 20, events: 1_900_000, scanned: 0, matched: None };
        assert_eq!(counted(&reading, 0, unit), ["12 files, 640 MiB, 1,900,000 events read"]);
        let searching = Counts { scanned: 1_200_000, matched: Some(84), ..reading };
        assert_eq!(counted(&searching, 3, unit), ["1,200,000 scanned, 84 matched", "3 rows"]);
        let early = Counts { matched: Some(0), ..searching };
        assert_eq!(counted(&early, 0, unit), ["1,200,000 scanned"]);
        let rules = Unit { noun: "rule", total: Some(1200) };
        assert_eq!(counted(&searching, 3, rules), ["1,200,000 scanned, 84 matched", "3 of 1,200 rules"]);
    }
}
