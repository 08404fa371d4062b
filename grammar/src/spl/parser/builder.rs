//! The state of building one command's tree: where its text stands, and what has been found wrong.

use pest::iterators::Pair;

use super::Rule;
use super::structure::Structure;
use crate::spl::commands::CommandDoc;
use crate::{Code, Diagnostic, Span};

/// How deep a tree may get. Walking it, planning it and dropping it recurses, and a level of an expression costs the
/// optimiser of an unoptimised build up to 64 KiB of stack. Published searches stay far below.
pub const MAX_DEPTH: usize = 200;

/// Builds the tree of one command. Its methods and the functions that take it return `None` after noting why.
pub struct Builder<'a> {
    /// The whole query.
    pub structure: &'a Structure,
    /// Where the command's arguments start in the query.
    pub base: usize,
    /// The command.
    pub doc: &'static CommandDoc,
    /// How deep the node that is built next stands.
    pub depth: usize,
    /// What has been found so far.
    pub diagnostics: &'a mut Vec<Diagnostic>,
}

impl Builder<'_> {
    /// The place of a pair in the query, without the blanks that may follow it.
    pub fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let start = self.base + pair.as_span().start();
        Span::new(start, start + pair.as_str().trim_end().len())
    }

    /// Notes an error.
    pub fn error(&mut self, code: Code, message: impl Into<String>, span: Span) {
        let help = format!("syntax: {}", self.doc.syntax);
        self.diagnostics.push(Diagnostic::error(code, message, span).with_help(help));
    }

    /// Runs `build` for children that stand `levels` deeper, unless that is too deep.
    pub fn deeper<T>(&mut self, levels: usize, span: Span, build: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += levels;
        let built = if self.depth > MAX_DEPTH {
            let message = format!("the query nests too deeply: more than {MAX_DEPTH} operators inside each other");
            self.diagnostics.push(Diagnostic::error(Code::TooLarge, message, span));
            None
        } else {
            build(self)
        };
        self.depth -= levels;
        built
    }
}
