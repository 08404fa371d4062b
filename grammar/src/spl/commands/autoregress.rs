//! `autoregress`: values of earlier rows.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::{Code, Spanned};

/// `autoregress FIELD [AS NAME] [p=N | p=N-M]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Autoregress {
    /// The field that is copied.
    pub field: Name,
    /// The name of the copy; only without a range.
    pub alias: Option<Name>,
    /// From which row before to which; default 1.
    pub distances: Option<Spanned<(u64, u64)>>,
}

/// The documentation of `autoregress`.
pub const DOC: CommandDoc = CommandDoc {
    name: "autoregress",
    summary: "Copies the values of rows before into each row",
    syntax: "autoregress <field> [AS <name>] [p=<count>|p=<count>-<count>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field to copy" },
        ArgumentDoc { name: "AS <name>", meaning: "the name of the copy; default <field>_p<count>; not with a range" },
        ArgumentDoc { name: "p=<count>", meaning: "how many rows before, or from how many to how many; default 1" },
    ],
    examples: &["| makeresults count=4 | eval n=1 | accum n | autoregress n p=1-2"],
};

const OPTIONS: &[&str] = &["p"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Autoregress> {
    let (mut names, mut distances) = (Vec::new(), None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "p" => {
                        let Some(range) = range(&option.value) else {
                            return option.invalid(b, "a count such as 3, or a range such as 2-5");
                        };
                        distances = Some(option.at(range));
                    }
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::as_op | Rule::EOI => {}
            _ => names.push(words::name(b, &part)),
        }
    }
    let mut names = names.into_iter();
    let (field, alias) = (names.next()?, names.next());
    if let (Some(alias), Some(range)) = (&alias, &distances)
        && range.node.0 != range.node.1
    {
        b.error(Code::InvalidArgument, "a range of rows cannot be copied into one field", alias.span);
        return None;
    }
    Some(Autoregress { field, alias, distances })
}

/// `3` or `2-5`, from 1 and not falling.
fn range(text: &str) -> Option<(u64, u64)> {
    let (from, to) = match text.split_once('-') {
        Some((from, to)) => (from.trim().parse().ok()?, to.trim().parse().ok()?),
        None => {
            let one = text.parse().ok()?;
            (one, one)
        }
    };
    (1 <= from && from <= to).then_some((from, to))
}

impl Display for Autoregress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "autoregress {}", self.field)?;
        if let Some(alias) = &self.alias {
            write!(f, " AS {alias}")?;
        }
        match &self.distances {
            Some(Spanned { node: (from, to), .. }) if from == to => write!(f, " p={from}"),
            Some(Spanned { node: (from, to), .. }) => write!(f, " p={from}-{to}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn one_row_or_a_range() {
        assert_eq!(canonical("| autoregress ip AS old_ip p=3"), "| autoregress ip AS old_ip p=3");
        assert_eq!(canonical("| autoregress p=2-5 count"), "| autoregress count p=2-5");
        assert!(errors("| autoregress x AS y p=1-2").contains("a range of rows cannot be copied into one field"));
        assert!(errors("| autoregress x p=0").contains("`p` takes a count such as 3, or a range such as 2-5"));
    }
}
