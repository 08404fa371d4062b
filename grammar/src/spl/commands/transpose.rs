//! `transpose`: rows become columns.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `transpose [N] [column_name=TEXT] [header_field=FIELD] [include_empty=BOOL]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Transpose {
    /// How many rows become columns; default 5, 0 for all.
    pub limit: Option<u64>,
    /// The name of the first column; default `column`.
    pub column_name: Option<String>,
    /// The field whose values name the other columns; without it they are `row 1`, `row 2` and so on.
    pub header_field: Option<Name>,
    /// Whether fields without any value get a row; default true.
    pub include_empty: Option<bool>,
}

/// The documentation of `transpose`.
pub const DOC: CommandDoc = CommandDoc {
    name: "transpose",
    summary: "Turns rows into columns, and fields into rows",
    syntax: "transpose [<count>] [column_name=<text>] [header_field=<field>] [include_empty=<bool>]",
    arguments: &[
        ArgumentDoc { name: "<count>", meaning: "how many rows become columns; default 5, 0 for all" },
        ArgumentDoc { name: "column_name=<text>", meaning: "the name of the first column, which holds the names of the fields; default column" },
        ArgumentDoc { name: "header_field=<field>", meaning: "the field whose values name the other columns; without it they are row 1, row 2 and so on" },
        ArgumentDoc { name: "include_empty=<bool>", meaning: "whether a field without any value in these rows gets a row; default true" },
    ],
    examples: &["| makeresults format=csv data=\"host,n\na,5\nb,7\" | transpose header_field=host"],
};

const OPTIONS: &[&str] = &["column_name", "header_field", "include_empty"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Transpose> {
    let mut transpose = Transpose { limit: None, column_name: None, header_field: None, include_empty: None };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::integer if transpose.limit.is_some() => {
                b.error(Code::InvalidArgument, "`transpose` takes one number of rows", b.span(&part));
                return None;
            }
            Rule::integer => transpose.limit = Some(words::integer(b, &part)?),
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "column_name" => transpose.column_name = Some(option.value),
                    "header_field" => transpose.header_field = Some(option.field()),
                    "include_empty" => transpose.include_empty = Some(option.boolean(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            _ => {}
        }
    }
    Some(transpose)
}

impl Display for Transpose {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("transpose")?;
        if let Some(limit) = self.limit {
            write!(f, " {limit}")?;
        }
        option(f, "column_name", self.column_name.as_deref().map(Quoted))?;
        option(f, "header_field", self.header_field.as_ref().map(|field| Quoted(&field.text)))?;
        option(f, "include_empty", self.include_empty)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn a_count_and_options() {
        assert_eq!(
            canonical("|transpose 0 header_field=_key include_empty=f column_name=\"Macro Name\""),
            "| transpose 0 column_name=\"Macro Name\" header_field=\"_key\" include_empty=false"
        );
        assert_eq!(canonical("| transpose"), "| transpose");
        assert!(errors("| transpose 5 6").contains("takes one number of rows"));
        assert!(errors("| transpose headerfield=a").contains("did you mean `header_field`?"));
    }
}
