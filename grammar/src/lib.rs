//! The grammars, syntax trees and diagnostics of the languages that spelunk reads.
//!
//! A query text goes in, a typed tree comes out: [`spl::parse`] gives a [`spl::Query`] with a span on every
//! node, or every [`Diagnostic`] that the text deserves. Printing a tree gives its canonical text, and
//! `parse(print(tree)) == tree`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod diagnostic;
pub mod logscale;
pub mod span;
pub mod spl;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use span::{Span, Spanned};
