//! Commands of the shell itself: words that begin with a dot. One table drives the parser, the help and completion.

mod context;
mod data;
mod examples;
mod keys;
mod results;
mod understanding;

use std::fmt::Write as _;

use super::{Flow, Shell};
use crate::commands::help;
use crate::escape;
use crate::exit::{Exit, Failure};
use crate::terminal;

/// A command of the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    App,
    Around,
    Cluster,
    Config,
    Drill,
    Explain,
    Fields,
    Files,
    Help,
    Language,
    Last,
    Note,
    Now,
    Open,
    Profile,
    Quit,
    Report,
    Save,
    Set,
    Show,
    Step,
    Time,
    Timeline,
    Why,
    Zone,
}

/// Name, command, arguments, what it does.
const COMMANDS: [(&str, Command, &str, &str); 26] = [
    (".app", Command::App, "[PATH]", "load an app, a folder or a packed one; without PATH, those that are loaded"),
    (
        ".cluster",
        Command::Cluster,
        "[URL|off]",
        "run what reads stores on the workers of that scheduler, or here again",
    ),
    (".config", Command::Config, "", "every setting, and where its value is from"),
    (".context", Command::Around, "N [SPAN]", "the events of the same host around row N, 5m before and after"),
    (".drill", Command::Drill, "N FIELD", "the last search, where FIELD is as in row N"),
    (".exit", Command::Quit, "", "leave"),
    (".explain", Command::Explain, "[SEARCH]", "the canonical search, macros expanded, and its plans"),
    (".fields", Command::Fields, "[all] [NAME]", "fields of the last result, or of all events; one field's values"),
    (".files", Command::Files, "", "what was read, and what could not be"),
    (".help", Command::Help, "[NAME|keys]", "this; what a command or function does, run on the logs; the keys"),
    (".lang", Command::Language, "[LANGUAGE]", "the language of searches; with `spl` or `logscale`, that from now on"),
    (".last", Command::Last, "", "the last result again"),
    (".note", Command::Note, "TEXT", "write something into the report of the session"),
    (".now", Command::Now, "[latest|real|TIME]", "the time that now() and relative times mean"),
    (".open", Command::Open, "PATH…", "search these files and folders too"),
    (".profile", Command::Profile, "[SEARCH]", "rows and time of each command, as it really runs"),
    (".quit", Command::Quit, "", "leave"),
    (".report", Command::Report, "FILE", "write searches, counts, notes and SHA-256 of the inputs (.md or .html)"),
    (".save", Command::Save, "FILE", "write the last result (.csv .json .jsonl .parquet .md .html .txt)"),
    (".set", Command::Set, "[NAME VALUE]", "what holds in this session: rows, limit, view, tz, now and others"),
    (".show", Command::Show, "N", "row N of the last result, nothing cut"),
    (".step", Command::Step, "[SEARCH]", "rows, time, fields and samples after each pipe"),
    (".time", Command::Time, "[EARLIEST [LATEST]]", "the time that is searched; `.time all` for all of it"),
    (".timeline", Command::Timeline, "[all]", "when the events of the last result, or all, happened"),
    (".tz", Command::Zone, "[ZONE]", "the zone of times in searches and results"),
    (".why", Command::Why, "[SEARCH]", "rows after each pipe, and what took the last one"),
];

const HELP: &str = "\
Type a search and press Enter. It goes on in the next line while a quote or bracket is open, or after a `|`, `\\`, comma
or operator at the end; Enter on an empty line submits it anyway. Up and Down recall searches, Ctrl-R finds one.
Tab completes commands, fields, functions and values; `.help keys` names the other keys.
Ctrl-C ends the running search and keeps what came so far, a second one gives it up; it clears the line, too.
Ctrl-D leaves. SEARCH is the last one where none is named.
";

/// The name of every command and what it does, for completion.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMANDS.iter().map(|(name, _, _, summary)| (*name, *summary))
}

/// Whether the text is a command that needs no logs, so that it need not wait for them.
pub fn is_at_once(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    matches!(
        find(word),
        Some(
            Command::Config
                | Command::Help
                | Command::Language
                | Command::Note
                | Command::Quit
                | Command::Set
                | Command::Zone
        )
    )
}

/// Runs a command.
pub async fn run(shell: &mut Shell, text: &str) -> Flow {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let Some(command) = find(word) else {
        return Flow::On(Failure::Usage(unknown(word)).report());
    };
    let done = match command {
        Command::Quit => return Flow::Leave,
        Command::Help => help_on(shell, rest).await,
        Command::App => context::app(shell, rest),
        Command::Cluster => context::cluster(shell, rest),
        Command::Language => context::language(shell, rest),
        Command::Time => context::time(shell, rest),
        Command::Zone => context::zone(shell, rest),
        Command::Now => context::now(shell, rest).await,
        Command::Config => context::config(shell),
        Command::Set => context::set(shell, rest).await,
        Command::Files => data::files(shell).await,
        Command::Open => data::open(shell, rest).await,
        Command::Fields => data::fields(shell, rest).await,
        Command::Last => results::last(shell),
        Command::Note => results::note(shell, rest),
        Command::Save => results::save(shell, rest),
        Command::Show => results::show(shell, rest),
        Command::Around => results::around(shell, rest).await,
        Command::Drill => results::drill(shell, rest).await,
        Command::Timeline => data::timeline(shell, rest).await,
        Command::Report => results::report(shell, rest).await,
        Command::Why => understanding::why(shell, rest).await,
        Command::Step => understanding::step(shell, rest).await,
        Command::Profile => understanding::profile(shell, rest).await,
        Command::Explain => understanding::explain(shell, rest).await,
    };
    Flow::On(match done {
        Ok(Done::Said(text)) => {
            let shown = shell.sink.say(&text);
            shown.map_or_else(|error| Failure::Output(error).report(), |()| Exit::Ok)
        }
        Ok(Done::Searched(exit)) => exit,
        Err(failure) => failure.report(),
    })
}

/// Shows the last result one field a line, or as usual if it was shown so.
pub async fn other_view(shell: &mut Shell) -> Flow {
    let view = if shell.sink.view_name() == "records" { "auto" } else { "records" };
    match run(shell, &format!(".set view {view}")).await {
        Flow::On(Exit::Ok) => run(shell, ".last").await,
        flow => flow,
    }
}

/// What a command did.
enum Done {
    /// This is shown.
    Said(String),
    /// A search ran, which showed its result.
    Searched(Exit),
}

type Outcome = Result<Done, Failure>;

/// Nothing is shown.
fn silent() -> Outcome {
    Ok(Done::Said(String::new()))
}

fn usage<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Usage(message.into()))
}

/// The command of that name, or of which it is the unmistakable beginning.
fn find(word: &str) -> Option<Command> {
    if let Some((_, command, ..)) = COMMANDS.iter().find(|(name, ..)| *name == word) {
        return Some(*command);
    }
    let mut fitting = COMMANDS.iter().filter(|(name, ..)| word.len() > 1 && name.starts_with(word));
    let (_, command, ..) = fitting.next()?;
    fitting.next().is_none().then_some(*command)
}

async fn help_on(shell: &Shell, name: &str) -> Outcome {
    if name.is_empty() {
        return Ok(Done::Said(help::fitted(&help(), terminal::stdout_width())));
    }
    if name == "keys" {
        return Ok(Done::Said(help::fitted(&keys::help(), terminal::stdout_width())));
    }
    let dotted = COMMANDS.iter().find(|(known, ..)| *known == name || known.strip_prefix('.') == Some(name));
    match (dotted, name.starts_with('.')) {
        (Some((known, _, arguments, summary)), true) => {
            let text = format!("{known} {arguments}\n  {summary}\n");
            Ok(Done::Said(help::fitted(&text, terminal::stdout_width())))
        }
        _ => {
            let explained = help::fitted(&help::explain(name)?, terminal::stdout_width());
            let example = examples::run(shell, name).await;
            Ok(Done::Said(explained + &example.unwrap_or_default()))
        }
    }
}

fn unknown(word: &str) -> String {
    let names = COMMANDS.map(|(name, ..)| name);
    let several: Vec<&str> = names.iter().copied().filter(|name| word.len() > 1 && name.starts_with(word)).collect();
    let help = match nearest(word, &names) {
        _ if !several.is_empty() => format!("it could be {}", several.join(" or ")),
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
    for (name, _, arguments, summary) in COMMANDS {
        let call = format!("{name} {arguments}");
        let _ = writeln!(out, "  {call:<26} {summary}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_commands_are_guessed() {
        assert_eq!(unknown(".hepl"), "unknown command .hepl: did you mean .help?");
        assert_eq!(unknown(".\x1b"), "unknown command .␛: .help names them all");
        assert_eq!(unknown(".fi"), "unknown command .fi: it could be .fields or .files");
    }

    #[test]
    fn beginnings_are_enough_where_they_are_unmistakable() {
        assert_eq!(find(".fie"), Some(Command::Fields));
        assert_eq!(find(".s"), None);
        assert_eq!(find("."), None);
    }

    #[test]
    fn the_help_names_every_command() {
        assert!(COMMANDS.iter().all(|(name, ..)| help().contains(name)));
        assert!(names().all(|(name, summary)| name.starts_with('.') && !summary.is_empty()));
        assert!(help().lines().all(|line| line.chars().count() <= 120));
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(COMMANDS.iter().map(|(name, ..)| name).is_sorted());
    }
}
