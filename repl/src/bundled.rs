//! What the binary brings along: the published detections, the demo's logs, and the generator of telemetry.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use spelunk_datasets::Format;
use spelunk_engine::Language;

use crate::cli::Telemetry;

/// The detection that the demo runs.
pub fn demo_detection() -> &'static str {
    spelunk_datasets::DCOM_SPL
}

/// The detections: name, language, query.
pub fn detections() -> [(&'static str, Language, &'static str); 2] {
    [
        ("dcom.spl", Language::Spl, spelunk_datasets::DCOM_SPL),
        ("dcom.cql", Language::LogScale, spelunk_datasets::DCOM_CQL),
    ]
}

/// Writes the logs of the demo's scenario into a folder, and names them.
///
/// # Errors
/// What the file system says.
pub fn write_demo(folder: &Path) -> io::Result<Vec<PathBuf>> {
    spelunk_datasets::write_demo(folder)
}

/// Writes generated events as a Windows event log.
///
/// # Errors
/// What the file says.
pub fn generate_log(file: File, events: u64, seed: u64) -> io::Result<()> {
    spelunk_datasets::generate_evtx(file, seed, events).map(|_| ())
}

/// Writes generated events; Windows event logs are for [`generate_log`].
///
/// # Errors
/// What the output says.
pub fn generate(out: &mut (dyn Write + Send), events: u64, seed: u64, format: Telemetry) -> io::Result<()> {
    let format = match format {
        Telemetry::Xml => Format::Xml,
        Telemetry::Jsonl => Format::JsonLines,
        Telemetry::Evtx => {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a Windows event log needs a file"));
        }
        Telemetry::Parquet => return spelunk_datasets::generate_parquet(out, seed, events).map(|_| ()),
    };
    spelunk_datasets::generate(out, format, seed, events).map(|_| ())
}
