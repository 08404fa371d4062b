//! `eval` expressions as DataFusion expressions.
//!
//! SPL decides by value whether something is a number or text; DataFusion wants a type at planning time. So
//! every expression has a [`Kind`]: numbers and dates stay native, text that may hold numbers goes through
//! the functions of [`crate::functions::operators`], which decide value by value.

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, ScalarUDF, cast, is_not_true, lit};
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind, UnaryOperator};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::frame::Frame;
use super::{Setting, suggest};
use crate::functions::kernel::many_type;
use crate::functions::{self, operators};

/// What an expression gives, as far as planning can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, ever: `null()` or a field that no event has.
    Null,
    /// True or false; never the value of a field.
    Boolean,
    /// An `Int64`.
    Integer,
    /// A `Float64`.
    Number,
    /// A `Timestamp`; a number of seconds to an expression.
    Time,
    /// Text that was written as text: a string literal.
    Literal,
    /// Text from an event or a text function, which counts as a number where it looks like one.
    Text,
    /// Several values.
    Many,
}

impl Kind {
    /// The kind of a column of that type.
    pub fn of(data_type: &DataType) -> Kind {
        match data_type {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Boolean,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Number,
            data_type if data_type.is_integer() => Kind::Integer,
            DataType::Timestamp(..) => Kind::Time,
            DataType::List(_) => Kind::Many,
            _ => Kind::Text,
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Kind::Integer | Kind::Number | Kind::Time)
    }
}

/// A planned expression, its kind and its place.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The DataFusion expression.
    pub expr: Expr,
    /// What it gives.
    pub kind: Kind,
    /// Where it was written.
    pub span: Span,
}

impl Typed {
    /// A planned expression.
    pub fn new(expr: Expr, kind: Kind, span: Span) -> Self {
        Self { expr, kind, span }
    }

    /// The missing value.
    pub fn null(span: Span) -> Self {
        Self::new(lit(ScalarValue::Utf8(None)), Kind::Null, span)
    }

    /// As a double; text that is no number gives null.
    pub fn number(&self) -> Expr {
        match self.kind {
            Kind::Number => self.expr.clone(),
            Kind::Integer => match &self.expr {
                Expr::Literal(ScalarValue::Int64(Some(integer)), _) => lit(*integer as f64),
                expr => cast(expr.clone(), DataType::Float64),
            },
            Kind::Null | Kind::Boolean => lit(ScalarValue::Float64(None)),
            Kind::Time | Kind::Literal | Kind::Text | Kind::Many => operators::to_number(self.expr.clone()),
        }
    }

    /// As text; several values stay several.
    pub fn text(&self) -> Expr {
        match self.kind {
            Kind::Literal | Kind::Text | Kind::Many | Kind::Null => self.expr.clone(),
            Kind::Boolean | Kind::Integer | Kind::Number | Kind::Time => operators::to_text(self.expr.clone()),
        }
    }

    /// The text of a string literal.
    pub fn literal(&self) -> Option<&str> {
        match (&self.expr, self.kind) {
            (Expr::Literal(ScalarValue::Utf8(Some(text)), _), Kind::Literal) => Some(text),
            _ => None,
        }
    }

    /// The value of a number literal.
    pub fn literal_number(&self) -> Option<f64> {
        match &self.expr {
            Expr::Literal(ScalarValue::Int64(Some(integer)), _) => Some(*integer as f64),
            Expr::Literal(ScalarValue::Float64(Some(number)), _) => Some(*number),
            Expr::Literal(ScalarValue::Utf8(Some(text)), _) if self.kind == Kind::Text => {
                crate::values::parse_number(text)
            }
            _ => None,
        }
    }

    /// As it is stored in a field: times in seconds, null as text.
    pub fn stored(&self) -> Result<Expr, Diagnostic> {
        match self.kind {
            Kind::Boolean => {
                Err(Diagnostic::error(Code::TypeMismatch, "a field cannot be assigned a Boolean result", self.span)
                    .with_help("choose a value with `if(condition, 1, 0)`, or write it with `tostring(condition)`"))
            }
            Kind::Time => Ok(self.number()),
            _ => Ok(self.expr.clone()),
        }
    }
}

/// A call of a function whose arguments are planned.
pub struct Call<'a, 'f> {
    /// The name as written.
    pub name: &'a Spanned<String>,
    /// The arguments.
    pub arguments: Vec<Typed>,
    /// The arguments as written.
    pub expressions: &'a [Expression],
    /// The whole call.
    pub span: Span,
    /// Where it is planned.
    pub planner: &'a ExpressionPlanner<'f>,
}

impl Call<'_, '_> {
    /// An argument by position. The arity was checked, so only optional ones are missing.
    pub fn argument(&self, position: usize) -> Typed {
        self.arguments.get(position).cloned().unwrap_or_else(|| Typed::null(self.span))
    }

    /// The clock and the like.
    pub fn setting(&self) -> &Setting {
        &self.planner.frame.setting
    }

    /// Refuses what can be no number among the arguments at these positions.
    ///
    /// # Errors
    /// The first one that is a condition, or a string literal that does not look like a number.
    pub fn numbers(&self, positions: Range<usize>) -> Result<(), Diagnostic> {
        let wrong = self.arguments.iter().take(positions.end).skip(positions.start).find(|argument| {
            let text = argument.literal();
            argument.kind == Kind::Boolean || text.is_some_and(|text| crate::values::parse_number(text).is_none())
        });
        match wrong {
            Some(argument) => Err(Diagnostic::error(
                Code::TypeMismatch,
                format!("`{}` takes a number here", self.name.node.to_lowercase()),
                argument.span,
            )),
            None => Ok(()),
        }
    }

    /// Refuses conditions among the arguments.
    ///
    /// # Errors
    /// The first argument that is true or false.
    pub fn values(&self) -> Result<(), Diagnostic> {
        match self.arguments.iter().find(|argument| argument.kind == Kind::Boolean) {
            Some(condition) => Err(Diagnostic::error(
                Code::TypeMismatch,
                format!("`{}` takes a value here, not a condition", self.name.node.to_lowercase()),
                condition.span,
            )
            .with_help("write a condition as text with `tostring(condition)`")),
            None => Ok(()),
        }
    }

    /// An argument that has to be a string literal.
    ///
    /// # Errors
    /// It is not one.
    pub fn literal(&self, position: usize, what: &str) -> Result<String, Diagnostic> {
        let argument = self.argument(position);
        argument.literal().map(str::to_string).ok_or_else(|| {
            Diagnostic::error(
                Code::InvalidArgument,
                format!("`{}` takes {what} written as a string in double quotes", self.name.node),
                argument.span,
            )
        })
    }

    /// A call of a DataFusion function with the arguments as text.
    pub fn udf(&self, udf: &Arc<ScalarUDF>, kind: Kind) -> Typed {
        Typed::new(udf.call(self.arguments.iter().map(|a| a.expr.clone()).collect()), kind, self.span)
    }
}

/// Plans expressions over the fields of a frame.
pub struct ExpressionPlanner<'f> {
    frame: &'f Frame,
    exact: bool,
    /// The fields that stand for something else than their columns, the innermost last.
    bound: Vec<(String, Expr)>,
}

impl<'f> ExpressionPlanner<'f> {
    /// Over the fields of that frame.
    pub fn new(frame: &'f Frame) -> Self {
        Self { frame, exact: false, bound: Vec::new() }
    }

    /// The same, but decimal literals do not limit the digits of results.
    pub fn exact(&self) -> Self {
        Self { frame: self.frame, exact: true, bound: self.bound.clone() }
    }

    /// The same, but that the field is one text: a value of its several.
    pub fn binding(&self, field: &str, value: Expr) -> Self {
        let mut bound = self.bound.clone();
        bound.push((field.to_string(), value));
        Self { frame: self.frame, exact: self.exact, bound }
    }

    /// How many fields are bound.
    pub fn depth(&self) -> usize {
        self.bound.len()
    }

    /// The frame whose fields are in scope.
    pub fn frame(&self) -> &'f Frame {
        self.frame
    }

    /// A condition, for `where` and its like. What is not Boolean is refused.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn condition(&self, expression: &Expression) -> Result<Expr, Diagnostic> {
        self.boolean(&self.plan(expression)?)
    }

    /// The expression as a truth value.
    ///
    /// # Errors
    /// It is none.
    pub fn boolean(&self, typed: &Typed) -> Result<Expr, Diagnostic> {
        match typed.kind {
            Kind::Boolean => Ok(typed.expr.clone()),
            Kind::Null => Ok(lit(ScalarValue::Boolean(None))),
            _ => Err(Diagnostic::error(Code::TypeMismatch, "expected a condition that is true or false", typed.span)
                .with_help("compare the value with something, such as `x=1`, or test it with `isnotnull(x)`")),
        }
    }

    /// Any expression.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn plan(&self, expression: &Expression) -> Result<Typed, Diagnostic> {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Number(digits) => number_literal(digits, span),
            ExpressionKind::String(text) => Ok(Typed::new(lit(text.clone()), Kind::Literal, span)),
            ExpressionKind::Field(name) => Ok(self.field(name, span)),
            ExpressionKind::Unary(UnaryOperator::Negate, operand) => self.negate(operand, span),
            ExpressionKind::Unary(UnaryOperator::Not, operand) => {
                let operand = self.condition(operand)?;
                Ok(Typed::new(is_not_true(operand), Kind::Boolean, span))
            }
            ExpressionKind::Binary(operator, left, right) => self.binary(*operator, left, right, span),
            ExpressionKind::In(needle, haystack) => {
                let needle = self.plan(needle)?;
                let mut found: Option<Expr> = None;
                for member in haystack {
                    let member = self.plan(member)?;
                    let equal = operators::comparison(BinaryOperator::Equal, &needle, &member);
                    found = Some(found.map_or(equal.clone(), |before| before.or(equal)));
                }
                let found = found.unwrap_or_else(|| lit(false));
                Ok(Typed::new(found, Kind::Boolean, span))
            }
            ExpressionKind::Call(name, arguments) => self.call(name, arguments, span),
            ExpressionKind::Subsearch(subsearch) => Err(Diagnostic::error(
                Code::Unsupported,
                "a subsearch inside an expression is not supported yet",
                subsearch.span,
            )),
            ExpressionKind::Macro(call) => Err(undefined_macro(&call.name, call.span)),
        }
    }

    /// A field's value; the missing value where no event has it.
    pub fn field(&self, name: &str, span: Span) -> Typed {
        if let Some((_, value)) = self.bound.iter().rev().find(|(field, _)| field == name) {
            return Typed::new(value.clone(), Kind::Text, span);
        }
        match self.frame.data_type(name) {
            Some(data_type) => Typed::new(Expr::Column(Column::new_unqualified(name)), Kind::of(&data_type), span),
            None => {
                self.frame.note_missing(name, span);
                Typed::null(span)
            }
        }
    }

    fn negate(&self, operand: &Expression, span: Span) -> Result<Typed, Diagnostic> {
        let operand = self.plan(operand)?;
        if let Expr::Literal(ScalarValue::Int64(Some(integer)), _) = &operand.expr {
            return Ok(Typed::new(lit(integer.wrapping_neg()), Kind::Integer, span));
        }
        self.refuse_strings("-", &[&operand])?;
        Ok(Typed::new(Expr::Negative(Box::new(operand.number())), Kind::Number, span))
    }

    fn binary(
        &self,
        operator: BinaryOperator,
        left: &Expression,
        right: &Expression,
        span: Span,
    ) -> Result<Typed, Diagnostic> {
        use BinaryOperator::{
            Add, And, Concatenate, Divide, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Like, Modulo, Multiply,
            NotEqual, Or, Subtract, Xor,
        };
        match operator {
            And => Ok(Typed::new(self.condition(left)?.and(self.condition(right)?), Kind::Boolean, span)),
            Or => Ok(Typed::new(self.condition(left)?.or(self.condition(right)?), Kind::Boolean, span)),
            Xor => {
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                Ok(Typed::new(left.not_eq(right), Kind::Boolean, span))
            }
            Like => {
                let (text, pattern) = (self.plan(left)?, self.plan(right)?);
                functions::comparison::like(&text, &pattern, span)
            }
            Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual => {
                let (left, right) = (self.plan(left)?, self.plan(right)?);
                Ok(Typed::new(operators::comparison(operator, &left, &right), Kind::Boolean, span))
            }
            Concatenate => {
                let (left, right) = (self.plan(left)?, self.plan(right)?);
                Ok(Typed::new(operators::concatenate(left.text(), right.text()), Kind::Text, span))
            }
            Add | Subtract | Multiply | Divide | Modulo => {
                if !self.exact
                    && let Some(rounded) = functions::precision::rounded_literals(operator, left, right)
                {
                    return Ok(Typed::new(lit(rounded), Kind::Text, span));
                }
                self.arithmetic(operator, &self.plan(left)?, &self.plan(right)?, span)
            }
        }
    }

    fn arithmetic(
        &self,
        operator: BinaryOperator,
        left: &Typed,
        right: &Typed,
        span: Span,
    ) -> Result<Typed, Diagnostic> {
        if operator == BinaryOperator::Add {
            let textual = |typed: &Typed| matches!(typed.kind, Kind::Literal | Kind::Text | Kind::Many);
            if left.kind == Kind::Literal && right.kind == Kind::Literal {
                return Ok(Typed::new(operators::concatenate(left.text(), right.text()), Kind::Text, span));
            }
            if textual(left) && textual(right) {
                return Ok(Typed::new(operators::add(left.text(), right.text()), Kind::Text, span));
            }
        }
        self.refuse_strings(symbol(operator), &[left, right])?;
        let (left, right) = (left.number(), right.number());
        Ok(Typed::new(operators::arithmetic(operator, left, right), Kind::Number, span))
    }

    /// Refuses operands of arithmetic that are no numbers.
    ///
    /// # Errors
    /// The first string literal or condition.
    pub fn refuse_strings(&self, operator: &str, operands: &[&Typed]) -> Result<(), Diagnostic> {
        match operands.iter().find(|operand| matches!(operand.kind, Kind::Literal | Kind::Boolean)) {
            Some(operand) => Err(Diagnostic::error(
                Code::TypeMismatch,
                format!("the operator `{operator}` takes a number here"),
                operand.span,
            )
            .with_help("join texts with `.`, or read a number from text with `tonumber()`")),
            None => Ok(()),
        }
    }

    fn call(&self, name: &Spanned<String>, expressions: &[Expression], span: Span) -> Result<Typed, Diagnostic> {
        let Some(function) = functions::find(&name.node) else {
            if functions::known_unsupported(&name.node) {
                let message = format!("the function `{}` is not supported yet", name.node.to_lowercase());
                return Err(Diagnostic::error(Code::Unsupported, message, name.span));
            }
            let error = Diagnostic::error(
                Code::UnknownFunction,
                format!("the function `{}` is unsupported or undefined", name.node),
                name.span,
            );
            let near = suggest::nearest(&name.node, functions::all().map(|function| function.name));
            return Err(match near {
                Some(near) => error.with_help(format!("did you mean `{near}`?")),
                None => error,
            });
        };
        let (fewest, most) = function.arity;
        if expressions.len() < fewest || expressions.len() > most {
            return Err(Diagnostic::error(
                Code::InvalidArgument,
                format!("`{}` takes {}, not {}", function.name, arity(fewest, most), expressions.len()),
                span,
            )
            .with_help(function.syntax.to_string()));
        }
        let arguments = match functions::lambda::plans_own_arguments(function.name) {
            true => Vec::new(),
            false => expressions.iter().map(|argument| self.plan(argument)).collect::<Result<_, _>>()?,
        };
        (function.plan)(&Call { name, arguments, expressions, span, planner: self })
    }

    /// The first value whose condition is true, in one type that fits all of them.
    pub fn choice(&self, branches: Vec<(Expr, Typed)>, otherwise: Option<Typed>, span: Span) -> Typed {
        let values: Vec<&Typed> = branches.iter().map(|(_, value)| value).chain(&otherwise).collect();
        let kind = common_kind(&values);
        let when_then = branches
            .iter()
            .map(|(condition, value)| (Box::new(condition.clone()), Box::new(as_kind(value, kind))))
            .collect();
        let else_expr = otherwise.as_ref().map(|value| Box::new(as_kind(value, kind)));
        Typed::new(Expr::Case(Case::new(None, when_then, else_expr)), kind, span)
    }
}

/// The kind that all values can be turned into.
pub fn common_kind(values: &[&Typed]) -> Kind {
    let mut kinds = values.iter().map(|value| value.kind).filter(|kind| *kind != Kind::Null);
    let Some(first) = kinds.next() else { return Kind::Null };
    kinds.fold(first, |common, kind| match (common, kind) {
        (a, b) if a == b => a,
        (Kind::Many, _) | (_, Kind::Many) => Kind::Many,
        (a, b) if a.is_number() && b.is_number() => Kind::Number,
        _ => Kind::Text,
    })
}

/// The value in that kind's type.
pub fn as_kind(value: &Typed, kind: Kind) -> Expr {
    match kind {
        Kind::Many if value.kind == Kind::Null => lit(ScalarValue::Null).cast_many(),
        Kind::Many if value.kind != Kind::Many => operators::to_many(value.text()),
        Kind::Boolean if value.kind == Kind::Null => lit(ScalarValue::Boolean(None)),
        Kind::Time if value.kind == Kind::Null => lit(ScalarValue::TimestampMicrosecond(None, Some("UTC".into()))),
        Kind::Many | Kind::Null | Kind::Boolean | Kind::Time => value.expr.clone(),
        Kind::Integer if value.kind == Kind::Null => lit(ScalarValue::Int64(None)),
        Kind::Integer => value.expr.clone(),
        Kind::Number => value.number(),
        Kind::Literal | Kind::Text => value.text(),
    }
}

trait CastMany {
    fn cast_many(self) -> Expr;
}

impl CastMany for Expr {
    fn cast_many(self) -> Expr {
        cast(self, many_type())
    }
}

fn number_literal(digits: &str, span: Span) -> Result<Typed, Diagnostic> {
    if let Ok(integer) = digits.parse::<i64>()
        && integer.abs() <= crate::values::MAX_EXACT
    {
        return Ok(Typed::new(lit(integer), Kind::Integer, span));
    }
    match crate::values::parse_number(digits) {
        Some(number) => Ok(Typed::new(lit(number), Kind::Number, span)),
        None => Err(Diagnostic::error(Code::Syntax, format!("{digits:?} is not a number"), span)),
    }
}

/// An undefined macro.
pub fn undefined_macro(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::UnknownMacro, format!("the macro `{name}` is not defined"), span)
}

fn symbol(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        _ => ".",
    }
}

fn arity(fewest: usize, most: usize) -> String {
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    if fewest == most {
        format!("{fewest} {}", plural(fewest))
    } else if most == functions::MANY {
        format!("at least {fewest} {}", plural(fewest))
    } else {
        format!("{fewest} to {most} arguments")
    }
}
