//! Builds search expressions. OR joins its neighbours before AND does.

use pest::iterators::Pair;

use super::Rule;
use super::builder::Builder;
use super::pipeline::subsearch;
use super::structure::Structure;
use super::words::{macro_call, token_text, unescape};
use crate::spl::expression::Name;
use crate::spl::search::{Comparison, ComparisonOperator, InList, Literal, Matching, Operand, SearchExpression};
use crate::{Diagnostic, Span};

/// Builds `search_expression`.
pub fn search_expression(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<SearchExpression> {
    // Each inner list is what OR joins; AND joins the lists.
    let mut groups: Vec<Vec<SearchExpression>> = Vec::new();
    let (mut negations, mut joined) = (0, false);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::not_op => negations += 1,
            Rule::or_op => joined = true,
            Rule::and_op => {}
            _ => {
                let factor = factor(b, part, std::mem::take(&mut negations))?;
                match groups.last_mut().filter(|_| joined) {
                    Some(group) => group.push(factor),
                    None => groups.push(vec![factor]),
                }
                joined = false;
            }
        }
    }
    let all = groups.into_iter().filter_map(|group| one_or(group, SearchExpression::Or)).collect();
    one_or(all, SearchExpression::And)
}

/// Parses a text that stood in quotes as a search expression, and puts what is wrong with it into `found`. Every
/// place in it is `place`, as escapes may have moved what follows them.
pub fn of_text(b: &Builder<'_>, text: &str, place: Span, found: &mut Vec<Diagnostic>) -> Option<SearchExpression> {
    let structure = Structure::of(text).map_err(|diagnostic| found.push(diagnostic)).ok()?;
    if !structure.unbalanced.is_empty() {
        found.extend(structure.unbalanced);
        return None;
    }
    let syntax = super::super::commands::find(b.doc.name)?;
    let pair = super::parse_rule(Rule::search_arguments, &structure.text)
        .map_err(|error| found.push(super::diagnose::syntax_error(&error, &structure.text, 0, syntax)))
        .ok()?;
    let mut inner = Builder { structure: &structure, base: 0, doc: b.doc, depth: b.depth, diagnostics: found };
    let pair = pair.into_inner().find(|part| part.as_rule() == Rule::search_expression)?;
    let mut expression = search_expression(&mut inner, pair)?;
    place_at(&mut expression, place);
    Some(expression)
}

fn place_at(expression: &mut SearchExpression, place: Span) {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => {
            parts.iter_mut().for_each(|part| place_at(part, place));
        }
        SearchExpression::Not(inner) => place_at(inner, place),
        SearchExpression::Comparison(comparison) => {
            comparison.span = place;
            comparison.field.span = place;
            match &mut comparison.value {
                Operand::Literal(literal) => literal.span = place,
                Operand::Subsearch(subsearch) => subsearch.span = place,
            }
        }
        SearchExpression::In(list) => {
            list.span = place;
            list.field.span = place;
            list.values.iter_mut().for_each(|literal| literal.span = place);
        }
        SearchExpression::Term(literal) => literal.span = place,
        SearchExpression::Subsearch(subsearch) => subsearch.span = place,
        SearchExpression::Macro(call) => call.span = place,
    }
}

/// The only member of the list, or all of them joined.
fn one_or(
    mut list: Vec<SearchExpression>,
    join: fn(Vec<SearchExpression>) -> SearchExpression,
) -> Option<SearchExpression> {
    if list.len() > 1 { Some(join(list)) } else { list.pop() }
}

fn factor(b: &mut Builder<'_>, pair: Pair<'_, Rule>, negations: usize) -> Option<SearchExpression> {
    let span = b.span(&pair);
    let mut built = b.deeper(negations + 2, span, |b| primary(b, pair))?;
    for _ in 0..negations {
        built = SearchExpression::Not(Box::new(built));
    }
    Some(built)
}

fn primary(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<SearchExpression> {
    Some(match pair.as_rule() {
        Rule::search_expression => search_expression(b, pair)?,
        Rule::nothing => SearchExpression::And(Vec::new()),
        Rule::subsearch => SearchExpression::Subsearch(subsearch(b, &pair)?),
        Rule::macro_call => SearchExpression::Macro(macro_call(b, &pair)),
        Rule::comparison => SearchExpression::Comparison(comparison(b, pair)?),
        Rule::in_list => in_list(b, pair)?,
        _ => SearchExpression::Term(literal(b, pair)?),
    })
}

fn comparison(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Comparison> {
    let span = b.span(&pair);
    let mut parts = pair.into_inner();
    let field = field(b, &parts.next()?);
    let operator = match parts.next()?.as_str() {
        "!=" => ComparisonOperator::NotEqual,
        "<" => ComparisonOperator::Less,
        "<=" => ComparisonOperator::LessOrEqual,
        ">" => ComparisonOperator::Greater,
        ">=" => ComparisonOperator::GreaterOrEqual,
        _ => ComparisonOperator::Equal,
    };
    let value = parts.next()?.into_inner().next()?;
    let value = match value.as_rule() {
        Rule::subsearch => Operand::Subsearch(subsearch(b, &value)?),
        _ => Operand::Literal(literal(b, value)?),
    };
    Some(Comparison { field, operator, value, span })
}

fn in_list(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<SearchExpression> {
    let span = b.span(&pair);
    let mut parts = pair.into_inner();
    let field = field(b, &parts.next()?);
    let (mut values, mut negated) = (Vec::new(), false);
    for part in parts {
        match part.as_rule() {
            Rule::not_op => negated = true,
            Rule::in_value => values.push(literal(b, part.into_inner().next()?)?),
            _ => {}
        }
    }
    let list = SearchExpression::In(InList { field, values, span });
    Some(if negated { SearchExpression::Not(Box::new(list)) } else { list })
}

/// A field name. Only double quotes are quotes in `search`.
fn field(b: &Builder<'_>, pair: &Pair<'_, Rule>) -> Name {
    let token = pair.as_str().trim_end();
    let text = if token.starts_with('"') { token_text(token) } else { unescape(token) };
    Name { text, span: b.span(pair) }
}

fn literal(b: &Builder<'_>, pair: Pair<'_, Rule>) -> Option<Literal> {
    let span = b.span(&pair);
    if pair.as_rule() != Rule::directive {
        let token = pair.as_str().trim_end();
        let quoted = token.starts_with('"');
        let text = if quoted { token_text(token) } else { unescape(token) };
        return Some(Literal { text, quoted, matching: Matching::AnyCase, span });
    }
    let mut parts = pair.into_inner();
    let matching = if parts.next()?.as_str() == "TERM" { Matching::Term } else { Matching::Case };
    let inner = literal(b, parts.next()?)?;
    Some(Literal { matching, span, ..inner })
}
