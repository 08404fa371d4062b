//! SPL, the Search Processing Language.

pub mod commands;
pub mod expression;
mod parser;
mod print;
pub mod query;
pub mod search;

pub use commands::CommandKind;
pub use parser::parse;
pub use query::{Command, Query, Subsearch};
