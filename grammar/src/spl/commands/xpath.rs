//! `xpath`: what an XPath expression selects.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::{self, token_text};
use crate::spl::parser::Rule;
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `xpath [outfield=FIELD] "EXPRESSION" [field=FIELD] [default=TEXT]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Xpath {
    /// The expression.
    pub expression: Spanned<String>,
    /// The field that receives what it selects; default `xpath`.
    pub outfield: Option<Name>,
    /// The field to read; default `_raw`.
    pub field: Option<Name>,
    /// What is written where it selects nothing.
    pub default: Option<String>,
}

/// The documentation of `xpath`.
pub const DOC: CommandDoc = CommandDoc {
    name: "xpath",
    summary: "Extracts what an XPath expression selects in XML",
    syntax: "xpath [outfield=<field>] \"<expression>\" [field=<field>] [default=<text>]",
    arguments: &[
        ArgumentDoc { name: "<expression>", meaning: "steps such as `//a/b`, `/a/*/@b`, `//a[@b='c']`, `//a[b='c']`, `//a[2]`" },
        ArgumentDoc { name: "outfield=<field>", meaning: "the field that receives it; default xpath" },
        ArgumentDoc { name: "field=<field>", meaning: "the field to read; default _raw" },
        ArgumentDoc { name: "default=<text>", meaning: "what is written where nothing is selected" },
    ],
    examples: &["| makeresults | eval _raw=\"<a><b c='1'/></a>\" | xpath outfield=c \"//b/@c\" | table c"],
};

const OPTIONS: &[&str] = &["outfield", "field", "default"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Xpath> {
    let place = b.span(&arguments);
    let (mut expression, mut outfield, mut field, mut default) = (None, None, None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "outfield" => outfield = Some(option.field()),
                    "field" => field = Some(option.field()),
                    "default" => default = Some(option.value),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::pattern if expression.is_none() => {
                expression = Some(Spanned::new(token_text(part.as_str().trim_end()), b.span(&part)));
            }
            Rule::pattern => {
                b.error(Code::InvalidArgument, "`xpath` takes one expression, in double quotes", b.span(&part));
                return None;
            }
            _ => {}
        }
    }
    let Some(expression) = expression else {
        b.error(Code::InvalidArgument, "`xpath` needs an expression in double quotes", place);
        return None;
    };
    Some(Xpath { expression, outfield, field, default })
}

impl Display for Xpath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("xpath")?;
        option(f, "outfield", self.outfield.as_ref())?;
        write!(f, " {}", Quoted(&self.expression.node))?;
        option(f, "field", self.field.as_ref())?;
        option(f, "default", self.default.as_deref().map(Quoted))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_before_or_after() {
        assert_eq!(
            canonical(r#"| xpath "//a[@b=\"c\"]/@d" field=x outfield=y default=none"#),
            r#"| xpath outfield=y "//a[@b=\"c\"]/@d" field=x default="none""#
        );
        assert!(errors("| xpath field=x").contains("`xpath` needs an expression"));
    }
}
