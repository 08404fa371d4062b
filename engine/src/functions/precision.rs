//! How many digits a number is worth: rounding, the precision of decimal literals, `sigfig`.
//!
//! Source: Splunk Search Reference, "eval" (section "Rounding") and "Mathematical functions".

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use spelunk_grammar::Diagnostic;
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind, UnaryOperator};

use super::kernel::{Returns, Row};
use crate::plan::expression::{Call, Typed};
use crate::values::{Value, parse_number};

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![SIGFIG.udf()]
}

/// Rounds half up on the decimal text, as it is printed: 2.555 to two decimals is 2.56.
pub fn round(number: f64, decimals: usize) -> String {
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
            let value = parse_number(text)?;
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

/// Plans `sigfig`: the calculation travels as text in which each operand is a `v` and each operator follows its
/// operands; the operands follow as text, because their digits matter.
pub fn sigfig(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let (mut shape, mut operands) = (String::new(), Vec::new());
    if let Some(expression) = call.expressions.first() {
        describe(call, expression, &mut shape, &mut operands)?;
    }
    operands.insert(0, lit(shape));
    Ok(SIGFIG.call(operands, call.span))
}

fn describe(
    call: &Call<'_, '_>,
    expression: &Expression,
    shape: &mut String,
    operands: &mut Vec<Expr>,
) -> Result<(), Diagnostic> {
    match &expression.kind {
        ExpressionKind::Binary(
            operator @ (BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo),
            left,
            right,
        ) => {
            describe(call, left, shape, operands)?;
            describe(call, right, shape, operands)?;
            shape.push_str(&operator.to_string());
        }
        ExpressionKind::Unary(UnaryOperator::Negate, operand) => {
            describe(call, operand, shape, operands)?;
            shape.push('n');
        }
        ExpressionKind::Number(digits) => {
            operands.push(lit(digits.clone()));
            shape.push('v');
        }
        _ => {
            let operand = call.planner.plan(expression)?;
            call.planner.refuse_strings("sigfig", &[&operand])?;
            operands.push(operand.text());
            shape.push('v');
        }
    }
    Ok(())
}

const SIGFIG: Row = Row {
    name: "spl_sigfig",
    returns: Returns::Text,
    evaluate: |values| {
        let Some((shape, operands)) = values.split_first() else { return Value::Null };
        let texts: Option<Vec<Cow<'_, str>>> = operands.iter().map(Value::text).collect();
        match (shape.text(), texts) {
            (Some(shape), Some(texts)) => {
                calculate(&shape, &texts).map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
            }
            _ => Value::Null,
        }
    },
};

/// A number that is known to so many decimals; to tens or hundreds if that is negative.
#[derive(Debug, Clone, Copy)]
struct Known {
    value: f64,
    decimals: i64,
}

impl Known {
    fn read(text: &str) -> Option<Known> {
        let value = parse_number(text).filter(|value| value.is_finite())?;
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let written = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        Some(Known { value, decimals: i64::try_from(written).ok()?.saturating_sub(exponent.parse().ok()?) })
    }

    /// The place of the first digit: 0 for units, 1 for tens.
    fn magnitude(value: f64) -> i64 {
        if value == 0.0 { 0 } else { value.abs().log10().floor() as i64 }
    }

    fn digits(self) -> i64 {
        Self::magnitude(self.value).saturating_add(1).saturating_add(self.decimals)
    }
}

fn calculate(shape: &str, operands: &[Cow<'_, str>]) -> Option<String> {
    let mut operands = operands.iter();
    let mut stack: Vec<Known> = Vec::new();
    for symbol in shape.chars() {
        let known = match symbol {
            'v' => Known::read(operands.next()?)?,
            'n' => stack.pop().map(|known| Known { value: -known.value, ..known })?,
            _ => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                let value = match symbol {
                    '+' => left.value + right.value,
                    '-' => left.value - right.value,
                    '*' => left.value * right.value,
                    '/' if right.value != 0.0 => left.value / right.value,
                    '%' if right.value != 0.0 => left.value % right.value,
                    _ => return None,
                };
                let decimals = match symbol {
                    '*' | '/' => {
                        left.digits().min(right.digits()).saturating_sub(1).saturating_sub(Known::magnitude(value))
                    }
                    _ => left.decimals.min(right.decimals),
                };
                Known { value, decimals }
            }
        };
        stack.push(known);
    }
    let Known { value, decimals } = stack.pop()?;
    if let Ok(decimals) = usize::try_from(decimals) {
        return Some(round(value, decimals.min(100)));
    }
    let places = i32::try_from(decimals.saturating_neg()).ok().filter(|places| *places <= 308)?;
    let rounded = round(value / 10f64.powi(places), 0);
    if rounded == "0" { Some(rounded) } else { Some(rounded + &"0".repeat(places.unsigned_abs() as usize)) }
}

#[cfg(test)]
mod tests {
    use super::{calculate, round};

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

    #[test]
    fn a_result_is_worth_as_many_digits_as_its_operands() {
        for (shape, operands, text) in [
            ("vv*", ["1.00", "1111"].as_slice(), "1110"),
            ("vv+", &["123.0", "4.567"], "127.6"),
            ("vv*", &["1.00", "2.00"], "2.00"),
            ("vv/", &["1.0", "3"], "0.3"),
            ("vv+v*", &["1.5", "2.25", "2.0"], "7.5"),
            ("vn", &["1.50"], "-1.50"),
            ("vv-", &["5.25", "5.25"], "0.00"),
        ] {
            let operands: Vec<_> = operands.iter().map(|text| (*text).into()).collect();
            assert_eq!(calculate(shape, &operands).as_deref(), Some(text), "{shape}");
        }
        assert_eq!(calculate("vv/", &["1".into(), "0".into()]), None);
        assert_eq!(calculate("vv", &["1".into()]), None);
    }
}
