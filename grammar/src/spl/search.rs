//! The expression language of the `search` command, in which OR binds tighter than AND.

use std::fmt::{self, Display, Formatter};

use super::Subsearch;
use super::expression::{MacroCall, Name};
use super::print::{Escaped, Quoted, Separated};
use crate::Span;

/// A search expression.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchExpression {
    /// All of them, two or more; the AND may be implied. None at all is `()`, which matches everything.
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

impl Display for SearchExpression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(all) if all.is_empty() => f.write_str("()"),
            Self::And(all) => join(f, all, " AND "),
            Self::Or(any) => join(f, any, " OR "),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                inner.fmt_operand(f)
            }
            Self::Comparison(comparison) => comparison.fmt(f),
            Self::In(list) => list.fmt(f),
            Self::Term(literal) => literal.fmt(f),
            Self::Subsearch(subsearch) => subsearch.fmt(f),
            Self::Macro(call) => call.fmt(f),
        }
    }
}

impl SearchExpression {
    /// Prints it as the operand of an operator.
    fn fmt_operand(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(all) if all.is_empty() => self.fmt(f),
            Self::And(_) | Self::Or(_) => write!(f, "({self})"),
            _ => self.fmt(f),
        }
    }
}

fn join(f: &mut Formatter<'_>, operands: &[SearchExpression], operator: &str) -> fmt::Result {
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            f.write_str(operator)?;
        }
        operand.fmt_operand(f)?;
    }
    Ok(())
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.field, self.operator)?;
        match &self.value {
            Operand::Literal(literal) => {
                // `a= =b` must not become `a==b`.
                if !literal.quoted && literal.text.starts_with('=') {
                    f.write_str(" ")?;
                }
                literal.fmt(f)
            }
            Operand::Subsearch(subsearch) => subsearch.fmt(f),
        }
    }
}

impl Display for ComparisonOperator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl Display for InList {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} IN ({})", self.field, Separated(&self.values, ", "))
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.matching {
            Matching::AnyCase => {}
            Matching::Case => f.write_str("CASE(")?,
            Matching::Term => f.write_str("TERM(")?,
        }
        match self.quoted {
            true => Quoted(&self.text).fmt(f)?,
            false => Escaped(&self.text, &['"', '|']).fmt(f)?,
        }
        if self.matching == Matching::AnyCase { Ok(()) } else { f.write_str(")") }
    }
}
