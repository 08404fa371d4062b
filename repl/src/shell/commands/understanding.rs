//! How a search works, and why it finds what it finds.

use std::sync::Arc;

use spelunk_engine::Language;

use super::{Done, Outcome, Shell, usage};
use crate::commands::explain;
use crate::diagnostics;
use crate::exit::Failure;
use crate::nothing;
use crate::profile;
use crate::steps;
use crate::terminal;

/// The search that is named, or the last one.
pub(super) fn asked(shell: &Shell, rest: &str) -> Result<(Language, String), Failure> {
    let named = || Some((shell.session.language(), rest.to_owned()));
    let asked = if rest.is_empty() { shell.asked.clone() } else { named() };
    match asked {
        Some(search) => Ok(search),
        None => usage("there was no search yet: name one"),
    }
}

/// `.why`
pub async fn why(shell: &Shell, rest: &str) -> Outcome {
    let session = Arc::clone(&shell.session);
    let (language, text) = asked(shell, rest)?;
    let looking = move || async move { nothing::explain(&session, language, &text).await };
    let found = shell.interrupt.guard(looking).await??;
    Ok(Done::Said(nothing::render(&found, terminal::stdout_width().unwrap_or(100))))
}

/// `.step`
pub async fn step(shell: &Shell, rest: &str) -> Outcome {
    let session = Arc::clone(&shell.session);
    let (language, text) = asked(shell, rest)?;
    let running = move || async move { steps::run(&session, language, &text).await };
    let found = shell.interrupt.guard(running).await??;
    let width = terminal::stdout_width().unwrap_or(100);
    Ok(Done::Said(steps::render(&found, width, terminal::stdout_colour(), shell.sink.plain)))
}

/// `.profile`
pub async fn profile(shell: &Shell, rest: &str) -> Outcome {
    let session = Arc::clone(&shell.session);
    let (language, text) = asked(shell, rest)?;
    let running = move || async move {
        session.measure(true);
        let done = profile::run(&session, language, &text).await;
        session.measure(false);
        done
    };
    let measured = shell.interrupt.guard(running).await;
    // Where the search was given up half-way.
    shell.session.measure(false);
    Ok(Done::Said(measured??.render(terminal::stdout_width().unwrap_or(100))))
}

/// `.explain`
pub async fn explain(shell: &Shell, rest: &str) -> Outcome {
    let session = Arc::clone(&shell.session);
    let (language, text) = asked(shell, rest)?;
    let (query, spoken) = (text.clone(), session.language());
    session.speak(language);
    let explained = shell.interrupt.guard(move || async move { session.explain(&query).await }).await;
    shell.session.speak(spoken);
    let explained = explained?;
    let explained = explained.map_err(|error| Failure::Search(error, text.clone()))?;
    diagnostics::print_all(&explained.diagnostics, &text);
    Ok(Done::Said(explain::sections(explained, terminal::stdout_colour())))
}
