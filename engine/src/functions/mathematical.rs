//! Mathematical functions, and the statistical ones of several arguments.
//!
//! Source: Splunk Search Reference, "Mathematical functions" and "Statistical eval functions".

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::kernel::{Returns, Row};
use super::precision::{round, sigfig};
use super::{Function, MANY, precision};
use crate::plan::expression::{Call, Kind, Typed};
use crate::values::Value;

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "abs",
        summary: "The absolute value.",
        syntax: "abs(number)",
        arity: (1, 1),
        example: ("abs(-5)", "5"),
        plan: |call| numeric(call, &ABS),
    },
    Function {
        name: "ceiling",
        summary: "The number rounded up to an integer.",
        syntax: "ceiling(number)",
        arity: (1, 1),
        example: ("ceiling(1.9)", "2"),
        plan: |call| numeric(call, &CEILING),
    },
    Function {
        name: "ceil",
        summary: "The number rounded up to an integer.",
        syntax: "ceil(number)",
        arity: (1, 1),
        example: ("ceil(1.1)", "2"),
        plan: |call| numeric(call, &CEILING),
    },
    Function {
        name: "floor",
        summary: "The number rounded down to an integer.",
        syntax: "floor(number)",
        arity: (1, 1),
        example: ("floor(1.9)", "1"),
        plan: |call| numeric(call, &FLOOR),
    },
    Function {
        name: "exact",
        summary: "The value of an expression without the limit that decimal literals set to its digits.",
        syntax: "exact(expression)",
        arity: (1, 1),
        example: ("8.250 * exact(0.2)", "1.650"),
        plan: |call| match call.expressions.first() {
            Some(expression) => call.planner.exact().plan(expression),
            None => Ok(call.argument(0)),
        },
    },
    Function {
        name: "exp",
        summary: "The number e to the power of a number.",
        syntax: "exp(number)",
        arity: (1, 1),
        example: ("exp(0)", "1"),
        plan: |call| numeric(call, &EXP),
    },
    Function {
        name: "ln",
        summary: "The natural logarithm.",
        syntax: "ln(number)",
        arity: (1, 1),
        example: ("ln(1)", "0"),
        plan: |call| numeric(call, &LN),
    },
    Function {
        name: "log",
        summary: "The logarithm to a base (10).",
        syntax: "log(number[, base])",
        arity: (1, 2),
        example: ("log(8, 2)", "3"),
        plan: |call| numeric(call, &LOG),
    },
    Function {
        name: "pi",
        summary: "The ratio of a circle's circumference to its diameter.",
        syntax: "pi()",
        arity: (0, 0),
        example: ("round(pi(), 4)", "3.1416"),
        plan: |call| Ok(Typed::new(lit(std::f64::consts::PI), Kind::Number, call.span)),
    },
    Function {
        name: "pow",
        summary: "A number to the power of another.",
        syntax: "pow(number, exponent)",
        arity: (2, 2),
        example: ("pow(2, 10)", "1024"),
        plan: |call| numeric(call, &POW),
    },
    Function {
        name: "round",
        summary: "The number rounded to so many decimals (0), half up; it is printed with all of them.",
        syntax: "round(number[, decimals])",
        arity: (1, 2),
        example: ("round(2.555, 2)", "2.56"),
        plan: |call| {
            let decimals = call.argument(1);
            if decimals.literal_number().is_some_and(|number| number < 0.0 || number.fract() != 0.0) {
                return Err(Diagnostic::error(
                    Code::InvalidArgument,
                    "`round` takes a whole number of decimals, 0 or more",
                    decimals.span,
                ));
            }
            numeric(call, &ROUND)
        },
    },
    Function {
        name: "sigfig",
        summary: "The value of a calculation, rounded to the digits that its least precise operand warrants.",
        syntax: "sigfig(expression)",
        arity: (1, 1),
        example: ("sigfig(123.0 + 4.567)", "127.6"),
        plan: sigfig,
    },
    Function {
        name: "sqrt",
        summary: "The square root.",
        syntax: "sqrt(number)",
        arity: (1, 1),
        example: ("sqrt(9)", "3"),
        plan: |call| numeric(call, &SQRT),
    },
    Function {
        name: "sum",
        summary: "The sum of the numbers among the arguments.",
        syntax: "sum(value, ...)",
        arity: (1, MANY),
        example: ("sum(5, 4, null())", "9"),
        plan: |call| without_strings(call, &SUM),
    },
    Function {
        name: "avg",
        summary: "The mean of the numbers among the arguments.",
        syntax: "avg(value, ...)",
        arity: (1, MANY),
        example: ("avg(1, 2, 3)", "2"),
        plan: |call| without_strings(call, &AVG),
    },
    Function {
        name: "max",
        summary: "The greatest of the values; text ranks above numbers.",
        syntax: "max(value, ...)",
        arity: (1, MANY),
        example: (r#"max(1, 7, "foo")"#, "foo"),
        plan: |call| MAX.plan_values(call),
    },
    Function {
        name: "min",
        summary: "The least of the values; numbers rank below text.",
        syntax: "min(value, ...)",
        arity: (1, MANY),
        example: (r#"min(3, "maria")"#, "3"),
        plan: |call| MIN.plan_values(call),
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    let own = [
        ABS,
        CEILING,
        FLOOR,
        EXP,
        LN,
        LOG,
        POW,
        ROUND,
        SQRT,
        SUM,
        TOTAL,
        AVG,
        COUNT_OF_MANY,
        NUMBERS_OF_MANY,
        MAX,
        MIN,
    ];
    own.iter().map(Row::udf).chain(precision::udfs()).collect()
}

/// A call whose arguments all have to be numbers.
pub(super) fn numeric(call: &Call<'_, '_>, row: &Row) -> Result<Typed, Diagnostic> {
    call.numbers(0..call.arguments.len())?;
    row.plan(call)
}

fn without_strings(call: &Call<'_, '_>, row: &Row) -> Result<Typed, Diagnostic> {
    match call.arguments.iter().find(|argument| matches!(argument.kind, Kind::Literal | Kind::Boolean)) {
        Some(text) => Err(Diagnostic::error(
            Code::InvalidArgument,
            format!("`{}` takes numbers and fields, not a string or a condition", call.name.node.to_lowercase()),
            text.span,
        )),
        None => row.plan(call),
    }
}

/// A function of one number; null for what is none.
pub(super) fn unary(values: &[Value<'_>], function: fn(f64) -> f64) -> Value<'static> {
    values.first().and_then(Value::number).map_or(Value::Null, |number| Value::Number(function(number)))
}

const ABS: Row = Row { name: "spl_abs", returns: Returns::Number, evaluate: |values| unary(values, f64::abs) };
const CEILING: Row = Row { name: "spl_ceiling", returns: Returns::Number, evaluate: |values| unary(values, f64::ceil) };
const FLOOR: Row = Row { name: "spl_floor", returns: Returns::Number, evaluate: |values| unary(values, f64::floor) };
const EXP: Row = Row { name: "spl_exp", returns: Returns::Number, evaluate: |values| unary(values, f64::exp) };
const LN: Row = Row { name: "spl_ln", returns: Returns::Number, evaluate: |values| unary(values, f64::ln) };
const SQRT: Row = Row { name: "spl_sqrt", returns: Returns::Number, evaluate: |values| unary(values, f64::sqrt) };

/// A function of two numbers; null if one of them is none.
pub(super) fn binary(values: &[Value<'_>], function: fn(f64, f64) -> f64) -> Value<'static> {
    match (values.first().and_then(Value::number), values.get(1).and_then(Value::number)) {
        (Some(first), Some(second)) => Value::Number(function(first, second)),
        _ => Value::Null,
    }
}

const POW: Row = Row { name: "spl_pow", returns: Returns::Number, evaluate: |values| binary(values, f64::powf) };

const LOG: Row = Row {
    name: "spl_log",
    returns: Returns::Number,
    evaluate: |values| match values {
        [_] => unary(values, f64::log10),
        _ => binary(values, |number, base| match base {
            10.0 => number.log10(),
            2.0 => number.log2(),
            _ => number.log(base),
        }),
    },
};

/// Text, because `round(0.8, 4)` prints `0.8000`.
const ROUND: Row = Row {
    name: "spl_round",
    returns: Returns::Text,
    evaluate: |values| {
        let Some(number) = values.first().and_then(Value::number) else { return Value::Null };
        let decimals = match values.get(1) {
            Some(decimals) => match decimals.number() {
                Some(decimals) => decimals.clamp(0.0, 100.0) as usize,
                None => return Value::Null,
            },
            None => 0,
        };
        Value::Text(Cow::Owned(round(number, decimals)))
    },
};

fn numbers(values: &[Value<'_>]) -> Vec<f64> {
    values.iter().flat_map(Value::texts).filter_map(|text| crate::values::parse_number(&text)).collect()
}

const SUM: Row = Row {
    name: "spl_sum",
    returns: Returns::Number,
    evaluate: |values| match numbers(values).as_slice() {
        [] => Value::Null,
        numbers => Value::Number(numbers.iter().sum()),
    },
};

const TOTAL: Row = Row {
    name: "spl_total",
    returns: Returns::Number,
    // From 0: the sum of no floats is negative zero.
    evaluate: |values| Value::Number(numbers(values).iter().fold(0.0, |total, number| total + number)),
};

const AVG: Row = Row {
    name: "spl_avg",
    returns: Returns::Number,
    evaluate: |values| match numbers(values).as_slice() {
        [] => Value::Null,
        numbers => Value::Number(numbers.iter().sum::<f64>() / numbers.len() as f64),
    },
};

const COUNT_OF_MANY: Row = Row {
    name: "spl_count_of_many",
    returns: Returns::Number,
    evaluate: |values| match values.first().map(|value| value.texts().len()) {
        None | Some(0) => Value::Null,
        Some(count) => Value::Number(count as f64),
    },
};

const NUMBERS_OF_MANY: Row = Row {
    name: "spl_numbers_of_many",
    returns: Returns::Number,
    evaluate: |values| Value::Number(numbers(values).len() as f64),
};

/// How many values a row has.
pub fn count_of_many(values: Expr) -> Expr {
    COUNT_OF_MANY.call(vec![values], Span::default()).expr
}

/// How many numbers are among the values of a row.
pub fn numbers_of_many(values: Expr) -> Expr {
    NUMBERS_OF_MANY.call(vec![values], Span::default()).expr
}

/// The sum of the numbers among the values of a row.
pub fn sum_of_many(values: Expr) -> Expr {
    SUM.call(vec![values], Span::default()).expr
}

/// The sum of all numbers among several values; 0 where there is none.
pub fn total(values: Vec<Expr>) -> Expr {
    TOTAL.call(values, Span::default()).expr
}

/// The greatest or least of the values of a row, by the rule of the aggregates: text above numbers.
pub fn extreme_of_many(values: Expr, greatest: bool) -> Expr {
    if greatest { &MAX } else { &MIN }.call(vec![values], Span::default()).expr
}

const MAX: Row = Row { name: "spl_max", returns: Returns::Text, evaluate: |values| extreme(values, true) };
const MIN: Row = Row { name: "spl_min", returns: Returns::Text, evaluate: |values| extreme(values, false) };

fn extreme(values: &[Value<'_>], greatest: bool) -> Value<'static> {
    let texts = values.iter().flat_map(Value::texts).map(Cow::into_owned);
    let keyed = texts.map(|text| {
        let key = match crate::values::parse_number(&text) {
            Some(_) => crate::values::sort_key(&text),
            None => [&[9], text.as_bytes()].concat(),
        };
        (key, text)
    });
    let found = if greatest { keyed.max() } else { keyed.min() };
    found.map_or(Value::Null, |(_, text)| Value::Text(Cow::Owned(text)))
}
