//! What can go wrong while reading and searching.

use std::path::PathBuf;

use datafusion::error::DataFusionError;
use spelunk_grammar::Diagnostic;

/// Why a search could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The query is wrong; the findings say where and why.
    #[error("{}", summarise(.0))]
    Query(Vec<Diagnostic>),
    /// An input cannot be read at all, or is damaged and `strict` was asked for.
    #[error("{}: {reason}", .path.display())]
    Input {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The search failed while running.
    #[error("{0}")]
    Run(String),
    /// The search needs more memory than it may use; the finding says which command, and what to do.
    #[error("{0}")]
    Memory(Box<Diagnostic>),
    /// The user interrupted.
    #[error("interrupted")]
    Interrupted,
    /// The user ended the search before that command had seen all events, and nothing less is a result of it.
    #[error("{0} needs all events, so there is no result of a part of them")]
    Unfinished(String),
}

fn summarise(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl From<DataFusionError> for Error {
    /// An error that came through a stream of DataFusion is what it was before.
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Error>() {
                Ok(error) => *error,
                Err(other) => Error::Run(DataFusionError::External(other).strip_backtrace()),
            },
            other => match other.find_root() {
                // What the engine's own operators and functions say is written for the user.
                DataFusionError::Execution(message) => Error::Run(message.clone()),
                _ => Error::Run(other.strip_backtrace()),
            },
        }
    }
}
