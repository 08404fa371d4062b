//! What is longer than the screen goes through a pager.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::terminal;

/// What is run where no other pager is named: colours pass, lines are not broken, a short text stays on the screen.
const PAGER: &str = "less -RFXS";
/// How many lines of the screen the prompt and the summary need.
const SPARE: usize = 2;

/// Whether a pager has the terminal, and Ctrl-C with it.
static RUNNING: AtomicBool = AtomicBool::new(false);

/// How long pagers had the terminal, in milliseconds.
static READ: AtomicU64 = AtomicU64::new(0);

/// How long the user has read in pagers until now, which is no time of searching.
pub fn read_for() -> Duration {
    Duration::from_millis(READ.load(Ordering::SeqCst))
}

/// Whether Ctrl-C is meant for a pager.
pub fn has_terminal() -> bool {
    RUNNING.load(Ordering::SeqCst)
}

/// Collects what is written and shows it when it is flushed: through a pager if it is longer than the screen.
#[derive(Debug, Default)]
pub struct Paged {
    text: Vec<u8>,
}

impl Write for Paged {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = std::mem::take(&mut self.text);
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        let height = terminal::stdout_height();
        match (command(), height) {
            (Some(command), Some(height)) if lines > height.saturating_sub(SPARE) && page(&command, &text) => Ok(()),
            _ => {
                let mut out = io::stdout().lock();
                out.write_all(&text)?;
                out.flush()
            }
        }
    }
}

/// The pager that the user's settings name.
static CHOSEN: OnceLock<String> = OnceLock::new();

/// Uses that pager, unless it is empty: then it is not named. The first word counts.
pub fn choose(command: &str) {
    if !command.is_empty() {
        let _ = CHOSEN.set(command.to_owned());
    }
}

/// The pager that the user wants; none for an empty one.
fn command() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok();
    let named = variable("SPELUNK_PAGER").or_else(|| CHOSEN.get().cloned()).or_else(|| variable("PAGER"));
    Some(named.unwrap_or_else(|| PAGER.to_owned())).filter(|command| !command.trim().is_empty())
}

/// Whether the pager showed it.
#[cfg(unix)]
fn page(command: &str, text: &[u8]) -> bool {
    let Ok(mut child) = Command::new("sh").args(["-c", command]).stdin(Stdio::piped()).spawn() else { return false };
    let started = Instant::now();
    RUNNING.store(true, Ordering::SeqCst);
    if let Some(mut input) = child.stdin.take() {
        // A pager that was left early has shown enough.
        let _ = input.write_all(text);
    }
    let status = child.wait();
    RUNNING.store(false, Ordering::SeqCst);
    let read = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    READ.fetch_add(read, Ordering::SeqCst);
    // A shell says so where there is no such program.
    !matches!(status.map(|status| status.code()), Ok(Some(126 | 127)) | Err(_))
}

#[cfg(not(unix))]
fn page(_: &str, _: &[u8]) -> bool {
    false
}
