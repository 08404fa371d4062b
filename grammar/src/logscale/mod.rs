//! LogScale (CQL), the query language of CrowdStrike's LogScale, with the extensions that published queries use.

mod parser;
mod print;
pub mod query;
pub mod strict;
#[cfg(test)]
mod tests;
pub mod walk;

pub use parser::{MAX_LENGTH, MAX_NESTING, parse, parse_with_warnings};
pub use query::{Pipeline, Query, Step};
