//! `addtotals`: the sum of each row, and of each column.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, option};

/// `addtotals [row=BOOL] [col=BOOL] [fieldname=FIELD] [labelfield=FIELD] [label=TEXT] [FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Addtotals {
    /// Whether each row gets its sum; default true.
    pub row: Option<bool>,
    /// Whether a row with the sums of the columns is added; default false.
    pub col: Option<bool>,
    /// The field that holds a row's sum; default `Total`.
    pub fieldname: Option<Name>,
    /// The field that holds the label in the row of sums.
    pub labelfield: Option<Name>,
    /// The label; default `Total`.
    pub label: Option<String>,
    /// The fields to sum; may hold wildcards; empty for all.
    pub fields: Vec<Name>,
}

/// The documentation of `addtotals`.
pub const DOC: CommandDoc = CommandDoc {
    name: "addtotals",
    summary: "Adds the sum of each row, or a last row with the sum of each column",
    syntax: "addtotals [row=<bool>] [col=<bool>] [fieldname=<field>] [labelfield=<field>] [label=<text>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "row=<bool>", meaning: "add the sum of its numeric fields to each row; default true" },
        ArgumentDoc { name: "col=<bool>", meaning: "add a last row with the sum of each column; default false" },
        ArgumentDoc { name: "fieldname=<field>", meaning: "the field that holds a row's sum; default Total" },
        ArgumentDoc { name: "labelfield=<field>", meaning: "the field that holds the label in the last row; it is made where it is missing" },
        ArgumentDoc { name: "label=<text>", meaning: "the label; default Total; shown only with labelfield" },
        ArgumentDoc { name: "<field>", meaning: "the fields to sum, with `*` every field of that form; all by default" },
    ],
    examples: &["| makeresults | eval a=1, b=2 | fields a b | addtotals col=t labelfield=what"],
};

const OPTIONS: &[&str] = &["row", "col", "fieldname", "labelfield", "label"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Addtotals> {
    let mut totals =
        Addtotals { row: None, col: None, fieldname: None, labelfield: None, label: None, fields: Vec::new() };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "row" => totals.row = Some(option.boolean(b)?),
                    "col" => totals.col = Some(option.boolean(b)?),
                    "fieldname" => totals.fieldname = Some(option.field()),
                    "labelfield" => totals.labelfield = Some(option.field()),
                    "label" => totals.label = Some(option.value),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => totals.fields.push(words::name(b, &part)),
        }
    }
    Some(totals)
}

impl Display for Addtotals {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("addtotals")?;
        option(f, "row", self.row)?;
        option(f, "col", self.col)?;
        option(f, "fieldname", self.fieldname.as_ref().map(|field| Quoted(&field.text)))?;
        option(f, "labelfield", self.labelfield.as_ref().map(|field| Quoted(&field.text)))?;
        option(f, "label", self.label.as_deref().map(Quoted))?;
        if !self.fields.is_empty() {
            write!(f, " {}", Separated(&self.fields, " "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::canonical;

    #[test]
    fn options_and_fields() {
        assert_eq!(
            canonical("| addtotals a* col=t fieldname=\"Product Totals\" row=f, b"),
            "| addtotals row=false col=true fieldname=\"Product Totals\" a* b"
        );
    }
}
