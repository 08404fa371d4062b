//! What `spelunk completions` and `spelunk man` take.

use std::path::PathBuf;

use clap::Args;

const COMPLETIONS_HELP: &str = "\
Examples:
  spelunk completions bash > ~/.local/share/bash-completion/completions/spelunk
  spelunk completions zsh > ~/.zfunc/_spelunk
  spelunk completions fish > ~/.config/fish/completions/spelunk.fish";

/// `spelunk completions`
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_HELP)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

const MAN_HELP: &str = "\
Examples:
  spelunk man | man -l -
  spelunk man ~/.local/share/man/man1";

/// `spelunk man`
#[derive(Debug, Args)]
#[command(after_help = MAN_HELP)]
pub struct ManArgs {
    /// Write the page of each command to DIR; without, the page of spelunk goes to standard output
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
