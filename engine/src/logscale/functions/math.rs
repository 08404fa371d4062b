//! `math:*`: functions of numbers. The result is in the field `_` and the function's name.

use datafusion::logical_expr::lit;
use spelunk_grammar::Diagnostic;

use super::super::arguments::Arguments;
use super::super::as_number;
use super::super::rows::Rows;
use super::support::{number, number_of};
use super::{Function, Makes};
use crate::functions::logscale::numbers;
use crate::plan::expression::Typed;

/// A function of the number in a field.
macro_rules! of_field {
    ($name:literal, $output:literal, $function:literal) => {
        Function {
            name: $name,
            parameters: &["field", "as"],
            makes: Makes::Value($output, |rows, a| computed(rows, a, $function)),
        }
    };
}

/// The family.
pub const FUNCTIONS: &[Function] = &[
    of_field!("math:abs", "_abs", "abs"),
    of_field!("math:arccos", "_arccos", "arccos"),
    of_field!("math:arcsin", "_arcsin", "arcsin"),
    of_field!("math:arctan", "_arctan", "arctan"),
    Function { name: "math:arctan2", parameters: &["y", "x", "as"], makes: Makes::Value("_arctan2", arctan2) },
    of_field!("math:ceil", "_ceil", "ceil"),
    of_field!("math:cos", "_cos", "cos"),
    of_field!("math:cosh", "_cosh", "cosh"),
    of_field!("math:deg2rad", "_deg2rad", "deg2rad"),
    of_field!("math:exp", "_exp", "exp"),
    of_field!("math:expm1", "_expm1", "expm1"),
    of_field!("math:floor", "_floor", "floor"),
    of_field!("math:log", "_log", "log"),
    of_field!("math:log10", "_log10", "log10"),
    of_field!("math:log1p", "_log1p", "log1p"),
    of_field!("math:log2", "_log2", "log2"),
    Function {
        name: "math:mod",
        parameters: &["field", "divisor", "as"],
        makes: Makes::Value("_mod", |rows, a| with_second(rows, a, "mod", "divisor")),
    },
    Function {
        name: "math:pow",
        parameters: &["field", "exponent", "as"],
        makes: Makes::Value("_pow", |rows, a| with_second(rows, a, "pow", "exponent")),
    },
    of_field!("math:rad2deg", "_rad2deg", "rad2deg"),
    of_field!("math:sin", "_sin", "sin"),
    of_field!("math:sinh", "_sinh", "sinh"),
    of_field!("math:sqrt", "_sqrt", "sqrt"),
    of_field!("math:tan", "_tan", "tan"),
    of_field!("math:tanh", "_tanh", "tanh"),
    Function { name: "round", parameters: &["field", "how", "as"], makes: Makes::Value("", round) },
];

fn computed(rows: &Rows<'_>, a: &Arguments<'_>, function: &str) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    Ok(numbers::math(function, as_number(&rows.field(&field.node, field.span)), None, a.span()))
}

fn arctan2(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let (y, x) = (a.need_text("y")?, a.need_text("x")?);
    Ok(numbers::math("arctan2", number_of(rows, &x), Some(number_of(rows, &y)), a.span()))
}

fn with_second(rows: &Rows<'_>, a: &Arguments<'_>, function: &str, second: &str) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    let value = as_number(&rows.field(&field.node, field.span));
    if !a.has(second) {
        a.need(second)?;
    }
    let second = number(a, second)?.map(|number| lit(number.node));
    Ok(numbers::math(function, value, second, a.span()))
}

fn round(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let how = a.choice("how", &["round", "floor", "ceil"])?;
    computed(rows, a, how)
}
