//! The shell on a terminal.

use std::sync::Arc;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Editor, Helper};
use spelunk_engine::{Language, Session};

use super::{Flow, Shell, complete, history};
use crate::exit::{Exit, Failure};
use crate::terminal;

/// What stands before a search, plain and coloured: it tells the language.
fn prompt(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::Spl => ("spl> ", "\x1b[1;32mspl> \x1b[0m"),
        Language::LogScale => ("cql> ", "\x1b[1;36mcql> \x1b[0m"),
    }
}

const HISTORY: usize = 10_000;

/// Lets a search span lines.
struct Lines {
    session: Arc<Session>,
}

impl Helper for Lines {}
impl Highlighter for Lines {}

impl Completer for Lines {
    type Candidate = String;
}

impl Hinter for Lines {
    type Hint = String;
}

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        // Never `Invalid`: it would keep a wrong search from being submitted, and its error from being explained.
        Ok(match complete::is_complete(context.input(), self.session.language()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

/// Reads and runs searches until the user leaves.
///
/// # Errors
/// A terminal that cannot be read.
pub async fn run(shell: &mut Shell) -> Result<Exit, Failure> {
    let unusable = |error: ReadlineError| Failure::Runtime(format!("cannot read the terminal: {error}"));
    let config = Config::builder()
        .max_history_size(HISTORY)
        .map_err(unusable)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    let mut editor: Editor<Lines, FileHistory> = Editor::with_config(config).map_err(unusable)?;
    editor.set_helper(Some(Lines { session: Arc::clone(&shell.session) }));
    let history = history::file();
    if let Some(file) = history.as_ref().filter(|file| file.exists())
        && let Err(error) = editor.load_history(file)
    {
        terminal::warning(&format!("cannot read the history in {}: {error}", file.display()));
    }
    loop {
        let text = match editor.readline(&prompt(shell.session.language())) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(Exit::Ok),
            Err(error) => return Err(unusable(error)),
        };
        if text.trim().is_empty() {
            continue;
        }
        // Kept before it runs: a search that brings the machine down is one to look at again.
        if editor.add_history_entry(text.trim_end()).is_ok()
            && let Some(file) = &history
        {
            let _ = editor.append_history(file);
        }
        if shell.submit(&text).await == Flow::Leave {
            return Ok(Exit::Ok);
        }
    }
}
