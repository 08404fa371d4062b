//! The shell without a terminal: searches come from standard input, one after the other.

use std::io::{self, BufRead};

use super::{Flow, Shell};
use crate::exit::{Exit, Failure};

/// Runs every search of standard input. The exit code is that of the last one.
///
/// # Errors
/// Standard input that cannot be read.
pub async fn run(shell: &mut Shell) -> Result<Exit, Failure> {
    let unreadable = |error: io::Error| Failure::Runtime(format!("standard input: {error}"));
    let mut last = Exit::Ok;
    let mut pending = Vec::new();
    let mut lines = io::stdin().lock().lines();
    loop {
        let line = lines.next().transpose().map_err(unreadable)?;
        let Some(text) = next_search(&mut pending, line.as_deref()) else {
            if line.is_none() {
                return Ok(last);
            }
            continue;
        };
        match shell.submit(&text).await {
            Flow::On(exit) => last = exit,
            Flow::Leave => return Ok(last),
        }
        // Ctrl-C ends the script, not only one search of it.
        if last == Exit::Interrupted {
            return Ok(last);
        }
    }
}

/// Takes a line, or the end of input, and gives the search that it completes: a line that ends in `;`, an empty line
/// and a line that begins with `.` do.
fn next_search(pending: &mut Vec<String>, line: Option<&str>) -> Option<String> {
    let done = match line {
        None => true,
        Some(line) if line.trim().is_empty() => true,
        Some(line) => {
            let command = pending.is_empty() && line.starts_with('.');
            pending.push(line.to_owned());
            command || line.trim_end().ends_with(';')
        }
    };
    (done && !pending.is_empty()).then(|| std::mem::take(pending).join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(input: &str) -> Vec<String> {
        let mut pending = Vec::new();
        let lines = input.lines().map(Some).chain([None]);
        lines.filter_map(|line| next_search(&mut pending, line)).collect()
    }

    #[test]
    fn searches_end_with_semicolons_and_empty_lines() {
        assert_eq!(split("a\n| b;\n\n\n.files\nc;\nd\n\ne\n|f"), ["a\n| b;", ".files", "c;", "d", "e\n|f"]);
        assert!(split("").is_empty());
    }
}
