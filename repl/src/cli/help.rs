//! What `spelunk help` takes.

use clap::Args;

const NAME_HELP: &str = "\
Examples:
  spelunk help stats
  spelunk help mvindex
  spelunk help groupBy
  spelunk help run";

/// `spelunk help`
#[derive(Debug, Args)]
#[command(after_help = NAME_HELP)]
pub struct HelpArgs {
    /// What to explain
    pub name: Option<String>,
}
