//! What can go wrong while reading and searching.

use spelunk_grammar::Diagnostic;
use std::path::PathBuf;

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
    /// The user interrupted.
    #[error("interrupted")]
    Interrupted,
}

fn summarise(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl From<datafusion::error::DataFusionError> for Error {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        match error.find_root() {
            // What the engine's own operators and functions say is written for the user.
            datafusion::error::DataFusionError::Execution(message) => Error::Run(message.clone()),
            _ => Error::Run(error.strip_backtrace()),
        }
    }
}
