//! `dedup`: the first rows of each combination of values.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::sort::{self, SortKey};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};
use crate::Code;

/// `dedup [N] FIELD ... [keepevents=BOOL] [keepempty=BOOL] [consecutive=BOOL] [sortby KEY ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dedup {
    /// How many rows of each combination; default 1.
    pub count: Option<u64>,
    /// The fields that make a combination; never empty.
    pub fields: Vec<Name>,
    /// Keep the rows and clear the fields of the later ones.
    pub keepevents: Option<bool>,
    /// Keep rows in which one of the fields is missing.
    pub keepempty: Option<bool>,
    /// Remove only rows next to each other.
    pub consecutive: Option<bool>,
    /// The order in which "first" is meant; empty for the order at hand.
    pub sortby: Vec<SortKey>,
}

/// The documentation of `dedup`.
pub const DOC: CommandDoc = CommandDoc {
    name: "dedup",
    summary: "Keeps the first rows of each combination of values",
    syntax: "dedup [<count>] <field> ... [keepevents=<bool>] [keepempty=<bool>] [consecutive=<bool>] [sortby [+|-]<field> ...]",
    arguments: &[
        ArgumentDoc { name: "<count>", meaning: "how many rows of each combination; default 1" },
        ArgumentDoc { name: "<field>", meaning: "the fields that make a combination" },
        ArgumentDoc { name: "keepevents=<bool>", meaning: "keep every row, and clear the fields of the later ones; default false" },
        ArgumentDoc { name: "keepempty=<bool>", meaning: "keep rows that lack one of the fields; default false" },
        ArgumentDoc { name: "consecutive=<bool>", meaning: "compare with the row before only; default false" },
        ArgumentDoc { name: "sortby", meaning: "the order in which `first` is meant" },
    ],
    examples: &["| makeresults count=3 | eval user=\"bob\" | dedup user sortby -_time"],
};

const OPTIONS: &[&str] = &["keepevents", "keepempty", "consecutive"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Dedup> {
    let mut dedup = Dedup {
        count: None,
        fields: Vec::new(),
        keepevents: None,
        keepempty: None,
        consecutive: None,
        sortby: Vec::new(),
    };
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::integer => match words::integer(b, &part)? {
                0 => {
                    let message = "`dedup` keeps at least 1 row of each combination";
                    b.error(Code::InvalidArgument, message, b.span(&part));
                    return None;
                }
                count => dedup.count = Some(count),
            },
            Rule::option => set(b, &mut dedup, part)?,
            Rule::sortby => {
                for part in part.into_inner() {
                    match part.as_rule() {
                        Rule::sort_key => dedup.sortby.push(sort::key(b, part)?),
                        Rule::option => set(b, &mut dedup, part)?,
                        _ => {}
                    }
                }
            }
            Rule::EOI => {}
            _ => dedup.fields.push(words::name(b, &part)),
        }
    }
    if let Some(first) = dedup.fields.first()
        && dedup.count.is_none()
        && first.text.strip_prefix('-').is_some_and(|digits| digits.parse::<u64>().is_ok())
    {
        let message = format!("`dedup` keeps at least 1 row of each combination, not {}", first.text);
        b.error(Code::InvalidArgument, message, first.span);
        return None;
    }
    if dedup.fields.is_empty() {
        b.error(crate::Code::InvalidArgument, "`dedup` needs a field", place);
        return None;
    }
    Some(dedup)
}

fn set(b: &mut Builder<'_>, dedup: &mut Dedup, pair: Pair<'_, Rule>) -> Option<()> {
    let option = words::option(b, pair)?;
    match option.name.as_str() {
        "keepevents" => dedup.keepevents = Some(option.boolean(b)?),
        "keepempty" => dedup.keepempty = Some(option.boolean(b)?),
        "consecutive" => dedup.consecutive = Some(option.boolean(b)?),
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

impl Display for Dedup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("dedup ")?;
        if let Some(count) = self.count {
            write!(f, "{count} ")?;
        }
        Separated(&self.fields, " ").fmt(f)?;
        option(f, "keepevents", self.keepevents)?;
        option(f, "keepempty", self.keepempty)?;
        option(f, "consecutive", self.consecutive)?;
        if !self.sortby.is_empty() {
            write!(f, " sortby {}", Separated(&self.sortby, " "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| dedup 2 keepempty=t a, b keepevents=F sortby -num(x) +y consecutive=1"),
            "| dedup 2 a b keepevents=false keepempty=true consecutive=true sortby -num(x) y"
        );
    }

    #[test]
    fn says_which_options_there_are() {
        assert!(errors("| dedup a keepempt=t").contains("did you mean `keepempty`?"));
        assert!(errors("| dedup a keepempty=maybe").contains("`keepempty` takes true or false, not `maybe`"));
    }
}
