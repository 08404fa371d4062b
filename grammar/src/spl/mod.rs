//! SPL, the Search Processing Language.

pub mod commands;
pub mod expression;
pub mod lint;
pub mod macros;
mod parser;
mod print;
pub mod query;
pub mod search;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use commands::CommandKind;
pub use parser::expression::parse_expression;
pub use parser::parse;
pub use parser::structure::MAX_LENGTH;
pub use query::{Command, Query, Subsearch};
