//! `spelunk generate`: telemetry of any size, the same for the same seed.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use crate::bundled;
use crate::cli::{GenerateArgs, Telemetry};
use crate::exit::{self, Exit, Failure};
use crate::terminal;

/// Writes the events.
///
/// # Errors
/// What the output says.
pub fn run(args: &GenerateArgs) -> Result<Exit, Failure> {
    if args.format == Telemetry::Parquet && args.out.is_none() && terminal::stdout_is_terminal() {
        return Err(Failure::Usage("Parquet is not for terminals: name a file with --out, or use a pipe".into()));
    }
    if args.format == Telemetry::Evtx {
        // Its beginning says how long it became.
        let Some(path) = &args.out else {
            return Err(Failure::Usage(
                "a Windows event log cannot be written to a stream: name a file with --out".into(),
            ));
        };
        let file = File::create(path).map_err(|error| exit::at(path, &error))?;
        bundled::generate_log(file, args.events, args.seed).map_err(|error| exit::at(path, &error))?;
        return Ok(Exit::Ok);
    }
    let out: Box<dyn Write + Send> = match &args.out {
        Some(path) => Box::new(File::create(path).map_err(|error| exit::at(path, &error))?),
        None => Box::new(io::stdout()),
    };
    let mut out = BufWriter::with_capacity(256 << 10, out);
    bundled::generate(&mut out, args.events, args.seed, args.format)?;
    out.flush()?;
    Ok(Exit::Ok)
}
