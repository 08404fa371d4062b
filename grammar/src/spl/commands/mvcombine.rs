//! `mvcombine`: one row of those that differ in one field only.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc, single_field};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `mvcombine [delim=TEXT] FIELD`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mvcombine {
    /// The field whose values are gathered.
    pub field: Name,
    /// What stands between the values where they are made one value; default a blank.
    pub delim: Option<String>,
}

/// The documentation of `mvcombine`.
pub const DOC: CommandDoc = CommandDoc {
    name: "mvcombine",
    summary: "Makes one row of the rows that are equal in all other fields",
    syntax: "mvcombine [delim=\"<text>\"] <field>",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field that gathers the values; `_time` counts among the others" },
        ArgumentDoc { name: "delim=\"<text>\"", meaning: "what `nomv` puts between the values; default one blank" },
    ],
    examples: &["| makeresults format=csv data=\"k,v\na,1\na,2\" | mvcombine delim=\",\" v | nomv v"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Mvcombine> {
    let (mut fields, mut delim) = (Vec::new(), None);
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "delim" => delim = Some(option.value),
                    _ => return option.unknown(b, &["delim"]),
                }
            }
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    Some(Mvcombine { field: single_field(b, fields, place)?, delim })
}

impl Display for Mvcombine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("mvcombine")?;
        option(f, "delim", self.delim.as_deref().map(Quoted))?;
        write!(f, " {}", self.field)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_one_field() {
        assert_eq!(canonical("| mvcombine \"a b\" delim=;"), "| mvcombine delim=\";\" \"a b\"");
        assert!(errors("| mvcombine").contains("`mvcombine` needs a field name"));
        assert!(errors("| mvcombine sep=x a").contains("`mvcombine` has no option `sep`"));
    }
}
