//! `fields`: keeps or removes fields.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, names};
use crate::spl::expression::Name;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;
use crate::spl::print::Separated;

/// `fields [+|-] FIELD ...`, wildcards allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    /// Whether the fields are removed (`-`) instead of kept.
    pub remove: bool,
    /// The fields.
    pub fields: Vec<Name>,
}

/// The documentation of `fields`.
pub const DOC: CommandDoc = CommandDoc {
    name: "fields",
    summary: "Keeps these fields, or removes them",
    syntax: "fields [+|-] <field> [<field>] ...",
    arguments: &[
        ArgumentDoc { name: "+", meaning: "keep these fields (the default); `_time` and `_raw` stay too" },
        ArgumentDoc { name: "-", meaning: "remove these fields" },
        ArgumentDoc { name: "<field>", meaning: "a field, or a pattern with `*`" },
    ],
    examples: &["| makeresults | eval a=1, b=2 | fields - a"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Fields> {
    let pairs = arguments.into_inner();
    let remove = pairs.clone().any(|pair| pair.as_rule() == Rule::field_sign && pair.as_str().starts_with('-'));
    Some(Fields { remove, fields: names(b, pairs) })
}

impl Display for Fields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "fields {}{}", if self.remove { "- " } else { "" }, Separated(&self.fields, ", "))
    }
}
