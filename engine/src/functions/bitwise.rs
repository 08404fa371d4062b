//! Bitwise functions. They work on integers of 53 bits, which a double holds exactly; anything else gives null.
//!
//! Source: Splunk Search Reference, "Bitwise functions".

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::kernel::{Returns, Row};
use super::mathematical::numeric;
use super::{Function, MANY};
use crate::values::{MAX_EXACT, Value};

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "bit_and",
        summary: "The bits that are set in all of the integers.",
        syntax: "bit_and(integer, integer, ...)",
        arity: (2, MANY),
        example: ("bit_and(12, 9)", "8"),
        plan: |call| numeric(call, &AND),
    },
    Function {
        name: "bit_or",
        summary: "The bits that are set in any of the integers.",
        syntax: "bit_or(integer, integer, ...)",
        arity: (2, MANY),
        example: ("bit_or(4, 2)", "6"),
        plan: |call| numeric(call, &OR),
    },
    Function {
        name: "bit_xor",
        summary: "The bits that are set in an odd number of the integers.",
        syntax: "bit_xor(integer, integer, ...)",
        arity: (2, MANY),
        example: ("bit_xor(3, 2)", "1"),
        plan: |call| numeric(call, &XOR),
    },
    Function {
        name: "bit_not",
        summary: "The bits of a mask (53 bits) that are not set in the integer.",
        syntax: "bit_not(integer[, mask])",
        arity: (1, 2),
        example: ("bit_not(9, 15)", "6"),
        plan: |call| numeric(call, &NOT),
    },
    Function {
        name: "bit_shift_left",
        summary: "The bits of the integer moved up by so many places, as far as there are 53.",
        syntax: "bit_shift_left(integer, places)",
        arity: (2, 2),
        example: ("bit_shift_left(2, 1)", "4"),
        plan: |call| numeric(call, &SHIFT_LEFT),
    },
    Function {
        name: "bit_shift_right",
        summary: "The bits of the integer moved down by so many places.",
        syntax: "bit_shift_right(integer, places)",
        arity: (2, 2),
        example: ("bit_shift_right(4, 1)", "2"),
        plan: |call| numeric(call, &SHIFT_RIGHT),
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [AND, OR, XOR, NOT, SHIFT_LEFT, SHIFT_RIGHT].iter().map(Row::udf).collect()
}

/// All 53 bits.
const ALL: u64 = MAX_EXACT.unsigned_abs();

/// An integer of at most 53 bits.
fn integer(value: &Value<'_>) -> Option<u64> {
    let number = value.number()?;
    (number.fract() == 0.0 && (0.0..=MAX_EXACT as f64).contains(&number)).then_some(number as u64)
}

fn number(bits: Option<u64>) -> Value<'static> {
    bits.map_or(Value::Null, |bits| Value::Number(bits as f64))
}

fn fold(values: &[Value<'_>], operator: fn(u64, u64) -> u64) -> Value<'static> {
    let integers: Option<Vec<u64>> = values.iter().map(integer).collect();
    number(integers.and_then(|integers| integers.into_iter().reduce(operator)))
}

fn shift(values: &[Value<'_>], operator: fn(u64, u32) -> Option<u64>) -> Value<'static> {
    let [bits, places] = values else { return Value::Null };
    let (Some(bits), Some(places)) = (integer(bits), integer(places)) else { return Value::Null };
    let places = u32::try_from(places).unwrap_or(u32::MAX);
    number(Some(operator(bits, places).unwrap_or(0) & ALL))
}

const AND: Row = Row { name: "spl_bit_and", returns: Returns::Number, evaluate: |values| fold(values, |a, b| a & b) };
const OR: Row = Row { name: "spl_bit_or", returns: Returns::Number, evaluate: |values| fold(values, |a, b| a | b) };
const XOR: Row = Row { name: "spl_bit_xor", returns: Returns::Number, evaluate: |values| fold(values, |a, b| a ^ b) };

const NOT: Row = Row {
    name: "spl_bit_not",
    returns: Returns::Number,
    evaluate: |values| {
        let mask = values.get(1).map_or(Some(ALL), integer);
        number(values.first().and_then(integer).zip(mask).map(|(bits, mask)| !bits & mask))
    },
};

const SHIFT_LEFT: Row =
    Row { name: "spl_bit_shift_left", returns: Returns::Number, evaluate: |values| shift(values, u64::checked_shl) };

const SHIFT_RIGHT: Row =
    Row { name: "spl_bit_shift_right", returns: Returns::Number, evaluate: |values| shift(values, u64::checked_shr) };

#[cfg(test)]
mod tests {
    use super::*;

    fn run(row: &Row, arguments: &[f64]) -> Value<'static> {
        let arguments: Vec<Value<'_>> = arguments.iter().map(|number| Value::Number(*number)).collect();
        (row.evaluate)(&arguments)
    }

    #[test]
    fn bits_are_those_of_53_bit_integers() {
        for (row, arguments, result) in [
            (&AND, [12.0, 9.0, 8.0].as_slice(), 8.0),
            (&XOR, &[3.0, 2.0], 1.0),
            (&NOT, &[9.0], 9_007_199_254_740_982.0),
            (&NOT, &[9.0, 15.0], 6.0),
            (&SHIFT_LEFT, &[1.0, 52.0], 4_503_599_627_370_496.0),
            (&SHIFT_LEFT, &[1.0, 53.0], 0.0),
            (&SHIFT_LEFT, &[3.0, 52.0], 4_503_599_627_370_496.0),
            (&SHIFT_LEFT, &[1.0, 1e15], 0.0),
            (&SHIFT_RIGHT, &[4.0, 64.0], 0.0),
        ] {
            assert_eq!(run(row, arguments), Value::Number(result), "{} {arguments:?}", row.name);
        }
    }

    #[test]
    fn what_is_no_such_integer_gives_null() {
        for arguments in [[-1.0, 1.0], [1.5, 1.0], [9_007_199_254_740_992.0, 1.0], [f64::NAN, 1.0], [1.0, -1.0]] {
            assert_eq!(run(&AND, &arguments), Value::Null, "{arguments:?}");
            assert_eq!(run(&SHIFT_LEFT, &arguments), Value::Null, "{arguments:?}");
        }
    }
}
