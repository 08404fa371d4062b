//! How a command ends: the exit codes, and the failures that lead to them.

use std::io;

use spelunk_engine::Error;

use crate::diagnostics;
use crate::escape;
use crate::terminal;

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It worked.
    Ok = 0,
    /// It failed while running, or a checked query has an error.
    Runtime = 1,
    /// The command line or the query is wrong.
    Usage = 2,
    /// The result is there, but part of the input could not be read.
    Partial = 3,
    /// The user interrupted; what came until then is shown, and marked.
    Interrupted = 130,
}

/// Why a command did not work.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// Something failed while running.
    Runtime(String),
    /// The search of this text failed.
    Search(Error, String),
    /// The result could not be written.
    Output(io::Error),
    /// The user interrupted.
    Interrupted,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

impl Failure {
    /// Tells the user, and gives the exit code.
    pub fn report(self) -> Exit {
        match self {
            Failure::Usage(message) => {
                terminal::error(&message);
                Exit::Usage
            }
            Failure::Runtime(message) => {
                terminal::error(&message);
                Exit::Runtime
            }
            Failure::Search(Error::Query(findings), query) => {
                diagnostics::print_all(&findings, &query);
                Exit::Usage
            }
            Failure::Search(Error::Memory(finding), query) => {
                diagnostics::print_all(&[*finding], &query);
                Exit::Runtime
            }
            Failure::Search(Error::Interrupted, _) | Failure::Interrupted => {
                terminal::say("interrupted");
                Exit::Interrupted
            }
            Failure::Search(error @ Error::Unfinished(_), _) => {
                terminal::say(&escape::lines(&format!("interrupted: {error}")));
                Exit::Interrupted
            }
            Failure::Search(error @ (Error::Input { .. } | Error::Run(_)), _) => {
                terminal::error(&error.to_string());
                Exit::Runtime
            }
            // The reader has seen enough (`| head`).
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
            Failure::Output(error) => {
                terminal::error(&format!("cannot write the result: {error}"));
                Exit::Runtime
            }
        }
    }
}

/// A failure to read or write the file at a path.
pub fn at(path: &std::path::Path, error: &io::Error) -> Failure {
    Failure::Runtime(format!("{}: {error}", escape::line(&path.display().to_string())))
}
