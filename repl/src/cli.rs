//! The command line: what can be said, and how it is explained.

mod check;
mod cluster;
mod data;
mod demo;
mod explain;
mod generate;
mod generated;
mod help;
mod index;
mod output;
mod packs;
mod run;
mod shell;
mod trials;
mod values;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::exit::Failure;
use crate::pager;
use crate::settings;

pub use check::{CheckArgs, CheckForm};
pub use cluster::{ClusterArgs, SchedulerArgs, WorkerArgs};
pub use data::{DataArgs, Index, Language, Now, View};
pub use demo::DemoArgs;
pub use explain::ExplainArgs;
pub use generate::{GenerateArgs, Telemetry};
pub use generated::{CompletionsArgs, ManArgs};
pub use help::HelpArgs;
pub use index::IndexArgs;
pub use output::{Colour, Form, OutputArgs};
pub use packs::{CoverageArgs, HuntArgs, LintArgs, TestArgs};
pub use run::RunArgs;
pub use shell::ShellArgs;
pub use trials::{CompareArgs, CompareForm, ValidateArgs, ValidateForm};
pub use values::{parse_now, parse_zone};

const EXIT_CODES: &str = "\
Exit codes:
  0    it worked; a closed pipe counts as that
  1    it failed while running, or a checked query has an error
  2    the command line or the query is wrong
  3    the result is there, but part of the input could not be read
  130  interrupted; what came until then is shown, and said to be a part";

const EXAMPLES: &str = "\
Examples:
  spelunk run 'EventCode=1 | stats count by Image' ./logs
  spelunk run --file detection.spl ./logs --output csv > result.csv
  zcat events.jsonl.gz | spelunk run 'error | top host' -
  spelunk run --lang logscale 'event_simpleName=ProcessRollup2 | groupBy(FileName)' ./logs
  spelunk run '| makeresults | eval a=1'
  spelunk index -o ./store ./logs
  spelunk check ./detections
  spelunk validate detection.spl --output junit > report.xml
  spelunk compare old.spl new.spl ./logs
  spelunk help stats
  spelunk demo
  spelunk ./logs

Exit codes:
  0    it worked; a closed pipe counts as that
  1    it failed while running, or a checked query has an error
  2    the command line or the query is wrong
  3    the result is there, but part of the input could not be read
  130  interrupted; what came until then is shown, and said to be a part";

/// Runs published Splunk searches and CrowdStrike LogScale queries on your log files, without Splunk or Falcon.
///
/// Name a search and some files or folders: EVTX, Windows event XML, JSON, CSV, Parquet and text logs are recognised by
/// what is in them, compressed or not. Without a command, PATHs are opened in the shell, with the options of
/// `spelunk repl`.
#[derive(Debug, Parser)]
#[command(
    name = "spelunk",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = EXAMPLES
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The shell, where no command is named.
    #[command(flatten)]
    pub shell: ShellArgs,
}

impl Cli {
    /// Reads the arguments of this process, with the settings that they leave to other places.
    ///
    /// # Errors
    /// A wrong command line, or a request for help; both print themselves. A file with settings that is wrong.
    pub fn read() -> Result<Self, Unread> {
        let (definition, arguments) = (Cli::definition(), std::env::args_os().collect::<Vec<_>>());
        let matches = definition.clone().try_get_matches_from(&arguments)?;
        let (arguments, settings) = settings::apply(&definition, &matches, arguments).map_err(Unread::Setting)?;
        let mut cli = Cli::from_arg_matches(&definition.try_get_matches_from(arguments)?)?;
        if let Some(pager) = settings.0.iter().find(|setting| setting.key == settings::PAGER) {
            pager::choose(&pager.value);
        }
        match &mut cli.command {
            None => cli.shell.settings = settings,
            Some(Command::Repl(shell)) => shell.settings = settings,
            Some(_) => {}
        }
        Ok(cli)
    }

    /// What can be said.
    pub fn definition() -> clap::Command {
        // The help of `spelunk repl` shows the shell's options; here they would bury the commands.
        Cli::command().mut_args(|arg| {
            let shown = ["help", "version", "paths"].contains(&arg.get_id().as_str());
            arg.hide(!shown)
        })
    }
}

/// Why the command line says nothing.
#[derive(Debug)]
pub enum Unread {
    /// It is wrong, or asks for help.
    Arguments(clap::Error),
    /// A setting is wrong.
    Setting(Failure),
}

impl From<clap::Error> for Unread {
    fn from(error: clap::Error) -> Self {
        Unread::Arguments(error)
    }
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a search over logs and print its result
    Run(RunArgs),
    /// Open logs in the interactive shell
    Repl(ShellArgs),
    /// Parse and plan searches without running them
    Check(CheckArgs),
    /// Print the completions of the command line for a shell
    Completions(CompletionsArgs),
    /// Run a pack of detections over logs, and report what they find
    #[command(mut_arg("lang", |lang| lang.hide(true)), mut_arg("allow_write", |writing| writing.hide(true)))]
    Hunt(HuntArgs),
    /// Say which detections of a pack can find anything in logs, and what the others miss
    #[command(mut_arg("lang", |lang| lang.hide(true)), mut_arg("allow_write", |writing| writing.hide(true)))]
    Coverage(CoverageArgs),
    /// Run the tests that detections bring along
    #[command(mut_arg("lang", |lang| lang.hide(true)), mut_arg("allow_write", |writing| writing.hide(true)))]
    Test(TestArgs),
    /// Put detections on trial against known attacks and look-alikes
    Validate(ValidateArgs),
    /// Show what one detection finds and another does not, and why
    Compare(CompareArgs),
    /// Print the manual page, or write those of all commands to a folder
    Man(ManArgs),
    /// Show how a search would be run
    Explain(ExplainArgs),
    /// Load logs into a store, which is searched at the speed of the machine
    Index(IndexArgs),
    /// Run a published detection on a bundled attack scenario
    Demo(DemoArgs),
    /// Write generated Windows telemetry
    Generate(GenerateArgs),
    /// Give the parts of searches to workers on several machines
    Scheduler(SchedulerArgs),
    /// Do the parts of searches that a scheduler gives
    Worker(WorkerArgs),
    /// Explain a command or function of SPL, a function of LogScale, or a command of spelunk
    Help(HelpArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
