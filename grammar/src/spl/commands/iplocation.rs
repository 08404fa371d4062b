//! `iplocation`: where an IP address is.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `iplocation [prefix=TEXT] [allfields=BOOL] [lang=CODE] FIELD`.
#[derive(Debug, Clone, PartialEq)]
pub struct Iplocation {
    /// What the names of the new fields begin with.
    pub prefix: Option<String>,
    /// Whether all fields are added; default false.
    pub allfields: Option<bool>,
    /// The language of the names; default `en`.
    pub lang: Option<String>,
    /// The field that holds the address.
    pub field: Name,
}

/// The documentation of `iplocation`.
pub const DOC: CommandDoc = CommandDoc {
    name: "iplocation",
    summary: "Adds where an IP address is, from a MaxMind database file",
    syntax: "iplocation [prefix=<text>] [allfields=<bool>] [lang=<code>] <field>",
    arguments: &[
        ArgumentDoc { name: "prefix=<text>", meaning: "what the names of the new fields begin with" },
        ArgumentDoc { name: "allfields=<bool>", meaning: "add Continent, MetroCode and Timezone to City, Country, Region, lat and lon; default false" },
        ArgumentDoc { name: "lang=<code>", meaning: "the language of the names, such as de; default en" },
        ArgumentDoc { name: "<field>", meaning: "the field with the address; private addresses have no place. The database is the file that SPELUNK_GEOIP names" },
    ],
    examples: &["| makeresults | eval ip=\"10.0.0.1\" | iplocation ip | fields ip City"],
};

const OPTIONS: &[&str] = &["prefix", "allfields", "lang"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Iplocation> {
    let (mut prefix, mut allfields, mut lang, mut field) = (None, None, None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "prefix" => prefix = Some(option.value),
                    "allfields" => allfields = Some(option.boolean(b)?),
                    "lang" => lang = Some(option.value),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => field = Some(words::name(b, &part)),
        }
    }
    Some(Iplocation { prefix, allfields, lang, field: field? })
}

impl Display for Iplocation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("iplocation")?;
        option(f, "prefix", self.prefix.as_deref().map(Quoted))?;
        option(f, "allfields", self.allfields)?;
        option(f, "lang", self.lang.as_deref().map(Quoted))?;
        write!(f, " {}", self.field)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::canonical;

    #[test]
    fn options_stand_on_both_sides() {
        assert_eq!(
            canonical("| iplocation prefix=src_ src_ip allfields=true"),
            "| iplocation prefix=\"src_\" allfields=true src_ip"
        );
    }
}
