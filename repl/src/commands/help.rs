//! `spelunk help`: what a command or function of SPL does, and how spelunk is used.

use std::io::{self, Write};

use spelunk_engine::reference::{self, Help};

use crate::cli::{Cli, HelpArgs};
use crate::escape;
use crate::exit::{Exit, Failure};

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
    let explained = explain(name)?;
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
