//! From text to tree: [`structure`] takes the text apart, the pest grammars parse each command, the builders
//! turn pest's pairs into typed nodes, and [`diagnose`] turns pest's errors into diagnostics.

pub mod builder;
pub mod diagnose;
pub mod expression;
pub mod pipeline;
pub mod search;
pub mod structure;
pub mod words;

pub use generated::{Rule, SplParser};

use pest::Parser;
use pest::error::{Error, ErrorVariant};
use pest::iterators::Pair;

use crate::{Diagnostic, spl::Query};

/// What pest generates from the grammars.
#[allow(missing_docs)]
mod generated {
    use pest_derive::Parser;

    /// The parser of all rules.
    #[derive(Parser)]
    #[grammar = "spl/pest/lexical.pest"]
    #[grammar = "spl/pest/search.pest"]
    #[grammar = "spl/pest/expression.pest"]
    #[grammar = "spl/pest/commands.pest"]
    pub struct SplParser;
}

/// Parses a query, or says everything that is wrong with it.
pub fn parse(text: &str) -> Result<Query, Vec<Diagnostic>> {
    let structure = structure::Structure::of(text).map_err(|diagnostic| vec![diagnostic])?;
    let mut diagnostics = structure.unbalanced.clone();
    let query = pipeline::parse(&structure, &mut diagnostics);
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    query.filter(|_| diagnostics.is_empty()).ok_or(diagnostics)
}

/// Parses the arguments of a command.
fn parse_rule(rule: Rule, text: &str) -> Result<Pair<'_, Rule>, Box<Error<Rule>>> {
    let mut pairs = SplParser::parse(rule, text)?;
    pairs.next().ok_or_else(|| {
        let variant = ErrorVariant::ParsingError { positives: vec![rule], negatives: Vec::new() };
        Box::new(Error::new_from_pos(variant, pest::Position::from_start(text)))
    })
}

/// The candidate that a misspelt word most likely stands for.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let (distance, best) = candidates
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + word.chars().count() / 4 && distance < word.chars().count()).then_some(best)
}
