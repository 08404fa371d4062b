//! What `spelunk index` takes.

use std::path::PathBuf;

use clap::Args;

use super::values::{parse_index, parse_size, parse_zone};
use super::{EXIT_CODES, Index};

const INDEX_HELP: &str = "\
Every event is kept with all its fields and its text. The store is a folder of Parquet files, one folder a shape of
events, sorted by time, and a manifest. A search names it like a folder of logs, gives the same result as over the
logs, and opens only the files that can matter; `spelunk explain` shows which these are.

Indexing into a store that is there adds to it. A file whose content was added before adds nothing, whatever it is
called. What was interrupted leaves the store as it was at the last commit. The logs are only read.

Examples:
  spelunk index -o ./store ./logs
  spelunk index -o s3://logs/case-7 ./logs
  spelunk index -o ./store --index firewall=./fw --tz Europe/Berlin ./more-logs
  spelunk run 'EventCode=1 Image=*\\\\powershell.exe' ./store";

/// `spelunk index`
#[derive(Debug, Args)]
#[command(after_help = format!("{INDEX_HELP}\n\n{EXIT_CODES}"))]
pub struct IndexArgs {
    /// The folder of the store, which is made if it is not there; `s3://bucket/prefix` for one in a bucket
    #[arg(short, long, value_name = "STORE")]
    pub output: PathBuf,
    /// Files and folders of logs
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Give the events of PATH the index NAME; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = parse_index)]
    pub index: Vec<Index>,
    /// The sourcetype of all events, instead of the one their format suggests
    #[arg(long, value_name = "NAME")]
    pub sourcetype: Option<String>,
    /// The host of all events, instead of the one they name
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// The zone of times that name none: `UTC`, `local`, `Europe/Berlin`, `+02:00`
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true, value_parser = parse_zone)]
    pub tz: jiff::tz::TimeZone,
    /// Use about so much memory, such as 800MB or 2GiB; more of it makes fewer, larger files [default: 60% of the
    /// machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<usize>,
    /// The folder for archives inside of archives while they are read, and for what is sent to a bucket [default: the
    /// system's]
    #[arg(long, value_name = "DIR")]
    pub temp: Option<PathBuf>,
    /// The most events of a row group: fewer are left out more precisely, more are compressed better [default: 131072]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub row_group: Option<u32>,
    /// Forgive nothing: damaged input is an error, and nothing is added
    #[arg(long)]
    pub strict: bool,
    /// Leave out the summary line
    #[arg(short, long)]
    pub quiet: bool,
}
