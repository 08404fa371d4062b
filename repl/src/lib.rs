//! spelunk runs published Splunk searches on log files, without Splunk.
//!
//! What the binary is made of: the command line, the shell, and how results are shown. What a search means is the
//! engine's. It is a library so that benches can measure it.

mod bundled;
mod cli;
mod commands;
mod compare;
mod coverage;
mod detections;
mod diagnostics;
mod escape;
mod exit;
mod fields;
mod hunt;
mod interrupt;
pub mod measured;
mod notebook;
mod nothing;
mod pack;
mod pager;
mod profile;
mod progress;
mod render;
mod report;
mod search;
mod settings;
mod shell;
mod sink;
mod steps;
mod terminal;
mod testing;
mod traced;
mod validate;
mod why;

use std::process::ExitCode;
use std::thread;

use cli::{Cli, Command, Unread};
use exit::{Exit, Failure};

/// Queries nest, and parsers, planners and optimisers recurse: threads get more stack than the usual 2 to 8 MiB.
pub(crate) const STACK: usize = 16 << 20;

/// Runs spelunk with the arguments of the process.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| terminal::error(&format!("this is a bug in spelunk: {info}"))));
    let exit = match thread::Builder::new().name("spelunk".to_owned()).stack_size(STACK).spawn(start) {
        // A panic has been reported by the hook.
        Ok(running) => running.join().unwrap_or(Exit::Runtime),
        Err(error) => Failure::Runtime(format!("cannot start a thread: {error}")).report(),
    };
    ExitCode::from(exit as u8)
}

fn start() -> Exit {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(Unread::Setting(failure)) => return failure.report(),
        Err(Unread::Arguments(message)) => {
            // A reader of --help that has seen enough is no error.
            let _ = message.print();
            return if message.use_stderr() { Exit::Usage } else { Exit::Ok };
        }
    };
    dispatch(cli).unwrap_or_else(Failure::report)
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    match cli.command.unwrap_or(Command::Repl(cli.shell)) {
        Command::Run(args) => on_runtime(commands::run::run(args)),
        Command::Repl(args) => on_runtime(shell::run(args)),
        Command::Explain(args) => on_runtime(commands::explain::run(args)),
        Command::Index(args) => on_runtime(commands::index::run(args)),
        Command::Demo(args) => on_runtime(commands::demo::run(args)),
        Command::Check(args) => commands::check::run(&args),
        Command::Hunt(args) => on_runtime(commands::hunt::run(args)),
        Command::Coverage(args) => on_runtime(commands::coverage::run(args)),
        Command::Test(args) => on_runtime(commands::test::run(args)),
        Command::Validate(args) => on_runtime(commands::validate::run(args)),
        Command::Completions(args) => commands::generated::completions(&args),
        Command::Man(args) => commands::generated::man(&args),
        Command::Compare(args) => on_runtime(commands::compare::run(args)),
        Command::Generate(args) => commands::generate::run(&args),
        Command::Scheduler(args) => on_runtime(commands::cluster::scheduler(args)),
        Command::Worker(args) => on_runtime(commands::cluster::worker(args)),
        Command::Help(args) => commands::help::run(&args),
    }
}

/// Runs work on the threads of the engine.
pub(crate) fn on_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("spelunk-worker")
        .thread_stack_size(STACK)
        .build()
        .map_err(|error| Failure::Runtime(format!("cannot start the threads of the engine: {error}")))?;
    let result = runtime.block_on(work);
    // What was cancelled may still be reading a file; leaving does not wait for it.
    runtime.shutdown_background();
    result
}
