//! Filters.

use pest::iterators::Pair;

use super::Rule;
use super::builder::{Builder, name, span, text};
use crate::logscale::query::{
    Argument, Call, Comparator, Comparison, Expression, ExpressionKind, Filter, Membership, Parameter, Regex, Value,
    ValueKind,
};
use crate::{Code, Diagnostic, Span, Spanned};

/// The longest filter that a warning repeats, in characters.
const LONGEST_READING: usize = 400;

/// The comparator that an operator stands for.
pub fn comparator(pair: &Pair<'_, Rule>) -> Spanned<Comparator> {
    let comparator = match pair.as_str().trim_end() {
        "=" => Comparator::Is,
        "==" => Comparator::Equal,
        "!=" => Comparator::NotEqual,
        "<" => Comparator::Less,
        "<=" => Comparator::LessOrEqual,
        ">" => Comparator::Greater,
        ">=" => Comparator::GreaterOrEqual,
        "=~" => Comparator::Matches,
        "<=>" => Comparator::Link,
        _ => Comparator::Like,
    };
    Spanned::new(comparator, span(pair))
}

impl Builder {
    /// Filters joined by AND, which binds loosest.
    pub fn filter(&mut self, pair: Pair<'_, Rule>) -> Option<Filter> {
        let place = span(&pair);
        self.deeper(place, |builder| {
            let mut parts = Vec::new();
            let alternatives = |inner: &Pair<'_, Rule>| {
                let terms = inner.clone().into_inner().filter(|term| term.as_rule() == Rule::filter_not);
                terms.count() > 1
            };
            let mut joined = pair.clone().into_inner().filter(|inner| inner.as_rule() == Rule::filter_or);
            let mixed = joined.clone().count() > 1 && joined.any(|inner| alternatives(&inner));
            for part in pair.into_inner().filter(|inner| inner.as_rule() == Rule::filter_or) {
                match builder.filter_or(part)? {
                    // Parentheses around what is joined the same way say nothing.
                    Filter::And(inner) => parts.extend(inner),
                    other => parts.push(other),
                }
            }
            if parts.len() == 1 {
                return parts.pop();
            }
            let filter = Filter::And(parts);
            if mixed {
                builder.warn_of_mixture(&filter, place);
            }
            Some(filter)
        })
    }

    /// Says how AND and OR without parentheses are read.
    fn warn_of_mixture(&mut self, filter: &Filter, place: Span) {
        let read = filter.to_string();
        let message = match read.chars().count() <= LONGEST_READING {
            true => format!("in CQL OR binds tighter than AND; this reads as {read}"),
            false => "in CQL OR binds tighter than AND".to_owned(),
        };
        let help = "put parentheses around what belongs together";
        self.warnings.push(Diagnostic::warning(Code::Note, message, place).with_help(help));
    }

    fn filter_or(&mut self, pair: Pair<'_, Rule>) -> Option<Filter> {
        let mut parts = Vec::new();
        for part in pair.into_inner().filter(|inner| inner.as_rule() == Rule::filter_not) {
            let part = self.filter_not(part)?;
            parts.push(part);
        }
        if parts.len() == 1 {
            return parts.pop();
        }
        let flat = parts.into_iter().flat_map(|part| match part {
            Filter::Or(inner) => inner,
            other => vec![other],
        });
        Some(Filter::Or(flat.collect()))
    }

    fn filter_not(&mut self, pair: Pair<'_, Rule>) -> Option<Filter> {
        let mut negated = false;
        for inner in pair.into_inner() {
            if inner.as_rule() == Rule::not_op {
                negated = !negated;
                continue;
            }
            let term = self.term(inner)?;
            return Some(match (negated, term) {
                (false, term) => term,
                // `not not x` is `x`.
                (true, Filter::Not(inner)) => *inner,
                (true, term) => Filter::Not(Box::new(term)),
            });
        }
        None
    }

    fn term(&mut self, pair: Pair<'_, Rule>) -> Option<Filter> {
        Some(match pair.as_rule() {
            Rule::filter => self.filter(pair)?,
            Rule::filter_call => {
                let mut inner = pair.into_inner();
                let call = self.call(inner.next()?)?;
                match (inner.next(), inner.next()) {
                    (Some(operator), Some(right)) => {
                        let right: Expression = self.sum(right)?;
                        Filter::Test(call, comparator(&operator), Box::new(right))
                    }
                    _ => Filter::Call(call),
                }
            }
            Rule::saved_query => Filter::Saved(self.saved(pair)?),
            Rule::field_function => {
                let mut inner = pair.into_inner();
                let field = name(inner.next()?);
                let mut next = inner.next()?;
                let negated = next.as_rule() == Rule::not_op;
                if negated {
                    next = inner.next()?;
                }
                if next.as_rule() == Rule::regex {
                    let value = self.value_of(next)?;
                    let comparator = Spanned::new(Comparator::Is, value.span);
                    return Some(Filter::Comparison(Comparison { field, comparator, value }));
                }
                Filter::FieldCall(field, negated, self.call(next)?)
            }
            Rule::membership => {
                let mut negated = false;
                let mut inner = pair.into_inner();
                let field = name(inner.next()?);
                let mut values = Vec::new();
                for part in inner {
                    match part.as_rule() {
                        Rule::not_op => negated = true,
                        Rule::value_list => values = self.values(part)?,
                        _ => {}
                    }
                }
                Filter::Membership(Membership { field, negated, values })
            }
            // `a >= f()` is short for `test(a >= f())`.
            Rule::field_test => {
                let place = span(&pair);
                let mut inner = pair.into_inner();
                let field = name(inner.next()?);
                let left = Expression { kind: ExpressionKind::Word(field.node), span: field.span };
                let comparator = comparator(&inner.next()?);
                let right: Expression = self.sum(inner.next()?)?;
                let compared = ExpressionKind::Compare(Box::new(left), vec![(comparator.node, right)]);
                let condition = Expression { kind: compared, span: place };
                let arguments = vec![Argument::Unnamed(condition)];
                Filter::Call(Call { name: Spanned::new("test".to_owned(), place), arguments, span: place })
            }
            Rule::comparison => {
                let mut inner = pair.into_inner();
                let field = name(inner.next()?);
                let comparator = comparator(&inner.next()?);
                let value = self.value(inner.next()?)?;
                Filter::Comparison(Comparison { field, comparator, value })
            }
            _ => Filter::Text(self.value_of(pair)?),
        })
    }

    /// The values between parentheses.
    pub fn values(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<Value>> {
        pair.into_inner().map(|value| self.value(value)).collect()
    }

    /// A value of a filter.
    pub fn value(&mut self, pair: Pair<'_, Rule>) -> Option<Value> {
        self.value_of(pair.into_inner().next()?)
    }

    /// A value by the rule that matched it.
    pub fn value_of(&mut self, pair: Pair<'_, Rule>) -> Option<Value> {
        let place = span(&pair);
        let kind = match pair.as_rule() {
            Rule::string => ValueKind::Quoted(text(pair)),
            Rule::regex => ValueKind::Regex(regex(pair)?),
            Rule::parameter => ValueKind::Parameter(parameter(pair)?),
            _ => ValueKind::Pattern(pair.as_str().trim_end().to_owned()),
        };
        Some(Value { kind, span: place })
    }
}

/// A regular expression between slashes.
pub fn regex(pair: Pair<'_, Rule>) -> Option<Regex> {
    let mut inner = pair.into_inner();
    let pattern = inner.next()?.as_str().to_owned();
    Some(Regex { pattern, flags: inner.next().map_or_else(String::new, |flags| flags.as_str().to_owned()) })
}

/// A value that the user gives.
pub fn parameter(pair: Pair<'_, Rule>) -> Option<Parameter> {
    let inner = pair.into_inner().next()?;
    if inner.as_rule() != Rule::parameter_block {
        return Some(Parameter { name: name(inner).node, default: None });
    }
    let mut parts = inner.into_inner().map(|part| name(part).node);
    Some(Parameter { name: parts.next()?, default: parts.next() })
}
