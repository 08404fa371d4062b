//! Mathematical functions, and the precision of decimal literals.
//!
//! Source: Splunk Search Reference, "Mathematical functions", "Statistical eval functions" and "eval"
//! (section "Rounding").

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF};
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::kernel::{Returns, Row};
use super::{Function, MANY};
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
        plan: |call| ABS.plan(call),
    },
    Function {
        name: "ceiling",
        summary: "The number rounded up to an integer.",
        syntax: "ceiling(number)",
        arity: (1, 1),
        example: ("ceiling(1.9)", "2"),
        plan: |call| CEILING.plan(call),
    },
    Function {
        name: "ceil",
        summary: "The number rounded up to an integer.",
        syntax: "ceil(number)",
        arity: (1, 1),
        example: ("ceil(1.1)", "2"),
        plan: |call| CEILING.plan(call),
    },
    Function {
        name: "floor",
        summary: "The number rounded down to an integer.",
        syntax: "floor(number)",
        arity: (1, 1),
        example: ("floor(1.9)", "1"),
        plan: |call| FLOOR.plan(call),
    },
    Function {
        name: "exact",
        summary: "The value of an expression without the limit that decimal literals set to its digits.",
        syntax: "exact(expression)",
        arity: (1, 1),
        example: ("8.250 * exact(0.2)", "1.650"),
        plan: |call| Ok(call.argument(0)),
    },
    Function {
        name: "pow",
        summary: "A number to the power of another.",
        syntax: "pow(number, exponent)",
        arity: (2, 2),
        example: ("pow(2, 10)", "1024"),
        plan: |call| POW.plan(call),
    },
    Function {
        name: "round",
        summary: "The number rounded to so many decimals (0), half up; it is printed with all of them.",
        syntax: "round(number[, decimals])",
        arity: (1, 2),
        example: ("round(2.555, 2)", "2.56"),
        plan: |call| ROUND.plan(call),
    },
    Function {
        name: "sqrt",
        summary: "The square root.",
        syntax: "sqrt(number)",
        arity: (1, 1),
        example: ("sqrt(9)", "3"),
        plan: |call| SQRT.plan(call),
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
        plan: |call| MAX.plan(call),
    },
    Function {
        name: "min",
        summary: "The least of the values; numbers rank below text.",
        syntax: "min(value, ...)",
        arity: (1, MANY),
        example: (r#"min(3, "maria")"#, "3"),
        plan: |call| MIN.plan(call),
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [ABS, CEILING, FLOOR, POW, ROUND, SQRT, SUM, TOTAL, AVG, COUNT_OF_MANY, NUMBERS_OF_MANY, MAX, MIN]
        .iter()
        .map(Row::udf)
        .collect()
}

fn without_strings(call: &Call<'_, '_>, row: &Row) -> Result<Typed, Diagnostic> {
    match call.arguments.iter().find(|argument| argument.kind == Kind::Literal) {
        Some(text) => Err(Diagnostic::error(
            Code::InvalidArgument,
            format!("`{}` takes numbers and fields, not a string", call.name.node.to_lowercase()),
            text.span,
        )),
        None => row.plan(call),
    }
}

fn unary(values: &[Value<'_>], function: fn(f64) -> f64) -> Value<'static> {
    values.first().and_then(Value::number).map_or(Value::Null, |number| Value::Number(function(number)))
}

const ABS: Row = Row { name: "spl_abs", returns: Returns::Number, evaluate: |values| unary(values, f64::abs) };
const CEILING: Row = Row { name: "spl_ceiling", returns: Returns::Number, evaluate: |values| unary(values, f64::ceil) };
const FLOOR: Row = Row { name: "spl_floor", returns: Returns::Number, evaluate: |values| unary(values, f64::floor) };
const SQRT: Row = Row { name: "spl_sqrt", returns: Returns::Number, evaluate: |values| unary(values, f64::sqrt) };

const POW: Row = Row {
    name: "spl_pow",
    returns: Returns::Number,
    evaluate: |values| match (values.first().and_then(Value::number), values.get(1).and_then(Value::number)) {
        (Some(base), Some(exponent)) => Value::Number(base.powf(exponent)),
        _ => Value::Null,
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

/// Rounds half up on the decimal text, as it is printed: 2.555 to two decimals is 2.56.
fn round(number: f64, decimals: usize) -> String {
    if !number.is_finite() {
        return crate::values::format_number(number);
    }
    let text = number.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let up = fraction.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5');
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let mut digits: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    if up {
        let mut carry = true;
        for digit in digits.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                carry = false;
                break;
            }
        }
        if carry {
            digits.insert(0, b'1');
        }
    }
    let mut rounded: String = digits.iter().map(|digit| *digit as char).collect();
    if decimals > 0 {
        rounded.insert(rounded.len() - decimals, '.');
    }
    let negative = number < 0.0 && rounded.bytes().any(|digit| (b'1'..=b'9').contains(&digit));
    if negative { format!("-{rounded}") } else { rounded }
}

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

/// The product or quotient of two decimal literals, with as many significant digits as the less precise of
/// them; `exact()` around one lifts its limit. `None` where the rule does not apply.
pub fn rounded_literals(operator: BinaryOperator, left: &Expression, right: &Expression) -> Option<String> {
    let (left, left_digits) = decimal(left)?;
    let (right, right_digits) = decimal(right)?;
    let result = match operator {
        BinaryOperator::Multiply => left * right,
        BinaryOperator::Divide if right != 0.0 => left / right,
        _ => return None,
    };
    let digits = left_digits.into_iter().chain(right_digits).min()?;
    if result == 0.0 || !result.is_finite() {
        return None;
    }
    let magnitude = result.abs().log10().floor() as i32;
    let decimals = usize::try_from((digits as i32).saturating_sub(magnitude).saturating_sub(1)).unwrap_or(0);
    Some(round(result, decimals))
}

/// A decimal literal's value and its significant digits, if they limit a result.
fn decimal(expression: &Expression) -> Option<(f64, Option<usize>)> {
    match &expression.kind {
        ExpressionKind::Number(text) => {
            let value = crate::values::parse_number(text)?;
            let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
            let digits = mantissa.chars().filter(char::is_ascii_digit).collect::<String>();
            let significant = digits.trim_start_matches('0').len();
            Some((value, mantissa.contains('.').then_some(significant)))
        }
        ExpressionKind::Call(name, arguments) if name.node.eq_ignore_ascii_case("exact") => {
            let [argument] = arguments.as_slice() else { return None };
            decimal(argument).map(|(value, _)| (value, None))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn rounding_is_half_up_on_the_printed_digits() {
        for (number, decimals, text) in [
            (3.5, 0, "4"),
            (2.555, 2, "2.56"),
            (0.80499, 4, "0.8050"),
            (-2.5, 0, "-3"),
            (-0.4, 0, "0"),
            (9.99, 1, "10.0"),
            (1e21, 1, "1000000000000000000000.0"),
            (5.0, 2, "5.00"),
        ] {
            assert_eq!(round(number, decimals), text, "{number} {decimals}");
        }
    }
}
