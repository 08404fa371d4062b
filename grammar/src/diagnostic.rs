//! What is wrong with a query, where, and what to do about it.

use std::fmt;

use crate::Span;

/// The registry of diagnostic codes. A released code is never given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The text is not of the language.
    Syntax = 1,
    /// A quote, parenthesis or bracket is never closed, or closed without having been opened.
    Unbalanced = 2,
    /// No such command.
    UnknownCommand = 3,
    /// A command of the language that spelunk does not run yet.
    UnsupportedCommand = 4,
    /// No such option of this command, or not a value that it takes.
    InvalidOption = 5,
    /// An option, mode or construct of the language that spelunk does not run yet.
    Unsupported = 6,
    /// No such function.
    UnknownFunction = 7,
    /// Too few or too many arguments, or one of the wrong kind.
    InvalidArgument = 8,
    /// A regular expression or format string that does not compile.
    InvalidPattern = 9,
    /// The types of the operands do not fit the operator, or a Boolean is assigned to a field.
    TypeMismatch = 10,
    /// The macro is not defined.
    UnknownMacro = 11,
    /// The query nests too deeply, or is too long.
    TooLarge = 12,
    /// A time modifier that cannot be read.
    InvalidTime = 13,
    /// A subsearch failed.
    Subsearch = 14,
    /// No event has the field.
    UnknownField = 101,
    /// No loaded event carries this index, source or sourcetype.
    UnknownMetadata = 102,
    /// A limit cut the result.
    Truncated = 103,
    /// Part of the input could not be read.
    PartialInput = 104,
    /// Something else that the reader of the result should know.
    Note = 105,
    /// The search needs more memory than it may use.
    MemoryLimit = 201,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SPL{:04}", *self as u16)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The query cannot run.
    Error,
    /// The query runs, and the result may not be what was meant.
    Warning,
    /// The query runs; this is good to know.
    Note,
}

/// One finding about a query: code, place, reason, suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of finding.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The reason, one sentence without a full stop, lower case, naming what was found.
    pub message: String,
    /// The place that the caret points at.
    pub span: Span,
    /// A few words under the caret.
    pub label: Option<String>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A finding that stops the query.
    pub fn error(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), span, label: None, help: None }
    }

    /// A finding that lets the query run.
    pub fn warning(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message, span) }
    }

    /// Good to know.
    pub fn note(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, message, span) }
    }

    /// Adds the words under the caret.
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds the suggestion.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Line and column (both from 1, the column in characters) of the start of the place.
    pub fn line_column(&self, text: &str) -> (usize, usize) {
        let start = text.floor_char_boundary(self.span.start);
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        write!(f, "{severity}[{}]: {}", self.code, self.message)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}
