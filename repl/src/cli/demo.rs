//! What `spelunk demo` takes.

use std::path::PathBuf;

use clap::Args;

use super::values::parse_size;

/// `spelunk demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Use at most so much memory, such as 800MB or 2GiB [default: 60% of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<usize>,
    /// The folder for what does not fit into that [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub temp: Option<PathBuf>,
    /// Write the logs to DIR and keep them, instead of a temporary folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}
