//! Numbers: functions of one or two of them, and their bits.

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::Span;

use super::{number_at, some_number, text_at};
use crate::functions::kernel::{Returns, Row};
use crate::plan::expression::Typed;
use crate::values::Value;

/// The kernels.
pub const ROWS: &[Row] = &[MATH, BIT];

/// A function of a number, and of a second one where it takes two.
pub fn math(function: &str, number: Expr, second: Option<Expr>, span: Span) -> Typed {
    MATH.call([lit(function), number].into_iter().chain(second).collect(), span)
}

/// Whether a bit of a number is set.
pub fn bit(number: Expr, position: u32, span: Span) -> Typed {
    BIT.call(vec![number, lit(i64::from(position))], span)
}

const MATH: Row = Row {
    name: "cql_math",
    returns: Returns::Number,
    evaluate: |values| {
        let (Some(function), Some(x)) = (text_at(values, 0), number_at(values, 1)) else { return Value::Null };
        let second = number_at(values, 2);
        some_number(match &*function {
            "abs" => Some(x.abs()),
            "arccos" => Some(x.acos()),
            "arcsin" => Some(x.asin()),
            "arctan" => Some(x.atan()),
            "arctan2" => second.map(|y| y.atan2(x)),
            "ceil" => Some(x.ceil()),
            "cos" => Some(x.cos()),
            "cosh" => Some(x.cosh()),
            "deg2rad" => Some(x.to_radians()),
            "exp" => Some(x.exp()),
            "expm1" => Some(x.exp_m1()),
            "floor" => Some(x.floor()),
            "log" => Some(x.ln()),
            "log10" => Some(x.log10()),
            "log1p" => Some(x.ln_1p()),
            "log2" => Some(x.log2()),
            // The sign is that of the divisor; both are whole numbers.
            "mod" => second.map(|divisor| {
                let (x, divisor) = (x.floor(), divisor.floor());
                x - divisor * (x / divisor).floor()
            }),
            "pow" => second.map(|exponent| x.powf(exponent)),
            "rad2deg" => Some(x.to_degrees()),
            // A half is rounded up, as in Java.
            "round" => Some((x + 0.5).floor()),
            "sin" => Some(x.sin()),
            "sinh" => Some(x.sinh()),
            "sqrt" => Some(x.sqrt()),
            "tan" => Some(x.tan()),
            "tanh" => Some(x.tanh()),
            _ => None,
        })
    },
};

/// The lowest 64 bits of a whole number.
pub fn bits(value: &Value<'_>) -> Option<u64> {
    let text = value.text()?;
    let text = text.trim();
    match (text.parse::<i128>(), value.number()) {
        (Ok(number), _) => Some(number as u64),
        (Err(_), Some(number)) if number.fract() == 0.0 && number.abs() < 1.8e19 => Some(number as i128 as u64),
        _ => None,
    }
}

const BIT: Row = Row {
    name: "cql_bit",
    returns: Returns::Boolean,
    evaluate: |values| {
        let bit = || {
            let position = number_at(values, 1)? as u32;
            Some(bits(values.first()?)?.checked_shr(position)? & 1 == 1)
        };
        bit().map_or(Value::Null, Value::Boolean)
    },
};
