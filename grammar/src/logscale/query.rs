//! The syntax tree: a query is a pipeline of steps, and every node knows its place.

use crate::{Span, Spanned};

/// A whole query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What it does.
    pub pipeline: Pipeline,
    /// Where it stands.
    pub span: Span,
}

/// Steps one after the other; none keeps every event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pipeline {
    /// The steps in their order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// `case { a; b; * }`: an event goes through the first arm that keeps it.
    Case(Vec<Pipeline>),
    /// `field match { guard => pipeline; ... }`
    Match(MatchStep),
    /// `field := value`
    Assign(Assignment),
    /// `where condition`, which is no part of the vendor's language.
    Where(Expression),
    /// `[f(), g()]`, short for `stats([f(), g()])`.
    Stats(Vec<Element>),
    /// A filter, or a call of any function.
    Filter(Filter),
}

/// A choice by the value of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchStep {
    /// The field.
    pub field: Spanned<String>,
    /// The arms in their order.
    pub arms: Vec<MatchArm>,
}

/// One arm of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchArm {
    /// What the value has to be.
    pub guard: Guard,
    /// What is done with the event.
    pub pipeline: Pipeline,
}

/// What a value has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// A value.
    Value(Value),
    /// A filter function without its field, negated or not.
    Call(bool, Call),
}

/// A field that gets a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The field.
    pub target: Target,
    /// Its value.
    pub value: Expression,
}

/// What gets a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The field of that name.
    Field(Spanned<String>),
    /// The field whose name is the value of that field.
    Dynamic(Spanned<String>),
}

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of them; calls of any function where it is a whole step.
    And(Vec<Filter>),
    /// At least one of them.
    Or(Vec<Filter>),
    /// Not this one.
    Not(Box<Filter>),
    /// `field op value`
    Comparison(Comparison),
    /// `field in (...)`, negated or not, which is no part of the vendor's language.
    Membership(Membership),
    /// A call.
    Call(Call),
    /// `call op expression`, short for `test(call op expression)`.
    Test(Call, Spanned<Comparator>, Box<Expression>),
    /// `field =~ call`, negated or not.
    FieldCall(Spanned<String>, bool, Call),
    /// A call of a saved query.
    Saved(SavedQuery),
    /// Text, a pattern, a regular expression or a parameter that is looked for in the whole event.
    Text(Value),
}

/// A comparison of a field with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The field.
    pub field: Spanned<String>,
    /// How it is compared.
    pub comparator: Spanned<Comparator>,
    /// With what.
    pub value: Value,
}

/// A field and the values that it may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The field.
    pub field: Spanned<String>,
    /// Whether it must have none of them.
    pub negated: bool,
    /// The values.
    pub values: Vec<Value>,
}

/// How two things are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=` of filters.
    Is,
    /// `==`
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
    /// `like`
    Like,
    /// `=~`
    Matches,
    /// `<=>`
    Link,
}

/// A value of a filter, or text to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of values of filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueKind {
    /// Words without quotes; `*` is a wildcard.
    Pattern(String),
    /// Words in quotes; `*` is a wildcard here too.
    Quoted(Text),
    /// A regular expression.
    Regex(Regex),
    /// A value that the user gives.
    Parameter(Parameter),
}

/// Text in quotes, as it was written between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text(pub String);

impl Text {
    /// The text that it stands for. A backslash before any other character than a quote, a backslash or `n` is
    /// itself, since a regular expression may be meant.
    pub fn unescaped(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        let mut chars = self.0.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n') => text.push('\n'),
                    Some(c @ ('"' | '\\')) => text.push(c),
                    Some(other) => text.extend(['\\', other]),
                    None => text.push('\\'),
                },
                other => text.push(other),
            }
        }
        text
    }
}

/// A regular expression between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regex {
    /// What stands between the slashes.
    pub pattern: String,
    /// The letters after them.
    pub flags: String,
}

/// A value that the user gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is where no value is given.
    pub default: Option<String>,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function as it was written.
    pub name: Spanned<String>,
    /// The arguments.
    pub arguments: Vec<Argument>,
    /// The whole call.
    pub span: Span,
}

/// A call of a query that is saved under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedQuery {
    /// Its name.
    pub name: Spanned<String>,
    /// The arguments.
    pub arguments: Vec<Argument>,
    /// The whole call.
    pub span: Span,
}

/// An argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// `value`
    Unnamed(Expression),
    /// `name=value`
    Named(Spanned<String>, Expression),
    /// `name: { ... } include: [...]`
    Labelled(Labelled),
}

/// A subquery with a name, as `correlate` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// Its name.
    pub name: Spanned<String>,
    /// What it does.
    pub pipeline: Pipeline,
    /// What is said of it.
    pub attributes: Vec<(Spanned<String>, Expression)>,
}

/// An element of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A value, or a call of an aggregate function.
    Value(Expression),
    /// `name := f()`
    Assign(Assignment),
    /// A subquery with a name.
    Labelled(Labelled),
}

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions. Chains of operators are flat, from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionKind {
    /// At least one of them; no part of the vendor's language.
    Or(Vec<Expression>),
    /// All of them; no part of the vendor's language.
    And(Vec<Expression>),
    /// `not x`; no part of the vendor's language.
    Not(Box<Expression>),
    /// `a < b`, one after the other.
    Compare(Box<Expression>, Vec<(Comparator, Expression)>),
    /// `field = value`, as in a filter; no part of the vendor's language.
    Is(Box<Expression>, Comparator, Value),
    /// `field in (...)`, negated or not; no part of the vendor's language.
    In(Box<Expression>, bool, Vec<Value>),
    /// `a + b - c`
    Sum(Box<Expression>, Vec<(Arithmetic, Expression)>),
    /// `a * b / c % d`
    Product(Box<Expression>, Vec<(Arithmetic, Expression)>),
    /// `-x`
    Negative(Box<Expression>),
    /// `!x`
    Inverse(Box<Expression>),
    /// The value of the first condition that is true; no part of the vendor's language.
    Case(Vec<ValueArm>),
    /// A subquery.
    Block(Pipeline),
    /// A call.
    Call(Call),
    /// A call of a saved query.
    Saved(SavedQuery),
    /// A list.
    Array(Vec<Element>),
    /// A value that the user gives.
    Parameter(Parameter),
    /// Text in quotes.
    Text(Text),
    /// A regular expression.
    Regex(Regex),
    /// A number, in its own digits.
    Number(String),
    /// A field, or a word where an argument is one.
    Word(String),
    /// `*` and what follows it.
    Pattern(String),
}

/// An arm of a case that gives a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueArm {
    /// When; `None` for `*`.
    pub condition: Option<Expression>,
    /// The value.
    pub value: Expression,
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}
