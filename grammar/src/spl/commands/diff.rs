//! `diff`: how two rows differ, line by line.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Spanned;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;

/// `diff [OPTION ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// The position of the one row, from 1; default 1.
    pub position1: Option<Spanned<u64>>,
    /// The position of the other; default 2.
    pub position2: Option<Spanned<u64>>,
    /// The field; default `_raw`.
    pub attribute: Option<Name>,
    /// `diffheader=`
    pub diffheader: Option<bool>,
    /// `context=`
    pub context: Option<bool>,
    /// How many bytes of a value are compared, 0 for all; default 100000.
    pub maxlen: Option<u64>,
}

/// The documentation of `diff`.
pub const DOC: CommandDoc = CommandDoc {
    name: "diff",
    summary: "Shows how a field differs between two rows, line by line",
    syntax: "diff [position1=<number>] [position2=<number>] [attribute=<field>] [diffheader=<bool>] [context=<bool>] [maxlen=<bytes>]",
    arguments: &[
        ArgumentDoc { name: "position1=<number>", meaning: "which row, from 1; default 1" },
        ArgumentDoc { name: "position2=<number>", meaning: "which other row, further down; default 2" },
        ArgumentDoc { name: "attribute=<field>", meaning: "the field whose values are compared; default _raw" },
        ArgumentDoc { name: "diffheader=<bool>", meaning: "begin with the two lines that name what is compared; default false" },
        ArgumentDoc { name: "context=<bool>", meaning: "the form of `diff -c` instead of that of `diff -u`; default false" },
        ArgumentDoc { name: "maxlen=<bytes>", meaning: "how much of a value is compared, 0 for all; default 100000" },
    ],
    examples: &["| makeresults count=2 | streamstats count AS n | eval _raw=\"same\nline \".n | diff | table _raw"],
};

const OPTIONS: &[&str] = &["position1", "position2", "attribute", "diffheader", "context", "maxlen"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Diff> {
    let mut diff =
        Diff { position1: None, position2: None, attribute: None, diffheader: None, context: None, maxlen: None };
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "position1" | "position2" => {
                let position = match option.number(b)? {
                    0 => return option.invalid(b, "a number from 1"),
                    position => Some(option.at(position)),
                };
                match option.name.as_str() {
                    "position1" => diff.position1 = position,
                    _ => diff.position2 = position,
                }
            }
            "attribute" => diff.attribute = Some(option.field()),
            "diffheader" => diff.diffheader = Some(option.boolean(b)?),
            "context" => diff.context = Some(option.boolean(b)?),
            "maxlen" => diff.maxlen = Some(option.number(b)?),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    let position = |position: &Option<Spanned<u64>>, default| position.as_ref().map_or(default, |at| at.node);
    if position(&diff.position1, 1) >= position(&diff.position2, 2) {
        let place = diff.position2.as_ref().or(diff.position1.as_ref()).map_or_else(Default::default, |at| at.span);
        b.error(crate::Code::InvalidOption, "`position2` must be greater than `position1`", place);
        return None;
    }
    Some(diff)
}

impl Display for Diff {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { position1, position2, attribute, diffheader, context, maxlen } = self;
        f.write_str("diff")?;
        option(f, "position1", position1.as_ref().map(|at| at.node))?;
        option(f, "position2", position2.as_ref().map(|at| at.node))?;
        option(f, "attribute", attribute.as_ref())?;
        option(f, "diffheader", *diffheader)?;
        option(f, "context", *context)?;
        option(f, "maxlen", *maxlen)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options() {
        assert_eq!(
            canonical("x | diff position1=9 position2=10 attribute=ip diffheader=t context=f maxlen=0"),
            "search x | diff position1=9 position2=10 attribute=ip diffheader=true context=false maxlen=0"
        );
        assert!(errors("x | diff position1=3").contains("must be greater than"));
        assert!(errors("x | diff position1=0").contains("a number from 1"));
        assert!(errors("x | diff 1 2").contains("SPL0001"));
    }
}
