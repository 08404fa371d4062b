//! The expression language of `eval`, `where`, `head` and `stats(eval(...))`, in which AND binds tighter than OR.

use super::Subsearch;
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

/// Operators with two operands, loosest first.
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
