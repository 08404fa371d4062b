//! `inputcsv`: the rows of a CSV file.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::inputlookup::{condition, print_table};
use super::{ArgumentDoc, CommandDoc, single_table};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;
use crate::spl::search::SearchExpression;

/// `inputcsv [dispatch=BOOL] [append=BOOL] [strict=BOOL] [start=N] [max=N] [events=BOOL] FILE [where SEARCH]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputcsv {
    /// The file; `.csv` is added where it has no ending.
    pub file: Name,
    /// Whether the file is one of a search's own, of which there are none.
    pub dispatch: Option<bool>,
    /// Whether the rows go below those that are there; default false.
    pub append: Option<bool>,
    /// Whether a file that is missing is an error, which it is here in any case.
    pub strict: Option<bool>,
    /// How many rows are left out at the beginning; default 0.
    pub start: Option<u64>,
    /// How many rows there are at most.
    pub max: Option<u64>,
    /// Whether the rows are events; default false.
    pub events: Option<bool>,
    /// What the rows have to match.
    pub filter: Option<SearchExpression>,
}

/// The documentation of `inputcsv`.
pub const DOC: CommandDoc = CommandDoc {
    name: "inputcsv",
    summary: "Generates the rows of a CSV file, in its order",
    syntax: "inputcsv [dispatch=<bool>] [append=<bool>] [strict=<bool>] [start=<count>] [max=<count>] [events=<bool>] <file> [where <search>]",
    arguments: &[
        ArgumentDoc { name: "<file>", meaning: "a CSV file of a folder that `--lookups` or `--allow-write` names; `.csv` is added where it has no ending" },
        ArgumentDoc { name: "append=<bool>", meaning: "put the rows below those that are there; without it the command has to be the first; default false" },
        ArgumentDoc { name: "strict=<bool>", meaning: "fail where the file is missing; it is an error here in any case" },
        ArgumentDoc { name: "start=<count>, max=<count>", meaning: "leave out the first rows, and take so many at most, of the rows that match" },
        ArgumentDoc { name: "events=<bool>", meaning: "the rows are events rather than a table; default false" },
        ArgumentDoc { name: "dispatch=<bool>", meaning: "read a file of a search's own folder, of which there is none: only false is taken" },
        ArgumentDoc { name: "where <search>", meaning: "keep the rows that match, as `search` does" },
    ],
    examples: &["| inputcsv http_status where status_type=Redirection"],
};

const OPTIONS: &[&str] = &["dispatch", "append", "strict", "start", "max", "events"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Inputcsv> {
    let (mut dispatch, mut append, mut strict, mut events, mut filter) = (None, None, None, None, None);
    let (mut start, mut max, mut names) = (None, None, Vec::new());
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "dispatch" => match option.boolean(b)? {
                        true => return option.invalid(b, "only false: a search has no folder of its own"),
                        false => dispatch = Some(false),
                    },
                    "append" => append = Some(option.boolean(b)?),
                    "strict" => strict = Some(option.boolean(b)?),
                    "events" => events = Some(option.boolean(b)?),
                    "start" => start = Some(option.number(b)?),
                    "max" => max = Some(option.number(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::where_clause => filter = Some(condition(b, part)?),
            Rule::EOI => {}
            _ => names.push(words::name(b, &part)),
        }
    }
    let file = single_table(b, names, place)?;
    Some(Inputcsv { file, dispatch, append, strict, start, max, events, filter })
}

impl Display for Inputcsv {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("inputcsv")?;
        option(f, "dispatch", self.dispatch)?;
        option(f, "append", self.append)?;
        option(f, "strict", self.strict)?;
        option(f, "start", self.start)?;
        option(f, "max", self.max)?;
        option(f, "events", self.events)?;
        print_table(f, &self.file)?;
        self.filter.as_ref().map_or(Ok(()), |filter| write!(f, " where {filter}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| inputcsv a.csv start=100 max=500 events=t dispatch=f where x=1"),
            "| inputcsv dispatch=false start=100 max=500 events=true a.csv where x=1"
        );
        assert!(errors("| inputcsv dispatch=t a").contains("only false"));
        assert!(errors("| inputcsv").contains("`inputcsv` needs a table"), "{}", errors("| inputcsv"));
    }
}
