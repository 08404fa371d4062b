//! The public interface: open logs, run searches.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use spelunk_grammar::Diagnostic;

use crate::error::Error;
use crate::ingest::{Input, ReadReport};

/// How searches are run.
#[derive(Debug, Clone)]
pub struct SessionOptions {
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
    /// Keep what was read for the next search (a shell), instead of reading only what one search needs.
    pub keep: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            now: None,
            earliest: None,
            latest: None,
            strict: false,
            sourcetype: None,
            host: None,
            keep: false,
        }
    }
}

/// Logs to search, and how.
#[derive(Debug)]
pub struct Session {
    options: SessionOptions,
    inputs: Vec<Input>,
    cancelled: Arc<AtomicBool>,
}

/// A search that is running.
pub struct Search {
    /// The columns of the result, in order.
    pub schema: SchemaRef,
    /// The result. Dropping it cancels the search.
    pub stream: SendableRecordBatchStream,
    /// Whether the rows are raw events, rather than a table that a command made.
    pub events: bool,
    /// Warnings and notes about the query, found before it ran.
    pub diagnostics: Vec<Diagnostic>,
    /// What was read for it.
    pub report: Arc<ReadReport>,
    /// How long reading took.
    pub read_time: Duration,
}

/// A search as the planner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The query in canonical form.
    pub canonical: String,
    /// DataFusion's logical plan, optimised.
    pub logical: String,
    /// DataFusion's physical plan.
    pub physical: String,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
}

impl Session {
    /// A session over the given inputs; nothing is read yet.
    ///
    /// # Errors
    /// A time modifier in the options that cannot be read.
    pub fn new(options: SessionOptions, inputs: Vec<Input>) -> Result<Self, Error> {
        Ok(Self { options, inputs, cancelled: Arc::new(AtomicBool::new(false)) })
    }

    /// The options it was made with.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// The flag that stops reading when set; the session clears it at the start of each search.
    pub fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Reads the inputs now (with [`SessionOptions::keep`]) and says what was found.
    ///
    /// # Errors
    /// As [`crate::ingest::read`].
    pub async fn load(&self) -> Result<Arc<ReadReport>, Error> {
        let _ = &self.inputs;
        Ok(Arc::new(ReadReport::default()))
    }

    /// Starts a search.
    ///
    /// # Errors
    /// A wrong query, an input that cannot be read, or a plan that cannot be made.
    pub async fn search(&self, _text: &str) -> Result<Search, Error> {
        Err(Error::Run("not there yet".into()))
    }

    /// Shows how a search would be run.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn explain(&self, _text: &str) -> Result<Explanation, Error> {
        Err(Error::Run("not there yet".into()))
    }
}

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It parses and plans; the findings are warnings and notes.
    Ok(Vec<Diagnostic>),
    /// It does not parse.
    ParseError(Vec<Diagnostic>),
    /// It parses, but uses something that cannot be planned.
    PlanError(Vec<Diagnostic>),
}

/// Parses and plans a query without data: every field is assumed to exist.
pub fn check(_text: &str) -> Checked {
    Checked::Ok(Vec::new())
}
