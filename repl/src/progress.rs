//! A line on standard error that tells a patient user that a search is running.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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
    pub fn start(wanted: bool) -> Self {
        Self::counting(wanted, "row", None)
    }

    /// The same for something else than rows, of which there are so many.
    pub fn counting(wanted: bool, noun: &'static str, total: Option<u64>) -> Self {
        let unit = Unit { noun, total };
        let progress = Self { rows: Arc::default(), unit, line: Arc::default() };
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if wanted && !dumb && terminal::stderr_is_terminal() {
            let (rows, line, unit) = (Arc::clone(&progress.rows), Arc::clone(&progress.line), progress.unit);
            tokio::spawn(async move {
                let started = Instant::now();
                tokio::time::sleep(PATIENCE).await;
                for turn in TURNS.iter().cycle() {
                    let text =
                        told(*turn, started.elapsed(), rows.load(Ordering::Relaxed), unit, terminal::stderr_width());
                    {
                        let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
                        if line.over {
                            return;
                        }
                        let mut out = std::io::stderr().lock();
                        let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
                        line.drawn = true;
                    }
                    tokio::time::sleep(PERIOD).await;
                }
            });
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
fn told(turn: char, elapsed: Duration, rows: u64, unit: Unit, width: usize) -> String {
    let seconds = elapsed.as_secs_f64();
    let rows = match (rows, unit.total) {
        (rows, Some(total)) => format!(" · {} of {}", report::thousands(rows), report::count(total, unit.noun)),
        (0, None) => String::new(),
        (rows, None) => format!(" · {}", report::count(rows, unit.noun)),
    };
    fit::cut_end(&format!("{turn} {seconds:.1} s{rows} (Ctrl-C cancels)"), width.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn the_line_fits() {
        let unit = Unit { noun: "row", total: None };
        for width in 0..100 {
            assert!(told('⠋', Duration::from_secs(99), u64::MAX, unit, width).width() <= width.saturating_sub(1));
        }
        assert_eq!(told('⠋', Duration::from_millis(2100), 0, unit, 80), "⠋ 2.1 s (Ctrl-C cancels)");
        let rules = Unit { noun: "rule", total: Some(1200) };
        assert_eq!(told('⠋', Duration::from_millis(2100), 3, rules, 80), "⠋ 2.1 s · 3 of 1,200 rules (Ctrl-C cancels)");
    }
}
