//! `dedup`: the first rows of each combination of values.
use super::sort::SortKey;
use crate::spl::expression::Name;

/// `dedup [N] FIELD ... [keepevents=BOOL] [keepempty=BOOL] [consecutive=BOOL] [sortby KEY ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dedup {
    /// How many rows of each combination; default 1.
    pub count: Option<u64>,
    /// The fields that make a combination; never empty.
    pub fields: Vec<Name>,
    /// Keep the rows and clear the fields of the later ones.
    pub keepevents: Option<bool>,
    /// Keep rows in which one of the fields is missing.
    pub keepempty: Option<bool>,
    /// Remove only rows next to each other.
    pub consecutive: Option<bool>,
    /// The order in which "first" is meant; empty for the order at hand.
    pub sortby: Vec<SortKey>,
}
