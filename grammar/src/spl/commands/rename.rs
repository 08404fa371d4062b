//! `rename`: gives fields other names.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `rename OLD AS NEW, ...`, wildcards allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Rename {
    /// Old and new name of each pair; never empty.
    pub pairs: Vec<(Name, Name)>,
}

/// The documentation of `rename`.
pub const DOC: CommandDoc = CommandDoc {
    name: "rename",
    summary: "Gives fields other names",
    syntax: "rename <field> AS <new name> [, <field> AS <new name>] ...",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field; with `*` every field of that form" },
        ArgumentDoc { name: "<new name>", meaning: "its new name, with as many `*` as the old one" },
    ],
    examples: &["| makeresults | eval a=1 | rename a AS \"the first\""],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Rename> {
    let pairs: Option<Vec<_>> = arguments
        .into_inner()
        .filter(|pair| pair.as_rule() == Rule::rename_pair)
        .map(|pair| {
            let mut parts = pair.into_inner().filter(|part| part.as_rule() != Rule::as_op);
            Some((words::name(b, &parts.next()?), words::name(b, &parts.next()?)))
        })
        .collect();
    Some(Rename { pairs: pairs? })
}

impl Display for Rename {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("rename ")?;
        for (index, (old, new)) in self.pairs.iter().enumerate() {
            write!(f, "{}{old} AS {new}", if index > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
