//! SPL, the Search Processing Language.

pub mod commands;
pub mod expression;
pub mod query;
pub mod search;

pub use commands::CommandKind;
pub use query::{Command, Query, Subsearch};
