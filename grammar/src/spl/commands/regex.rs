//! `regex`: keeps the rows in which a regular expression matches.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc};
use crate::Spanned;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::{self, pattern_text};
use crate::spl::parser::Rule;
use crate::spl::print::Quoted;

/// `regex "PATTERN"`, `regex FIELD="PATTERN"` or `regex FIELD!="PATTERN"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Regex {
    /// The field to look at; default `_raw`.
    pub field: Option<Name>,
    /// Whether the rows that do not match are kept (`!=`).
    pub negated: bool,
    /// The regular expression, escapes resolved.
    pub pattern: Spanned<String>,
}

/// The documentation of `regex`.
pub const DOC: CommandDoc = CommandDoc {
    name: "regex",
    summary: "Keeps the rows in which a regular expression matches, or does not",
    syntax: "regex [<field>=|<field>!=]\"<pattern>\"",
    arguments: &[
        ArgumentDoc { name: "<pattern>", meaning: "a regular expression, which may match anywhere in the value" },
        ArgumentDoc { name: "<field>=", meaning: "the field to look at; default _raw" },
        ArgumentDoc { name: "<field>!=", meaning: "keep the rows that do not match, and those without the field" },
    ],
    examples: &[r#"| makeresults | eval path="C:\Temp\a.exe" | regex path="(?i)\.EXE$""#],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Regex> {
    let (mut field, mut negated, mut pattern) = (None, false, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::regex_field => field = Some(words::name(b, &part)),
            Rule::regex_op => negated = part.as_str().starts_with('!'),
            Rule::pattern => pattern = Some(Spanned::new(pattern_text(part.as_str().trim_end()), b.span(&part))),
            _ => {}
        }
    }
    Some(Regex { field, negated, pattern: pattern? })
}

impl Display for Regex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("regex ")?;
        if let Some(field) = &self.field {
            field.fmt(f)?;
            f.write_str(if self.negated { "!=" } else { "=" })?;
        }
        Quoted(&self.pattern.node).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn the_field_may_be_left_out() {
        assert_eq!(canonical(r#"| regex "a|b\"""#), r#"| regex "a|b\"""#);
        assert_eq!(canonical(r#"| regex eai:data!="^x""#), r#"| regex eai:data!="^x""#);
        assert_eq!(canonical(r#"| regex 'a b' = x\d+"#), r#"| regex "a b"="x\d+""#);
        assert!(errors("| regex").contains("`regex` needs a quoted pattern"));
        assert!(errors("| regex a=\"b\" c").contains("`regex`"));
    }
}
