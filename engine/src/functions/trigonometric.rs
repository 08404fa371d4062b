//! Trigonometric and hyperbolic functions; angles are in radians.
//!
//! Source: Splunk Search Reference, "Trig and Hyperbolic functions".

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::Function;
use super::kernel::{Returns, Row};
use super::mathematical::{binary, numeric, unary};

/// Declares the functions of one number: row, name, kernel, what it is, an example.
macro_rules! functions {
    ($($row:ident, $name:literal, $kernel:expr, $summary:literal, $syntax:literal, $arity:expr, $call:literal = $value:literal;)*) => {
        /// The functions of this family.
        pub const FUNCTIONS: &[Function] = &[$(Function {
            name: $name,
            summary: $summary,
            syntax: $syntax,
            arity: $arity,
            example: ($call, $value),
            plan: |call| numeric(call, &$row),
        }),*];

        $(const $row: Row = Row { name: concat!("spl_", $name), returns: Returns::Number, evaluate: $kernel };)*

        /// The DataFusion functions of this family.
        pub fn udfs() -> Vec<Arc<ScalarUDF>> {
            [$($row),*].iter().map(Row::udf).collect()
        }
    };
}

functions! {
    ACOS, "acos", |v| unary(v, f64::acos), "The arc cosine.", "acos(number)", (1, 1), "acos(1)" = "0";
    ACOSH, "acosh", |v| unary(v, f64::acosh), "The inverse hyperbolic cosine.", "acosh(number)", (1, 1), "acosh(1)" = "0";
    ASIN, "asin", |v| unary(v, f64::asin), "The arc sine.", "asin(number)", (1, 1), "round(asin(1), 4)" = "1.5708";
    ASINH, "asinh", |v| unary(v, f64::asinh), "The inverse hyperbolic sine.", "asinh(number)", (1, 1), "asinh(0)" = "0";
    ATAN, "atan", |v| unary(v, f64::atan), "The arc tangent.", "atan(number)", (1, 1), "round(atan(1), 4)" = "0.7854";
    ATAN2, "atan2", |v| binary(v, f64::atan2), "The angle to the point at this height and distance.", "atan2(y, x)", (2, 2), "round(atan2(1, 2), 4)" = "0.4636";
    ATANH, "atanh", |v| unary(v, f64::atanh), "The inverse hyperbolic tangent.", "atanh(number)", (1, 1), "round(atanh(1/2), 4)" = "0.5493";
    COS, "cos", |v| unary(v, f64::cos), "The cosine.", "cos(angle)", (1, 1), "cos(0)" = "1";
    COSH, "cosh", |v| unary(v, f64::cosh), "The hyperbolic cosine.", "cosh(number)", (1, 1), "cosh(0)" = "1";
    HYPOT, "hypot", |v| binary(v, f64::hypot), "The length of the hypotenuse over two sides.", "hypot(x, y)", (2, 2), "hypot(3, 4)" = "5";
    SIN, "sin", |v| unary(v, f64::sin), "The sine.", "sin(angle)", (1, 1), "sin(0)" = "0";
    SINH, "sinh", |v| unary(v, f64::sinh), "The hyperbolic sine.", "sinh(number)", (1, 1), "sinh(0)" = "0";
    TAN, "tan", |v| unary(v, f64::tan), "The tangent.", "tan(angle)", (1, 1), "tan(0)" = "0";
    TANH, "tanh", |v| unary(v, f64::tanh), "The hyperbolic tangent.", "tanh(number)", (1, 1), "tanh(0)" = "0";
}
