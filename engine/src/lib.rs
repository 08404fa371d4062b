//! Reads logs into Arrow tables and runs searches over them with DataFusion.
//!
//! The way through the house: [`ingest`] turns files into the tables of a [`store`], the planner turns the
//! syntax tree of `spelunk-grammar` into a DataFusion plan over them, and a [`session`] ties both together.

pub mod demands;
pub mod documents;
pub mod error;
pub mod functions;
pub mod ingest;
pub mod knowledge;
pub mod lint;
pub mod logscale;
pub mod lookups;
pub mod memory;
pub mod methods;
pub mod operators;
pub mod pack;
pub mod plan;
pub mod reference;
pub mod session;
pub mod steps;
pub mod store;
pub mod time;
pub mod values;
pub mod views;
pub mod vocabulary;

pub use error::Error;
pub use plan::trace::{Judged, Unchosen, Verdict};
pub use session::{Context, Language, Search, Session, SessionOptions};
pub use views::View;
