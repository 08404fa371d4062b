//! The expression language of `eval`, `where`, `head` and `stats(eval(...))`, in which AND binds tighter than OR.

use std::fmt::{self, Display, Formatter};

use super::Subsearch;
use super::parser::expression::LEANING_CHAIN;
use super::print::{Escaped, Quoted, Separated};
use crate::{Span, Spanned};

/// A field name, with quotes and their escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The name itself. May hold `*` where the command takes wildcards.
    pub text: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// An expression and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Where it stands. Parentheses around it are not part of the tree.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpressionKind {
    /// A number as written (`8.250`, `1e3`), because its digits matter for precision.
    Number(String),
    /// A string in double quotes, escapes resolved.
    String(String),
    /// A field, bare or in single quotes.
    Field(String),
    /// `-x`, `NOT x`.
    Unary(UnaryOperator, Box<Expression>),
    /// `a op b`.
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    /// `x IN (a, b, ...)`, and the function form `in(x, a, b, ...)`.
    In(Box<Expression>, Vec<Expression>),
    /// `name(arguments)`. The name is as written; functions are found without regard to case.
    Call(Spanned<String>, Vec<Expression>),
    /// `[ ... ]`, whose result text takes its place.
    Subsearch(Subsearch),
    /// `` `name(args)` ``.
    Macro(MacroCall),
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `NOT` or `!`
    Not,
}

/// Operators with two operands, loosest first; `+`, `-` and `.` bind alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `XOR`
    Xor,
    /// `OR`
    Or,
    /// `AND`
    And,
    /// `=` or `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `LIKE`
    Like,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `.`
    Concatenate,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

/// A macro call, replaced by the macro's text before parsing where the macro is known.
#[derive(Debug, Clone, PartialEq)]
pub struct MacroCall {
    /// The macro's name.
    pub name: String,
    /// The arguments as written, quotes stripped; `None` without parentheses.
    pub arguments: Option<Vec<String>>,
    /// From backtick to backtick.
    pub span: Span,
}

/// How tightly an operator binds; more is tighter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Xor,
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Negation,
    Operand,
}

impl BinaryOperator {
    fn binding(self) -> Binding {
        match self {
            Self::Xor => Binding::Xor,
            Self::Or => Binding::Or,
            Self::And => Binding::And,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Like => Binding::Comparison,
            Self::Add | Self::Subtract | Self::Concatenate => Binding::Sum,
            Self::Multiply | Self::Divide | Self::Modulo => Binding::Product,
        }
    }
}

impl Display for BinaryOperator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xor => "XOR",
            Self::Or => "OR",
            Self::And => "AND",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Like => "LIKE",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Concatenate => ".",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        })
    }
}

impl Expression {
    fn binding(&self) -> Binding {
        match &self.kind {
            ExpressionKind::Unary(UnaryOperator::Not, _) => Binding::Not,
            ExpressionKind::Unary(UnaryOperator::Negate, _) => Binding::Negation,
            ExpressionKind::Binary(operator, ..) => operator.binding(),
            ExpressionKind::In(..) => Binding::Comparison,
            _ => Binding::Operand,
        }
    }

    /// Prints it in parentheses unless it binds at least that tightly.
    fn fmt_within(&self, f: &mut Formatter<'_>, least: Binding) -> fmt::Result {
        if self.binding() >= least { self.fmt(f) } else { write!(f, "({self})") }
    }

    /// Prints an operand of OR or XOR. An AND there needs no parentheses, but who reads it may not know: it gets some,
    /// unless there are others in it, because the depth of parentheses is limited.
    fn fmt_alternative(&self, f: &mut Formatter<'_>, least: Binding) -> fmt::Result {
        let mixed = least <= Binding::And && self.binding() == Binding::And;
        if mixed && !has_alternatives(self) { write!(f, "({self})") } else { self.fmt_within(f, least) }
    }
}

/// Whether an AND is printed with parentheses around one of its operands.
fn has_alternatives(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Binary(BinaryOperator::And, left, right) => has_alternatives(left) || has_alternatives(right),
        ExpressionKind::Unary(UnaryOperator::Not, operand) => {
            operand.binding() < Binding::Not || has_alternatives(operand)
        }
        _ => expression.binding() <= Binding::Or,
    }
}

/// How many operands a chain of one operator has.
fn chain_length(expression: &Expression, operator: BinaryOperator) -> usize {
    match &expression.kind {
        ExpressionKind::Binary(found, left, right) if *found == operator => {
            chain_length(left, operator).saturating_add(chain_length(right, operator))
        }
        _ => 1,
    }
}

/// Whether a tree has the form that the parser gives to an unparenthesised chain of so many operands.
fn is_chain(expression: &Expression, operator: BinaryOperator, length: usize) -> bool {
    match &expression.kind {
        ExpressionKind::Binary(found, left, right) if *found == operator => {
            let rightmost = if length > LEANING_CHAIN { length - length / 2 } else { 1 };
            length > rightmost && is_chain(left, operator, length - rightmost) && is_chain(right, operator, rightmost)
        }
        _ => length == 1,
    }
}

/// Prints the operands of a chain of one operator.
fn fmt_chain(f: &mut Formatter<'_>, expression: &Expression, operator: BinaryOperator) -> fmt::Result {
    match &expression.kind {
        ExpressionKind::Binary(found, left, right) if *found == operator => {
            fmt_chain(f, left, operator)?;
            write!(f, " {operator} ")?;
            fmt_chain(f, right, operator)
        }
        _ if operator == BinaryOperator::And => expression.fmt_within(f, operator.binding()),
        _ => expression.fmt_alternative(f, operator.binding()),
    }
}

/// The operands down the left side of a chain, last one first.
fn left_spine(whole: &Expression, operator: BinaryOperator) -> Vec<&Expression> {
    let (mut spine, mut rest) = (Vec::new(), whole);
    while let ExpressionKind::Binary(found, left, right) = &rest.kind
        && *found == operator
    {
        spine.push(&**right);
        rest = left;
    }
    spine.push(rest);
    spine
}

/// Whether a field name can stand without quotes.
fn is_bare(name: &str) -> bool {
    const KEYWORDS: &[&str] = &["and", "or", "not", "xor", "like", "in"];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&name.to_ascii_lowercase().as_str())
}

fn fmt_binary(
    f: &mut Formatter<'_>,
    whole: &Expression,
    operator: BinaryOperator,
    left: &Expression,
    right: &Expression,
) -> fmt::Result {
    let binding = operator.binding();
    let (left_least, right_least) = match binding {
        Binding::Xor | Binding::Or | Binding::And => {
            if is_chain(whole, operator, chain_length(whole, operator)) {
                return fmt_chain(f, whole, operator);
            }
            let above = match binding {
                Binding::Xor => Binding::Or,
                Binding::Or => Binding::And,
                _ => Binding::Not,
            };
            let spine = left_spine(whole, operator);
            if spine.len() <= LEANING_CHAIN {
                for (index, operand) in spine.into_iter().rev().enumerate() {
                    if index > 0 {
                        write!(f, " {operator} ")?;
                    }
                    match operator {
                        BinaryOperator::And => operand.fmt_within(f, above)?,
                        _ => operand.fmt_alternative(f, above)?,
                    }
                }
                return Ok(());
            }
            (above, above)
        }
        Binding::Sum => (Binding::Sum, Binding::Product),
        Binding::Product => (Binding::Product, Binding::Negation),
        _ => (Binding::Sum, Binding::Sum),
    };
    left.fmt_within(f, left_least)?;
    write!(f, " {operator} ")?;
    right.fmt_within(f, right_least)
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExpressionKind::Number(digits) => f.write_str(digits),
            ExpressionKind::String(text) => Quoted(text).fmt(f),
            ExpressionKind::Field(name) => {
                let bare = is_bare(name);
                if bare { f.write_str(name) } else { write!(f, "'{}'", Escaped(name, &['\'', '"', '|'])) }
            }
            ExpressionKind::Unary(UnaryOperator::Negate, operand) => {
                f.write_str("-")?;
                operand.fmt_within(f, Binding::Negation)
            }
            ExpressionKind::Unary(UnaryOperator::Not, operand) => {
                f.write_str("NOT ")?;
                operand.fmt_within(f, Binding::Not)
            }
            ExpressionKind::Binary(operator, left, right) => fmt_binary(f, self, *operator, left, right),
            ExpressionKind::In(value, list) => {
                value.fmt_within(f, Binding::Sum)?;
                write!(f, " IN ({})", Separated(list, ", "))
            }
            ExpressionKind::Call(name, arguments) => {
                write!(f, "{}({})", name.node, Separated(arguments, ", "))
            }
            ExpressionKind::Subsearch(subsearch) => subsearch.fmt(f),
            ExpressionKind::Macro(call) => call.fmt(f),
        }
    }
}
