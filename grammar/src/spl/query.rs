//! A whole search: commands between pipes.

use super::CommandKind;
use crate::Span;

/// A pipeline. Data flows through the commands from left to right.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The commands in the order written; never empty.
    pub commands: Vec<Command>,
    /// The whole text.
    pub span: Span,
}

/// One command of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// What it does. A leading search without the word `search` is [`CommandKind::Search`] too.
    pub kind: CommandKind,
    /// The command's name, or the start of the implied search.
    pub name_span: Span,
    /// From the name to the end of the arguments.
    pub span: Span,
}

/// A search in square brackets, run first, whose result takes its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Subsearch {
    /// The search in the brackets.
    pub query: Query,
    /// From bracket to bracket.
    pub span: Span,
}
