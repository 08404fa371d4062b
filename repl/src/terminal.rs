//! What is known of the terminal, and saying something on standard error.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use crate::escape;
use crate::render::fit;

/// Where the width of a terminal is not known.
const DEFAULT_WIDTH: usize = 80;

/// Whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether standard input is a terminal.
pub fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// The width that output on standard output has to fit; `None` where it is not a terminal and nobody said.
pub fn stdout_width() -> Option<usize> {
    match terminal_size::terminal_size_of(std::io::stdout()) {
        Some((width, _)) if width.0 > 0 => Some(usize::from(width.0)),
        _ => columns().or_else(|| stdout_is_terminal().then_some(DEFAULT_WIDTH)),
    }
}

/// The width that messages on standard error have to fit.
pub fn stderr_width() -> usize {
    match terminal_size::terminal_size_of(std::io::stderr()) {
        Some((width, _)) if width.0 > 0 => usize::from(width.0),
        _ => columns().unwrap_or(DEFAULT_WIDTH),
    }
}

fn columns() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0)
}

/// What the user said about colours, for the whole process.
static COLOUR: OnceLock<bool> = OnceLock::new();

/// Colours everywhere or nowhere from now on, whatever the environment says. The first word counts.
pub fn decide_colour(wanted: bool) {
    let _ = COLOUR.set(wanted);
}

/// Whether standard output takes colours.
pub fn stdout_colour() -> bool {
    COLOUR.get().copied().unwrap_or_else(|| stdout_is_terminal() && colour_wanted())
}

/// Whether standard error takes colours.
pub fn stderr_colour() -> bool {
    COLOUR.get().copied().unwrap_or_else(|| stderr_is_terminal() && colour_wanted())
}

/// The height of the terminal on standard output, where there is one.
pub fn stdout_height() -> Option<usize> {
    let (_, height) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(usize::from(height.0)).filter(|height| *height > 0)
}

fn colour_wanted() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && !dumb
}

/// Writes a line to standard error. A closed one is no reason to stop, hence not `eprintln!`, which panics.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Says what went wrong. The text may come from anywhere.
pub fn error(message: &str) {
    labelled("error", "31", message);
}

/// Says what may be wrong. The text may come from anywhere.
pub fn warning(message: &str) {
    labelled("warning", "33", message);
}

fn labelled(label: &str, colour: &str, message: &str) {
    let message = escape::lines(message);
    if stderr_colour() {
        say(&format!("\x1b[1;{colour}m{label}\x1b[0m\x1b[1m:\x1b[0m {message}"));
    } else {
        say(&format!("{label}: {message}"));
    }
}

/// Says something in lines that the terminal need not break.
pub fn tell(text: &str) {
    say(&fitted(&escape::lines(text)));
}

/// The text in lines of the terminal, where standard error is one.
fn fitted(text: &str) -> String {
    if !stderr_is_terminal() {
        return text.to_owned();
    }
    let width = stderr_width();
    text.lines().flat_map(|line| fit::wrap(line, width, SUMMARY_LINES)).collect::<Vec<_>>().join("\n")
}

/// How many lines of a terminal a summary may take.
const SUMMARY_LINES: usize = 20;

/// A summary, dimmed where colours are taken.
pub fn summary(text: &str) {
    let text = fitted(&escape::lines(text));
    if stderr_colour() {
        say(&format!("\x1b[2m{text}\x1b[0m"));
    } else {
        say(&text);
    }
}
