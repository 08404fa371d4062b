//! Help while a search is typed: colours, completion, hints, keys, and the user's own editor.
//!
//! All of it looks at the text with the same forgiving [`lexer`] and at what is known in [`names`], which another
//! thread gathers. Nothing here waits for a file but the completion of file names, which gives up soon.

mod alive;
mod candidates;
mod context;
mod effects;
mod files;
mod highlight;
mod hints;
pub mod keys;
mod lexer;
pub mod names;
mod own_editor;
mod quoting;
#[cfg(test)]
mod testing;
pub mod words;

pub use candidates::complete;
pub use highlight::highlight;
pub use lexer::{Kind, tokens};
pub use own_editor::edit;

use std::borrow::Cow;
use std::sync::Arc;

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Context, Helper};
use spelunk_engine::Session;

use candidates::Offer;
use hints::Shown;
use names::Names;

use super::complete;
use crate::escape;

/// What the line editor asks at each key.
pub struct Assistant {
    pub session: Arc<Session>,
    pub names: Names,
    /// Whether the terminal takes colours. Without them no hint is shown either: it would look like what was typed.
    pub colour: bool,
}

impl Helper for Assistant {}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, position: usize) -> Cow<'l, str> {
        // What was pasted, edited or recalled is shown without what a terminal would obey. It takes no cells, as the line
        // editor counts them, so nothing stands in its place.
        if line.chars().any(escape::is_unsafe) {
            return Cow::Owned(harmless(line));
        }
        if !self.colour {
            return Cow::Borrowed(line);
        }
        let shown = highlight(line, position, self.session.language(), &self.names.now());
        shown.map_or(Cow::Borrowed(line), Cow::Owned)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{}\x1b[0m", harmless(hint)))
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _completion: CompletionType) -> Cow<'c, str> {
        let explained = candidates::explanation(candidate).filter(|_| self.colour);
        match explained.and_then(|at| candidate.split_at_checked(at)) {
            Some((name, explanation)) => Cow::Owned(format!("{name}\x1b[2m{explanation}\x1b[0m")),
            None => Cow::Borrowed(candidate),
        }
    }

    fn highlight_char(&self, line: &str, _position: usize, _kind: CmdKind) -> bool {
        self.colour || line.chars().any(escape::is_unsafe)
    }
}

/// The text without what a terminal would obey.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !escape::is_unsafe(*c)).collect()
}

impl Completer for Assistant {
    type Candidate = Offer;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Self::Candidate>)> {
        Ok(complete(line, position, self.session.language(), &self.names.now()))
    }
}

impl Hinter for Assistant {
    type Hint = Shown;

    fn hint(&self, line: &str, position: usize, context: &Context<'_>) -> Option<Self::Hint> {
        let wanted = self.colour && position == line.len() && !line.trim().is_empty();
        wanted.then(|| hints::hint(line, context, self.session.language()))?
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        // Never `Invalid`: it would keep a wrong search from being submitted, and its error from being explained.
        Ok(match complete::is_complete(context.input(), self.session.language()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}
