//! `spelunk completions` and `spelunk man`: what shells and `man` are to know of the command line.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::escape;
use crate::exit::{self, Exit, Failure};

/// Prints the completions for a shell.
///
/// # Errors
/// What the output says.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "spelunk", &mut script);
    let mut out = io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Ok)
}

/// Prints the manual page of spelunk, or writes those of all its commands to a folder.
///
/// # Errors
/// A folder that cannot be written, and what the output says.
pub fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::definition()).render(&mut page)?;
        let mut out = io::stdout().lock();
        out.write_all(&page)?;
        out.flush()?;
        return Ok(Exit::Ok);
    };
    std::fs::create_dir_all(folder).map_err(|error| exit::at(folder, &error))?;
    // The commands' names are known to their pages only once the definition was built.
    let mut definition = Cli::definition();
    definition.build();
    clap_mangen::generate_to(definition, folder).map_err(|error| exit::at(folder, &error))?;
    let mut out = io::stdout().lock();
    writeln!(out, "the manual is in {}", escape::line(&folder.display().to_string()))?;
    Ok(Exit::Ok)
}
