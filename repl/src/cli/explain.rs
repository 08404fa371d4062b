//! What `spelunk explain` takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::{ClusterArgs, DataArgs};

const EXPLAIN_HELP: &str = "\
Shows the search in canonical form, DataFusion's optimised logical plan, and its physical plan; of stores also which
files the search opens, and why it leaves out the others.

Example:
  spelunk explain 'EventCode=1 | stats count by Image' ./logs";

/// `spelunk explain`
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_HELP)]
pub struct ExplainArgs {
    /// The search, then what it would search
    #[arg(value_name = "QUERY] [PATH")]
    pub words: Vec<OsString>,
    /// Read the search from FILE (`-`: standard input); then every argument is a PATH
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// What is searched.
    #[command(flatten)]
    pub data: DataArgs,
    /// Where it runs.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}
