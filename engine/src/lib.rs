//! Reads logs into Arrow tables and runs searches over them with DataFusion.
//!
//! [`ingest`] turns files into tables, the planner turns the syntax tree of `spelunk-grammar` into a DataFusion plan over
//! them, and a [`session`] ties both together. What is documented here is all that the `spelunk` binary uses; how searches
//! are planned and events are stored is the crate's own business.
//!
//! # Searching
//!
//! A [`Session`] holds what is searched. It is made without reading anything; a search reads what it needs, and its
//! result is a stream of Arrow record batches.
//!
//! ```
//! use futures::TryStreamExt;
//! use spelunk_engine::ingest::{Input, Location};
//! use spelunk_engine::{Session, SessionOptions, values};
//!
//! # let folder = tempfile::tempdir()?;
//! # let log = folder.path().join("log.jsonl");
//! std::fs::write(&log, "{\"user\":\"ann\",\"n\":1}\n{\"user\":\"bob\",\"n\":2}\n")?;
//! let input = Input { location: Location::Path(log), index: None };
//! let session = Session::new(SessionOptions::default(), vec![input])?;
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let search = session.search("user=* | stats sum(n) AS total by user | sort - total").await?;
//! // Warnings and notes of the planner, each with its place in the text.
//! assert!(search.diagnostics.is_empty());
//! let batches: Vec<_> = search.stream.try_collect().await?;
//! let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
//! assert_eq!(rows, 2);
//! // Cells as they are shown, with times in that zone.
//! let zone = session.context().time_zone;
//! let first: Vec<_> = batches[0].columns().iter().map(|column| values::cell(column, 0, &zone)).collect();
//! assert_eq!(first, [values::Cell::Text("bob".into()), values::Cell::Number("2".into())]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! LogScale queries are searches of [`Language::LogScale`], chosen by [`SessionOptions::language`] or
//! [`Session::speak`].
//!
//! # Compiling
//!
//! [`session::check_in`] parses and plans without data; [`Session::explain`] gives the canonical query and DataFusion's
//! plans over the data; [`Session::stages`] cuts a search at its pipes.
//!
//! ```
//! use spelunk_engine::knowledge::{Apps, Knowledge, Macros, SavedSearches};
//! use spelunk_engine::session::{Checked, check_in};
//! use spelunk_engine::{Language, Session, SessionOptions};
//!
//! let (macros, saved, apps) = (Macros::default(), SavedSearches::default(), Apps::own());
//! let knowledge = Knowledge { macros: &macros, saved_searches: &saved, apps: &apps, lookups: None };
//! match check_in(Language::Spl, "error | stast count", knowledge) {
//!     Checked::ParseError(findings) => {
//!         assert_eq!(findings[0].message, "unknown command \"stast\"");
//!         assert_eq!((findings[0].span.start, findings[0].span.end), (8, 13));
//!     }
//!     other => panic!("{other:?}"),
//! }
//!
//! let session = Session::new(SessionOptions::default(), Vec::new())?;
//! let stages = session.stages(Language::Spl, "error | where n>1 | stats count")?;
//! assert_eq!(stages[1].prefix, "search error | where n > 1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Cancelling, progress and what it costs
//!
//! Dropping [`Search::stream`] cancels a search; [`Session::cancelled`] stops one that is still reading. [`Session::watch`]
//! tells how far one is, and ends it with what came so far: a part of the result where [`Search::whole`] is `None`.
//! With [`Session::measure`], [`Search::profile`] tells the rows and time of each command.
//!
//! ```
//! use futures::TryStreamExt;
//! use spelunk_engine::{Session, SessionOptions};
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let session = Session::new(SessionOptions::default(), Vec::new())?;
//! session.measure(true);
//! let search = session.search("| makeresults count=1000 | eval n=1 | stats sum(n) AS n").await?;
//! assert_eq!(search.whole.as_deref(), Some("`stats`"));
//! let profile = search.profile;
//! search.stream.try_collect::<Vec<_>>().await?;
//! let lines = profile.lines();
//! // What DataFusion runs as one is one line.
//! assert_eq!(lines.last().map(|line| line.rows), Some(1));
//! assert_eq!(lines.last().and_then(|line| line.commands.last()).map(|share| share.text.as_str()), Some("stats sum(n) AS n"));
//!
//! // A search that was ended before it began has no rows, and may have: each row depends on one event only.
//! let search = session.search("| makeresults count=1000 | eval n=1").await?;
//! assert_eq!(search.whole, None);
//! session.watch().end();
//! assert!(search.stream.try_collect::<Vec<_>>().await?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What there is
//!
//! With [`SessionOptions::keep`], events stay loaded between searches, and [`Session::known_fields`] tells their fields
//! with frequent values of each.
//!
//! ```
//! use spelunk_engine::ingest::{Input, Location};
//! use spelunk_engine::{Session, SessionOptions};
//!
//! # let folder = tempfile::tempdir()?;
//! # let log = folder.path().join("log.jsonl");
//! # std::fs::write(&log, "{\"user\":\"ann\"}\n{\"user\":\"bob\"}\n")?;
//! let options = SessionOptions { keep: true, ..SessionOptions::default() };
//! let session = Session::new(options, vec![Input { location: Location::Path(log), index: None }])?;
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! // File by file, with every place that could not be read.
//! let report = session.load().await?;
//! assert_eq!((report.files[0].events, report.files[0].skipped), (2, 0));
//! let fields = session.known_fields().unwrap_or_default();
//! assert!(fields.iter().any(|field| field.name == "user"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "cluster")]
pub mod cluster;
pub mod demands;
mod documents;
pub mod error;
mod functions;
pub mod ingest;
pub mod knowledge;
pub mod lint;
mod logscale;
pub mod lookups;
mod memory;
mod methods;
mod operators;
pub mod pack;
mod plan;
pub mod reference;
pub mod session;
pub mod steps;
mod store;
pub mod time;
pub mod values;
mod views;
pub mod vocabulary;
pub mod watch;

pub use error::Error;
pub use functions::pattern::given_up;
pub use memory::LEAST as LEAST_MEMORY;
pub use plan::possible::Possible;
pub use plan::suggest;
pub use plan::trace::{self, Judged, Unchosen, Verdict};
pub use session::{Context, Language, Search, Session, SessionOptions};
pub use store::scans;
#[doc(hidden)]
pub use store::table::EventTable;
pub use views::View;
pub use watch::Watch;
