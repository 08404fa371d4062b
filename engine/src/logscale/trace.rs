//! The conditions of LogScale's filters, for who wants to know why an event is not in a result.

use datafusion::logical_expr::Expr;
use spelunk_grammar::Span;
use spelunk_grammar::logscale::query::{
    Argument, Assignment, Call, Comparison, Expression, ExpressionKind, Filter, Regex, Step, StepKind, Target, Value,
    ValueKind,
};

use super::functions;
use super::rows::Rows;
use crate::plan::expression::Kind;
use crate::plan::frame::Frame;
use crate::plan::trace::{Clause, Describing, Form};

/// Whether tracing goes on behind a step, which is planned then.
pub fn passes(frame: &Frame, step: &Step) -> bool {
    let Some(tracer) = &frame.setting.trace else { return true };
    if tracer.has_ended() {
        return false;
    }
    tracer.enter("the step", step.span);
    match &step.kind {
        StepKind::Stats(_) => {
            tracer.end("stats", step.span);
            false
        }
        StepKind::Filter(Filter::Call(call)) => passes_call(frame, call),
        StepKind::Assign(Assignment { value: Expression { kind: ExpressionKind::Call(call), .. }, .. }) => {
            passes_call(frame, call)
        }
        _ => true,
    }
}

/// The same for a call, where it stands for a step.
pub fn passes_call(frame: &Frame, call: &Call) -> bool {
    let Some(tracer) = &frame.setting.trace else { return true };
    if tracer.has_ended() {
        return false;
    }
    let name = call.name.node.as_str();
    if !functions::is_step(call) {
        return true;
    }
    let is = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
    let limited = call
        .arguments
        .iter()
        .any(|argument| matches!(argument, Argument::Named(name, _) if name.node.eq_ignore_ascii_case("limit")));
    if functions::reads_fields(call) || is(&["select"]) || (is(&["sort", "table"]) && !limited) {
        return true;
    }
    tracer.end(name, call.span);
    false
}

/// Describes the condition of a step that is about to be planned.
pub fn step(frame: &mut Frame, step: &Step) {
    let Some(mut describing) = Describing::of(frame) else { return };
    let d = &mut describing;
    let clause = match &step.kind {
        StepKind::Where(condition) => expression(d, condition),
        StepKind::Filter(found) => filter(d, found),
        StepKind::Assign(Assignment { target: Target::Field(name), value }) => {
            let truth = matches!(
                value.kind,
                ExpressionKind::Or(_)
                    | ExpressionKind::And(_)
                    | ExpressionKind::Not(_)
                    | ExpressionKind::Compare(..)
                    | ExpressionKind::Is(..)
                    | ExpressionKind::In(..)
            );
            let clause = if truth { expression(d, value) } else { None };
            let arms = choice(d, value);
            let made = d.flush();
            d.tracer().define(&name.node, clause.filter(|_| made));
            d.tracer().choose(&name.node, if made { arms } else { Vec::new() });
            None
        }
        // What an arm drops is laid at the door of the whole step.
        StepKind::Case(_) | StepKind::Match(_) | StepKind::Assign(_) | StepKind::Stats(_) => None,
    };
    describing.done(clause, step.to_string(), step.span);
}

/// Describes a filter that is about to be planned, which may be one of several in a step.
pub fn part(frame: &mut Frame, part: &Filter) {
    let Some(mut describing) = Describing::of(frame) else { return };
    let clause = filter(&mut describing, part);
    describing.done(clause, part.to_string(), filter_span(part));
}

fn filter(d: &mut Describing<'_>, found: &Filter) -> Option<Clause> {
    let span = filter_span(found);
    let (parts, all) = match found {
        Filter::And(parts) => (parts, true),
        Filter::Or(parts) if d.tells_apart(parts.len()) => (parts, false),
        single => {
            let condition = Rows::of(d.frame).filter(single, None, false).ok()?;
            let fields = values(d.frame, filter_fields(single), span);
            let any_case = match single {
                Filter::Comparison(Comparison { field, comparator, value }) => {
                    let left = Rows::of(d.frame).field(&field.node, field.span);
                    without_case(value)
                        .and_then(|value| Rows::of(d.frame).compared_with(&left, comparator, &value, None).ok())
                }
                _ => None,
            };
            return d.leaf(single.to_string(), span, condition, any_case, &fields);
        }
    };
    let parts: Vec<Clause> = parts.iter().map(|part| filter(d, part)).collect::<Option<_>>()?;
    let form = if all { Form::All(parts) } else { Form::Any(parts) };
    Some(Clause { text: found.to_string(), span, form })
}

fn expression(d: &mut Describing<'_>, found: &Expression) -> Option<Clause> {
    let (parts, all) = match &found.kind {
        ExpressionKind::And(parts) => (parts, true),
        ExpressionKind::Or(parts) if d.tells_apart(parts.len()) => (parts, false),
        kind => {
            let condition = Rows::of(d.frame).truth(found).ok()?;
            let mut names = Vec::new();
            expression_fields(found, &mut names);
            let fields = values(d.frame, names, found.span);
            let any_case = match kind {
                ExpressionKind::Is(left, comparator, value) => without_case(value).and_then(|value| {
                    let kind = ExpressionKind::Is(left.clone(), *comparator, value);
                    Rows::of(d.frame).truth(&Expression { kind, span: found.span }).ok()
                }),
                _ => None,
            };
            let mut clause = d.leaf(found.to_string(), found.span, condition, any_case, &fields)?;
            if let (ExpressionKind::Word(name), Form::Single { defined, .. }) = (kind, &mut clause.form) {
                *defined = d.tracer().definition(name).map(Box::new);
            }
            return Some(clause);
        }
    };
    let parts: Vec<Clause> = parts.iter().map(|part| expression(d, part)).collect::<Option<_>>()?;
    let form = if all { Form::All(parts) } else { Form::Any(parts) };
    Some(Clause { text: found.to_string(), span: found.span, form })
}

/// The same regular expression, but that letter case does not count; none where it does not anyway.
fn without_case(value: &Value) -> Option<Value> {
    let ValueKind::Regex(regex) = &value.kind else { return None };
    if regex.flags.contains('i') {
        return None;
    }
    let regex = Regex { pattern: regex.pattern.clone(), flags: format!("{}i", regex.flags) };
    Some(Value { kind: ValueKind::Regex(regex), span: value.span })
}

/// The conditions of a case that gives texts.
fn choice(d: &mut Describing<'_>, value: &Expression) -> Vec<(String, Clause)> {
    let ExpressionKind::Case(arms) = &value.kind else { return Vec::new() };
    let mut found = Vec::new();
    for arm in arms {
        if let (Some(condition), ExpressionKind::Text(value)) = (&arm.condition, &arm.value.kind)
            && let Some(clause) = expression(d, condition)
        {
            found.push((value.unescaped(), clause));
        }
    }
    found
}

fn filter_span(found: &Filter) -> Span {
    match found {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().map(filter_span).reduce(Span::to).unwrap_or_default(),
        Filter::Not(inner) => filter_span(inner),
        Filter::Comparison(comparison) => comparison.field.span.to(comparison.value.span),
        Filter::Membership(membership) => {
            let last = membership.values.last().map_or(membership.field.span, |value| value.span);
            membership.field.span.to(last)
        }
        Filter::Call(call) => call.span,
        Filter::Test(call, _, right) => call.span.to(right.span),
        Filter::FieldCall(field, _, call) => field.span.to(call.span),
        Filter::Saved(saved) => saved.span,
        Filter::Text(value) => value.span,
    }
}

fn filter_fields(found: &Filter) -> Vec<String> {
    match found {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().flat_map(filter_fields).collect(),
        Filter::Not(inner) => filter_fields(inner),
        Filter::Comparison(comparison) => vec![comparison.field.node.clone()],
        Filter::Membership(membership) => vec![membership.field.node.clone()],
        Filter::FieldCall(field, ..) => vec![field.node.clone()],
        Filter::Call(call) | Filter::Test(call, ..) => call_fields(call),
        Filter::Saved(_) | Filter::Text(_) => Vec::new(),
    }
}

/// The fields that a call's arguments may name: words that are no fields have no value, and are not shown.
fn call_fields(call: &Call) -> Vec<String> {
    let mut names = Vec::new();
    for argument in &call.arguments {
        match argument {
            Argument::Unnamed(value) | Argument::Named(_, value) => expression_fields(value, &mut names),
            Argument::Labelled(_) => {}
        }
    }
    names
}

fn expression_fields(found: &Expression, into: &mut Vec<String>) {
    match &found.kind {
        ExpressionKind::Word(name) => into.push(name.clone()),
        ExpressionKind::Or(parts) | ExpressionKind::And(parts) => {
            parts.iter().for_each(|part| expression_fields(part, into));
        }
        ExpressionKind::Not(inner) | ExpressionKind::Negative(inner) | ExpressionKind::Inverse(inner) => {
            expression_fields(inner, into);
        }
        ExpressionKind::Compare(first, rest) => {
            expression_fields(first, into);
            rest.iter().for_each(|(_, part)| expression_fields(part, into));
        }
        ExpressionKind::Sum(first, rest) | ExpressionKind::Product(first, rest) => {
            expression_fields(first, into);
            rest.iter().for_each(|(_, part)| expression_fields(part, into));
        }
        ExpressionKind::Is(left, ..) | ExpressionKind::In(left, ..) => expression_fields(left, into),
        ExpressionKind::Call(call) => into.extend(call_fields(call)),
        _ => {}
    }
}

fn values(frame: &Frame, names: Vec<String>, span: Span) -> Vec<(String, Option<Expr>)> {
    let mut found: Vec<(String, Option<Expr>)> = Vec::new();
    for name in names {
        if !found.iter().any(|(known, _)| *known == name) {
            let typed = Rows::of(frame).field(&name, span);
            let value = (typed.kind != Kind::Null).then_some(typed.expr);
            found.push((name, value));
        }
    }
    found
}
