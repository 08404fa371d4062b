//! A command whose text is complete only when the subsearches in it were run.
//!
//! A subsearch is text: what it gives takes its place before the command is read. Where a value or a condition stands
//! the trees of the commands have a place for it; anywhere else the command is kept as its text in pieces.
//!
//! Source: Splunk Search Manual, "About subsearches"; Search Reference, "return".

use std::fmt::{self, Display, Formatter};

use super::CommandDoc;
use crate::Spanned;
use crate::spl::Subsearch;

/// A command with a search in brackets where its grammar has none: `sort [search ... | return $field]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Substituted {
    /// The text, with at least one subsearch in it.
    pub pieces: Vec<Piece>,
}

/// A stretch of such a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Text as written; an implied `search` is spelled out.
    Text(Spanned<String>),
    /// What is run to get the text that takes its place.
    Subsearch(Subsearch),
}

/// What is said of all of them.
pub(super) const DOC: CommandDoc = CommandDoc {
    name: "substituted",
    summary: "A command that is read when the subsearches in it were run",
    syntax: "",
    arguments: &[],
    examples: &[],
};

/// Texts that a subsearch could give, for a first look at whether any of them makes sense.
pub(crate) const LIKELY: &[&str] = &[
    "",
    "x",
    "1",
    "\"x\"",
    "x=1",
    "( ( x=\"1\" ) )",
    "span=1h",
    "index=x",
    "field=x \"(?<x>x)\"",
    "count",
    "x AS y",
    "x, x",
];

impl Display for Substituted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(&text.node)?,
                Piece::Subsearch(subsearch) => subsearch.fmt(f)?,
            }
        }
        Ok(())
    }
}
