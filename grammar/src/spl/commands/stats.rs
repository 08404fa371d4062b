//! `stats`: aggregates over all rows or by group.
use crate::spl::expression::{Expression, Name};
use crate::{Span, Spanned};

/// `stats AGGREGATE ... [BY FIELD ...]` with its options.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// What to compute; never empty.
    pub aggregates: Vec<Aggregate>,
    /// The group fields.
    pub by: Vec<Name>,
    /// `allnum=`
    pub allnum: Option<Spanned<bool>>,
    /// `delim=`
    pub delim: Option<Spanned<String>>,
    /// `partitions=`
    pub partitions: Option<Spanned<u64>>,
    /// `dedup_splitvals=`
    pub dedup_splitvals: Option<Spanned<bool>>,
}

/// `function(argument) AS name`.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The function's name as written, such as `count`, `dc`, `perc95`.
    pub function: Spanned<String>,
    /// Its argument; `None` for `count` and bare function names.
    pub argument: Option<AggregateArgument>,
    /// The name after AS; may hold a wildcard.
    pub alias: Option<Name>,
    /// The call as written without the alias: where it stands, and the source of its default name.
    pub text: String,
    /// The whole term.
    pub span: Span,
}

/// What an aggregate is computed over.
#[derive(Debug, Clone, PartialEq)]
pub enum AggregateArgument {
    /// A field; may hold wildcards.
    Field(Name),
    /// `eval(EXPRESSION)`.
    Eval(Expression),
}
