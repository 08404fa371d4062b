//! What a search means beyond its own text: definitions that sites and apps bring, in Splunk's own file formats.

pub mod apps;
pub mod conf;
mod evaluate;
mod expand;
pub mod macros;
pub mod queries;
pub mod saved;
pub mod yaml;

pub use apps::Apps;
pub use conf::Conf;
pub use expand::Expanded;
pub use macros::Macros;
pub use queries::{Definitions, SavedQueries};
pub use saved::SavedSearches;

use std::sync::Arc;

use crate::lookups::Lookups;

/// The definitions that a search may call.
#[derive(Debug, Clone, Copy)]
pub struct Knowledge<'a> {
    /// What macro calls stand for.
    pub macros: &'a Macros,
    /// The searches that have names.
    pub saved_searches: &'a SavedSearches,
    /// What apps bring besides: event types, tags, fields and data models.
    pub apps: &'a Arc<Apps>,
    /// The lookups, and where may be written; `None` if they are assumed to exist and writing to be allowed.
    pub lookups: Option<&'a Arc<Lookups>>,
}
