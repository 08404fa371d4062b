//! The shell on a terminal.

use std::sync::Arc;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor, ExternalPrinter};
use spelunk_engine::Language;

use super::editing::keys::{self, Asked, Shown};
use super::editing::{Assistant, edit};
use super::history::Kept;
use super::loading::Loading;
use super::{Flow, Shell, commands};
use crate::commands::help;
use crate::exit::{Exit, Failure};
use crate::terminal;

/// What stands before a search, plain and coloured: it tells the language.
fn prompt(language: Language) -> (&'static str, &'static str) {
    match (language, terminal::stdout_colour()) {
        (Language::Spl, true) => ("spl> ", "\x1b[1;32mspl> \x1b[0m"),
        (Language::LogScale, true) => ("cql> ", "\x1b[1;36mcql> \x1b[0m"),
        (Language::Spl, false) => ("spl> ", "spl> "),
        (Language::LogScale, false) => ("cql> ", "cql> "),
    }
}

const HISTORY: usize = 10_000;

/// Reads and runs searches until the user leaves.
///
/// # Errors
/// A terminal that cannot be read, or logs that cannot be read at all.
pub async fn run(shell: &mut Shell, loading: Loading) -> Result<Exit, Failure> {
    let unusable = |error: ReadlineError| Failure::Runtime(format!("cannot read the terminal: {error}"));
    let config = Config::builder()
        .max_history_size(HISTORY)
        .map_err(unusable)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        // Whether there are colours is decided here. The editor leaves highlighting out where it thinks that there are
        // none, and highlighting also takes away what a terminal would obey.
        .color_mode(ColorMode::Forced)
        .build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).map_err(unusable)?;
    let session = Arc::clone(&shell.session);
    let names = loading.names.clone();
    editor.set_helper(Some(Assistant { session, names, colour: terminal::stdout_colour() }));
    let requests = keys::bind(&mut editor);
    // While there is one, the line editor waits for more than keys. Otherwise a resized window interrupts nothing but the
    // read of another thread, and is not noticed.
    let _resized = editor.create_external_printer();
    let mut kept = Kept::load(editor.history_mut());
    shell.loading = loading.greet().await?;
    if let Some(loading) = &mut shell.loading
        && let Ok(mut printer) = editor.create_external_printer()
    {
        loading.announce(move |line| drop(printer.print(line)));
    }
    // What the next line begins with: the text before and after the cursor.
    let mut begun = (String::new(), String::new());
    loop {
        let (before, after) = std::mem::take(&mut begun);
        let text = match editor.readline_with_initial(&prompt(shell.session.language()), (&before, &after)) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(Exit::Ok),
            Err(error) => return Err(unusable(error)),
        };
        match requests.take() {
            Some(Asked::Editor) => {
                let edited = edit(&text, shell.session.language());
                begun.0 = edited.unwrap_or_else(|problem| {
                    terminal::error(&problem);
                    text
                });
                continue;
            }
            Some(Asked::Show { what, before, after }) => {
                match what {
                    Shown::Help(word) => explain(word.as_deref()),
                    Shown::Command(command) => drop(shell.submit(&command).await),
                    Shown::OtherView => drop(commands::other_view(shell).await),
                }
                begun = (before, after);
                continue;
            }
            None => {}
        }
        if text.trim().is_empty() {
            continue;
        }
        // Kept before it runs: a search that brings the machine down is one to look at again.
        if editor.add_history_entry(text.trim_end()).is_ok() {
            kept.append(editor.history_mut());
        }
        if shell.submit(&text).await == Flow::Leave {
            return Ok(Exit::Ok);
        }
        if let Some(assistant) = editor.helper_mut().filter(|known| !Arc::ptr_eq(&known.session, &shell.session)) {
            assistant.session = Arc::clone(&shell.session);
            assistant.names.gather_knowledge(&shell.session);
            assistant.names.gather_fields(&shell.session);
        }
    }
}

/// Says what a word does.
fn explain(word: Option<&str>) {
    let Some(word) = word else {
        terminal::say("F1 explains the command or function at the cursor; .help says more");
        return;
    };
    match help::explain(word) {
        Ok(explained) => terminal::say(help::fitted(&explained, Some(terminal::stderr_width())).trim_end()),
        Err(failure) => drop(failure.report()),
    }
}
