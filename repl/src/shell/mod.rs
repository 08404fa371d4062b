//! The shell: searches over logs that stay loaded, read from a terminal or from a pipe.

mod batch;
mod commands;
mod complete;
pub(crate) mod editing;
mod history;
mod loading;
mod prompt;

use std::sync::Arc;

use spelunk_engine::ingest::Location;
use spelunk_engine::{Context, Language, Session};

use crate::cli::{DataArgs, ShellArgs};
use crate::commands::inputs;
use crate::diagnostics;
use crate::escape;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::notebook::{Entry, Logged};
use crate::search::{self, Kept, Sink};
use crate::settings::Settings;
use crate::terminal;
use loading::Loading;

pub use commands::nearest;

/// Opens the shell.
///
/// # Errors
/// A wrong command line, or logs that cannot be read at all.
pub async fn run(mut args: ShellArgs) -> Result<Exit, Failure> {
    let interactive = terminal::stdin_is_terminal();
    if let Some(path) = args.paths.first()
        && !path.exists()
        && let Some(command) = path.to_str().and_then(nearest_subcommand)
    {
        let path = escape::line(&path.display().to_string()).into_owned();
        return Err(Failure::Usage(if path == command {
            format!("options come after the command: spelunk {command} …")
        } else {
            format!("no such file, folder or command: {path}; did you mean {command}?")
        }));
    }
    let sink = Arc::new(Sink::for_shell(args.output)?);
    let from_stdin = |path: &std::path::PathBuf| inputs::location(path.clone()) == Location::Stdin;
    if args.paths.iter().chain(args.data.index.iter().map(|index| &index.path)).any(from_stdin) {
        let message = "standard input brings the shell its searches, so it cannot be data: use `spelunk run`";
        return Err(Failure::Usage(message.into()));
    }
    args.data.cluster = args.cluster;
    let now = args.data.now;
    let data = args.data.clone();
    let session = inputs::session(args.data, args.paths, true)?;
    let interrupt = Interrupt::listen(session.cancelled());
    let clocked = Arc::clone(&session);
    interrupt.guard(move || async move { inputs::set_clock(&clocked, now).await }).await??;
    let begun = (session.language(), session.context());
    let mut shell = Shell {
        session,
        data,
        sink,
        interrupt,
        interactive,
        settings: args.settings,
        begun,
        asked: None,
        logged: Vec::new(),
        loading: None,
    };
    if interactive {
        let loading = Loading::start(&shell.session)?;
        return prompt::run(&mut shell, loading).await;
    }
    let loading = Arc::clone(&shell.session);
    let read = shell.interrupt.guard(move || async move { loading.load().await }).await?;
    let report = read.map_err(|error| Failure::Search(error, String::new()))?;
    search::tell_damage(&report);
    batch::run(&mut shell).await
}

/// What the shell works with.
struct Shell {
    session: Arc<Session>,
    /// What was said of the data, and of the knowledge that searches are run with.
    data: DataArgs,
    sink: Arc<Sink>,
    interrupt: Interrupt,
    /// Whether a person is there to read more than was asked for.
    interactive: bool,
    /// Where what is set is from.
    settings: Settings,
    /// The language and the surroundings of searches when the shell began.
    begun: (Language, Context),
    /// The last search, whether it worked or not.
    asked: Option<(Language, String)>,
    /// What happened.
    logged: Vec<Entry>,
    /// The logs, while they are being read.
    loading: Option<Loading>,
}

/// Whether the shell goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// It does; the last input ended so.
    On(Exit),
    /// The user left.
    Leave,
}

impl Shell {
    /// Runs a search or a dot command. Failures are reported, and the shell goes on.
    async fn submit(&mut self, text: &str) -> Flow {
        // A trailing semicolon ends a search in other shells; here it is no part of it.
        let text = text.trim().trim_end_matches(';').trim_end();
        if text.is_empty() {
            return Flow::On(Exit::Ok);
        }
        if !commands::is_at_once(text)
            && let Some(loading) = self.loading.take()
            && let Err(failure) = loading.wait(&self.interrupt).await
        {
            return Flow::On(match failure {
                Failure::Interrupted => {
                    terminal::say("cancelled; the next search reads the logs again");
                    Exit::Interrupted
                }
                failure => failure.report(),
            });
        }
        if text.starts_with('.') {
            return commands::run(self, text).await;
        }
        Flow::On(self.search(text).await)
    }

    /// The same for a search in a language that may be another than the user's.
    async fn search_in(&mut self, language: Language, text: &str) -> Exit {
        let spoken = self.session.language();
        self.session.speak(language);
        let exit = self.search(text).await;
        self.session.speak(spoken);
        exit
    }

    /// Runs a search, and tells why where it finds nothing.
    async fn search(&mut self, text: &str) -> Exit {
        let (at, started) = (jiff::Timestamp::now(), std::time::Instant::now());
        self.asked = Some((self.session.language(), text.to_owned()));
        let done = search::run(&self.session, text, &self.sink, &self.interrupt).await;
        let elapsed = started.elapsed();
        let last = done.as_ref().ok().and_then(|_| self.sink.last());
        let (rows, ended) = (last.as_ref().map(|last| last.rows), last.as_ref().is_some_and(|last| last.ended));
        let bounds = self.session.bounds().unwrap_or_default();
        let times = last.as_ref().map_or_else(Vec::new, Kept::times);
        let findings = match (&done, last) {
            (Ok(_), last) => last.map_or_else(Vec::new, |last| last.findings),
            (Err(Failure::Search(spelunk_engine::Error::Query(findings), _)), _) => {
                findings.iter().map(|finding| diagnostics::one_line(finding, text)).collect()
            }
            (Err(Failure::Search(error, _)), _) => vec![error.to_string()],
            (Err(_), _) => Vec::new(),
        };
        let logged = Logged { query: text.to_owned(), bounds, at, elapsed, rows, ended, findings, times };
        self.logged.push(Entry::Searched(Box::new(logged)));
        match done {
            Ok(exit) => {
                if self.interactive && rows == Some(0) && !ended && !self.session.inputs().is_empty() {
                    // The search worked: what stops its explanation is told, and changes nothing.
                    if let Err(failure) = search::tell_why(&self.session, text, &self.interrupt).await {
                        failure.report();
                    }
                }
                exit
            }
            Err(Failure::Interrupted) => {
                terminal::say("cancelled");
                Exit::Interrupted
            }
            Err(Failure::Search(spelunk_engine::Error::Query(findings), _)) => {
                diagnostics::print_all(&findings, text);
                Exit::Usage
            }
            Err(failure) => failure.report(),
        }
    }
}

/// The subcommand that a word was probably meant to be.
fn nearest_subcommand(word: &str) -> Option<String> {
    let known = <crate::cli::Cli as clap::CommandFactory>::command();
    let names: Vec<&str> = known.get_subcommands().map(clap::Command::get_name).collect();
    commands::nearest(word, &names).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_misspelt_subcommand_is_recognised() {
        assert_eq!(super::nearest_subcommand("chek").as_deref(), Some("check"));
        assert_eq!(super::nearest_subcommand("logs.evtx"), None);
    }
}
