//! `search`: keeps the events that match. OR binds tighter than AND; a comparison with a missing field is
//! false, so that NOT of it is true.
//!
//! Source: Splunk Search Reference, "search"; Splunk Search Manual, "Difference between != and NOT".

mod labels;
mod times;

use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, is_not_true, lit};
use spelunk_grammar::spl::commands::search::Search;
use spelunk_grammar::spl::search::{
    Comparison, ComparisonOperator, InList, Literal, Matching, Operand, SearchExpression,
};
use spelunk_grammar::{Code, Diagnostic, Span};

use self::labels::{is_knowledge, one_tag};
use self::times::TIME_FORMAT;
pub use self::times::within;
pub(super) use self::times::{Bound, modifier, names, time_format};
use super::expression::{ExpressionPlanner, Kind, Typed, assumed_macro};
use super::frame::{Frame, column};
use super::{PlanResult, Planner, relevancy, trace};
use crate::functions::wildcard::Wildcard;
use crate::functions::{operators, pattern, search as kernels, timeformat};
use crate::values;

/// Plans `search` over loaded events, with the session's time bounds where the search sets none.
pub fn plan_first(planner: &Planner<'_>, frame: &mut Frame, command: &Search) -> PlanResult<()> {
    let named = |bound: Bound| command.expression.as_ref().is_some_and(|expression| names(expression, bound));
    let (earliest, latest) = planner.bounds;
    let unless = |bound: Bound, time: Option<i64>| time.filter(|_| !named(bound));
    within(frame, (unless(Bound::Earliest, earliest), unless(Bound::Latest, latest)))?;
    plan(frame, command)
}

/// Plans `search` over any rows.
pub fn plan(frame: &mut Frame, command: &Search) -> PlanResult<()> {
    let Some(expression) = &command.expression else { return Ok(()) };
    relevancy::keywords(expression, &mut frame.keywords);
    trace::spl::search(frame, command);
    let conjuncts = match expression {
        SearchExpression::And(conjuncts) => conjuncts.as_slice(),
        single => std::slice::from_ref(single),
    };
    let conditions = Lowering::of(frame, expression)?.conjuncts(conjuncts)?;
    if let Some(condition) = balanced(conditions, Expr::and) {
        filter(frame, condition, expression_span(expression))?;
    }
    Ok(())
}

/// The most conditions that one filter may AND: DataFusion's planning time grows with their square.
const MOST_CONJUNCTS: usize = 2_000;

/// Keeps the rows for which the condition is true.
///
/// # Errors
/// It ANDs too many conditions.
pub fn filter(frame: &mut Frame, condition: Expr, span: Span) -> PlanResult<()> {
    let conjuncts = split_conjunction(&condition).len();
    if conjuncts > MOST_CONJUNCTS {
        let message = format!("{conjuncts} conditions joined by AND; the most is {MOST_CONJUNCTS}");
        return Err(Diagnostic::error(Code::TooLarge, message, span).into());
    }
    frame.filter(condition)?;
    Ok(())
}

/// From the first to the last part that has a place.
pub(super) fn expression_span(expression: &SearchExpression) -> Span {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => {
            let spans = parts.iter().map(expression_span);
            spans.reduce(Span::to).unwrap_or_default()
        }
        SearchExpression::Not(inner) => expression_span(inner),
        SearchExpression::Comparison(comparison) => comparison.span,
        SearchExpression::In(list) => list.span,
        SearchExpression::Term(literal) => literal.span,
        SearchExpression::Subsearch(subsearch) => subsearch.span,
        SearchExpression::Macro(call) => call.span,
    }
}

/// How many keywords and phrases a search may have: each becomes a pattern of its own.
const MOST_WORDS: usize = 1_000;

/// The keywords and phrases of a search.
fn words(expression: &SearchExpression) -> usize {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => parts.iter().map(words).sum(),
        SearchExpression::Not(inner) => words(inner),
        SearchExpression::Term(_) => 1,
        _ => 0,
    }
}

/// The condition that a search expression sets for the rows of a frame.
///
/// # Errors
/// The first thing wrong with it.
pub fn condition(frame: &Frame, expression: &SearchExpression) -> Result<Expr, Diagnostic> {
    Lowering::of(frame, expression)?.condition(expression)
}

/// Turns search expressions into conditions over a frame.
struct Lowering<'f> {
    frame: &'f Frame,
    /// Whether rows that match are left out: inside an odd number of NOTs.
    negated: bool,
    /// How the times of the search's modifiers are written.
    time_format: Option<&'f Literal>,
}

impl<'f> Lowering<'f> {
    fn of(frame: &'f Frame, expression: &'f SearchExpression) -> Result<Self, Diagnostic> {
        if words(expression) > MOST_WORDS {
            let message = format!("more than {MOST_WORDS} words to look for in the text of an event");
            return Err(Diagnostic::error(Code::TooLarge, message, expression_span(expression))
                .with_help("compare a field with many values at once: `field IN (a, b, ...)`"));
        }
        let time_format = time_format(expression).filter(|_| frame.data_type(TIME_FORMAT).is_none());
        if let Some(format) = time_format {
            timeformat::items(&format.text).map_err(|reason| {
                Diagnostic::error(Code::InvalidTime, format!("invalid time format: {reason}"), format.span)
            })?;
        }
        Ok(Self { frame, negated: false, time_format })
    }

    /// For what stands behind a NOT.
    fn negation(&self) -> Self {
        Self { negated: !self.negated, ..*self }
    }

    fn condition(&self, expression: &SearchExpression) -> Result<Expr, Diagnostic> {
        match expression {
            SearchExpression::And(parts) => self.all(parts),
            SearchExpression::Or(parts) => self.any(parts),
            SearchExpression::Not(inner) => Ok(is_not_true(self.negation().condition(inner)?)),
            SearchExpression::Comparison(comparison) => self.comparison(comparison),
            SearchExpression::In(InList { field, values, .. }) => {
                if let Some(answer) = self.labels(&field.text, &values.iter().collect::<Vec<_>>(), field.span)? {
                    return Ok(answer);
                }
                if let Some(answer) = self.absent_knowledge(&field.text, field.span) {
                    return Ok(answer);
                }
                let typed = self.field(&field.text, field.span);
                self.any_of(&field.text, &typed, &values.iter().collect::<Vec<_>>(), field.span)
            }
            SearchExpression::Term(literal) => self.term(literal),
            SearchExpression::Subsearch(subsearch) => {
                Err(Diagnostic::error(Code::Subsearch, "the subsearch was not run", subsearch.span))
            }
            SearchExpression::Macro(call) => {
                assumed_macro(self.frame, &call.name, call.span)?;
                Ok(lit(true))
            }
        }
    }

    fn all(&self, parts: &[SearchExpression]) -> Result<Expr, Diagnostic> {
        Ok(balanced(self.conjuncts(parts)?, Expr::and).unwrap_or_else(|| lit(true)))
    }

    /// The conditions of an AND. What must not be is fused: NOT a NOT b is NOT (a OR b), and the alternatives of
    /// one field are one test.
    fn conjuncts(&self, parts: &[SearchExpression]) -> Result<Vec<Expr>, Diagnostic> {
        let mut conditions = Vec::new();
        let mut unwanted = Vec::new();
        let tags: Vec<(&str, Span)> = parts.iter().filter_map(one_tag).collect();
        let together = if tags.len() > 1 { self.all_tags(&tags)? } else { None };
        let fused = together.is_some();
        conditions.extend(together);
        for part in parts {
            match part {
                tag if fused && one_tag(tag).is_some() => {}
                SearchExpression::Not(inner) if matches!(**inner, SearchExpression::Comparison(_)) => {
                    unwanted.push((**inner).clone());
                }
                other => conditions.push(self.condition(other)?),
            }
        }
        if !unwanted.is_empty() {
            conditions.push(is_not_true(self.negation().any(&unwanted)?));
        }
        conditions.retain(|condition| *condition != lit(true));
        if conditions.contains(&lit(false)) {
            conditions = vec![lit(false)];
        }
        Ok(conditions)
    }

    /// OR, with the alternatives of one field fused into one test.
    fn any(&self, parts: &[SearchExpression]) -> Result<Expr, Diagnostic> {
        let mut fused: Vec<(&str, Span, Vec<&Literal>)> = Vec::new();
        let mut conditions = Vec::new();
        for part in parts {
            match part {
                SearchExpression::Comparison(Comparison {
                    field,
                    operator: ComparisonOperator::Equal,
                    value: Operand::Literal(literal),
                    ..
                }) if modifier(&field.text).is_none() => {
                    match fused.iter_mut().find(|(known, ..)| *known == field.text) {
                        Some((_, _, literals)) => literals.push(literal),
                        None => fused.push((&field.text, field.span, vec![literal])),
                    }
                }
                SearchExpression::In(InList { field, values, .. }) => {
                    match fused.iter_mut().find(|(known, ..)| *known == field.text) {
                        Some((_, _, literals)) => literals.extend(values),
                        None => fused.push((&field.text, field.span, values.iter().collect())),
                    }
                }
                other => conditions.push(self.condition(other)?),
            }
        }
        for (name, span, literals) in fused {
            if let Some(answer) = self.labels(name, &literals, span)? {
                conditions.push(answer);
                continue;
            }
            if let Some(answer) = self.absent_knowledge(name, span) {
                conditions.push(answer);
                continue;
            }
            let typed = self.field(name, span);
            conditions.push(self.any_of(name, &typed, &literals, span)?);
        }
        // What cannot be is no alternative.
        if conditions.iter().any(|condition| *condition != lit(false)) {
            conditions.retain(|condition| *condition != lit(false));
        }
        Ok(balanced(conditions, Expr::or).unwrap_or_else(|| lit(true)))
    }

    fn field(&self, name: &str, span: Span) -> Typed {
        ExpressionPlanner::new(self.frame).field(name, span)
    }

    fn comparison(&self, comparison: &Comparison) -> Result<Expr, Diagnostic> {
        let Comparison { field, operator, value, span } = comparison;
        let Operand::Literal(literal) = value else {
            return Err(Diagnostic::error(Code::Subsearch, "the subsearch was not run", *span));
        };
        if let Some(modifier) = modifier(&field.text) {
            return self.time_bound(modifier, *operator, literal, *span);
        }
        match operator {
            ComparisonOperator::Equal => {
                if let Some(answer) = self.labels(&field.text, &[literal], field.span)? {
                    return Ok(answer);
                }
            }
            // Some label, and none of these.
            ComparisonOperator::NotEqual => {
                let any = Literal { text: "*".to_owned(), ..literal.clone() };
                if let Some(some) = self.labels(&field.text, &[&any], field.span)?
                    && let Some(equal) = self.labels(&field.text, &[literal], field.span)?
                {
                    return Ok(some.and(is_not_true(equal)));
                }
            }
            _ => {}
        }
        if let Some(answer) = self.absent_knowledge(&field.text, field.span) {
            return Ok(answer);
        }
        if field.text == TIME_FORMAT && *operator == ComparisonOperator::Equal && self.time_format.is_some() {
            // It says how others are read.
            return Ok(lit(true));
        }
        if matches!(field.text.as_str(), "searchtimespandays" | "searchtimespanhours")
            && self.frame.data_type(&field.text).is_none()
        {
            let message = format!("the time modifier `{}` is not supported", field.text);
            return Err(Diagnostic::error(Code::Unsupported, message, field.span)
                .with_help("set `earliest=` and `latest=`, such as `earliest=-7d@d`"));
        }
        let typed = self.field(&field.text, field.span);
        match operator {
            ComparisonOperator::Equal => self.any_of(&field.text, &typed, &[literal], field.span),
            ComparisonOperator::NotEqual => self.other_than(&field.text, &typed, literal, field.span),
            order => Ok(self.ordered(&typed, *order, literal)),
        }
    }

    /// `field=value` for any of the values.
    fn any_of(&self, name: &str, typed: &Typed, literals: &[&Literal], span: Span) -> Result<Expr, Diagnostic> {
        if let Some(condition) = self.metadata(name, literals, span) {
            return Ok(condition);
        }
        if typed.kind == Kind::Null {
            return Ok(lit(self.frame.open));
        }
        if literals.iter().any(|literal| literal.text == "*") {
            return Ok(typed.expr.clone().is_not_null());
        }
        let mut conditions = Vec::new();
        let mut patterns = Vec::new();
        let mut blocks = Vec::new();
        for literal in literals {
            match literal.matching {
                Matching::Case => conditions.push(kernels::wildcard_case(typed.text(), literal.text.clone())),
                Matching::AnyCase | Matching::Term => match native_equal(typed, &literal.text) {
                    Some(condition) => conditions.push(condition),
                    None => {
                        if pattern::cidr(&literal.text).is_some() {
                            blocks.push(literal.text.clone());
                        }
                        patterns.push(literal.text.clone());
                    }
                },
            }
        }
        if let Some(invalid) = patterns.iter().find_map(|text| Wildcard::any_case(text).err()) {
            return Err(Diagnostic::error(Code::InvalidPattern, invalid, span));
        }
        if !patterns.is_empty() {
            conditions.push(kernels::wildcard(typed.text(), patterns));
        }
        if !blocks.is_empty() {
            conditions.push(kernels::cidr(typed.text(), blocks));
        }
        Ok(balanced(conditions, Expr::or).unwrap_or_else(|| lit(false)))
    }

    /// `field!=value`: the field is there and has another value.
    fn other_than(&self, name: &str, typed: &Typed, literal: &Literal, span: Span) -> Result<Expr, Diagnostic> {
        if typed.kind == Kind::Null {
            return Ok(lit(self.frame.open));
        }
        if typed.kind == Kind::Many {
            let mode = if literal.matching == Matching::Case { "case" } else { "any" };
            return Ok(kernels::other_than(typed.expr.clone(), literal.text.clone(), mode));
        }
        let equal = match self.metadata_values(name, literal) {
            Some(values) => column(name).in_list(values.into_iter().map(lit).collect(), false),
            None => self.any_of(name, typed, &[literal], span)?,
        };
        Ok(typed.expr.clone().is_not_null().and(is_not_true(equal)))
    }

    fn ordered(&self, typed: &Typed, operator: ComparisonOperator, literal: &Literal) -> Expr {
        let number = values::parse_number(&literal.text);
        match (typed.kind, number) {
            (Kind::Null, _) => lit(self.frame.open),
            (Kind::Integer | Kind::Number | Kind::Time, Some(number)) => {
                let (left, right) = (typed.number(), lit(number));
                match operator {
                    ComparisonOperator::Less => left.lt(right),
                    ComparisonOperator::LessOrEqual => left.lt_eq(right),
                    ComparisonOperator::Greater => left.gt(right),
                    _ => left.gt_eq(right),
                }
            }
            _ => kernels::order(typed.text(), symbol(operator), literal.text.clone()),
        }
    }

    /// A keyword or phrase in the event's text.
    fn term(&self, literal: &Literal) -> Result<Expr, Diagnostic> {
        if literal.text.chars().all(|letter| letter == '*') && !literal.text.is_empty() {
            return Ok(lit(true));
        }
        let mode = match literal.matching {
            Matching::AnyCase => "any",
            Matching::Case => "case",
            Matching::Term => "term",
        };
        pattern::keyword(&literal.text, mode == "case", mode == "term")
            .map_err(|reason| Diagnostic::error(Code::InvalidPattern, reason, literal.span))?;
        match self.frame.data_type("_raw") {
            Some(_) => {
                let raw = ExpressionPlanner::new(self.frame).field("_raw", literal.span);
                Ok(kernels::keyword(raw.text(), literal.text.clone(), mode))
            }
            None => Ok(lit(self.frame.open)),
        }
    }
}

/// Whether a comparison with a field of that name is about something else than a field.
pub(super) fn is_special(name: &str) -> bool {
    let is_modifier = name == TIME_FORMAT || name.starts_with("searchtimespan") || modifier(name).is_some();
    is_modifier || is_knowledge(name) || name.starts_with("splunk_server") || name.starts_with('_')
}

/// A comparison of a number column with a value; `None` where text has to be compared.
fn native_equal(typed: &Typed, text: &str) -> Option<Expr> {
    if text.contains('*') {
        return None;
    }
    match typed.kind {
        Kind::Integer => Some(match text.parse::<i64>() {
            Ok(integer) if integer.to_string() == text => typed.expr.clone().eq(lit(integer)),
            _ => lit(false),
        }),
        Kind::Number | Kind::Time => Some(match values::parse_number(text) {
            Some(number) if typed.kind == Kind::Time || values::format_number(number) == text => {
                typed.number().eq(lit(number))
            }
            _ => lit(false),
        }),
        Kind::Boolean => Some(operators::to_text(typed.expr.clone()).eq(lit(text))),
        _ => None,
    }
}

fn symbol(operator: ComparisonOperator) -> &'static str {
    match operator {
        ComparisonOperator::Less => "<",
        ComparisonOperator::LessOrEqual => "<=",
        ComparisonOperator::Greater => ">",
        _ => ">=",
    }
}

/// Joins conditions as a balanced tree, so that thousands of them do not nest thousands deep.
pub(super) fn balanced(mut conditions: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while conditions.len() > 1 {
        let mut joined = Vec::with_capacity(conditions.len().div_ceil(2));
        let mut pairs = conditions.into_iter();
        while let Some(left) = pairs.next() {
            joined.push(match pairs.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        conditions = joined;
    }
    conditions.pop()
}
