//! How searches are run, and what they take from their surroundings.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Language;
use crate::knowledge::{Apps, Definitions, Macros, SavedSearches};
use crate::lookups::Lookups;
use crate::views::View;

/// How searches are run.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// The language of the searches.
    pub language: Language,
    /// The zone in which times are read and shown.
    pub time_zone: TimeZone,
    /// The time that `now()` and relative times mean; `None` for the clock's.
    pub now: Option<Timestamp>,
    /// The earliest event time that is searched (SPL time modifier), where a search names none.
    pub earliest: Option<String>,
    /// The latest event time that is searched (SPL time modifier, exclusive), where a search names none.
    pub latest: Option<String>,
    /// Nothing is forgiven: damaged input is an error, index and sourcetype mean what they say.
    pub strict: bool,
    /// The sourcetype of all events.
    pub sourcetype: Option<String>,
    /// The host of all events.
    pub host: Option<String>,
    /// The source of all events, instead of the one that they or their file have.
    pub source: Option<String>,
    /// The MaxMind database that `iplocation` asks; `None` for the file that `SPELUNK_GEOIP` names.
    pub geoip: Option<PathBuf>,
    /// Keep what was read for the next search (a shell), instead of reading only what one search needs.
    pub keep: bool,
    /// What macro calls stand for.
    pub macros: Arc<Macros>,
    /// The searches that have names.
    pub saved_searches: Arc<SavedSearches>,
    /// The parameters and saved queries of LogScale.
    pub logscale: Definitions,
    /// What apps bring besides: event types, tags, fields and data models.
    pub apps: Arc<Apps>,
    /// The lookup tables, and where searches may write.
    pub lookups: Arc<Lookups>,
    /// Which view serves searches that were written for another telemetry.
    pub view: View,
    /// How many bytes of memory the session may use; `None` for 60 % of the machine's.
    pub memory: Option<usize>,
    /// The folder for what does not fit into that; `None` for the system's.
    pub temp: Option<PathBuf>,
    /// The cluster that searches run on, as far as they can.
    #[cfg(feature = "cluster")]
    pub cluster: Option<crate::cluster::Cluster>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            language: Language::Spl,
            time_zone: TimeZone::UTC,
            now: None,
            earliest: None,
            latest: None,
            strict: false,
            sourcetype: None,
            host: None,
            source: None,
            geoip: None,
            keep: false,
            macros: Arc::default(),
            saved_searches: Arc::default(),
            logscale: Definitions::default(),
            apps: Apps::own(),
            lookups: Arc::default(),
            view: View::Auto,
            memory: None,
            temp: None,
            #[cfg(feature = "cluster")]
            cluster: None,
        }
    }
}

/// What searches take from their surroundings; a shell changes it between them.
#[derive(Debug, Clone)]
pub struct Context {
    /// The zone in which times are shown and read in searches. Times of logs that name no zone stay in the zone in
    /// which they were read.
    pub time_zone: TimeZone,
    /// The time that `now()` and relative times mean; `None` for the clock's.
    pub now: Option<Timestamp>,
    /// As [`SessionOptions::earliest`].
    pub earliest: Option<String>,
    /// As [`SessionOptions::latest`].
    pub latest: Option<String>,
}
