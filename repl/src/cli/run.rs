//! What `spelunk run` takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::{ClusterArgs, DataArgs, EXIT_CODES, OutputArgs};

const RUN_HELP: &str = "\
QUERY is the first argument, unless --file names a file that holds it (`--file -` reads standard input).
Every further argument is a PATH: a file, a folder (read recursively) or `-` for standard input.
Without a PATH there is no data, which suits searches that begin with `| makeresults`.

The result goes to standard output. Warnings, the summary line and what could not be read go to standard error.

Examples:
  spelunk run 'EventCode=4688 | stats count by NewProcessName | sort - count' Security.evtx
  spelunk run --file detection.spl --index main=./logs --earliest -7d@d --now 2019-06-21T07:35:37Z
  spelunk run '* | table _time host Image' ./logs --output parquet --out result.parquet
  spelunk run --why 'image=*cmd.exe' ./logs
  spelunk run 'EventCode=1' ./logs --output timesketch --out timeline.csv
  cat app.log | spelunk run 'level=error | timechart count' -";

/// `spelunk run`
#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_HELP}\n\n{EXIT_CODES}"))]
pub struct RunArgs {
    /// The search, then what to search
    #[arg(value_name = "QUERY] [PATH")]
    pub words: Vec<OsString>,
    /// Read the search from FILE (`-`: standard input); then every argument is a PATH
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Tell on standard error how many rows get through each pipe, and what takes the last one; the logs stay in
    /// memory for that
    #[arg(long)]
    pub why: bool,
    /// Tell on standard error how many rows came out of each command, and how long it took
    #[arg(long)]
    pub profile: bool,
    /// What is searched.
    #[command(flatten)]
    pub data: DataArgs,
    /// Where it runs.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// How the result is written.
    #[command(flatten)]
    pub output: OutputArgs,
}
