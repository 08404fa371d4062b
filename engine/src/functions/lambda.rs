//! Functions that apply an expression to each value of a field.
//!
//! The expression is planned with the field standing for one of its values, as the body of a lambda.
//!
//! Source: Splunk Search Reference, "Multivalue eval functions".

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::functions_nested::expr_fn::{array_filter, array_transform};
use datafusion::logical_expr::expr::LambdaVariable;
use datafusion::logical_expr::expr_fn::lambda;
use datafusion::logical_expr::{Expr, is_true};
use spelunk_grammar::spl::expression::{Expression, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic};

use super::{Function, multivalue, operators};
use crate::plan::expression::{Call, ExpressionPlanner, Kind, Typed};

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "mvfilter",
        summary: "The values for which a condition is true; the condition names one field, which stands for each of its values.",
        syntax: "mvfilter(condition)",
        arity: (1, 1),
        example: ("mvfilter(x > 7)", "10 15"),
        plan: filter,
    },
    Function {
        name: "mvmap",
        summary: "What an expression gives for each value of a field; in the expression the field stands for the value.",
        syntax: "mvmap(field, expression)",
        arity: (2, 2),
        example: ("mvmap(x, x * 2)", "10 20 30"),
        plan: map,
    },
];

/// Whether a function plans its arguments itself, because fields in them stand for something else.
pub fn plans_own_arguments(name: &str) -> bool {
    FUNCTIONS.iter().any(|function| function.name == name)
}

fn filter(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let Some(condition) = call.expressions.first() else { return Ok(Typed::null(call.span)) };
    let field = only_field(condition, call)?;
    let values = call.planner.field(&field, condition.span);
    if values.kind == Kind::Null {
        call.planner.condition(condition)?;
        return Ok(Typed::null(call.span));
    }
    let (name, inner) = bind(call, &field)?;
    let body = is_true(inner.condition(condition)?);
    let kept = array_filter(operators::to_many(values.expr), lambda([name], body));
    Ok(multivalue::compact(kept, call.span))
}

fn map(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let [source, expression] = call.expressions else { return Ok(Typed::null(call.span)) };
    let field = only_field(source, call)?;
    let values = call.planner.plan(source)?;
    let (name, inner) = bind(call, &field)?;
    let result = inner.plan(expression)?;
    // Refuses truth values, which no field holds.
    result.stored()?;
    if values.kind == Kind::Null || result.kind == Kind::Null {
        return Ok(Typed::null(call.span));
    }
    let source = operators::to_many(if values.kind == Kind::Time { values.number() } else { values.expr });
    let mapped = array_transform(source, lambda([name], result.text()));
    Ok(multivalue::compact(mapped, call.span))
}

/// How deep these functions may stand in each other: DataFusion finds out the type of what is inside anew at each
/// level, several times.
const DEEPEST: usize = 6;

/// A lambda's parameter, and a planner for which the field is that parameter.
fn bind<'f>(call: &Call<'f, '_>, field: &str) -> Result<(String, ExpressionPlanner<'f>), Diagnostic> {
    let planner = call.planner;
    if planner.depth() >= DEEPEST {
        let message = format!("`mvfilter` and `mvmap` can stand in each other {DEEPEST} deep");
        let found = Diagnostic::error(Code::TooLarge, message, call.span);
        return Err(found.with_help("give what is inside a name first, with an `eval` before this one"));
    }
    let name = format!("__value_{}", planner.depth());
    let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
    let inner = planner.binding(field, Expr::LambdaVariable(LambdaVariable::new(name.clone(), Some(item))));
    Ok((name, inner))
}

/// The one field that an expression names.
fn only_field(expression: &Expression, call: &Call<'_, '_>) -> Result<String, Diagnostic> {
    let mut names = Vec::new();
    collect(expression, &mut names);
    match names.as_slice() {
        [name] => Ok((*name).to_string()),
        found => {
            let count = if found.is_empty() { "none".to_string() } else { found.join(", ") };
            let message = format!("`{}` needs exactly one field here, and this names {count}", call.name.node);
            Err(Diagnostic::error(Code::InvalidArgument, message, expression.span))
        }
    }
}

fn collect<'e>(expression: &'e Expression, names: &mut Vec<&'e str>) {
    match &expression.kind {
        ExpressionKind::Field(name) => {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        ExpressionKind::Unary(_, operand) => collect(operand, names),
        ExpressionKind::Binary(_, left, right) => {
            collect(left, names);
            collect(right, names);
        }
        ExpressionKind::In(needle, haystack) => {
            collect(needle, names);
            haystack.iter().for_each(|member| collect(member, names));
        }
        ExpressionKind::Call(_, arguments) => arguments.iter().for_each(|argument| collect(argument, names)),
        ExpressionKind::Number(_)
        | ExpressionKind::String(_)
        | ExpressionKind::Subsearch(_)
        | ExpressionKind::Macro(_) => {}
    }
}
