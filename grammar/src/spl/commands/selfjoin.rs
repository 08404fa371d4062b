//! `selfjoin`: joins each row with the next ones of the same values.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};

/// `selfjoin [overwrite=BOOL] [max=N] [keepsingle=BOOL] FIELD ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Selfjoin {
    /// The fields whose values have to be the same; never empty.
    pub fields: Vec<Name>,
    /// Whether the values of the later row win; default true.
    pub overwrite: Option<bool>,
    /// With how many of the next rows each is joined; default 1, and 0 for all.
    pub max: Option<u64>,
    /// Whether rows that have no other to be joined with are kept; default false.
    pub keepsingle: Option<bool>,
}

/// The documentation of `selfjoin`.
pub const DOC: CommandDoc = CommandDoc {
    name: "selfjoin",
    summary: "Joins each row with the rows behind it that have the same values",
    syntax: "selfjoin [overwrite=<bool>] [max=<count>] [keepsingle=<bool>] <field> ...",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the fields whose values have to be the same; rows that lack one are left out" },
        ArgumentDoc { name: "overwrite=<bool>", meaning: "where both rows have a value, take the later row's; default true" },
        ArgumentDoc { name: "max=<count>", meaning: "with how many of the rows behind it a row is joined; default 1, 0 for all" },
        ArgumentDoc { name: "keepsingle=<bool>", meaning: "keep rows whose values no other row has; default false" },
    ],
    examples: &["| makeresults count=3 | streamstats count AS n | eval user=\"bob\" | selfjoin user"],
};

const OPTIONS: &[&str] = &["overwrite", "max", "keepsingle"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Selfjoin> {
    let mut selfjoin = Selfjoin { fields: Vec::new(), overwrite: None, max: None, keepsingle: None };
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "overwrite" => selfjoin.overwrite = Some(option.boolean(b)?),
                    "max" => selfjoin.max = Some(option.number(b)?),
                    "keepsingle" => selfjoin.keepsingle = Some(option.boolean(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => selfjoin.fields.push(words::name(b, &part)),
        }
    }
    if selfjoin.fields.is_empty() {
        b.error(Code::InvalidArgument, "`selfjoin` needs a field", place);
        return None;
    }
    Some(selfjoin)
}

impl Display for Selfjoin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Selfjoin { fields, overwrite, max, keepsingle } = self;
        f.write_str("selfjoin")?;
        option(f, "overwrite", *overwrite)?;
        option(f, "max", *max)?;
        option(f, "keepsingle", *keepsingle)?;
        write!(f, " {}", Separated(fields, ", "))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| selfjoin a max=2, b keepsingle=t overwrite=f"),
            "| selfjoin overwrite=false max=2 keepsingle=true a, b"
        );
        assert!(errors("| selfjoin max=2").contains("`selfjoin` needs a field"));
        assert!(errors("| selfjoin a keepsingles=t").contains("did you mean `keepsingle`?"));
    }
}
