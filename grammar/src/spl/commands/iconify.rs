//! `iconify`: shows an icon for each combination of values.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::Separated;

/// `iconify FIELD ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Iconify {
    /// The fields; never empty.
    pub fields: Vec<Name>,
}

/// The documentation of `iconify`.
pub const DOC: CommandDoc = CommandDoc {
    name: "iconify",
    summary: "Shows an icon for each combination of values in Splunk's list of events: the rows stay as they are",
    syntax: "iconify <field> ...",
    arguments: &[ArgumentDoc { name: "<field>", meaning: "the fields whose values would choose the icon; no icon is shown here" }],
    examples: &["| makeresults | eval a=1 | iconify a"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Iconify> {
    let fields = arguments.into_inner().filter(|part| part.as_rule() != Rule::EOI);
    Some(Iconify { fields: fields.map(|part| words::name(b, &part)).collect() })
}

impl Display for Iconify {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "iconify {}", Separated(&self.fields, " "))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_fields() {
        assert_eq!(canonical("| iconify eventtype, host"), "| iconify eventtype host");
        assert!(errors("| iconify").contains("needs a field name"));
    }
}
