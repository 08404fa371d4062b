//! `eval`: computes fields.
use crate::Span;
use crate::spl::expression::Expression;

/// `eval TARGET=EXPRESSION, ...`, from left to right; later assignments see earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Eval {
    /// One or more.
    pub assignments: Vec<Assignment>,
}

/// One `TARGET=EXPRESSION`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The field to set.
    pub target: Target,
    /// Its value.
    pub value: Expression,
}

/// The left side of an assignment.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// One text part for a plain name; more where `{field}` parts are filled in row by row.
    pub parts: Vec<TargetPart>,
    /// The name as written.
    pub span: Span,
}

/// A piece of a target name.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetPart {
    /// Literal text.
    Text(String),
    /// `{field}`: the row's value of that field.
    FieldValue(String),
}
