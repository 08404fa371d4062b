//! `eval` expressions as DataFusion expressions.
//!
//! SPL decides by value whether something is a number or text; DataFusion wants a type at planning time. So
//! every expression has a [`Kind`]: numbers and dates stay native, text that may hold numbers goes through
//! the functions of [`crate::functions::operators`], which decide value by value.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, is_not_true, lit};
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind, UnaryOperator};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

pub use super::call::Call;
use super::frame::Frame;
use super::search::balanced;
use super::suggest;
pub use super::typed::{Kind, Typed, as_kind, common_kind};
use crate::functions::{self, operators};

/// The most arguments of a call: planning takes time that grows with the square of their number.
const MOST_ARGUMENTS: usize = 2_000;

/// How many calls of one expression are planned: some functions plan what is in them twice, so that calls in calls
/// double with each level.
const MOST_CALLS: usize = 50_000;

/// How large the plan of a call may get: some functions need a value twice, which doubles with each level as well.
const MOST_NODES: usize = 50_000;

/// Plans expressions over the fields of a frame.
pub struct ExpressionPlanner<'f> {
    frame: &'f Frame,
    exact: bool,
    /// The fields that stand for something else than their columns, the innermost last.
    bound: Vec<(String, Expr)>,
    /// How many calls were planned so far, some of them several times.
    calls: Arc<AtomicUsize>,
}

impl<'f> ExpressionPlanner<'f> {
    /// Over the fields of that frame.
    pub fn new(frame: &'f Frame) -> Self {
        Self { frame, exact: false, bound: Vec::new(), calls: Arc::default() }
    }

    /// The same, but decimal literals do not limit the digits of results.
    pub fn exact(&self) -> Self {
        Self { frame: self.frame, exact: true, bound: self.bound.clone(), calls: Arc::clone(&self.calls) }
    }

    /// The same, but that the field is one text: a value of its several.
    pub fn binding(&self, field: &str, value: Expr) -> Self {
        let mut bound = self.bound.clone();
        bound.push((field.to_string(), value));
        Self { frame: self.frame, exact: self.exact, bound, calls: Arc::clone(&self.calls) }
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
                let equal = |member| Ok(operators::comparison(BinaryOperator::Equal, &needle, &self.plan(member)?));
                let alternatives = haystack.iter().map(equal).collect::<Result<_, Diagnostic>>()?;
                let found = balanced(alternatives, Expr::or).unwrap_or_else(|| lit(false));
                Ok(Typed::new(found, Kind::Boolean, span))
            }
            ExpressionKind::Call(name, arguments) => self.call(name, arguments, span),
            // Without data it was not run, and may give anything.
            ExpressionKind::Subsearch(_) if self.frame.setting.planning => Ok(Typed::null(span)),
            ExpressionKind::Subsearch(subsearch) => Err(Diagnostic::error(
                Code::Unsupported,
                "a subsearch at this place is not supported; `where` and `eval` take them",
                subsearch.span,
            )),
            ExpressionKind::Macro(call) => {
                assumed_macro(self.frame, &call.name, call.span)?;
                Ok(Typed::null(span))
            }
        }
    }

    /// A field's value; the missing value where no event has it.
    pub fn field(&self, name: &str, span: Span) -> Typed {
        if let Some((_, value)) = self.bound.iter().rev().find(|(field, _)| field == name) {
            return Typed::new(value.clone(), Kind::Text, span);
        }
        match self.frame.data_type(name) {
            Some(data_type) => Typed::new(Expr::Column(Column::new_unqualified(name)), Kind::of(&data_type), span),
            // Planning without data must not know better than the data will.
            None if self.frame.open => Typed::new(lit(ScalarValue::Utf8(None)), Kind::Text, span),
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
            // What a field holds is decided value by value, also where all its values are numbers.
            let textual = |typed: &Typed| {
                matches!(typed.kind, Kind::Literal | Kind::Text | Kind::Many | Kind::Null)
                    || matches!(typed.expr, Expr::Column(_))
            };
            let numbers = [left, right].iter().all(|typed| typed.kind.is_number());
            if left.kind == Kind::Literal && right.kind == Kind::Literal {
                return Ok(Typed::new(operators::concatenate(left.text(), right.text()), Kind::Text, span));
            }
            if textual(left) && textual(right) && !numbers {
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
        if expressions.len() > MOST_ARGUMENTS {
            let message =
                format!("`{}` is given {} arguments; the most is {MOST_ARGUMENTS}", function.name, expressions.len());
            return Err(Diagnostic::error(Code::TooLarge, message, span));
        }
        if expressions.len() < fewest || expressions.len() > most {
            return Err(Diagnostic::error(
                Code::InvalidArgument,
                format!("`{}` takes {}, not {}", function.name, arity(fewest, most), expressions.len()),
                span,
            )
            .with_help(function.syntax.to_string()));
        }
        if self.calls.fetch_add(1, Ordering::Relaxed) > MOST_CALLS {
            return Err(too_large(&Typed::null(span)));
        }
        let arguments = match functions::lambda::plans_own_arguments(function.name) {
            true => Vec::new(),
            false => expressions.iter().map(|argument| self.plan(argument)).collect::<Result<_, _>>()?,
        };
        let planned = (function.plan)(&Call { name, arguments, expressions, span, planner: self })?;
        if is_larger(&planned.expr, MOST_NODES) {
            return Err(too_large(&planned));
        }
        Ok(planned)
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

/// Whether an expression has more parts than that.
fn is_larger(expr: &Expr, most: usize) -> bool {
    let mut parts = 0_usize;
    let visited = expr.apply(|_| {
        parts += 1;
        Ok(if parts > most { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    visited.is_err() || parts > most
}

fn too_large(planned: &Typed) -> Diagnostic {
    Diagnostic::error(Code::TooLarge, "the calls in each other make too large an expression", planned.span)
        .with_help("give what stands inside a name of its own with an `eval` before")
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

/// Lets a macro pass that is not defined, where macros are assumed to exist.
///
/// # Errors
/// They are not.
pub fn assumed_macro(frame: &Frame, name: &str, span: Span) -> Result<(), Diagnostic> {
    if frame.setting.assume_macros {
        return Ok(());
    }
    Err(Diagnostic::error(Code::UnknownMacro, format!("the macro `{name}` is not defined"), span)
        .with_help("`--macros FILE` reads a macros.conf that defines it; or write its text here"))
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
