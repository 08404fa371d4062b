//! Builds eval expressions: sorts the operators of a flat chain by how tightly they bind.

use pest::iterators::{Pair, Pairs};

use super::Rule;
use super::builder::Builder;
use super::pipeline::subsearch;
use super::structure::Structure;
use super::words::{macro_call, token_text};
use crate::spl::CommandKind;
use crate::spl::expression::{BinaryOperator, Expression, ExpressionKind, UnaryOperator};
use crate::{Code, Diagnostic, Span, Spanned};

/// Up to this many operands a chain of AND, OR or XOR leans to the left like every other chain; a longer one
/// becomes a balanced tree, so that thousands of operands do not make a tree thousands of levels deep.
pub const LEANING_CHAIN: usize = 16;

/// Builds `expression`.
pub fn expression(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Expression> {
    let span = b.span(&pair);
    // Three levels of operators at most, each leaning to the left and then balanced.
    let chain = Chain::of(pair, &[Rule::logic_op]);
    let levels = chain.levels(3 * LEANING_CHAIN) + 1;
    let (operands, operators) =
        b.deeper(levels, span, |b| chain.build(b, UnaryOperator::Not, logic_operator, predicate))?;
    let (operands, operators) = join(operands, operators, BinaryOperator::And);
    let (operands, operators) = join(operands, operators, BinaryOperator::Or);
    let (mut operands, _) = join(operands, operators, BinaryOperator::Xor);
    operands.pop()
}

/// Parses a text that stood in quotes as an expression. Every place in it is `place`, as escapes may have moved
/// what follows them.
pub fn of_text(b: &mut Builder<'_>, text: &str, place: Span) -> Option<Expression> {
    let mut found = Vec::new();
    let built = parse_text(b, text, &mut found);
    b.diagnostics.extend(found.into_iter().map(|diagnostic| Diagnostic { span: place, ..diagnostic }));
    let mut built = built?;
    place_at(&mut built, place);
    Some(built)
}

/// Parses the text of an expression that a program made. Every place in it is `place`.
///
/// # Errors
/// Everything wrong with the text.
pub fn parse_expression(text: &str, place: Span) -> Result<Expression, Vec<Diagnostic>> {
    let placed =
        |found: Vec<Diagnostic>| found.into_iter().map(|d| Diagnostic { span: place, ..d }).collect::<Vec<_>>();
    let query = super::parse(&format!("| where {text}")).map_err(placed)?;
    let mut commands = query.commands.into_iter();
    match (commands.next().map(|command| command.kind), commands.next()) {
        (Some(CommandKind::Where(mut found)), None) => {
            place_at(&mut found.condition, place);
            Ok(found.condition)
        }
        _ => Err(vec![Diagnostic::error(Code::Syntax, "expected one expression", place)]),
    }
}

fn parse_text(b: &Builder<'_>, text: &str, found: &mut Vec<Diagnostic>) -> Option<Expression> {
    let structure = Structure::of(text).map_err(|diagnostic| found.push(diagnostic)).ok()?;
    if !structure.unbalanced.is_empty() {
        found.extend(structure.unbalanced);
        return None;
    }
    let syntax = super::super::commands::find(b.doc.name)?;
    let pair = super::parse_rule(Rule::where_arguments, &structure.text)
        .map_err(|error| found.push(super::diagnose::syntax_error(&error, &structure.text, 0, syntax)))
        .ok()?;
    let mut inner = Builder { structure: &structure, base: 0, doc: b.doc, depth: b.depth, diagnostics: found };
    let pair = pair.into_inner().find(|part| part.as_rule() == Rule::expression)?;
    expression(&mut inner, pair)
}

fn place_at(expression: &mut Expression, place: Span) {
    expression.span = place;
    match &mut expression.kind {
        ExpressionKind::Unary(_, operand) => place_at(operand, place),
        ExpressionKind::Binary(_, left, right) => {
            place_at(left, place);
            place_at(right, place);
        }
        ExpressionKind::In(needle, list) => {
            place_at(needle, place);
            list.iter_mut().for_each(|member| place_at(member, place));
        }
        ExpressionKind::Call(name, arguments) => {
            name.span = place;
            arguments.iter_mut().for_each(|argument| place_at(argument, place));
        }
        ExpressionKind::Subsearch(subsearch) => subsearch.span = place,
        ExpressionKind::Macro(call) => call.span = place,
        ExpressionKind::Number(_) | ExpressionKind::String(_) | ExpressionKind::Field(_) => {}
    }
}

/// A flat chain: operands, their prefixes, and the operators between them.
struct Chain<'i> {
    pairs: Pairs<'i, Rule>,
    operands: usize,
    prefixes: usize,
    between: &'static [Rule],
}

impl<'i> Chain<'i> {
    fn of(pair: Pair<'i, Rule>, between: &'static [Rule]) -> Self {
        let pairs = pair.into_inner();
        let (mut operands, mut run, mut prefixes) = (0, 0, 0);
        for part in pairs.clone() {
            match part.as_rule() {
                Rule::negation | Rule::minus => run += 1,
                rule if between.contains(&rule) => {}
                _ => {
                    operands += 1;
                    prefixes = prefixes.max(run);
                    run = 0;
                }
            }
        }
        Self { pairs, operands, prefixes, between }
    }

    /// How many levels the chain puts above its operands, at most.
    fn levels(&self, leaning: usize) -> usize {
        self.prefixes + (self.operands.saturating_sub(1)).min(leaning)
    }

    fn build(
        self,
        b: &mut Builder<'_>,
        prefix: UnaryOperator,
        operator: fn(&str) -> BinaryOperator,
        operand: fn(&mut Builder<'_>, Pair<'_, Rule>) -> Option<Expression>,
    ) -> Option<(Vec<Expression>, Vec<BinaryOperator>)> {
        let (mut operands, mut operators, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
        for part in self.pairs {
            if matches!(part.as_rule(), Rule::negation | Rule::minus) {
                prefixes.push(b.span(&part));
            } else if self.between.contains(&part.as_rule()) {
                operators.push(operator(part.as_str().trim_end()));
            } else {
                let mut built = operand(b, part)?;
                while let Some(place) = prefixes.pop() {
                    let span = place.to(built.span);
                    built = Expression { kind: ExpressionKind::Unary(prefix, Box::new(built)), span };
                }
                operands.push(built);
            }
        }
        Some((operands, operators))
    }
}

fn logic_operator(text: &str) -> BinaryOperator {
    match text.to_ascii_lowercase().as_str() {
        "and" => BinaryOperator::And,
        "or" => BinaryOperator::Or,
        _ => BinaryOperator::Xor,
    }
}

/// Joins the neighbours that one operator stands between; what remains is a chain of the other operators.
fn join(
    operands: Vec<Expression>,
    operators: Vec<BinaryOperator>,
    operator: BinaryOperator,
) -> (Vec<Expression>, Vec<BinaryOperator>) {
    let (mut joined, mut rest, mut run) = (Vec::new(), Vec::new(), Vec::new());
    let mut between = operators.into_iter();
    for operand in operands {
        run.push(operand);
        match between.next() {
            Some(next) if next == operator => {}
            next => {
                joined.extend(chain(std::mem::take(&mut run), operator));
                rest.extend(next);
            }
        }
    }
    (joined, rest)
}

/// The tree of a chain of one operator.
fn chain(mut operands: Vec<Expression>, operator: BinaryOperator) -> Option<Expression> {
    if operands.len() > LEANING_CHAIN {
        let right = operands.split_off(operands.len() / 2);
        return Some(binary(operator, chain(operands, operator)?, chain(right, operator)?));
    }
    operands.into_iter().reduce(|left, right| binary(operator, left, right))
}

fn binary(operator: BinaryOperator, left: Expression, right: Expression) -> Expression {
    let span = left.span.to(right.span);
    Expression { kind: ExpressionKind::Binary(operator, Box::new(left), Box::new(right)), span }
}

fn predicate(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Expression> {
    let span = b.span(&pair);
    let mut parts = pair.into_inner();
    let left = sum(b, parts.next()?)?;
    let Some(mut operator) = parts.next() else { return Some(left) };
    let negated = operator.as_rule() == Rule::negation;
    if negated {
        operator = parts.next()?;
    }
    if operator.as_rule() == Rule::compare_op {
        let right = sum(b, parts.next()?)?;
        return Some(binary(compare_operator(operator.as_str().trim_end()), left, right));
    }
    let list = expressions(b, parts)?;
    let found = Expression { kind: ExpressionKind::In(Box::new(left), list), span };
    if negated {
        return Some(Expression { kind: ExpressionKind::Unary(UnaryOperator::Not, Box::new(found)), span });
    }
    Some(found)
}

fn compare_operator(text: &str) -> BinaryOperator {
    match text {
        "=" | "==" => BinaryOperator::Equal,
        "!=" => BinaryOperator::NotEqual,
        "<" => BinaryOperator::Less,
        "<=" => BinaryOperator::LessOrEqual,
        ">" => BinaryOperator::Greater,
        ">=" => BinaryOperator::GreaterOrEqual,
        _ => BinaryOperator::Like,
    }
}

fn sum(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Expression> {
    let span = b.span(&pair);
    let chain = Chain::of(pair, &[Rule::arithmetic_op]);
    let levels = chain.levels(usize::MAX);
    let (operands, operators) =
        b.deeper(levels, span, |b| chain.build(b, UnaryOperator::Negate, arithmetic_operator, operand))?;
    let (operands, operators) = fold(operands, operators, |operator| {
        matches!(operator, BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo)
    });
    let (mut operands, _) = fold(operands, operators, |_| true);
    operands.pop()
}

/// Applies the operators of one level from left to right.
fn fold(
    operands: Vec<Expression>,
    operators: Vec<BinaryOperator>,
    level: fn(BinaryOperator) -> bool,
) -> (Vec<Expression>, Vec<BinaryOperator>) {
    let mut operands = operands.into_iter();
    let (mut folded, mut rest) = (Vec::new(), Vec::new());
    folded.extend(operands.next());
    for (operator, right) in operators.into_iter().zip(operands) {
        match folded.pop_if(|_| level(operator)) {
            Some(left) => folded.push(binary(operator, left, right)),
            None => {
                folded.push(right);
                rest.push(operator);
            }
        }
    }
    (folded, rest)
}

fn arithmetic_operator(text: &str) -> BinaryOperator {
    match text {
        "+" => BinaryOperator::Add,
        "-" => BinaryOperator::Subtract,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "%" => BinaryOperator::Modulo,
        _ => BinaryOperator::Concatenate,
    }
}

fn operand(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Expression> {
    let span = b.span(&pair);
    let text = pair.as_str().trim_end();
    let kind = match pair.as_rule() {
        Rule::expression => return b.deeper(1, span, |b| expression(b, pair)),
        Rule::subsearch => ExpressionKind::Subsearch(subsearch(b, &pair)?),
        Rule::macro_call => ExpressionKind::Macro(macro_call(b, &pair)),
        Rule::number => ExpressionKind::Number(text.to_owned()),
        Rule::quoted => ExpressionKind::String(token_text(text)),
        Rule::single_quoted => ExpressionKind::Field(token_text(text)),
        Rule::call => b.deeper(1, span, |b| call(b, pair))?,
        _ => ExpressionKind::Field(text.to_owned()),
    };
    Some(Expression { kind, span })
}

fn call(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<ExpressionKind> {
    let span = b.span(&pair);
    let mut parts = pair.into_inner();
    let name = parts.next()?;
    let name = Spanned::new(name.as_str().trim_end().to_owned(), b.span(&name));
    let mut arguments = expressions(b, parts)?;
    if !name.node.eq_ignore_ascii_case("in") {
        return Some(ExpressionKind::Call(name, arguments));
    }
    if arguments.len() < 2 {
        b.error(Code::InvalidArgument, "`in` takes a value and at least one more to compare it with", span);
        return None;
    }
    let value = arguments.remove(0);
    Some(ExpressionKind::In(Box::new(value), arguments))
}

fn expressions(b: &mut Builder<'_>, pairs: Pairs<'_, Rule>) -> Option<Vec<Expression>> {
    pairs.map(|pair| expression(b, pair)).collect()
}
