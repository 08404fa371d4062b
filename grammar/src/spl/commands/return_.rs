//! `return`: turns the first rows of a subsearch into search text.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::Separated;

/// `return [N] FIELD | ALIAS=FIELD | $FIELD ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Return {
    /// How many rows; default 1.
    pub count: Option<u64>,
    /// What each row contributes; never empty.
    pub items: Vec<ReturnItem>,
}

/// One item of `return`.
#[derive(Debug, Clone, PartialEq)]
pub enum ReturnItem {
    /// `field`: gives `field="value"`.
    Field(Name),
    /// `alias=field`: gives `alias="value"`.
    Alias(Name, Name),
    /// `$field`: gives the value alone.
    Value(Name),
}

/// The documentation of `return`.
pub const DOC: CommandDoc = CommandDoc {
    name: "return",
    summary: "Turns the first rows of a subsearch into search text",
    syntax: "return [<count>] <field> | <alias>=<field> | $<field> ...",
    arguments: &[
        ArgumentDoc { name: "<count>", meaning: "how many rows; default 1" },
        ArgumentDoc { name: "<field>", meaning: "gives field=\"value\"" },
        ArgumentDoc { name: "<alias>=<field>", meaning: "gives alias=\"value\"" },
        ArgumentDoc { name: "$<field>", meaning: "gives the value alone" },
    ],
    examples: &["| makeresults | eval user=\"ann\" | return user"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Return> {
    let mut returned = Return { count: None, items: Vec::new() };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::integer => returned.count = Some(words::integer(b, &part)?),
            Rule::return_item => returned.items.push(item(b, part)?),
            _ => {}
        }
    }
    Some(returned)
}

fn item(b: &Builder<'_>, pair: Pair<'_, Rule>) -> Option<ReturnItem> {
    let item = pair.into_inner().next()?;
    let rule = item.as_rule();
    if !matches!(rule, Rule::return_value | Rule::return_alias) {
        return Some(ReturnItem::Field(words::name(b, &item)));
    }
    let mut names = item.into_inner();
    let first = words::name(b, &names.next()?);
    Some(match names.next() {
        Some(second) => ReturnItem::Alias(first, words::name(b, &second)),
        None => ReturnItem::Value(first),
    })
}

impl Display for Return {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("return ")?;
        if let Some(count) = self.count {
            write!(f, "{count} ")?;
        }
        Separated(&self.items, " ").fmt(f)
    }
}

impl Display for ReturnItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Alias(alias, field) => write!(f, "{alias}={field}"),
            Self::Value(field) => write!(f, "${field}"),
        }
    }
}
