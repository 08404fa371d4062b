//! `spelunk demo`: a published detection finds a bundled attack.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::{Session, SessionOptions};

use crate::bundled;
use crate::cli::DemoArgs;
use crate::escape;
use crate::exit::{self, Exit, Failure};
use crate::interrupt::Interrupt;
use crate::report;
use crate::search::{self, Sink};

/// Writes the scenario's logs, and runs the detection on them.
///
/// # Errors
/// A folder that cannot be written, or whatever stops the search.
pub async fn run(args: DemoArgs) -> Result<Exit, Failure> {
    // Removed when it is dropped, at the end.
    let mut temporary = None;
    let folder = match &args.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| exit::at(folder, &error))?;
            folder.clone()
        }
        None => {
            let made = tempfile::Builder::new().prefix("spelunk-demo-").tempdir();
            let made = made.map_err(|error| exit::at(&std::env::temp_dir(), &error))?;
            temporary.insert(made).path().to_owned()
        }
    };
    let files = bundled::write_demo(&folder).map_err(|error| exit::at(&folder, &error))?;
    introduce(&folder, &files, args.keep.is_some())?;

    let options = SessionOptions { memory: args.memory, temp: args.temp, ..SessionOptions::default() };
    let input = Input { location: Location::Path(folder), index: None };
    let session = Session::new(options, vec![input]);
    let session = Arc::new(session.map_err(|error| Failure::Runtime(error.to_string()))?);
    let interrupt = Interrupt::listen(session.cancelled());
    search::run(&session, bundled::demo_detection(), &Arc::new(Sink::table()), &interrupt).await
}

fn introduce(folder: &Path, files: &[PathBuf], kept: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let shown = |path: &Path| escape::line(&path.display().to_string()).into_owned();
    let fate = if kept { "" } else { " (removed at the end; --keep DIR keeps them)" };
    writeln!(out, "The logs of a recorded attack, in {}{fate}:", shown(folder))?;
    for file in files {
        let size = file.metadata().map(|metadata| report::bytes(metadata.len())).unwrap_or_default();
        writeln!(out, "  {}  {size}", shown(file.strip_prefix(folder).unwrap_or(file)))?;
    }
    writeln!(out, "\nThe published detection:")?;
    for line in bundled::demo_detection().trim().lines() {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "\nWhat it finds:")?;
    out.flush()
}
