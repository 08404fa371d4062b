//! `relevancy`: how well events fit the words searched for.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;

/// `relevancy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relevancy;

/// The documentation of `relevancy`.
pub const DOC: CommandDoc = CommandDoc {
    name: "relevancy",
    summary: "Adds the field `relevancy`: how well an event's text fits the words of the searches before",
    syntax: "relevancy",
    arguments: &[ArgumentDoc {
        name: "method",
        meaning: "Okapi BM25 with k1 1.2 and b 0.75 (Robertson and Zaragoza, 2009) over the words of _raw: rare words that occur often in short events count most; 0 where no word was searched for. Words behind NOT and with wildcards do not count",
    }],
    examples: &["| makeresults | eval _raw=\"disk error\" | search error | relevancy | table relevancy"],
};

pub(super) fn build(_: &mut Builder<'_>, _: Pair<'_, Rule>) -> Option<Relevancy> {
    Some(Relevancy)
}

impl Display for Relevancy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("relevancy")
    }
}
