//! `rex`: extracts fields with a regular expression, or edits text with a sed script.
use crate::Spanned;
use crate::spl::expression::Name;

/// `rex [field=FIELD] "PATTERN" [max_match=N] [offset_field=FIELD]` or `rex [field=FIELD] mode=sed "SCRIPT"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rex {
    /// The field to look at; default `_raw`.
    pub field: Option<Name>,
    /// The regular expression or the sed script, escapes resolved.
    pub pattern: Spanned<String>,
    /// `mode=sed`.
    pub sed: bool,
    /// How many matches; default 1, 0 for all.
    pub max_match: Option<u64>,
    /// The field that receives the offsets of the groups.
    pub offset_field: Option<Name>,
}
