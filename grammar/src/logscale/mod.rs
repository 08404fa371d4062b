//! LogScale (CQL), the query language of CrowdStrike's LogScale, with the extensions that published queries use.

mod parser;
mod print;
pub mod query;
#[cfg(test)]
mod tests;

pub use parser::{MAX_LENGTH, MAX_NESTING, parse};
pub use query::{Pipeline, Query, Step};
