//! What the binary brings along: the demo's detection and logs, and the generator of telemetry.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::Telemetry;

/// The detection that the demo runs.
pub fn demo_detection() -> &'static str {
    "| makeresults | eval note=\"the bundled scenario is not there yet\" | table note"
}

/// Writes the logs of the demo's scenario into a folder, and names them.
///
/// # Errors
/// What the file system says.
pub fn write_demo(_folder: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(Vec::new())
}

/// Writes generated events.
///
/// # Errors
/// What the output says.
pub fn generate(_out: &mut dyn Write, _events: u64, _seed: u64, _format: Telemetry) -> io::Result<()> {
    Err(io::Error::other("the generator is not there yet"))
}
