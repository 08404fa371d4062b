//! `spelunk explain`: the query as it is understood, and the plans made of it.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use spelunk_engine::session::Explanation;

use crate::cli::ExplainArgs;
use crate::commands::inputs;
use crate::diagnostics;
use crate::escape;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::terminal;

/// Prints the canonical query, what is opened of stores, the logical plan and the physical plan.
///
/// # Errors
/// A wrong command line or query, an input that cannot be read, Ctrl-C.
pub async fn run(mut args: ExplainArgs) -> Result<Exit, Failure> {
    args.data.lang = inputs::language_of(args.file.as_deref(), args.data.lang);
    args.data.cluster = args.cluster;
    let now = args.data.now;
    let (query, paths) = inputs::query(args.words, args.file, &args.data)?;
    let session = inputs::session(args.data, paths, false)?;
    let interrupt = Interrupt::listen(session.cancelled());
    let clocked = std::sync::Arc::clone(&session);
    interrupt.guard(move || async move { inputs::set_clock(&clocked, now).await }).await??;
    let asked = query.clone();
    let explained = interrupt
        .guard(move || async move { session.explain(&asked).await })
        .await?
        .map_err(|error| Failure::Search(error, query.clone()))?;
    diagnostics::print_all(&explained.diagnostics, &query);

    let mut out = io::stdout().lock();
    out.write_all(sections(explained, terminal::stdout_colour()).as_bytes())?;
    out.flush()?;
    Ok(Exit::Ok)
}

/// An explanation for people.
pub fn sections(explained: Explanation, colour: bool) -> String {
    let mut sections = vec![
        ("Canonical query", explained.canonical),
        ("Logical plan", explained.logical),
        ("Physical plan", explained.physical),
    ];
    if !explained.remote.is_empty() {
        sections.push(("On the cluster", explained.remote.join("\n")));
    }
    if !explained.stores.is_empty() {
        sections.insert(1, ("Stores", explained.stores.join("\n")));
    }
    let mut out = String::new();
    for (position, (title, text)) in sections.iter().enumerate() {
        if position > 0 {
            out.push('\n');
        }
        let _ = match colour {
            true => writeln!(out, "\x1b[1m{title}\x1b[0m"),
            false => writeln!(out, "{title}"),
        };
        for line in escape::lines(text.trim_end()).lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}
