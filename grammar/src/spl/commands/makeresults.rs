//! `makeresults`: rows from nothing.
use crate::Spanned;

/// `makeresults [count=N] [annotate=BOOL] [format=csv|json data="..."] [splunk_server=...] [splunk_server_group=...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Makeresults {
    /// How many rows; default 1.
    pub count: Option<u64>,
    /// Whether the metadata fields are added (empty); default false.
    pub annotate: Option<bool>,
    /// The rows themselves.
    pub data: Option<Spanned<InlineData>>,
    /// `splunk_server=`, which names a server.
    pub splunk_server: Option<Spanned<String>>,
    /// `splunk_server_group=`, which names servers.
    pub splunk_server_group: Option<Spanned<String>>,
}

/// Rows written into the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InlineData {
    /// CSV with a header line.
    Csv(String),
    /// A JSON array of objects.
    Json(String),
}
