//! `contingency`: how often the values of two fields meet.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `contingency [OPTIONS] FIELD FIELD`.
#[derive(Debug, Clone, PartialEq)]
pub struct Contingency {
    /// The field whose values make rows.
    pub rows: Name,
    /// The field whose values make columns.
    pub columns: Name,
    /// The most rows; default and 0: 1,000.
    pub maxrows: Option<u64>,
    /// The most columns; default and 0: 1,000.
    pub maxcols: Option<u64>,
    /// Rows are added until this share of each column is shown; default 1.
    pub mincolcover: Option<f64>,
    /// Columns are added until this share of each row is shown; default 1.
    pub minrowcover: Option<f64>,
    /// Whether there are totals; default true.
    pub usetotal: Option<bool>,
    /// The name of the totals; default `TOTAL`.
    pub totalstr: Option<String>,
}

/// The documentation of `contingency`.
pub const DOC: CommandDoc = CommandDoc {
    name: "contingency",
    summary: "Counts how often each value of one field meets each value of another",
    syntax: "contingency [maxrows=<count>] [maxcols=<count>] [mincolcover=<share>] [minrowcover=<share>] [usetotal=<bool>] [totalstr=<text>] <field> <field>",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the values of the first make rows, those of the second columns, the most frequent first" },
        ArgumentDoc { name: "maxrows=<count>, maxcols=<count>", meaning: "how many rows and columns at most, totals not counted; default and 0: 1000, which is the most" },
        ArgumentDoc { name: "mincolcover=<share>", meaning: "rows are added until this share of each column is shown, from 0 to 1; default 1" },
        ArgumentDoc { name: "minrowcover=<share>", meaning: "columns are added until this share of each row is shown, from 0 to 1; default 1" },
        ArgumentDoc { name: "usetotal=<bool>", meaning: "add a column and a row with the totals, of what is not shown too; default true" },
        ArgumentDoc { name: "totalstr=<text>", meaning: "the name of the totals; default TOTAL" },
    ],
    examples: &["| makeresults format=csv data=\"host,level\na,info\na,warn\nb,info\" | contingency host level"],
};

const OPTIONS: &[&str] = &["maxrows", "maxcols", "mincolcover", "minrowcover", "usetotal", "totalstr"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Contingency> {
    let place = b.span(&arguments);
    let (mut names, mut totalstr, mut usetotal) = (Vec::new(), None, None);
    let (mut maxrows, mut maxcols, mut mincolcover, mut minrowcover) = (None, None, None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "maxrows" => maxrows = Some(option.number(b)?),
                    "maxcols" => maxcols = Some(option.number(b)?),
                    "mincolcover" => mincolcover = Some(share(b, &option)?),
                    "minrowcover" => minrowcover = Some(share(b, &option)?),
                    "usetotal" => usetotal = Some(option.boolean(b)?),
                    "totalstr" => totalstr = Some(option.value),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => names.push(words::name(b, &part)),
        }
    }
    let [rows, columns] = names.as_slice() else {
        b.error(Code::InvalidArgument, format!("`contingency` takes two fields, not {}", names.len()), place);
        return None;
    };
    if let Some(pattern) = [rows, columns].into_iter().find(|name| name.text.contains('*')) {
        let message = format!("`contingency` takes field names, not the wildcard `{}`", pattern.text);
        b.error(Code::InvalidArgument, message, pattern.span);
        return None;
    }
    let (rows, columns) = (rows.clone(), columns.clone());
    Some(Contingency { rows, columns, maxrows, maxcols, mincolcover, minrowcover, usetotal, totalstr })
}

/// A number from 0 to 1.
fn share(b: &mut Builder<'_>, option: &OptionPair) -> Option<f64> {
    match option.value.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Some(share),
        _ => option.invalid(b, "a number from 0 to 1"),
    }
}

impl Display for Contingency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("contingency")?;
        option(f, "maxrows", self.maxrows)?;
        option(f, "maxcols", self.maxcols)?;
        option(f, "mincolcover", self.mincolcover)?;
        option(f, "minrowcover", self.minrowcover)?;
        option(f, "usetotal", self.usetotal)?;
        option(f, "totalstr", self.totalstr.as_deref().map(Quoted))?;
        write!(f, " {} {}", self.rows, self.columns)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn two_fields_and_options() {
        assert_eq!(
            canonical("| ctable host totalstr=ALL user minrowcover=.5 maxrows=0"),
            "| contingency maxrows=0 minrowcover=0.5 totalstr=\"ALL\" host user"
        );
        assert!(errors("| contingency a").contains("`contingency` takes two fields, not 1"));
        assert!(errors("| contingency a b*").contains("not the wildcard `b*`"));
        assert!(errors("| contingency a b mincolcover=2").contains("a number from 0 to 1"));
    }
}
