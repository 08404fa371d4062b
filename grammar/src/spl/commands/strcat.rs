//! `strcat`: joins fields and texts.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::{self, token_text};
use crate::spl::parser::Rule;
use crate::spl::print::{Escaped, Quoted, Separated, is_plain, option};

/// `strcat [allrequired=BOOL] FIELD|"TEXT" ... TARGET`.
#[derive(Debug, Clone, PartialEq)]
pub struct Strcat {
    /// Whether nothing is written where a field is missing; default false.
    pub allrequired: Option<bool>,
    /// What is joined; never empty.
    pub sources: Vec<Source>,
    /// The field that receives it.
    pub target: Name,
}

/// A piece to join.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The value of a field.
    Field(Name),
    /// Text in double quotes.
    Text(String),
}

/// The documentation of `strcat`.
pub const DOC: CommandDoc = CommandDoc {
    name: "strcat",
    summary: "Joins fields and texts into a field",
    syntax: "strcat [allrequired=<bool>] <field>|\"<text>\" ... <target>",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "its value, nothing where it is missing; in single quotes if it is no plain word" },
        ArgumentDoc { name: "\"<text>\"", meaning: "the text itself" },
        ArgumentDoc { name: "<target>", meaning: "the field that receives all of it" },
        ArgumentDoc { name: "allrequired=<bool>", meaning: "write nothing where a field is missing; default false" },
    ],
    examples: &["| makeresults | eval host=\"web\", port=80 | strcat host \"::\" port address"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Strcat> {
    let (mut allrequired, mut sources, mut target) = (None, Vec::new(), None);
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "allrequired" => allrequired = Some(option.boolean(b)?),
                    _ => return option.unknown(b, &["allrequired"]),
                }
            }
            Rule::EOI => {}
            _ => {
                // The last one is the target.
                let name = words::name(b, &part);
                let source = match part.as_rule() {
                    Rule::quoted => Source::Text(token_text(part.as_str().trim_end())),
                    _ => Source::Field(name.clone()),
                };
                sources.extend(target.replace((source, name)).map(|(source, _)| source));
            }
        }
    }
    match target {
        Some((_, target)) if !sources.is_empty() => Some(Strcat { allrequired, sources, target }),
        _ => {
            b.error(Code::InvalidArgument, "`strcat` needs something to join and a target field", place);
            None
        }
    }
}

impl Display for Strcat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("strcat")?;
        option(f, "allrequired", self.allrequired)?;
        write!(f, " {} {}", Separated(&self.sources, " "), self.target)
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Source::Text(text) => Quoted(text).fmt(f),
            Source::Field(name) if is_plain(&name.text) => f.write_str(&name.text),
            Source::Field(name) => write!(f, "'{}'", Escaped(&name.text, &['\'', '"', '|'])),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn texts_are_quoted_and_fields_are_not() {
        assert_eq!(
            canonical("| strcat AllRequired=1 a \"/\" 'b c' \"it's\" \"d e\""),
            "| strcat allrequired=true a \"/\" 'b c' \"it's\" \"d e\""
        );
        assert!(errors("| strcat a").contains("`strcat` needs something to join"));
        assert!(errors("| strcat all=t a b").contains("`strcat` has no option `all`"));
    }
}
