//! `eval`: computes fields.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Span;
use crate::spl::expression::Expression;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::token_text;
use crate::spl::parser::{Rule, expression};
use crate::spl::print::{Quoted, Separated};

/// `eval TARGET=EXPRESSION, ...`, from left to right; later assignments see earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Eval {
    /// One or more.
    pub assignments: Vec<Assignment>,
}

/// One `TARGET=EXPRESSION`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The field to set.
    pub target: Target,
    /// Its value.
    pub value: Expression,
}

/// The left side of an assignment.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// One text part for a plain name; more where `{field}` parts are filled in row by row.
    pub parts: Vec<TargetPart>,
    /// The name as written.
    pub span: Span,
}

/// A piece of a target name.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetPart {
    /// Literal text.
    Text(String),
    /// `{field}`: the row's value of that field.
    FieldValue(String),
}

/// The documentation of `eval`.
pub const DOC: CommandDoc = CommandDoc {
    name: "eval",
    summary: "Computes fields",
    syntax: "eval <field>=<expression> [, <field>=<expression>] ...",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field to set; `{other}` in it stands for the value of that field" },
        ArgumentDoc {
            name: "<expression>",
            meaning: "numbers, \"text\", fields ('in single quotes' where they are no plain word), operators and functions",
        },
    ],
    examples: &["| makeresults | eval a=1, b=a+1, text=\"b is \".b"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Eval> {
    let assignments: Option<Vec<_>> = arguments
        .into_inner()
        .filter(|pair| pair.as_rule() == Rule::assignment)
        .map(|pair| {
            let mut parts = pair.into_inner();
            let target = parts.next()?;
            let target = Target { parts: target_parts(&token_text(target.as_str().trim_end())), span: b.span(&target) };
            let value = parts.find(|part| part.as_rule() == Rule::expression)?;
            Some(Assignment { target, value: expression::expression(b, value)? })
        })
        .collect();
    Some(Eval { assignments: assignments? })
}

/// Splits a name at its `{field}` parts. Empty braces, which JSON field names have, are literal.
fn target_parts(name: &str) -> Vec<TargetPart> {
    let mut parts = Vec::new();
    let (mut literal, mut rest) = (String::new(), name);
    while let Some((before, after)) = rest.split_once('{') {
        literal.push_str(before);
        match after.split_once('}').filter(|(field, _)| !field.is_empty() && !field.contains('{')) {
            Some((field, tail)) => {
                if !literal.is_empty() {
                    parts.push(TargetPart::Text(std::mem::take(&mut literal)));
                }
                parts.push(TargetPart::FieldValue(field.to_owned()));
                rest = tail;
            }
            None => {
                literal.push('{');
                rest = after;
            }
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() || parts.is_empty() {
        parts.push(TargetPart::Text(literal));
    }
    parts
}

impl Display for Eval {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "eval {}", Separated(&self.assignments, ", "))
    }
}

impl Display for Assignment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.target, self.value)
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                TargetPart::Text(text) => name.push_str(text),
                TargetPart::FieldValue(field) => {
                    name.extend(["{", field, "}"]);
                }
            }
        }
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:{}-".contains(c));
        if plain { f.write_str(&name) } else { Quoted(&name).fmt(f) }
    }
}
