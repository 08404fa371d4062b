//! What `spelunk repl`, and `spelunk` alone, take.

use std::path::PathBuf;

use clap::Args;

use super::{ClusterArgs, DataArgs, OutputArgs};
use crate::settings::Settings;

const SHELL_HELP: &str = "\
A search may span lines: Enter continues it while a quote or bracket is open or it ends in `|`, `\\`, a comma or an
operator, and submits it otherwise; Enter on an empty line, Ctrl-J and F5 always submit. Alt-Enter begins a new line, Tab
completes, F1 explains the word at the cursor, Ctrl-X Ctrl-E opens the search in $VISUAL or $EDITOR. Ctrl-C ends the
running search and keeps what came so far, a second one gives it up; Ctrl-D leaves.

When standard input is not a terminal, searches are read from it without a prompt: a line that ends in `;`, an empty
line or the end of input ends a search. The exit code is that of the last search.

Words that begin with a dot are commands of the shell; `.help` names them: .why, .step, .fields, .show, .save and others.

Examples:
  spelunk repl ./logs
  spelunk repl --now latest ./old-evidence
  spelunk repl ./logs < searches.txt";

/// `spelunk repl`
#[derive(Debug, Args)]
#[command(after_help = SHELL_HELP)]
pub struct ShellArgs {
    /// Files and folders to search; `s3://bucket/prefix` for stores and Parquet in a bucket
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What is searched.
    #[command(flatten)]
    pub data: DataArgs,
    /// Where it runs.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// How the result is written.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Where what is set is from.
    #[arg(skip)]
    pub settings: Settings,
}
