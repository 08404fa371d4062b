//! `rename`: gives fields other names.
use crate::spl::expression::Name;

/// `rename OLD AS NEW, ...`, wildcards allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Rename {
    /// Old and new name of each pair; never empty.
    pub pairs: Vec<(Name, Name)>,
}
