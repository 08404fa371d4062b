//! Findings that only show while a search runs.

use spelunk_grammar::Diagnostic;

use crate::operators::occurrences::Occurrences;

/// A finding that stands if something happens while the search runs.
#[derive(Debug, Clone)]
pub struct Possible {
    /// The finding.
    pub finding: Diagnostic,
    /// How often it happened.
    pub occurrences: Occurrences,
}

impl Possible {
    /// The finding, if it happened, with the number of times before its message.
    pub fn found(&self) -> Option<Diagnostic> {
        let Diagnostic { message, .. } = &self.finding;
        match self.occurrences.total() {
            0 => None,
            times => Some(Diagnostic { message: format!("{times} {message}"), ..self.finding.clone() }),
        }
    }
}
