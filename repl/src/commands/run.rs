//! `spelunk run`: one search, one result.

use std::sync::Arc;

use crate::cli::RunArgs;
use crate::commands::inputs;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::search::{self, Sink};

/// Runs the search.
///
/// # Errors
/// A wrong command line or query, a failure while reading, running or writing, Ctrl-C.
pub async fn run(mut args: RunArgs) -> Result<Exit, Failure> {
    let sink = Arc::new(Sink::new(args.output)?);
    args.data.lang = inputs::language_of(args.file.as_deref(), args.data.lang);
    args.data.cluster = args.cluster;
    let now = args.data.now;
    let (query, paths) = inputs::query(args.words, args.file, &args.data)?;
    let session = inputs::session(args.data, paths, args.why)?;
    session.measure(args.profile);
    let interrupt = Interrupt::listen(session.cancelled());
    let clocked = Arc::clone(&session);
    interrupt.guard(move || async move { inputs::set_clock(&clocked, now).await }).await??;
    let exit = search::run(&session, &query, &sink, &interrupt).await?;
    if args.why && exit != Exit::Interrupted {
        search::tell_why(&session, &query, &interrupt).await?;
    }
    Ok(exit)
}
