//! The conditions of SPL's filters, and the commands that look at each row by itself.

use datafusion::logical_expr::Expr;
use spelunk_grammar::spl::Command;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::regex::Regex;
use spelunk_grammar::spl::commands::search::Search;
use spelunk_grammar::spl::commands::where_::Where;
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind};
use spelunk_grammar::spl::search::{Comparison, InList, SearchExpression};
use spelunk_grammar::{Span, Spanned};

use super::{Clause, Describing, Form};
use crate::plan::expression::ExpressionPlanner;
use crate::plan::frame::{Frame, column};
use crate::plan::{needs, search};

/// Up to so many fields of one condition have their values told.
const MOST_FIELDS: usize = 8;

/// Whether tracing goes on behind a command, which is planned then.
pub fn passes(frame: &Frame, command: &Command) -> bool {
    let Some(tracer) = &frame.setting.trace else { return true };
    if tracer.has_ended() {
        return false;
    }
    let name = command.kind.doc().name;
    tracer.enter(name, command.span);
    match &command.kind {
        // They order rows, and may keep the first of them only.
        CommandKind::Sort(_) | CommandKind::Reverse(_) => {
            tracer.limit(name, command.name_span);
            false
        }
        kind if looks_at_rows(kind) => true,
        _ => {
            tracer.end(name, command.span);
            false
        }
    }
}

/// Whether a search that begins with this command looks at events one by one.
pub fn begins(command: &Command) -> bool {
    matches!(command.kind, CommandKind::Search(_) | CommandKind::Sort(_) | CommandKind::Reverse(_))
        || looks_at_rows(&command.kind)
}

/// Whether what a command does to a row follows from that row alone.
fn looks_at_rows(kind: &CommandKind) -> bool {
    matches!(
        kind,
        CommandKind::Addinfo(_)
            | CommandKind::Convert(_)
            | CommandKind::Eval(_)
            | CommandKind::Extract(_)
            | CommandKind::Fieldformat(_)
            | CommandKind::Fields(_)
            | CommandKind::Fillnull(_)
            | CommandKind::Foreach(_)
            | CommandKind::Highlight(_)
            | CommandKind::Iconify(_)
            | CommandKind::Iplocation(_)
            | CommandKind::Localop(_)
            | CommandKind::Lookup(_)
            | CommandKind::Makemv(_)
            | CommandKind::Noop(_)
            | CommandKind::Nomv(_)
            | CommandKind::Rangemap(_)
            | CommandKind::Regex(_)
            | CommandKind::Reltime(_)
            | CommandKind::Rename(_)
            | CommandKind::Replace(_)
            | CommandKind::Rex(_)
            | CommandKind::Search(_)
            | CommandKind::Setfields(_)
            | CommandKind::Spath(_)
            | CommandKind::Strcat(_)
            | CommandKind::Table(_)
            | CommandKind::Tags(_)
            | CommandKind::Tojson(_)
            | CommandKind::Where(_)
            | CommandKind::Xmlkv(_)
            | CommandKind::Xmlunescape(_)
            | CommandKind::Xpath(_)
    )
}

/// Describes a `search`.
pub fn search(frame: &mut Frame, command: &Search) {
    let Some(expression) = &command.expression else { return };
    let Some(mut describing) = Describing::of(frame) else { return };
    let clause = searched(&mut describing, expression);
    describing.done(clause, expression.to_string(), search::expression_span(expression));
}

fn searched(d: &mut Describing<'_>, expression: &SearchExpression) -> Option<Clause> {
    let (parts, all) = match expression {
        SearchExpression::And(parts) => (parts, true),
        // Values of one field, of which none fits: the field's value says why.
        SearchExpression::Or(parts) if !one_field(expression) && d.tells_apart(parts.len()) => (parts, false),
        single => {
            let condition = search::condition(d.frame, single).ok()?;
            let mut names = Vec::new();
            search_fields(single, &mut names);
            let fields = fields(d.frame, names);
            // Of too many alternatives the values say too much.
            let fields = if fields.len() > MOST_FIELDS { Vec::new() } else { fields };
            return d.leaf(single.to_string(), search::expression_span(single), condition, None, &fields);
        }
    };
    let parts: Vec<Clause> = parts.iter().map(|part| searched(d, part)).collect::<Option<_>>()?;
    let form = if all { Form::All(parts) } else { Form::Any(parts) };
    Some(Clause { text: expression.to_string(), span: search::expression_span(expression), form })
}

/// Whether all conditions are about the same field, one by one.
fn one_field(expression: &SearchExpression) -> bool {
    let SearchExpression::Or(parts) = expression else { return false };
    let mut names = Vec::new();
    search_fields(expression, &mut names);
    names.dedup();
    let plain = parts.iter().all(|part| matches!(part, SearchExpression::Comparison(_) | SearchExpression::In(_)));
    plain && names.len() == 1
}

fn search_fields(expression: &SearchExpression, into: &mut Vec<String>) {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => {
            parts.iter().for_each(|part| search_fields(part, into));
        }
        SearchExpression::Not(inner) => search_fields(inner, into),
        SearchExpression::Comparison(Comparison { field, .. }) | SearchExpression::In(InList { field, .. }) => {
            into.push(field.text.clone());
        }
        SearchExpression::Term(_) | SearchExpression::Subsearch(_) | SearchExpression::Macro(_) => {}
    }
}

/// Describes a `where`.
pub fn condition(frame: &mut Frame, command: &Where) {
    let Some(mut describing) = Describing::of(frame) else { return };
    let clause = tested(&mut describing, &command.condition);
    describing.done(clause, command.condition.to_string(), command.condition.span);
}

fn tested(d: &mut Describing<'_>, expression: &Expression) -> Option<Clause> {
    let mut parts = Vec::new();
    operands(expression, BinaryOperator::Or, &mut parts);
    let all = match &expression.kind {
        ExpressionKind::Binary(BinaryOperator::And, ..) => true,
        ExpressionKind::Binary(BinaryOperator::Or, ..) if d.tells_apart(parts.len()) => false,
        _ => {
            let condition = ExpressionPlanner::new(d.frame).condition(expression).ok()?;
            let mut names = Vec::new();
            needs::expression_fields(expression, &mut names);
            let fields = fields(d.frame, names);
            let fields = if fields.len() > MOST_FIELDS { Vec::new() } else { fields };
            let any_case =
                without_case(expression).and_then(|other| ExpressionPlanner::new(d.frame).condition(&other).ok());
            return d.leaf(expression.to_string(), expression.span, condition, any_case, &fields);
        }
    };
    if all {
        parts.clear();
        operands(expression, BinaryOperator::And, &mut parts);
    }
    let parts: Vec<Clause> = parts.into_iter().map(|part| tested(d, part)).collect::<Option<_>>()?;
    let form = if all { Form::All(parts) } else { Form::Any(parts) };
    Some(Clause { text: expression.to_string(), span: expression.span, form })
}

/// The same condition, but that letter case does not count; none where it does not anyway.
fn without_case(expression: &Expression) -> Option<Expression> {
    let span = expression.span;
    let lower = |inner: &Expression| Expression {
        kind: ExpressionKind::Call(Spanned::new("lower".to_owned(), span), vec![inner.clone()]),
        span,
    };
    let kind = match &expression.kind {
        ExpressionKind::Call(name, arguments) if name.node.eq_ignore_ascii_case("match") => {
            let [value, Expression { kind: ExpressionKind::String(pattern), .. }] = arguments.as_slice() else {
                return None;
            };
            let pattern = Expression { kind: ExpressionKind::String(format!("(?i){pattern}")), span };
            ExpressionKind::Call(name.clone(), vec![value.clone(), pattern])
        }
        ExpressionKind::Call(name, arguments) if name.node.eq_ignore_ascii_case("like") => {
            ExpressionKind::Call(name.clone(), arguments.iter().map(lower).collect())
        }
        ExpressionKind::Binary(operator @ (BinaryOperator::Equal | BinaryOperator::Like), left, right)
            if matches!(right.kind, ExpressionKind::String(_)) =>
        {
            ExpressionKind::Binary(*operator, Box::new(lower(left)), Box::new(lower(right)))
        }
        _ => return None,
    };
    Some(Expression { kind, span })
}

/// Describes the conditions by which a field gets its value: those of `case` and `if` with texts as values.
pub fn choice(frame: &mut Frame, field: &str, value: &Expression) {
    let Some(mut describing) = Describing::of(frame) else { return };
    let mut arms = Vec::new();
    if let ExpressionKind::Call(name, arguments) = &value.kind {
        let pairs = match name.node.to_ascii_lowercase().as_str() {
            "case" => arguments.as_slice(),
            "if" => arguments.get(..2).unwrap_or_default(),
            _ => &[],
        };
        for pair in pairs.chunks_exact(2) {
            if let [condition, Expression { kind: ExpressionKind::String(value), .. }] = pair
                && let Some(clause) = tested(&mut describing, condition)
            {
                arms.push((value.clone(), clause));
            }
        }
    }
    if !describing.flush() {
        arms.clear();
    }
    describing.tracer().choose(field, arms);
}

fn operands<'e>(expression: &'e Expression, operator: BinaryOperator, into: &mut Vec<&'e Expression>) {
    match &expression.kind {
        ExpressionKind::Binary(found, left, right) if *found == operator => {
            operands(left, operator, into);
            operands(right, operator, into);
        }
        _ => into.push(expression),
    }
}

/// Describes a `regex`.
pub fn regex(frame: &mut Frame, command: &Regex, matched: &Expr, span: Span) {
    let Some(mut describing) = Describing::of(frame) else { return };
    let name = command.field.as_ref().map_or("_raw", |field| &field.text).to_owned();
    let fields = fields(describing.frame, vec![name]);
    let clause = describing.leaf(command.to_string(), span, matched.clone(), None, &fields);
    describing.done(clause, command.to_string(), span);
}

/// The values of fields, each once.
fn fields(frame: &Frame, names: Vec<String>) -> Vec<(String, Option<Expr>)> {
    let mut found: Vec<(String, Option<Expr>)> = Vec::new();
    for name in names {
        if !found.iter().any(|(known, _)| *known == name) {
            let value = frame.data_type(&name).map(|_| column(&name));
            found.push((name, value));
        }
    }
    found
}
