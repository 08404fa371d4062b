//! From text to tree: the pest grammar, and the builder that turns pest's pairs into typed nodes.

mod builder;
mod diagnose;
mod expression;
mod filter;

pub use generated::{LogscaleParser, Rule};

use pest::Parser;

use super::query::Query;
use crate::{Code, Diagnostic, Span};
use builder::Builder;

/// What pest generates from the grammars.
#[allow(missing_docs)]
mod generated {
    use pest_derive::Parser;

    /// The parser of all rules.
    #[derive(Parser)]
    #[grammar = "logscale/pest/lexical.pest"]
    #[grammar = "logscale/pest/query.pest"]
    pub struct LogscaleParser;
}

/// How deep brackets may nest. Published queries go down to 9.
pub const MAX_NESTING: usize = 64;

/// The longest text that is looked at.
pub const MAX_LENGTH: usize = 16 << 20;

/// How many opening brackets are parsed on the stack of the caller.
const FEW_BRACKETS: usize = 24;

/// How many there may be at all.
const MOST_BRACKETS: usize = 4_096;

/// What a level of brackets costs an unoptimised build of stack, with room to spare.
const STACK_OF_LEVEL: usize = 64 << 10;

/// Parses a query, or says what is wrong with it.
///
/// # Errors
/// Every finding.
pub fn parse(text: &str) -> Result<Query, Vec<Diagnostic>> {
    parse_with_warnings(text).map(|(query, _)| query)
}

/// The same, with what may be read otherwise than it was meant.
///
/// # Errors
/// Every finding.
pub fn parse_with_warnings(text: &str) -> Result<(Query, Vec<Diagnostic>), Vec<Diagnostic>> {
    let too_large = |message: String| vec![Diagnostic::error(Code::TooLarge, message, Span::new(0, 0))];
    if text.len() > MAX_LENGTH {
        return Err(too_large(format!("the query is longer than {MAX_LENGTH} bytes")));
    }
    // Whether a bracket stands in a string or a regular expression only the parser can tell. It can nest no deeper
    // than there are brackets, and gets the stack for that.
    let brackets = text.bytes().filter(|byte| matches!(byte, b'(' | b'[' | b'{')).count();
    if brackets <= FEW_BRACKETS {
        return parse_here(text);
    }
    if brackets > MOST_BRACKETS {
        return Err(too_large(format!("the query has more than {MOST_BRACKETS} opening brackets")));
    }
    std::thread::scope(|scope| {
        let stack = brackets.saturating_mul(STACK_OF_LEVEL);
        let parsing = std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, || parse_here(text));
        match parsing.map(|thread| thread.join()) {
            Ok(Ok(parsed)) => parsed,
            _ => Err(too_large("the query has too many brackets for the memory there is".to_owned())),
        }
    })
}

fn parse_here(text: &str) -> Result<(Query, Vec<Diagnostic>), Vec<Diagnostic>> {
    let pairs = LogscaleParser::parse(Rule::query, text).map_err(|error| vec![diagnose::syntax_error(&error, text)])?;
    let mut builder = Builder { depth: 0, diagnostics: Vec::new(), warnings: Vec::new() };
    let query = pairs.into_iter().next().and_then(|pair| builder.query(pair));
    match query {
        Some(query) if builder.diagnostics.is_empty() => Ok((query, builder.warnings)),
        _ if builder.diagnostics.is_empty() => {
            Err(vec![Diagnostic::error(Code::Syntax, "the query cannot be read", Span::new(0, text.len()))])
        }
        _ => Err(builder.diagnostics),
    }
}
