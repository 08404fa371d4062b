//! `reltime`: how long ago a time was.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `reltime [timefield=FIELDS] [prefix=TEXT]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reltime {
    /// The fields with the times; default `_time`.
    pub timefields: Vec<Name>,
    /// What stands before the names of the fields in those that are made.
    pub prefix: Option<String>,
}

/// The documentation of `reltime`.
pub const DOC: CommandDoc = CommandDoc {
    name: "reltime",
    summary: "Says how long ago a time was, such as 5 days ago",
    syntax: "reltime [timefield=\"<field>, ...\"] [prefix=<text>]",
    arguments: &[
        ArgumentDoc { name: "timefield=\"<field>, ...\"", meaning: "the fields with the times, in seconds since the epoch; default _time" },
        ArgumentDoc { name: "prefix=<text>", meaning: "the new fields are named by the prefix and the field; without it a single one is named reltime, and several get the prefix reltime_" },
    ],
    examples: &["| makeresults | eval _time=relative_time(now(), \"-2d\") | reltime"],
};

const OPTIONS: &[&str] = &["timefield", "prefix"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Reltime> {
    let mut reltime = Reltime { timefields: Vec::new(), prefix: None };
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "timefield" => {
                let names = option.value.split(',').map(str::trim).filter(|name| !name.is_empty());
                reltime.timefields = names.map(|name| Name { text: name.to_owned(), span: option.value_span }).collect();
                if reltime.timefields.is_empty() {
                    return option.invalid(b, "field names");
                }
            }
            "prefix" => reltime.prefix = Some(option.value),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    Some(reltime)
}

impl Display for Reltime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("reltime")?;
        if !self.timefields.is_empty() {
            let names: Vec<&str> = self.timefields.iter().map(|name| name.text.as_str()).collect();
            option(f, "timefield", Some(Quoted(&names.join(","))))?;
        }
        option(f, "prefix", self.prefix.as_deref().map(Quoted))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn several_fields() {
        assert_eq!(
            canonical("| reltime prefix=rel_ timefield=\"a, b\""),
            "| reltime timefield=\"a,b\" prefix=\"rel_\""
        );
        assert!(errors("| reltime timefield=\",\"").contains("field names"));
    }
}
