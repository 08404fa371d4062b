//! `spelunk generate`: telemetry of any size, the same for the same seed.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use crate::bundled;
use crate::cli::GenerateArgs;
use crate::exit::{self, Exit, Failure};

/// Writes the events.
///
/// # Errors
/// What the output says.
pub fn run(args: &GenerateArgs) -> Result<Exit, Failure> {
    let out: Box<dyn Write> = match &args.out {
        Some(path) => Box::new(File::create(path).map_err(|error| exit::at(path, &error))?),
        None => Box::new(io::stdout()),
    };
    let mut out = BufWriter::with_capacity(256 << 10, out);
    bundled::generate(&mut out, args.events, args.seed, args.format)?;
    out.flush()?;
    Ok(Exit::Ok)
}
