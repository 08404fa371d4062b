//! The functions of `eval` and `where`: one file a family, one entry a function.
//!
//! An entry holds the function's help and how a call becomes a DataFusion expression. Help, completion, the
//! reference pages and the list of what is supported are made from these entries.

pub mod aggregates;
pub mod bins;
pub mod bitwise;
pub mod buckets;
pub mod coalesce;
pub mod collections;
pub mod comparison;
pub(crate) mod composed;
pub mod concurrency;
pub mod conversion;
pub mod convert;
pub mod cryptographic;
pub mod datetime;
pub mod distinct;
pub mod estimate;
pub mod eventtime;
pub mod extraction;
pub mod filled;
pub mod fresh;
pub mod geoip;
pub mod informational;
pub mod json;
pub mod json_text;
pub mod kernel;
pub mod lambda;
pub mod logscale;
pub mod lookup;
pub mod mapping;
pub mod mathematical;
pub mod multivalue;
mod needle;
pub mod numbers;
mod once;
pub mod opaque;
pub mod operators;
pub mod ordering;
pub mod pairs;
mod part;
pub mod pattern;
mod pieces;
pub mod precision;
pub mod printf;
pub mod replacing;
pub(crate) mod restored;
pub mod rows;
pub mod search;
pub mod sed;
pub mod series;
pub mod sparkline;
pub mod statistical;
pub mod strftime;
pub mod strptime;
pub mod summary;
pub mod telemetry;
pub mod terms;
pub mod text;
pub mod timeformat;
pub mod trends;
pub mod trigonometric;
pub mod wildcard;
pub mod windows;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use spelunk_grammar::Diagnostic;

use crate::plan::expression::{Call, Typed};

/// An eval function: its help, and how it is planned.
#[derive(Debug)]
pub struct Function {
    /// The name in lower case; calls are found without regard to case.
    pub name: &'static str,
    /// What it gives, in one sentence.
    pub summary: &'static str,
    /// How it is called.
    pub syntax: &'static str,
    /// The fewest and the most arguments.
    pub arity: (usize, usize),
    /// An expression and the text of its value.
    pub example: (&'static str, &'static str),
    /// Turns a call into an expression.
    pub plan: fn(&Call<'_, '_>) -> Result<Typed, Diagnostic>,
}

/// Any number of arguments.
pub const MANY: usize = usize::MAX;

/// Every eval function, family by family.
pub fn all() -> impl Iterator<Item = &'static Function> {
    [
        bitwise::FUNCTIONS,
        comparison::FUNCTIONS,
        conversion::FUNCTIONS,
        cryptographic::FUNCTIONS,
        datetime::FUNCTIONS,
        informational::FUNCTIONS,
        json::FUNCTIONS,
        lambda::FUNCTIONS,
        lookup::FUNCTIONS,
        mathematical::FUNCTIONS,
        multivalue::FUNCTIONS,
        statistical::FUNCTIONS,
        text::FUNCTIONS,
        trigonometric::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// The function of that name, in any letter case.
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name.eq_ignore_ascii_case(name))
}

/// Every DataFusion function that plans of spelunk may hold, for who looks for them by name.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [
        aggregates::udfs(),
        bins::udfs(),
        bitwise::udfs(),
        buckets::udfs(),
        coalesce::udfs(),
        collections::udfs(),
        comparison::udfs(),
        composed::udfs(),
        conversion::udfs(),
        convert::udfs(),
        cryptographic::udfs(),
        datetime::udfs(),
        eventtime::udfs(),
        extraction::udfs(),
        filled::udfs(),
        geoip::udfs(),
        informational::udfs(),
        json::udfs(),
        logscale::udfs(),
        mathematical::udfs(),
        multivalue::udfs(),
        opaque::udfs(),
        operators::udfs(),
        ordering::udfs(),
        pairs::udfs(),
        part::udfs(),
        replacing::udfs(),
        restored::udfs(),
        rows::udfs(),
        search::udfs(),
        sed::udfs(),
        series::udfs(),
        statistical::udfs(),
        telemetry::udfs(),
        terms::udfs(),
        text::udfs(),
        trigonometric::udfs(),
    ]
    .concat()
}

/// Every DataFusion aggregate that plans of spelunk may hold and DataFusion does not bring itself.
#[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "only plans that travel name them"))]
pub fn udafs() -> Vec<Arc<AggregateUDF>> {
    [aggregates::udafs(), estimate::udafs(), numbers::udafs(), sparkline::udafs(), summary::udafs()].concat()
}

/// Every DataFusion window function that plans of spelunk may hold and DataFusion does not bring itself.
#[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "only plans that travel name them"))]
pub fn udwfs() -> Vec<Arc<WindowUDF>> {
    [trends::udwfs(), windows::udwfs(), concurrency::udwfs()].concat()
}
