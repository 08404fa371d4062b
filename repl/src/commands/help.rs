//! `spelunk help`: what a command or function of SPL does, and how spelunk is used.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use spelunk_engine::reference::{self, Help};

use crate::cli::{Cli, HelpArgs};
use crate::escape;
use crate::exit::{Exit, Failure};
use crate::render::fit;
use crate::terminal;

/// Prints the help of a name, or of spelunk itself.
///
/// # Errors
/// A name that is not known.
pub fn run(args: &HelpArgs) -> Result<Exit, Failure> {
    let definition = Cli::definition();
    let Some(name) = &args.name else { return usage(definition, &["spelunk", "--help"]) };
    if definition.find_subcommand(name).is_some() {
        return usage(definition, &["spelunk", name, "--help"]);
    }
    let explained = fitted(&explain(name)?, terminal::stdout_width().filter(|_| terminal::stdout_is_terminal()));
    let mut out = io::stdout().lock();
    out.write_all(explained.as_bytes())?;
    out.flush()?;
    Ok(Exit::Ok)
}

/// Prints what the command line says of itself.
fn usage(definition: clap::Command, arguments: &[&str]) -> Result<Exit, Failure> {
    if let Err(help) = definition.try_get_matches_from(arguments) {
        help.print()?;
    }
    Ok(Exit::Ok)
}

/// A text of help in lines of that width: what goes on in the next line stands below its own column.
pub fn fitted(text: &str, width: Option<usize>) -> String {
    let Some(width) = width.map(|width| width.max(fit::LEAST)) else { return text.to_owned() };
    let mut out = String::new();
    for line in text.lines() {
        if fit::width(line) <= width {
            let _ = writeln!(out, "{line}");
            continue;
        }
        let indent = line.len().saturating_sub(line.trim_start_matches(' ').len()).min(width / 2);
        // A name, at least two blanks, and what is said of it.
        let column = line.get(indent..).and_then(|rest| {
            let gap = indent.saturating_add(rest.find("  ")?);
            let blanks = line.get(gap..)?;
            Some(gap.saturating_add(blanks.len().saturating_sub(blanks.trim_start_matches(' ').len())))
        });
        let column = column.filter(|column| *column <= width / 2);
        let (head, body) = line.split_at_checked(column.unwrap_or(indent)).unwrap_or(("", line));
        let below = column.unwrap_or_else(|| indent.saturating_add(2)).min(width / 2);
        let lines = fit::wrap(body, width.saturating_sub(below.max(fit::width(head))), usize::MAX);
        for (position, part) in lines.iter().enumerate() {
            let _ = match position {
                0 => writeln!(out, "{head}{part}"),
                _ => writeln!(out, "{}{part}", " ".repeat(below)),
            };
        }
    }
    out
}

/// What a command or function of SPL does.
///
/// # Errors
/// A name that is not known or not supported.
pub fn explain(name: &str) -> Result<String, Failure> {
    let shown = escape::line(name);
    Err(Failure::Usage(match reference::help(name) {
        Help::Known(text) => return Ok(text),
        Help::Unknown(Some(near)) => format!("no command or function is called {shown}: did you mean {near}?"),
        Help::Unknown(None) => format!("no command or function is called {shown}"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_lines_go_on_below_their_column() {
        let text = "Arguments\n  <name>  the first of several words\n  a long line without columns\n";
        let shown = fitted(text, Some(24));
        assert_eq!(
            shown,
            "Arguments\n  <name>  the first of\n          several words\n  a long line without\n    columns\n"
        );
        assert_eq!(fitted(text, None), text);
    }

    proptest! {
        #[test]
        fn every_line_fits(lines in prop::collection::vec("[a-z<> ]{0,90}", 0..5), width in 20usize..100) {
            let shown = fitted(&lines.join("\n"), Some(width));
            for line in shown.lines() {
                prop_assert!(fit::width(line) <= width, "{line:?}");
            }
        }
    }
}
