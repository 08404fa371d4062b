//! `addcoltotals`: a last row with the sum of each column.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, option};

/// `addcoltotals [labelfield=FIELD] [label=TEXT] [FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Addcoltotals {
    /// The field that holds the label in the row of sums.
    pub labelfield: Option<Name>,
    /// The label; default `Total`.
    pub label: Option<String>,
    /// `fieldname=`, which `addtotals` has: it names sums of rows, of which there are none here.
    pub fieldname: Option<Name>,
    /// The fields to sum; may hold wildcards; empty for all.
    pub fields: Vec<Name>,
}

/// The documentation of `addcoltotals`.
pub const DOC: CommandDoc = CommandDoc {
    name: "addcoltotals",
    summary: "Adds a last row with the sum of each numeric field",
    syntax: "addcoltotals [labelfield=<field>] [label=<text>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "labelfield=<field>", meaning: "the field that holds the label in the last row; it is made where it is missing" },
        ArgumentDoc { name: "label=<text>", meaning: "the label; default Total; shown only with labelfield" },
        ArgumentDoc { name: "<field>", meaning: "the fields to sum, with `*` every field of that form; all by default" },
    ],
    examples: &["| makeresults count=2 | eval n=3 | fields n | addcoltotals labelfield=what"],
};

const OPTIONS: &[&str] = &["labelfield", "label"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Addcoltotals> {
    let mut totals = Addcoltotals { labelfield: None, label: None, fieldname: None, fields: Vec::new() };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "labelfield" => totals.labelfield = Some(option.field()),
                    "label" => totals.label = Some(option.value),
                    "fieldname" => totals.fieldname = Some(option.field()),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => totals.fields.push(words::name(b, &part)),
        }
    }
    Some(totals)
}

impl Display for Addcoltotals {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("addcoltotals")?;
        option(f, "labelfield", self.labelfield.as_ref().map(|field| Quoted(&field.text)))?;
        option(f, "label", self.label.as_deref().map(Quoted))?;
        option(f, "fieldname", self.fieldname.as_ref().map(|field| Quoted(&field.text)))?;
        if !self.fields.is_empty() {
            write!(f, " {}", Separated(&self.fields, " "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_and_fields() {
        assert_eq!(
            canonical("| addcoltotals labelfield=change_name label=ALL *size, b"),
            "| addcoltotals labelfield=\"change_name\" label=\"ALL\" *size b"
        );
        assert_eq!(canonical("| addcoltotals fieldname=a b"), "| addcoltotals fieldname=\"a\" b");
        assert!(errors("| addcoltotals labelfeld=x").contains("did you mean `labelfield`?"));
    }
}
