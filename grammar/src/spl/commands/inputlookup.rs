//! `inputlookup`: the rows of a lookup table.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, single_table};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{self, Rule, words};
use crate::spl::print::{Quoted, option};
use crate::spl::search::SearchExpression;

/// `inputlookup [append=BOOL] [strict=BOOL] [start=N] [max=N] TABLE [where SEARCH]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputlookup {
    /// The lookup definition or CSV file.
    pub table: Name,
    /// Whether the rows go below those that are there; default false.
    pub append: Option<bool>,
    /// Whether a table that is missing is an error, which it is here in any case.
    pub strict: Option<bool>,
    /// How many rows are left out at the beginning; default 0.
    pub start: Option<u64>,
    /// How many rows there are at most.
    pub max: Option<u64>,
    /// What the rows have to match.
    pub filter: Option<SearchExpression>,
}

/// The documentation of `inputlookup`.
pub const DOC: CommandDoc = CommandDoc {
    name: "inputlookup",
    summary: "Generates the rows of a lookup table, in the order of its file",
    syntax: "inputlookup [append=<bool>] [strict=<bool>] [start=<count>] [max=<count>] <table> [where <search>]",
    arguments: &[
        ArgumentDoc { name: "<table>", meaning: "a lookup definition or a CSV file of a folder that `--lookups` names; an empty cell is a missing value" },
        ArgumentDoc { name: "append=<bool>", meaning: "put the rows below those that are there; without it the command has to be the first; default false" },
        ArgumentDoc { name: "strict=<bool>", meaning: "fail where the table is missing; it is an error here in any case" },
        ArgumentDoc { name: "start=<count>, max=<count>", meaning: "leave out the first rows, and take so many at most, of the rows that match" },
        ArgumentDoc { name: "where <search>", meaning: "keep the rows that match, as `search` does" },
    ],
    examples: &["| inputlookup http_status.csv where status=40*"],
};

const OPTIONS: &[&str] = &["append", "strict", "start", "max"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Inputlookup> {
    let (mut append, mut strict, mut start, mut max, mut filter) = (None, None, None, None, None);
    let mut names = Vec::new();
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "append" => append = Some(option.boolean(b)?),
                    "strict" => strict = Some(option.boolean(b)?),
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
    Some(Inputlookup { table: single_table(b, names, place)?, append, strict, start, max, filter })
}

/// The search expression behind `where`.
pub(super) fn condition(b: &mut Builder<'_>, clause: Pair<'_, Rule>) -> Option<SearchExpression> {
    let found = clause.into_inner().find(|part| part.as_rule() == Rule::search_expression)?;
    parser::search::search_expression(b, found)
}

/// A table's name, which a `where` would be taken for the clause.
pub(super) fn print_table(f: &mut Formatter<'_>, table: &Name) -> fmt::Result {
    if table.text.eq_ignore_ascii_case("where") {
        return write!(f, " {}", Quoted(&table.text));
    }
    write!(f, " {table}")
}

impl Display for Inputlookup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("inputlookup")?;
        option(f, "append", self.append)?;
        option(f, "strict", self.strict)?;
        option(f, "start", self.start)?;
        option(f, "max", self.max)?;
        print_table(f, &self.table)?;
        self.filter.as_ref().map_or(Ok(()), |filter| write!(f, " where {filter}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn spellings_of_published_searches() {
        for (written, canonically) in [
            ("| inputlookup t", "| inputlookup t"),
            ("| inputlookup t.csv append=t", "| inputlookup append=true t.csv"),
            ("|inputlookup append=T start=1 max=2 \"a b.csv\"", "| inputlookup append=true start=1 max=2 \"a b.csv\""),
            (
                "| inputlookup t where a=1 AND NOT b=\"x*\" c<=5",
                "| inputlookup t where a=1 AND NOT b=\"x*\" AND c<=5",
            ),
            ("| inputlookup strict=1 t WHERE (a=1 OR a=2)", "| inputlookup strict=true t where a=1 OR a=2"),
            ("a [inputlookup t | fields x]", "search a AND [| inputlookup t | fields x]"),
            ("| inputlookup t where [search a]", "| inputlookup t where [search a]"),
        ] {
            assert_eq!(canonical(written), canonically, "{written}");
        }
    }

    #[test]
    fn one_table() {
        assert!(errors("| inputlookup").contains("`inputlookup` needs a table"), "{}", errors("| inputlookup"));
        assert!(errors("| inputlookup where a=1").contains("a table"), "{}", errors("| inputlookup where a=1"));
        assert!(errors("| inputlookup a b").contains("`inputlookup` takes one table, not 2"));
        assert!(errors("| inputlookup apend=t x").contains("did you mean `append`?"));
        assert!(errors("| inputlookup max=-1 x").contains("`max` takes a whole number"));
        assert!(errors("| inputlookup x where").contains("a search term"), "{}", errors("| inputlookup x where"));
    }
}
