//! What an expression gives: its kind, and how it turns into another.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, cast, lit};
use spelunk_grammar::{Code, Diagnostic, Span};

use crate::functions::kernel::many_type;
use crate::functions::operators;

/// What an expression gives, as far as planning can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, ever: `null()` or a field that no event has.
    Null,
    /// True or false; never the value of a field.
    Boolean,
    /// An `Int64`.
    Integer,
    /// A `Float64`.
    Number,
    /// A `Timestamp`; a number of seconds to an expression.
    Time,
    /// Text that was written as text: a string literal.
    Literal,
    /// Text from an event or a text function, which counts as a number where it looks like one.
    Text,
    /// Several values.
    Many,
}

impl Kind {
    /// The kind of a column of that type.
    pub fn of(data_type: &DataType) -> Kind {
        match data_type {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Boolean,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Number,
            data_type if data_type.is_integer() => Kind::Integer,
            DataType::Timestamp(..) => Kind::Time,
            DataType::List(_) => Kind::Many,
            _ => Kind::Text,
        }
    }

    /// Whether it is a number to an expression.
    pub fn is_number(self) -> bool {
        matches!(self, Kind::Integer | Kind::Number | Kind::Time)
    }
}

/// A planned expression, its kind and its place.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The DataFusion expression.
    pub expr: Expr,
    /// What it gives.
    pub kind: Kind,
    /// Where it was written.
    pub span: Span,
}

impl Typed {
    /// A planned expression.
    pub fn new(expr: Expr, kind: Kind, span: Span) -> Self {
        Self { expr, kind, span }
    }

    /// The missing value.
    pub fn null(span: Span) -> Self {
        Self::new(lit(ScalarValue::Utf8(None)), Kind::Null, span)
    }

    /// As a double; text that is no number gives null.
    pub fn number(&self) -> Expr {
        match self.kind {
            Kind::Number => self.expr.clone(),
            Kind::Integer => match &self.expr {
                Expr::Literal(ScalarValue::Int64(Some(integer)), _) => lit(*integer as f64),
                expr => cast(expr.clone(), DataType::Float64),
            },
            Kind::Null | Kind::Boolean => lit(ScalarValue::Float64(None)),
            Kind::Time | Kind::Literal | Kind::Text | Kind::Many => operators::to_number(self.expr.clone()),
        }
    }

    /// As text; several values stay several.
    pub fn text(&self) -> Expr {
        match self.kind {
            Kind::Literal | Kind::Text | Kind::Many | Kind::Null => self.expr.clone(),
            Kind::Boolean | Kind::Integer | Kind::Number | Kind::Time => operators::to_text(self.expr.clone()),
        }
    }

    /// The text of a string literal.
    pub fn literal(&self) -> Option<&str> {
        match (&self.expr, self.kind) {
            (Expr::Literal(ScalarValue::Utf8(Some(text)), _), Kind::Literal) => Some(text),
            _ => None,
        }
    }

    /// The value of a number literal.
    pub fn literal_number(&self) -> Option<f64> {
        match &self.expr {
            Expr::Literal(ScalarValue::Int64(Some(integer)), _) => Some(*integer as f64),
            Expr::Literal(ScalarValue::Float64(Some(number)), _) => Some(*number),
            Expr::Literal(ScalarValue::Utf8(Some(text)), _) if self.kind == Kind::Text => {
                crate::values::parse_number(text)
            }
            _ => None,
        }
    }

    /// As it is stored in a field: times in seconds, null as text.
    pub fn stored(&self) -> Result<Expr, Diagnostic> {
        match self.kind {
            Kind::Boolean => {
                Err(Diagnostic::error(Code::TypeMismatch, "a field cannot be assigned a Boolean result", self.span)
                    .with_help("choose a value with `if(condition, 1, 0)`, or write it with `tostring(condition)`"))
            }
            Kind::Time => Ok(self.number()),
            _ => Ok(self.expr.clone()),
        }
    }
}

/// The kind that all values can be turned into.
pub fn common_kind(values: &[&Typed]) -> Kind {
    let mut kinds = values.iter().map(|value| value.kind).filter(|kind| *kind != Kind::Null);
    let Some(first) = kinds.next() else { return Kind::Null };
    kinds.fold(first, |common, kind| match (common, kind) {
        (a, b) if a == b => a,
        (Kind::Many, _) | (_, Kind::Many) => Kind::Many,
        (a, b) if a.is_number() && b.is_number() => Kind::Number,
        _ => Kind::Text,
    })
}

/// The value in that kind's type.
pub fn as_kind(value: &Typed, kind: Kind) -> Expr {
    match kind {
        Kind::Many if value.kind == Kind::Null => lit(ScalarValue::Null).cast_many(),
        Kind::Many if value.kind != Kind::Many => operators::to_many(value.text()),
        Kind::Boolean if value.kind == Kind::Null => lit(ScalarValue::Boolean(None)),
        Kind::Time if value.kind == Kind::Null => lit(ScalarValue::TimestampMicrosecond(None, Some("UTC".into()))),
        Kind::Many | Kind::Null | Kind::Boolean | Kind::Time => value.expr.clone(),
        Kind::Integer if value.kind == Kind::Null => lit(ScalarValue::Int64(None)),
        Kind::Integer => value.expr.clone(),
        Kind::Number => value.number(),
        Kind::Literal | Kind::Text => value.text(),
    }
}

trait CastMany {
    fn cast_many(self) -> Expr;
}

impl CastMany for Expr {
    fn cast_many(self) -> Expr {
        cast(self, many_type())
    }
}
