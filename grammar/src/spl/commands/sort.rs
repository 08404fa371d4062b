//! `sort`: orders the rows.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::Separated;

/// `sort [LIMIT] [+|-]FIELD, ... [desc]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// How many rows at most; `Some(0)` is all, `None` the default of 10,000.
    pub limit: Option<u64>,
    /// What to order by, most important first.
    pub keys: Vec<SortKey>,
    /// A trailing `d` or `desc`: the order of every key is turned around.
    pub reverse: bool,
}

/// One key of a sort.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// `-` before the field.
    pub descending: bool,
    /// How values are compared.
    pub comparison: SortComparison,
    /// The field.
    pub field: Name,
}

/// How a sort key compares values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortComparison {
    /// Numbers and IP addresses by value where both sides are such, else text: the default.
    Auto,
    /// `num(field)`
    Number,
    /// `str(field)`
    Text,
    /// `ip(field)`
    Ip,
}

/// The documentation of `sort`.
pub const DOC: CommandDoc = CommandDoc {
    name: "sort",
    summary: "Orders the rows",
    syntax: "sort [<count>|limit=<count>] [+|-]<field> [, [+|-]<field>] ... [d|desc]",
    arguments: &[
        ArgumentDoc { name: "<count>", meaning: "how many rows at most; 10000 by default, 0 for all" },
        ArgumentDoc { name: "+, -", meaning: "ascending (the default) or descending" },
        ArgumentDoc { name: "<field>", meaning: "a field, or auto(field), num(field), str(field), ip(field) to say how it compares" },
        ArgumentDoc { name: "desc", meaning: "turns the whole order around" },
    ],
    examples: &["| makeresults count=3 | sort 0 -_time, str(host)"],
};

const OPTIONS: &[&str] = &["limit"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Sort> {
    let mut sort = Sort { limit: None, keys: Vec::new(), reverse: false };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::integer => sort.limit = Some(words::integer(b, &part)?),
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "limit" => sort.limit = Some(option.number(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::sort_key => sort.keys.push(key(b, part)?),
            Rule::order_op => sort.reverse = part.as_str().starts_with(['d', 'D']),
            _ => {}
        }
    }
    Some(sort)
}

/// One key, of `sort` or of the `sortby` of `dedup`.
pub(super) fn key(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<SortKey> {
    let (mut descending, mut comparison) = (false, SortComparison::Auto);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::sort_sign => descending = part.as_str().starts_with('-'),
            Rule::sort_function => {
                let mut parts = part.into_inner();
                comparison = match parts.next()?.as_str().trim_end().to_ascii_lowercase().as_str() {
                    "num" => SortComparison::Number,
                    "str" => SortComparison::Text,
                    "ip" => SortComparison::Ip,
                    _ => SortComparison::Auto,
                };
                return Some(SortKey { descending, comparison, field: words::name(b, &parts.next()?) });
            }
            _ => return Some(SortKey { descending, comparison, field: words::name(b, &part) }),
        }
    }
    None
}

impl Display for Sort {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("sort ")?;
        if let Some(limit) = self.limit {
            write!(f, "{limit} ")?;
        }
        write!(f, "{}{}", Separated(&self.keys, ", "), if self.reverse { " desc" } else { "" })
    }
}

impl Display for SortKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.descending {
            f.write_str("-")?;
        }
        let function = match self.comparison {
            SortComparison::Auto => return self.field.fmt(f),
            SortComparison::Number => "num",
            SortComparison::Text => "str",
            SortComparison::Ip => "ip",
        };
        write!(f, "{function}({})", self.field)
    }
}
