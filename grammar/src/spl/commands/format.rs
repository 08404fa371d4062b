//! `format`: turns all rows of a subsearch into search text.
use crate::Spanned;

/// `format [mvsep="SEP"] [maxresults=N] ["ROW_PREFIX" "COLUMN_PREFIX" "COLUMN_SEPARATOR" "COLUMN_END" "ROW_SEPARATOR" "ROW_END"] [emptystr="TEXT"]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Format {
    /// What joins the values of a multivalue field; default `OR`.
    pub mvsep: Option<String>,
    /// How many rows at most; default 0 for all.
    pub maxresults: Option<u64>,
    /// The six pieces around rows and columns, all or none.
    pub pieces: Option<Box<[Spanned<String>; 6]>>,
    /// The text where there is no row; default `NOT( )`.
    pub emptystr: Option<String>,
}
