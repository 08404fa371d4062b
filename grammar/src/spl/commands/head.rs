//! `head`: the first rows.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Expression;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, expression, words};
use crate::spl::print::option;

/// `head [N | limit=N] [(EXPRESSION)] [keeplast=BOOL] [null=BOOL]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// How many rows at most; without it and without a condition 10.
    pub limit: Option<u64>,
    /// Rows are returned until this is not true.
    pub condition: Option<Expression>,
    /// Whether the row that ended it is returned too; default false.
    pub keeplast: Option<bool>,
    /// Whether a null condition counts as true; default false.
    pub null: Option<bool>,
}

/// The documentation of `head`.
pub const DOC: CommandDoc = CommandDoc {
    name: "head",
    summary: "Keeps the first rows",
    syntax: "head [<count>|limit=<count>] [(<expression>)] [keeplast=<bool>] [null=<bool>]",
    arguments: &[
        ArgumentDoc { name: "<count>", meaning: "how many rows at most; 10 where nothing else is said" },
        ArgumentDoc { name: "<expression>", meaning: "a condition as in eval; the first row for which it is not true ends the result" },
        ArgumentDoc { name: "keeplast=<bool>", meaning: "keep that row too; default false" },
        ArgumentDoc { name: "null=<bool>", meaning: "go on where the condition is null; default false" },
    ],
    examples: &["| makeresults count=20 | head 5"],
};

const OPTIONS: &[&str] = &["limit", "keeplast", "null"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Head> {
    let mut head = Head { limit: None, condition: None, keeplast: None, null: None };
    for part in arguments.into_inner() {
        let place = b.span(&part);
        let known = head.limit.take();
        match part.as_rule() {
            Rule::head_count => head.limit = Some(words::integer(b, &part)?),
            Rule::head_option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "limit" => head.limit = Some(option.number(b)?),
                    "keeplast" => head.keeplast = Some(option.boolean(b)?),
                    "null" => head.null = Some(option.boolean(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::expression => {
                if head.condition.is_some() {
                    b.error(Code::Syntax, "`head` takes one condition only", b.span(&part));
                    return None;
                }
                head.condition = Some(expression::expression(b, part)?);
            }
            _ => {}
        }
        if known.is_some() && head.limit.is_some() {
            b.error(Code::InvalidOption, "`head` takes one limit only: a number, or `limit`", place);
            return None;
        }
        head.limit = head.limit.or(known);
    }
    Some(head)
}

impl Display for Head {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("head")?;
        option(f, "limit", self.limit)?;
        if let Some(condition) = &self.condition {
            write!(f, " ({condition})")?;
        }
        option(f, "keeplast", self.keeplast)?;
        option(f, "null", self.null)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::canonical;

    #[test]
    fn counts_and_conditions() {
        assert_eq!(canonical("| head"), "| head");
        assert_eq!(canonical("| head 5"), "| head limit=5");
        assert_eq!(canonical("| head x>5"), "| head (x > 5)");
        assert_eq!(canonical("| head 5 > x"), "| head (5 > x)");
        assert_eq!(
            canonical("| head limit=3 (x=\"a\") keeplast=t null=0"),
            "| head limit=3 (x = \"a\") keeplast=true null=false"
        );
    }
}
