//! What `spelunk generate` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const GENERATE_HELP: &str = "\
The same seed gives the same events.

Example:
  spelunk generate --events 1000000 --seed 7 --format jsonl --out events.jsonl";

/// `spelunk generate`
#[derive(Debug, Args)]
#[command(after_help = GENERATE_HELP)]
pub struct GenerateArgs {
    /// How many events
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub events: u64,
    /// What the random choices begin with
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// The form of the events
    #[arg(long, value_enum, default_value_t = Telemetry::Jsonl)]
    pub format: Telemetry,
    /// Write to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A form of generated events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Telemetry {
    /// A Windows event log
    Evtx,
    /// Windows event XML, one event a line
    Xml,
    /// JSON, one event a line
    Jsonl,
    /// Apache Parquet, with the columns that searches see
    Parquet,
}
