//! Commands of the shell itself: words that begin with a dot.

use std::fmt::Write as _;

use spelunk_engine::Language;
use spelunk_engine::ingest::ReadReport;
use spelunk_engine::values::Cell;

use super::{Flow, Shell};
use crate::commands::help;
use crate::escape;
use crate::exit::{Exit, Failure};
use crate::render::grid;
use crate::report;
use crate::terminal;

/// A command of the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Files,
    Help,
    Language,
    Quit,
}

/// Name, command, what it does.
const COMMANDS: [(&str, Command, &str); 5] = [
    (".files", Command::Files, "what was read, and what could not be"),
    (".help", Command::Help, "this; with the name of a command or function, what that does"),
    (".lang", Command::Language, "the language of searches; with `spl` or `logscale`, that from now on"),
    (".quit", Command::Quit, "leave"),
    (".exit", Command::Quit, "leave"),
];

const HELP: &str = "\
Type a search and press Enter. It goes on in the next line while a quote or bracket is open, or after a `|`, `\\`, comma
or operator at the end; Enter on an empty line submits it anyway. Up and Down recall searches, Ctrl-R finds one.
Tab completes commands, fields, functions and values. Alt-Enter begins a new line, Ctrl-J or F5 runs what is there,
F1 explains the word at the cursor, Ctrl-X Ctrl-E opens the search in $VISUAL or $EDITOR.
Ctrl-C cancels the running search and clears the line, Ctrl-D leaves.
";

/// Runs a command.
pub async fn run(shell: &Shell, text: &str) -> Flow {
    let word = text.split_whitespace().next().unwrap_or_default();
    let Some((_, command, _)) = COMMANDS.iter().find(|(name, ..)| *name == word) else {
        terminal::error(&unknown(word));
        return Flow::On(Exit::Usage);
    };
    let shown = match command {
        Command::Quit => return Flow::Leave,
        Command::Language => match text.split_whitespace().nth(1).map(language) {
            None => format!("{}\n", language_name(shell.session.language())),
            Some(Ok(language)) => {
                shell.session.speak(language);
                return Flow::On(Exit::Ok);
            }
            Some(Err(message)) => {
                terminal::error(&message);
                return Flow::On(Exit::Usage);
            }
        },
        Command::Help => match text.split_whitespace().nth(1).map(help::explain) {
            None => help(),
            Some(Ok(explained)) => explained,
            Some(Err(failure)) => return Flow::On(failure.report()),
        },
        Command::Files => match shell.session.load().await {
            Ok(report) => files(&report),
            Err(error) => return Flow::On(Failure::Search(error, String::new()).report()),
        },
    };
    let mut out = std::io::stdout().lock();
    let written = std::io::Write::write_all(&mut out, shown.as_bytes());
    Flow::On(written.map_or_else(|error| Failure::Output(error).report(), |()| Exit::Ok))
}

/// Whether the text is a command that needs no logs, so that it need not wait for them.
pub fn is_at_once(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    let found = COMMANDS.iter().find(|(name, ..)| *name == word);
    found.is_some_and(|(_, command, _)| matches!(command, Command::Help | Command::Language | Command::Quit))
}

/// The name of every command and what it does.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMANDS.iter().map(|(name, _, summary)| (*name, *summary))
}

/// The name of a language, as `--lang` and `.lang` take it.
fn language_name(language: Language) -> &'static str {
    match language {
        Language::Spl => "spl",
        Language::LogScale => "logscale",
    }
}

fn language(word: &str) -> Result<Language, String> {
    match word.to_ascii_lowercase().as_str() {
        "spl" => Ok(Language::Spl),
        "logscale" | "cql" => Ok(Language::LogScale),
        _ => Err(format!("unknown language {}: spl or logscale", escape::line(word))),
    }
}

fn unknown(word: &str) -> String {
    let names = COMMANDS.map(|(name, ..)| name);
    let help = match nearest(word, &names) {
        Some(name) => format!("did you mean {name}?"),
        None => ".help names them all".to_owned(),
    };
    format!("unknown command {}: {help}", escape::line(word))
}

/// The name that a word was probably meant to be.
pub fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let scored = names.iter().map(|name| (strsim::normalized_damerau_levenshtein(word, name), *name));
    scored.filter(|(score, _)| *score > 0.6).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

fn help() -> String {
    let mut out = HELP.to_owned();
    for (name, _, summary) in COMMANDS {
        let _ = writeln!(out, "  {name:<8} {summary}");
    }
    out
}

fn files(report: &ReadReport) -> String {
    if report.files.is_empty() {
        return "no files\n".to_owned();
    }
    let columns = ["file", "format", "size", "events", "skipped", "first problem"].map(str::to_owned);
    let rows: Vec<Vec<Cell>> = report
        .files
        .iter()
        .map(|file| {
            let number = |number: u64| Cell::Number(report::thousands(number));
            let problem = file.problems.first().map_or(Cell::Null, |problem| {
                let place = if problem.place.is_empty() { String::new() } else { format!("{}: ", problem.place) };
                Cell::Text(format!("{place}{}", problem.reason))
            });
            let format = if file.format.is_empty() { Cell::Null } else { Cell::Text(file.format.to_owned()) };
            let size = Cell::Number(report::bytes(file.bytes));
            vec![Cell::Text(file.path.clone()), format, size, number(file.events), number(file.skipped), problem]
        })
        .collect();
    let width = terminal::stdout_width();
    grid::draw(&columns, &rows, width, terminal::stdout_colour())
        .or_else(|| grid::draw(&columns, &rows, None, false))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spelunk_engine::ingest::{FileReport, Problem};

    #[test]
    fn unknown_commands_are_guessed() {
        assert_eq!(unknown(".hepl"), "unknown command .hepl: did you mean .help?");
        assert_eq!(unknown(".\x1b"), "unknown command .␛: .help names them all");
    }

    #[test]
    fn languages_have_names() {
        for known in [Language::Spl, Language::LogScale] {
            assert_eq!(language(language_name(known)), Ok(known));
        }
        assert_eq!(language("sql\x1b").unwrap_err(), "unknown language sql␛: spl or logscale");
    }

    #[test]
    fn the_help_names_every_command() {
        assert!(COMMANDS.iter().all(|(name, ..)| help().contains(name)));
    }

    #[test]
    fn what_was_read() {
        let problem = Problem { place: "line 17".into(), reason: "not JSON".into() };
        let good =
            FileReport { path: "a".into(), format: "json", bytes: 2048, events: 1234, skipped: 0, problems: vec![] };
        let bad = FileReport { path: "b".into(), skipped: 1, problems: vec![problem], ..good.clone() };
        insta::assert_snapshot!(files(&ReadReport { files: vec![good, bad] }), @"
        ╭──────┬────────┬─────────┬────────┬─────────┬───────────────────╮
        │ file ┆ format ┆    size ┆ events ┆ skipped ┆ first problem     │
        ╞══════╪════════╪═════════╪════════╪═════════╪═══════════════════╡
        │ a    ┆ json   ┆ 2.0 KiB ┆  1,234 ┆       0 ┆                   │
        │ b    ┆ json   ┆ 2.0 KiB ┆  1,234 ┆       1 ┆ line 17: not JSON │
        ╰──────┴────────┴─────────┴────────┴─────────┴───────────────────╯
        ");
    }
}
