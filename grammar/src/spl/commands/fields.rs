//! `fields`: keeps or removes fields.
use crate::spl::expression::Name;

/// `fields [+|-] FIELD ...`, wildcards allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    /// Whether the fields are removed (`-`) instead of kept.
    pub remove: bool,
    /// The fields.
    pub fields: Vec<Name>,
}
