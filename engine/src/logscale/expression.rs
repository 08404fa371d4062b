//! Expressions: arithmetic is on numbers or null, and what is compared with null is null.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, is_not_true, is_true, lit, when};
use spelunk_grammar::logscale::query::{Arithmetic, Call, Comparator, Expression, ExpressionKind, Value, ValueKind};
use spelunk_grammar::spl::expression::BinaryOperator;
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::arguments::{Arguments, VALUE, expected};
use super::filter::{balanced, parameter};
use super::rows::Rows;
use super::{as_number, functions, unsupported};
use crate::functions::logscale::durations;
use crate::functions::operators;
use crate::plan::expression::{ExpressionPlanner, Kind, Typed};

impl Rows<'_> {
    /// Any expression.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn expression(&self, expression: &Expression) -> Result<Typed, Diagnostic> {
        let span = expression.span;
        let boolean = |expr: Expr| Typed::new(expr, Kind::Boolean, span);
        Ok(match &expression.kind {
            ExpressionKind::Or(_)
            | ExpressionKind::And(_)
            | ExpressionKind::Not(_)
            | ExpressionKind::Is(..)
            | ExpressionKind::In(..) => boolean(is_true(self.truth(expression)?)),
            ExpressionKind::Compare(first, rest) => {
                let mut left = self.expression(first)?;
                for (comparator, right) in rest {
                    let right = self.expression(right)?;
                    left = boolean(self.compared(&left, *comparator, &right));
                }
                left
            }
            ExpressionKind::Sum(first, rest) | ExpressionKind::Product(first, rest) => {
                let mut left = as_number(&self.expression(first)?);
                for (operator, right) in rest {
                    let operator = match operator {
                        Arithmetic::Add => BinaryOperator::Add,
                        Arithmetic::Subtract => BinaryOperator::Subtract,
                        Arithmetic::Multiply => BinaryOperator::Multiply,
                        Arithmetic::Divide => BinaryOperator::Divide,
                        Arithmetic::Modulo => BinaryOperator::Modulo,
                    };
                    left = operators::arithmetic(operator, left, as_number(&self.expression(right)?));
                }
                Typed::new(left, Kind::Number, span)
            }
            ExpressionKind::Negative(inner) => {
                Typed::new(Expr::Negative(Box::new(as_number(&self.expression(inner)?))), Kind::Number, span)
            }
            ExpressionKind::Inverse(inner) => {
                let inner = self.expression(inner)?;
                boolean(!self.truth_of(&inner))
            }
            ExpressionKind::Case(arms) => {
                let mut branches = Vec::new();
                for arm in arms {
                    let condition = match &arm.condition {
                        Some(condition) => is_true(self.truth(condition)?),
                        None => lit(true),
                    };
                    let value = self.expression(&arm.value)?;
                    branches.push((condition, super::rows::settled(&value)));
                }
                if branches.is_empty() {
                    return Ok(Typed::null(span));
                }
                ExpressionPlanner::new(self.frame).choice(branches, None, span)
            }
            ExpressionKind::Call(call) => self.call_value(call)?,
            ExpressionKind::Number(digits) => match digits.parse::<i64>() {
                Ok(integer) => Typed::new(lit(integer), Kind::Integer, span),
                Err(_) => match crate::values::parse_number(digits) {
                    Some(number) => Typed::new(lit(number), Kind::Number, span),
                    None => return Err(expected("a number", span)),
                },
            },
            ExpressionKind::Text(text) => Typed::new(lit(text.unescaped()), Kind::Literal, span),
            ExpressionKind::Word(word) if word == "true" || word == "false" => boolean(lit(word == "true")),
            ExpressionKind::Word(name) => match durations::milliseconds(name) {
                // `now() - 1h`, which is no part of the vendor's language: no field is called so.
                Some(length) if !self.has(name) => Typed::new(lit(length), Kind::Number, span),
                _ => self.field(name, span),
            },
            ExpressionKind::Parameter(given) => Typed::new(lit(parameter(given, span)?), Kind::Literal, span),
            ExpressionKind::Saved(saved) => {
                let message = format!("the saved query `${}()` is not defined", saved.name.node);
                return Err(Diagnostic::error(Code::UnknownMacro, message, saved.name.span));
            }
            ExpressionKind::Block(_) => return Err(unsupported("a subquery at this place", span)),
            ExpressionKind::Array(_) => return Err(expected("a value, not a list", span)),
            ExpressionKind::Regex(_) => {
                return Err(expected("a value, not a regular expression", span)
                    .with_help("filter with `field=/regex/`, or test with `regex(\"...\", field=x)`"));
            }
            ExpressionKind::Pattern(_) => return Err(expected("a value, not a pattern", span)),
        })
    }

    /// The truth of a condition of `where` and its like: false where a filter would drop the row.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn truth(&self, expression: &Expression) -> Result<Expr, Diagnostic> {
        Ok(match &expression.kind {
            ExpressionKind::Or(parts) => self.all(parts, Expr::or)?,
            ExpressionKind::And(parts) => self.all(parts, Expr::and)?,
            ExpressionKind::Not(inner) => is_not_true(self.truth(inner)?),
            ExpressionKind::Is(left, comparator, value) => {
                let left = self.expression(left)?;
                self.compared_with(&left, &Spanned::new(*comparator, expression.span), value, None)?
            }
            ExpressionKind::In(left, negated, values) => {
                let left = self.expression(left)?;
                let found = self.member(&left, values)?;
                if *negated { is_not_true(found) } else { found }
            }
            // `a = "x"`, written as it is in expressions, is what the filter would be.
            ExpressionKind::Compare(left, rest)
                if matches!(
                    rest.as_slice(),
                    [(Comparator::NotEqual, Expression { kind: ExpressionKind::Text(_), .. })]
                ) =>
            {
                let left = self.expression(left)?;
                let Some((_, Expression { kind: ExpressionKind::Text(text), span })) = rest.first() else {
                    return Ok(lit(false));
                };
                let value = Value { kind: ValueKind::Quoted(text.clone()), span: *span };
                self.compared_with(&left, &Spanned::new(Comparator::NotEqual, expression.span), &value, None)?
            }
            _ => {
                let value = self.expression(expression)?;
                self.truth_of(&value)
            }
        })
    }

    fn all(&self, parts: &[Expression], join: fn(Expr, Expr) -> Expr) -> Result<Expr, Diagnostic> {
        let parts = parts.iter().map(|part| Ok(is_true(self.truth(part)?)));
        let parts: Vec<Expr> = parts.collect::<Result<_, Diagnostic>>()?;
        Ok(balanced(parts, join).unwrap_or_else(|| lit(true)))
    }

    /// Whether a value is true: a number that is not 0, or `true`; null where it is neither that nor false.
    pub fn truth_of(&self, value: &Typed) -> Expr {
        match value.kind {
            Kind::Boolean => value.expr.clone(),
            Kind::Null => lit(ScalarValue::Boolean(None)),
            Kind::Integer | Kind::Number | Kind::Time => value.number().not_eq(lit(0.0_f64)),
            Kind::Literal | Kind::Text | Kind::Many => {
                let number = operators::to_number(value.expr.clone());
                let truth =
                    when(value.text().eq(lit("true")), lit(true)).when(value.text().eq(lit("false")), lit(false));
                let mut truth = truth;
                truth.otherwise(number.not_eq(lit(0.0_f64))).unwrap_or_else(|_| lit(false))
            }
        }
    }

    /// Two values compared; null where one is missing, or is no number where numbers are compared.
    pub fn compared(&self, left: &Typed, comparator: Comparator, right: &Typed) -> Expr {
        let by_value = super::rows::settled;
        match comparator {
            Comparator::Less => as_number(left).lt(as_number(right)),
            Comparator::LessOrEqual => as_number(left).lt_eq(as_number(right)),
            Comparator::Greater => as_number(left).gt(as_number(right)),
            Comparator::GreaterOrEqual => as_number(left).gt_eq(as_number(right)),
            Comparator::NotEqual => operators::comparison(BinaryOperator::NotEqual, &by_value(left), &by_value(right)),
            _ => operators::comparison(BinaryOperator::Equal, &by_value(left), &by_value(right)),
        }
    }

    /// The value of a call: that of the field it makes, or whether it keeps the row.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn call_value(&self, call: &Call) -> Result<Typed, Diagnostic> {
        if functions::is_step(call) {
            return Err(unsupported(&format!("`{}` in an expression", call.name.node), call.name.span));
        }
        let named = Spanned::new(VALUE.to_owned(), call.span);
        let effect = functions::row(self, Arguments::of(call)?.named_as(named))?;
        let made = effect.set.into_iter().chain(effect.replace).find(|(name, _)| name == VALUE);
        match (made, effect.keep) {
            (Some((_, value)), _) => Ok(value),
            (None, Some(keep)) => Ok(Typed::new(is_true(keep), Kind::Boolean, call.span)),
            (None, None) => Err(expected("a function that gives a value", call.name.span)),
        }
    }
}
