//! Expressions, calls and lists.

use pest::iterators::{Pair, Pairs};

use super::Rule;
use super::builder::{Builder, name, span, text};
use super::filter::{comparator, parameter, regex};
use crate::logscale::query::{
    Argument, Arithmetic, Call, Comparator, Element, Expression, ExpressionKind, Labelled, SavedQuery, ValueArm,
};
use crate::{Code, Diagnostic, Span, Spanned};

/// How many signs may stand before an operand.
const MOST_SIGNS: usize = 8;

impl Builder {
    /// Conditions joined by OR, which binds loosest.
    pub fn condition(&mut self, pair: Pair<'_, Rule>) -> Option<Expression> {
        let place = span(&pair);
        self.deeper(place, |builder| builder.joined(pair, Rule::condition_and, Self::condition_and, ExpressionKind::Or))
    }

    fn condition_and(&mut self, pair: Pair<'_, Rule>) -> Option<Expression> {
        self.joined(pair, Rule::condition_not, Self::condition_not, ExpressionKind::And)
    }

    fn joined(
        &mut self,
        pair: Pair<'_, Rule>,
        rule: Rule,
        part: fn(&mut Self, Pair<'_, Rule>) -> Option<Expression>,
        join: fn(Vec<Expression>) -> ExpressionKind,
    ) -> Option<Expression> {
        let place = span(&pair);
        let parts = pair.into_inner().filter(|inner| inner.as_rule() == rule);
        let mut parts: Vec<Expression> = parts.map(|inner| part(self, inner)).collect::<Option<_>>()?;
        if parts.len() == 1 { parts.pop() } else { Some(Expression { kind: join(parts), span: place }) }
    }

    fn condition_not(&mut self, pair: Pair<'_, Rule>) -> Option<Expression> {
        let place = span(&pair);
        let mut negated = false;
        for inner in pair.into_inner() {
            if inner.as_rule() == Rule::word_not {
                negated = !negated;
                continue;
            }
            let test = self.test(inner)?;
            return Some(match negated {
                true => Expression { kind: ExpressionKind::Not(Box::new(test)), span: place },
                false => test,
            });
        }
        None
    }

    fn test(&mut self, pair: Pair<'_, Rule>) -> Option<Expression> {
        let place = span(&pair);
        let mut inner = pair.into_inner();
        let mut left = self.sum(inner.next()?)?;
        let mut compared: Vec<(Comparator, Expression)> = Vec::new();
        let mut chained = 0_usize;
        while let Some(part) = inner.next() {
            match part.as_rule() {
                Rule::expression_compare => {
                    compared.push((comparator(&part).node, self.sum(inner.next()?)?));
                    continue;
                }
                _ if !compared.is_empty() || chained > 0 => {
                    let message = "a comparison of a comparison: put the first one in parentheses";
                    self.diagnostics.push(Diagnostic::error(Code::Syntax, message, span(&part)));
                    return None;
                }
                Rule::condition_in => {
                    let (mut negated, mut values) = (false, Vec::new());
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::word_not => negated = true,
                            Rule::value_list => values = self.values(part)?,
                            _ => {}
                        }
                    }
                    let kind = ExpressionKind::In(Box::new(left), negated, values);
                    left = Expression { kind, span: place };
                }
                _ => {
                    let mut parts = part.into_inner();
                    let comparator = match comparator(&parts.next()?).node {
                        Comparator::Matches => Comparator::Is,
                        other => other,
                    };
                    let value = self.value(parts.next()?)?;
                    left = Expression { kind: ExpressionKind::Is(Box::new(left), comparator, value), span: place };
                }
            }
            chained += 1;
        }
        if compared.is_empty() {
            return Some(left);
        }
        Some(Expression { kind: ExpressionKind::Compare(Box::new(left), compared), span: place })
    }

    /// Terms joined by `+` and `-`.
    pub fn sum(&mut self, pair: Pair<'_, Rule>) -> Option<Expression> {
        self.chain(pair, Self::product, ExpressionKind::Sum)
    }

    fn product(&mut self, pair: Pair<'_, Rule>) -> Option<Expression> {
        self.chain(pair, Self::unary, ExpressionKind::Product)
    }

    fn chain(
        &mut self,
        pair: Pair<'_, Rule>,
        part: fn(&mut Self, Pair<'_, Rule>) -> Option<Expression>,
        join: fn(Box<Expression>, Vec<(Arithmetic, Expression)>) -> ExpressionKind,
    ) -> Option<Expression> {
        let place = span(&pair);
        let mut inner = pair.into_inner();
        let first = part(self, inner.next()?)?;
        let mut rest = Vec::new();
        while let Some(operator) = inner.next() {
            let operator = match operator.as_str() {
                "+" => Arithmetic::Add,
                "-" => Arithmetic::Subtract,
                "*" => Arithmetic::Multiply,
                "/" => Arithmetic::Divide,
                _ => Arithmetic::Modulo,
            };
            rest.push((operator, part(self, inner.next()?)?));
        }
        if rest.is_empty() {
            return Some(first);
        }
        Some(Expression { kind: join(Box::new(first), rest), span: place })
    }

    fn unary(&mut self, pair: Pair<'_, Rule>) -> Option<Expression> {
        let place = span(&pair);
        let mut signs = Vec::new();
        for inner in pair.into_inner() {
            if inner.as_rule() == Rule::sign {
                signs.push(inner.as_str().starts_with('-'));
                continue;
            }
            if signs.len() > MOST_SIGNS {
                let message = format!("more than {MOST_SIGNS} signs before a value");
                self.diagnostics.push(Diagnostic::error(Code::TooLarge, message, place));
                return None;
            }
            let operand = self.operand(inner)?;
            return Some(signs.into_iter().rev().fold(operand, |inner, negative| {
                let inner = Box::new(inner);
                let kind = if negative { ExpressionKind::Negative(inner) } else { ExpressionKind::Inverse(inner) };
                Expression { kind, span: place }
            }));
        }
        None
    }

    fn operand(&mut self, pair: Pair<'_, Rule>) -> Option<Expression> {
        let place = span(&pair);
        let written = pair.as_str().trim_end().to_owned();
        let kind = match pair.as_rule() {
            Rule::condition => return self.condition(pair),
            Rule::block => ExpressionKind::Block(self.pipeline(pair.into_inner().next()?)?),
            Rule::case_value => {
                let arms = pair.into_inner().filter(|inner| inner.as_rule() == Rule::value_arm);
                ExpressionKind::Case(arms.map(|arm| self.value_arm(arm)).collect::<Option<_>>()?)
            }
            Rule::call => ExpressionKind::Call(self.call(pair)?),
            Rule::saved_query => ExpressionKind::Saved(self.saved(pair)?),
            Rule::array => ExpressionKind::Array(self.elements(pair)?),
            Rule::parameter => ExpressionKind::Parameter(parameter(pair)?),
            Rule::string => ExpressionKind::Text(text(pair)),
            Rule::regex => ExpressionKind::Regex(regex(pair)?),
            Rule::number => ExpressionKind::Number(written),
            Rule::loose_pattern => ExpressionKind::Pattern(written),
            _ => ExpressionKind::Word(written),
        };
        Some(Expression { kind, span: place })
    }

    fn value_arm(&mut self, pair: Pair<'_, Rule>) -> Option<ValueArm> {
        let mut inner = pair.into_inner();
        let first = inner.next()?;
        let condition = match first.as_rule() {
            Rule::always => None,
            _ => Some(self.condition(first)?),
        };
        Some(ValueArm { condition, value: self.condition(inner.next()?)? })
    }

    /// A call of a function.
    pub fn call(&mut self, pair: Pair<'_, Rule>) -> Option<Call> {
        let place = span(&pair);
        let mut inner = pair.into_inner();
        let name = name(inner.next()?);
        let arguments = self.deeper(place, |builder| builder.arguments(inner))?;
        Some(Call { name, arguments, span: place })
    }

    /// A call of a saved query.
    pub fn saved(&mut self, pair: Pair<'_, Rule>) -> Option<SavedQuery> {
        let place = span(&pair);
        let mut inner = pair.into_inner();
        let name = name(inner.next()?);
        let arguments = inner.next()?.into_inner();
        let arguments = self.deeper(place, |builder| builder.arguments(arguments))?;
        Some(SavedQuery { name, arguments, span: place })
    }

    fn arguments(&mut self, pairs: Pairs<'_, Rule>) -> Option<Vec<Argument>> {
        let mut arguments = Vec::new();
        for pair in pairs {
            let inner = pair.into_inner().next()?;
            arguments.push(match inner.as_rule() {
                Rule::labelled => Argument::Labelled(self.labelled(inner)?),
                Rule::named => {
                    let mut parts = inner.into_inner();
                    let name = name(parts.next()?);
                    let value = parts.find(|part| part.as_rule() == Rule::condition)?;
                    Argument::Named(name, self.condition(value)?)
                }
                _ => Argument::Unnamed(self.condition(inner)?),
            });
        }
        Some(arguments)
    }

    fn labelled(&mut self, pair: Pair<'_, Rule>) -> Option<Labelled> {
        let mut inner = pair.into_inner();
        let label = name(inner.next()?);
        let pipeline = self.pipeline(inner.next()?.into_inner().next()?)?;
        let mut attributes: Vec<(Spanned<String>, Expression)> = Vec::new();
        for attribute in inner {
            let mut parts = attribute.into_inner();
            let name = name(parts.next()?);
            let value = parts.find(|part| part.as_rule() == Rule::sum)?;
            attributes.push((name, self.sum(value)?));
        }
        Some(Labelled { name: label, pipeline, attributes })
    }

    /// The elements of a list.
    pub fn elements(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<Element>> {
        let place: Span = span(&pair);
        self.deeper(place, |builder| {
            let mut elements = Vec::new();
            for element in pair.into_inner() {
                let inner = element.into_inner().next()?;
                elements.push(match inner.as_rule() {
                    Rule::element_assignment => Element::Assign(builder.assignment(inner)?),
                    Rule::labelled => Element::Labelled(builder.labelled(inner)?),
                    _ => Element::Value(builder.condition(inner)?),
                });
            }
            Some(elements)
        })
    }
}
