//! Canonical printing. What is printed parses to the tree that it was printed from.

use std::fmt::{self, Display, Formatter};

use super::query::{
    Argument, Arithmetic, Assignment, Call, Comparator, Comparison, Element, Expression, ExpressionKind, Filter, Guard,
    Labelled, Membership, Parameter, Pipeline, Query, Regex, SavedQuery, Step, StepKind, Target, Text, Value,
    ValueKind,
};

/// Items with a separator between them.
struct Separated<'a, T>(&'a [T], &'a str);

impl<T: Display> Display for Separated<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(self.1)?;
            }
            write!(f, "{item}")?;
        }
        Ok(())
    }
}

/// Whether a character may stand in a word without quotes.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "#%&.@\\^_~".contains(c)
        || matches!(c, '\u{a1}'..='\u{aa}' | '\u{ae}'..='\u{ba}' | '\u{bc}'..='\u{fefe}' | '\u{ff00}'..)
}

/// A field's name, in quotes where it needs them.
struct Field<'a>(&'a str);

impl Display for Field<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let keyword = ["and", "or", "not", "where", "case", "in", "like", "match"]
            .iter()
            .any(|word| self.0.eq_ignore_ascii_case(word));
        // Parts such as `[0]` may follow the first letter.
        let mut outside = String::new();
        let mut inside = false;
        let mut plain = self.0.starts_with(is_word) && !keyword;
        for c in self.0.chars() {
            match (inside, c) {
                (false, '[') => inside = true,
                (true, ']') => inside = false,
                (true, c) => plain &= c.is_ascii_digit(),
                (false, c) => outside.push(c),
            }
        }
        plain &= !inside && outside.chars().all(is_word);
        if plain {
            f.write_str(self.0)
        } else {
            write!(f, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
        }
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.pipeline.fmt(f)
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Separated(&self.steps, " | ").fmt(f)
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StepKind::Case(arms) => write!(f, "case {{ {} }}", Separated(arms, "; ")),
            StepKind::Match(step) => {
                write!(f, "{} match {{ ", Field(&step.field.node))?;
                for (index, arm) in step.arms.iter().enumerate() {
                    write!(f, "{}{} => {}", if index > 0 { "; " } else { "" }, arm.guard, arm.pipeline)?;
                }
                f.write_str(" }")
            }
            StepKind::Assign(assignment) => assignment.fmt(f),
            StepKind::Where(condition) => write!(f, "where {condition}"),
            StepKind::Stats(elements) => write!(f, "[{}]", Separated(elements, ", ")),
            StepKind::Filter(filter) => filter.fmt(f),
        }
    }
}

impl Display for Guard {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Guard::Value(value) => value.fmt(f),
            Guard::Call(negated, call) => write!(f, "{}{call}", if *negated { "!" } else { "" }),
        }
    }
}

impl Display for Assignment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Field(name) => write!(f, "{} := {}", Field(&name.node), self.value),
            Target::Dynamic(name) => write!(f, "`{}` := {}", name.node, self.value),
        }
    }
}

/// A filter as a part of another.
struct Part<'a>(&'a Filter);

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Filter::And(_) | Filter::Or(_) => write!(f, "({})", self.0),
            other => other.fmt(f),
        }
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Filter::And(parts) => Separated(&parts.iter().map(Part).collect::<Vec<_>>(), " and ").fmt(f),
            Filter::Or(parts) => Separated(&parts.iter().map(Part).collect::<Vec<_>>(), " or ").fmt(f),
            Filter::Not(inner) => write!(f, "not {}", Part(inner)),
            Filter::Comparison(comparison) => comparison.fmt(f),
            Filter::Membership(membership) => membership.fmt(f),
            Filter::Call(call) => call.fmt(f),
            Filter::Test(call, comparator, right) => write!(f, "{call} {} {right}", comparator.node),
            Filter::FieldCall(field, negated, call) => {
                write!(f, "{} =~ {}{call}", Field(&field.node), if *negated { "!" } else { "" })
            }
            Filter::Saved(saved) => saved.fmt(f),
            Filter::Text(value) => value.fmt(f),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", Field(&self.field.node), self.comparator.node, self.value)
    }
}

impl Display for Membership {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "not " } else { "" };
        write!(f, "{} {not}in ({})", Field(&self.field.node), Separated(&self.values, ", "))
    }
}

impl Display for Comparator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparator::Is => "=",
            Comparator::Equal => "==",
            Comparator::NotEqual => "!=",
            Comparator::Less => "<",
            Comparator::LessOrEqual => "<=",
            Comparator::Greater => ">",
            Comparator::GreaterOrEqual => ">=",
            Comparator::Like => "like",
            Comparator::Matches => "=~",
            Comparator::Link => "<=>",
        })
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ValueKind::Pattern(pattern) => f.write_str(pattern),
            ValueKind::Quoted(text) => text.fmt(f),
            ValueKind::Regex(regex) => regex.fmt(f),
            ValueKind::Parameter(parameter) => parameter.fmt(f),
        }
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

impl Display for Regex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.pattern, self.flags)
    }
}

impl Display for Parameter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let quoted =
            |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
        match &self.default {
            Some(default) => write!(f, "?{{{}={}}}", quoted(&self.name), quoted(default)),
            None => write!(f, "?{{{}}}", quoted(&self.name)),
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name.node, Separated(&self.arguments, ", "))
    }
}

impl Display for SavedQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.name.node.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        write!(f, "$\"{name}\"({})", Separated(&self.arguments, ", "))
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Unnamed(value) => value.fmt(f),
            Argument::Named(name, value) => write!(f, "{}={value}", Field(&name.node)),
            Argument::Labelled(labelled) => labelled.fmt(f),
        }
    }
}

impl Display for Labelled {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {{ {} }}", self.name.node, self.pipeline)?;
        self.attributes.iter().try_for_each(|(name, value)| write!(f, " {}: {value}", name.node))
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Element::Value(value) => value.fmt(f),
            Element::Assign(assignment) => assignment.fmt(f),
            Element::Labelled(labelled) => labelled.fmt(f),
        }
    }
}

/// An operand, in parentheses where its own operator binds no tighter than what stands around it.
struct Operand<'a>(&'a Expression, u8);

/// How tightly the operator of an expression binds; operands bind tightest.
fn level(kind: &ExpressionKind) -> u8 {
    match kind {
        ExpressionKind::Or(_) => 0,
        ExpressionKind::And(_) => 1,
        ExpressionKind::Not(_) => 2,
        ExpressionKind::Compare(..) | ExpressionKind::Is(..) | ExpressionKind::In(..) => 3,
        ExpressionKind::Sum(..) => 4,
        ExpressionKind::Product(..) => 5,
        ExpressionKind::Negative(_) | ExpressionKind::Inverse(_) => 6,
        _ => 7,
    }
}

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match level(&self.0.kind) > self.1 {
            true => self.0.fmt(f),
            false => write!(f, "({})", self.0),
        }
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Modulo => "%",
        })
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let level = level(&self.kind);
        let chain = |f: &mut Formatter<'_>, first: &Expression, rest: &[(Arithmetic, Expression)]| {
            Operand(first, level).fmt(f)?;
            rest.iter().try_for_each(|(operator, next)| write!(f, " {operator} {}", Operand(next, level)))
        };
        match &self.kind {
            ExpressionKind::Or(parts) | ExpressionKind::And(parts) => {
                let operands: Vec<_> = parts.iter().map(|part| Operand(part, level)).collect();
                Separated(&operands, if level == 0 { " or " } else { " and " }).fmt(f)
            }
            ExpressionKind::Not(inner) => write!(f, "not {}", Operand(inner, level)),
            ExpressionKind::Compare(first, rest) => {
                Operand(first, level).fmt(f)?;
                rest.iter().try_for_each(|(operator, next)| write!(f, " {operator} {}", Operand(next, level)))
            }
            ExpressionKind::Is(left, comparator, value) => write!(f, "{} {comparator} {value}", Operand(left, level)),
            ExpressionKind::In(left, negated, values) => {
                let not = if *negated { "not " } else { "" };
                write!(f, "{} {not}in ({})", Operand(left, level), Separated(values, ", "))
            }
            ExpressionKind::Sum(first, rest) | ExpressionKind::Product(first, rest) => chain(f, first, rest),
            ExpressionKind::Negative(inner) => write!(f, "-{}", Operand(inner, level)),
            ExpressionKind::Inverse(inner) => write!(f, "!{}", Operand(inner, level)),
            ExpressionKind::Case(arms) => {
                f.write_str("case { ")?;
                for arm in arms {
                    match &arm.condition {
                        Some(condition) => write!(f, "{condition} => {}; ", arm.value)?,
                        None => write!(f, "* => {}; ", arm.value)?,
                    }
                }
                f.write_str("}")
            }
            ExpressionKind::Block(pipeline) => write!(f, "{{ {pipeline} }}"),
            ExpressionKind::Call(call) => call.fmt(f),
            ExpressionKind::Saved(saved) => saved.fmt(f),
            ExpressionKind::Array(elements) => write!(f, "[{}]", Separated(elements, ", ")),
            ExpressionKind::Parameter(parameter) => parameter.fmt(f),
            ExpressionKind::Text(text) => text.fmt(f),
            ExpressionKind::Regex(regex) => regex.fmt(f),
            ExpressionKind::Number(number) => f.write_str(number),
            ExpressionKind::Word(word) | ExpressionKind::Pattern(word) => f.write_str(word),
        }
    }
}
