//! The operators of `eval`, and the conversions between the kinds of values.
//!
//! Numbers use DataFusion's own operators; text that may hold numbers is decided value by value here.
//!
//! Source of the rules: Splunk Search Reference, "eval" (operators) and "Comparison and Conditional functions".

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::nullif;
use datafusion::logical_expr::{Expr, ScalarUDF, cast, lit};
use spelunk_grammar::spl::expression::BinaryOperator;

use super::kernel::{Returns, RowFunction, Test, TextPredicate};
use crate::plan::expression::{Kind, Typed};
use crate::values::{self, Value};

/// `to_number(value)`: the number that a value is or looks like, else null.
static TO_NUMBER: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_to_number", Returns::Number, |values| {
        values.first().and_then(Value::number).map_or(Value::Null, Value::Number)
    })
});

/// `to_text(value)`: a value in its print form.
static TO_TEXT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_to_text", Returns::Text, |values| values.first().map_or(Value::Null, owned_text))
});

/// `to_many(value)`: a value as the only one of several.
static TO_MANY: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_to_many", Returns::Many, |values| {
        values.first().map_or(Value::Null, |v| Value::Many(v.texts().into_iter().map(into_owned).collect()))
    })
});

/// `concatenate(a, b)`: both as text, one after the other; null if either is.
static CONCATENATE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_concatenate", Returns::Text, |values| {
        let mut joined = String::new();
        for value in values {
            match value.text() {
                Some(text) => joined.push_str(&text),
                None => return Value::Null,
            }
        }
        Value::Text(Cow::Owned(joined))
    })
});

/// `add(a, b)`: the sum of two numbers, or both one after the other where one is none.
static ADD: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_add", Returns::Text, |values| match values {
        [a, b] => match (a.number(), b.number(), a.text(), b.text()) {
            (Some(a), Some(b), ..) => Value::Text(Cow::Owned(values::format_number(a + b))),
            (.., Some(a), Some(b)) => Value::Text(Cow::Owned(format!("{a}{b}"))),
            _ => Value::Null,
        },
        _ => Value::Null,
    })
});

macro_rules! comparison {
    ($static:ident, $name:literal, $test:expr) => {
        static $static: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
            RowFunction::udf($name, Returns::Boolean, |values| match values {
                [a, b] => {
                    let (left, right) = (a.texts(), b.texts());
                    if left.is_empty() || right.is_empty() {
                        return Value::Null;
                    }
                    let test: fn(std::cmp::Ordering) -> bool = $test;
                    Value::Boolean(left.iter().any(|l| right.iter().any(|r| test(values::compare(l, r)))))
                }
                _ => Value::Null,
            })
        });
    };
}

comparison!(EQUAL, "spl_equal", |o| o.is_eq());
comparison!(NOT_EQUAL, "spl_not_equal", |o| o.is_ne());
comparison!(LESS, "spl_less", |o| o.is_lt());
comparison!(LESS_OR_EQUAL, "spl_less_or_equal", |o| o.is_le());
comparison!(GREATER, "spl_greater", |o| o.is_gt());
comparison!(GREATER_OR_EQUAL, "spl_greater_or_equal", |o| o.is_ge());

/// `spl_is(text, literal)`: whether a text is this one, asked once a distinct value.
static IS: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("spl_is", |parameters| {
        let literal = parameters.first().copied().unwrap_or_default().to_owned();
        Ok(Box::new(move |text: &str| text == literal) as Test)
    })
});

/// The functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [
        &TO_NUMBER,
        &TO_TEXT,
        &TO_MANY,
        &CONCATENATE,
        &ADD,
        &EQUAL,
        &NOT_EQUAL,
        &LESS,
        &LESS_OR_EQUAL,
        &GREATER,
        &GREATER_OR_EQUAL,
        &IS,
    ]
    .map(|udf| Arc::clone(udf))
    .to_vec()
}

/// A text that outlives its row.
pub fn into_owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// A value's text that outlives its row.
pub fn owned_text(value: &Value<'_>) -> Value<'static> {
    value.text().map_or(Value::Null, |text| Value::Text(into_owned(text)))
}

/// The number that a value is or looks like.
pub fn to_number(value: Expr) -> Expr {
    TO_NUMBER.call(vec![value])
}

/// A value in its print form.
pub fn to_text(value: Expr) -> Expr {
    match value {
        Expr::Literal(ScalarValue::Int64(Some(integer)), _) => lit(integer.to_string()),
        Expr::Literal(ScalarValue::Float64(Some(number)), _) => lit(values::format_number(number)),
        value => TO_TEXT.call(vec![value]),
    }
}

/// A value as the only one of several.
pub fn to_many(value: Expr) -> Expr {
    TO_MANY.call(vec![value])
}

/// Both as text, one after the other.
///
/// A chain becomes one call: a call in a call in a call takes the optimiser time that grows with the square of their
/// number.
pub fn concatenate(left: Expr, right: Expr) -> Expr {
    match left {
        Expr::ScalarFunction(mut chain) if chain.func.name() == CONCATENATE.name() => {
            chain.args.push(right);
            Expr::ScalarFunction(chain)
        }
        left => CONCATENATE.call(vec![left, right]),
    }
}

/// The sum of two numbers, or both as text one after the other, decided by value.
pub fn add(left: Expr, right: Expr) -> Expr {
    ADD.call(vec![left, right])
}

/// Arithmetic on doubles; division by zero is null.
pub fn arithmetic(operator: BinaryOperator, left: Expr, right: Expr) -> Expr {
    // The divisor stands there once: nested divisions would double with each level.
    let divisor = |right: Expr| nullif(right, lit(0.0_f64));
    match operator {
        BinaryOperator::Add => left + right,
        BinaryOperator::Subtract => left - right,
        BinaryOperator::Multiply => left * right,
        BinaryOperator::Divide => left / divisor(right),
        _ => left % divisor(right),
    }
}

/// A comparison of two values of any kind.
///
/// Two numbers compare as numbers. A string literal makes the comparison one of texts. Other text compares
/// as a number where both sides look like one.
pub fn comparison(operator: BinaryOperator, left: &Typed, right: &Typed) -> Expr {
    let native = |left: Expr, right: Expr| match operator {
        BinaryOperator::Equal => left.eq(right),
        BinaryOperator::NotEqual => left.not_eq(right),
        BinaryOperator::Less => left.lt(right),
        BinaryOperator::LessOrEqual => left.lt_eq(right),
        BinaryOperator::Greater => left.gt(right),
        _ => left.gt_eq(right),
    };
    let numeric = |kind: Kind| matches!(kind, Kind::Integer | Kind::Number | Kind::Time);
    match (left.kind, right.kind) {
        (Kind::Null, _) | (_, Kind::Null) => lit(ScalarValue::Boolean(None)),
        (Kind::Integer, Kind::Integer) | (Kind::Boolean, Kind::Boolean) => {
            native(left.expr.clone(), right.expr.clone())
        }
        (a, b) if numeric(a) && numeric(b) => native(left.number(), right.number()),
        // Of a column that is there already, statistics and filters tell more about DataFusion's own operator.
        (Kind::Text, Kind::Literal) if operator == BinaryOperator::Equal && is_call(left) && is_text(right) => {
            IS.call(vec![left.expr.clone(), right.expr.clone()])
        }
        (Kind::Literal, Kind::Text) if operator == BinaryOperator::Equal && is_call(right) && is_text(left) => {
            IS.call(vec![right.expr.clone(), left.expr.clone()])
        }
        (Kind::Literal, Kind::Literal | Kind::Text) | (Kind::Text, Kind::Literal) => {
            native(left.expr.clone(), right.expr.clone())
        }
        (Kind::Literal, other) | (other, Kind::Literal) if other != Kind::Many => native(left.text(), right.text()),
        _ => {
            let udf = match operator {
                BinaryOperator::Equal => &EQUAL,
                BinaryOperator::NotEqual => &NOT_EQUAL,
                BinaryOperator::Less => &LESS,
                BinaryOperator::LessOrEqual => &LESS_OR_EQUAL,
                BinaryOperator::Greater => &GREATER,
                _ => &GREATER_OR_EQUAL,
            };
            udf.call(vec![seconds(left), seconds(right)])
        }
    }
}

fn is_call(typed: &Typed) -> bool {
    matches!(typed.expr, Expr::ScalarFunction(_))
}

fn is_text(literal: &Typed) -> bool {
    matches!(literal.expr, Expr::Literal(ScalarValue::Utf8(Some(_)), _))
}

/// Times as seconds, anything else as it is.
fn seconds(typed: &Typed) -> Expr {
    if typed.kind == Kind::Time { typed.number() } else { typed.expr.clone() }
}

/// A `Timestamp` from seconds since the epoch; null out of range.
pub fn to_time(seconds: Expr) -> Expr {
    let microseconds = cast(datafusion::functions::expr_fn::round(vec![seconds * lit(1e6)]), DataType::Int64);
    cast(microseconds, crate::values::time_type())
}
