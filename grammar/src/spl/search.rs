//! The expression language of the `search` command, in which OR binds tighter than AND.

use super::Subsearch;
use super::expression::{MacroCall, Name};
use crate::Span;

/// A search expression.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchExpression {
    /// All of them, two or more; the AND may be implied.
    And(Vec<SearchExpression>),
    /// Any of them, two or more.
    Or(Vec<SearchExpression>),
    /// Not that.
    Not(Box<SearchExpression>),
    /// `field=value` and its siblings.
    Comparison(Comparison),
    /// `field IN (value, ...)`.
    In(InList),
    /// A keyword, a quoted phrase, `TERM(x)` or `CASE(x)`, looked for in the event's text.
    Term(Literal),
    /// `[ ... ]`.
    Subsearch(Subsearch),
    /// `` `name(args)` ``.
    Macro(MacroCall),
}

/// `field op value`. Time modifiers (`earliest=-1d`) and metadata (`index=main`) have this form too.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The field's name.
    pub field: Name,
    /// The operator.
    pub operator: ComparisonOperator,
    /// What it is compared with: always a value, never a field.
    pub value: Operand,
    /// The whole comparison.
    pub span: Span,
}

/// The comparison operators of `search`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ComparisonOperator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A value.
    Literal(Literal),
    /// `[ ... ]`, whose result is the value (`field=[search ... | return $x]`).
    Subsearch(Subsearch),
}

/// `field IN (value, ...)`: the same as `=` with any of the values.
#[derive(Debug, Clone, PartialEq)]
pub struct InList {
    /// The field's name.
    pub field: Name,
    /// The values; never empty.
    pub values: Vec<Literal>,
    /// The whole list.
    pub span: Span,
}

/// A value to look for. `*` in it is a wildcard, quoted or not; it cannot be escaped.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// The text with escapes resolved (`\"`, `\\`, `\|`; any other backslash stays).
    pub text: String,
    /// Whether it stood in double quotes.
    pub quoted: bool,
    /// How it is matched.
    pub matching: Matching,
    /// The value as written, quotes included.
    pub span: Span,
}

/// How a search literal is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matching {
    /// Any letter case: the default.
    AnyCase,
    /// `CASE(x)`: letter case counts.
    Case,
    /// `TERM(x)`: one index term, between major breakers.
    Term,
}
