//! `replace`: replaces whole values.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc, names};
use crate::Spanned;
use crate::spl::expression::Name;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::token_text;
use crate::spl::print::{Quoted, Separated};

/// `replace VALUE WITH VALUE, ... [IN FIELD ...]`, wildcards allowed in the values.
#[derive(Debug, Clone, PartialEq)]
pub struct Replace {
    /// What is replaced by what; never empty.
    pub pairs: Vec<Replacement>,
    /// The fields to look at; without any all that are not internal.
    pub fields: Vec<Name>,
}

/// `VALUE WITH VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// The value; `*` stands for any text.
    pub value: Spanned<String>,
    /// What takes its place; a `*` stands for what the one in the value stood for.
    pub replacement: Spanned<String>,
}

/// The documentation of `replace`.
pub const DOC: CommandDoc = CommandDoc {
    name: "replace",
    summary: "Replaces whole values by others",
    syntax: "replace <value> WITH <value> [, <value> WITH <value>] ... [IN <field> ...]",
    arguments: &[
        ArgumentDoc {
            name: "<value> WITH <value>",
            meaning: "the whole value and what takes its place, letter case counting; `*` stands for any text, which is \
                      carried over where the second value has as many `*`. Of several pairs that fit, one without `*` \
                      wins, the later of two; else the one with the most letters",
        },
        ArgumentDoc { name: "IN <field>", meaning: "only in these fields; default all but the internal ones" },
    ],
    examples: &["| makeresults | eval host=\"web1 localhost\" | replace \"* localhost\" WITH \"localhost *\" IN host"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Replace> {
    let mut replace = Replace { pairs: Vec::new(), fields: Vec::new() };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::replacement => {
                let mut texts = part
                    .into_inner()
                    .filter(|part| part.as_rule() == Rule::replace_text)
                    .map(|part| Spanned::new(token_text(part.as_str().trim_end()), b.span(&part)));
                let (value, replacement) = (texts.next()?, texts.next()?);
                replace.pairs.push(Replacement { value, replacement });
            }
            Rule::in_fields => replace.fields = names(b, part.into_inner()),
            _ => {}
        }
    }
    Some(replace)
}

impl Display for Replace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "replace {}", Separated(&self.pairs, ", "))?;
        if !self.fields.is_empty() {
            write!(f, " IN {}", Separated(&self.fields, ", "))?;
        }
        Ok(())
    }
}

impl Display for Replacement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} WITH {}", Quoted(&self.value.node), Quoted(&self.replacement.node))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn commas_are_optional_and_keywords_take_any_case() {
        assert_eq!(
            canonical("| replace 0 with \"false\" 1 WITH true, *a* With b in x \"y z\""),
            "| replace \"0\" WITH \"false\", \"1\" WITH \"true\", \"*a*\" WITH \"b\" IN x, \"y z\""
        );
        assert_eq!(canonical("| replace \"\" with \"Not set\""), "| replace \"\" WITH \"Not set\"");
        assert!(errors("| replace a b").contains("expected `WITH` in `replace`, found `b`"));
    }
}
