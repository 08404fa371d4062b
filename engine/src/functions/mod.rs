//! The functions of `eval` and `where`: one file a family, one entry a function.
//!
//! An entry holds the function's help and how a call becomes a DataFusion expression. Help, completion, the
//! reference pages and the list of what is supported are made from these entries.

pub mod aggregates;
pub mod collections;
pub mod comparison;
pub mod conversion;
pub mod extraction;
pub mod geoip;
pub mod informational;
pub mod kernel;
pub mod mathematical;
pub mod multivalue;
pub mod operators;
pub mod ordering;
pub mod pattern;
pub mod search;
pub mod text;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
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
        comparison::FUNCTIONS,
        conversion::FUNCTIONS,
        informational::FUNCTIONS,
        mathematical::FUNCTIONS,
        multivalue::FUNCTIONS,
        text::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// The function of that name, in any letter case.
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name.eq_ignore_ascii_case(name))
}

/// Every DataFusion function that plans of spelunk may hold, to be registered with a session.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [
        aggregates::udfs(),
        collections::udfs(),
        comparison::udfs(),
        conversion::udfs(),
        extraction::udfs(),
        geoip::udfs(),
        informational::udfs(),
        mathematical::udfs(),
        multivalue::udfs(),
        operators::udfs(),
        ordering::udfs(),
        search::udfs(),
        text::udfs(),
    ]
    .concat()
}

/// Every DataFusion aggregate that plans of spelunk may hold and DataFusion does not bring itself.
pub fn udafs() -> Vec<Arc<AggregateUDF>> {
    aggregates::udafs()
}
