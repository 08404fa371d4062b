//! Informational functions.
//!
//! Source: Splunk Search Reference, "Informational functions".

use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use serde::de::IgnoredAny;

use super::Function;
use super::conversion::is_double;
use super::kernel::{Returns, Row};
use crate::plan::expression::{Call, Kind, Typed};
use crate::values::Value;
use spelunk_grammar::Diagnostic;

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "isnull",
        summary: "Whether the field is missing; an empty text is not.",
        syntax: "isnull(value)",
        arity: (1, 1),
        example: ("if(isnull(null()), 1, 0)", "1"),
        plan: |call| Ok(Typed::new(present(&call.argument(0), false), Kind::Boolean, call.span)),
    },
    Function {
        name: "isnotnull",
        summary: "Whether the field is present.",
        syntax: "isnotnull(value)",
        arity: (1, 1),
        example: (r#"if(isnotnull(""), 1, 0)"#, "1"),
        plan: |call| Ok(Typed::new(present(&call.argument(0), true), Kind::Boolean, call.span)),
    },
    Function {
        name: "isnum",
        summary: "Whether the value is a number; a string literal never is.",
        syntax: "isnum(value)",
        arity: (1, 1),
        example: ("if(isnum(3.5), 1, 0)", "1"),
        plan: |call| by_kind(call, &IS_NUMBER, |kind| kind == Kind::Integer || kind == Kind::Number),
    },
    Function {
        name: "isint",
        summary: "Whether the value is a number without a fraction.",
        syntax: "isint(value)",
        arity: (1, 1),
        example: ("if(isint(3), 1, 0)", "1"),
        plan: |call| {
            if is_double(&call.argument(0).expr) {
                return Ok(Typed::new(lit(false), Kind::Boolean, call.span));
            }
            by_kind(call, &IS_INTEGER, |kind| kind == Kind::Integer)
        },
    },
    Function {
        name: "isdouble",
        summary: "Whether the value is a number with a fraction, or made a double by todouble().",
        syntax: "isdouble(value)",
        arity: (1, 1),
        example: ("if(isdouble(3.546), 1, 0)", "1"),
        plan: |call| {
            let argument = call.argument(0);
            if is_double(&argument.expr) {
                return Ok(Typed::new(argument.expr.is_not_null(), Kind::Boolean, call.span));
            }
            by_kind(call, &IS_DOUBLE, |_| false)
        },
    },
    Function {
        name: "isarray",
        summary: "Whether the value is a JSON array.",
        syntax: "isarray(value)",
        arity: (1, 1),
        example: (r#"if(isarray("[1, 2, 3]"), 1, 0)"#, "1"),
        plan: |call| IS_ARRAY.plan(call),
    },
    Function {
        name: "isobject",
        summary: "Whether the value is a JSON object.",
        syntax: "isobject(value)",
        arity: (1, 1),
        example: (r#"if(isobject("[1, 2, 3]"), 1, 0)"#, "0"),
        plan: |call| IS_OBJECT.plan(call),
    },
    Function {
        name: "isstr",
        summary: "Whether the value is text that is no number.",
        syntax: "isstr(value)",
        arity: (1, 1),
        example: (r#"if(isstr("a"), 1, 0)"#, "1"),
        plan: |call| by_kind(call, &IS_TEXT, |kind| kind == Kind::Literal),
    },
    Function {
        name: "isbool",
        summary: "Whether the expression is true or false; a field never is.",
        syntax: "isbool(expression)",
        arity: (1, 1),
        example: ("if(isbool(1==2), 1, 0)", "1"),
        plan: |call| Ok(Typed::new(lit(call.argument(0).kind == Kind::Boolean), Kind::Boolean, call.span)),
    },
    Function {
        name: "ismv",
        summary: "Whether the field has more than one value.",
        syntax: "ismv(field)",
        arity: (1, 1),
        example: (r#"if(ismv(split("1,2", ",")), 1, 0)"#, "1"),
        plan: |call| IS_MANY.plan(call),
    },
    Function {
        name: "typeof",
        summary: "Number, String, Boolean, or Invalid for a missing value.",
        syntax: "typeof(value)",
        arity: (1, 1),
        example: ("typeof(12)", "Number"),
        plan: |call| {
            let argument = call.argument(0);
            Ok(match argument.kind {
                Kind::Null => Typed::new(lit("Invalid"), Kind::Text, call.span),
                Kind::Boolean => Typed::new(lit("Boolean"), Kind::Text, call.span),
                Kind::Literal => Typed::new(lit("String"), Kind::Text, call.span),
                _ => return TYPE_OF.plan(call),
            })
        },
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [IS_NUMBER, IS_INTEGER, IS_DOUBLE, IS_ARRAY, IS_OBJECT, IS_TEXT, IS_MANY, TYPE_OF].iter().map(Row::udf).collect()
}

fn present(value: &Typed, wanted: bool) -> Expr {
    if wanted { value.expr.clone().is_not_null() } else { value.expr.clone().is_null() }
}

/// A test that the kind decides for literals, and the value for fields.
fn by_kind(call: &Call<'_, '_>, row: &Row, literal: fn(Kind) -> bool) -> Result<Typed, Diagnostic> {
    let argument = call.argument(0);
    if matches!(argument.kind, Kind::Literal | Kind::Boolean | Kind::Null) {
        return Ok(Typed::new(lit(literal(argument.kind)), Kind::Boolean, call.span));
    }
    row.plan(call)
}

const IS_NUMBER: Row = Row {
    name: "spl_isnum",
    returns: Returns::Boolean,
    evaluate: |values| Value::Boolean(values.first().is_some_and(|value| value.number().is_some())),
};

const IS_INTEGER: Row = Row {
    name: "spl_isint",
    returns: Returns::Boolean,
    evaluate: |values| {
        Value::Boolean(values.first().and_then(Value::number).is_some_and(|n| n.is_finite() && n.fract() == 0.0))
    },
};

const IS_DOUBLE: Row = Row {
    name: "spl_isdouble",
    returns: Returns::Boolean,
    evaluate: |values| Value::Boolean(values.first().and_then(Value::number).is_some_and(|n| n.fract() != 0.0)),
};

/// Whether a value is JSON that starts with that bracket.
fn is_json(values: &[Value<'_>], bracket: char) -> Value<'static> {
    let Some(Value::Text(text)) = values.first() else { return Value::Boolean(false) };
    let json = text.trim_start().starts_with(bracket) && serde_json::from_str::<IgnoredAny>(text).is_ok();
    Value::Boolean(json)
}

const IS_ARRAY: Row = Row { name: "spl_isarray", returns: Returns::Boolean, evaluate: |values| is_json(values, '[') };
const IS_OBJECT: Row = Row { name: "spl_isobject", returns: Returns::Boolean, evaluate: |values| is_json(values, '{') };

const IS_TEXT: Row = Row {
    name: "spl_isstr",
    returns: Returns::Boolean,
    evaluate: |values| {
        Value::Boolean(values.first().is_some_and(|value| *value != Value::Null && value.number().is_none()))
    },
};

const IS_MANY: Row = Row {
    name: "spl_ismv",
    returns: Returns::Boolean,
    evaluate: |values| Value::Boolean(values.first().is_some_and(|value| value.texts().len() > 1)),
};

const TYPE_OF: Row = Row {
    name: "spl_typeof",
    returns: Returns::Text,
    evaluate: |values| {
        let name = match values.first() {
            None | Some(Value::Null) => "Invalid",
            Some(Value::Boolean(_)) => "Boolean",
            Some(value) if value.number().is_some() => "Number",
            Some(_) => "String",
        };
        Value::Text(name.into())
    },
};
