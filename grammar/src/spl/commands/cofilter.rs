//! `cofilter`: which items the same users have.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, names};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `cofilter FIELD FIELD`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cofilter {
    /// The field with the users.
    pub user: Name,
    /// The field with the items.
    pub item: Name,
}

/// The documentation of `cofilter`.
pub const DOC: CommandDoc = CommandDoc {
    name: "cofilter",
    summary: "Counts how many values of a field two values of another have in common",
    syntax: "cofilter <field> <field>",
    arguments: &[
        ArgumentDoc { name: "<field> <field>", meaning: "the field with the users, and the one with their items" },
        ArgumentDoc { name: "result", meaning: "a row for each two items with a user in common: Item 1, Item 1 user count, Item 2, Item 2 user count and Pair count; items are in the order in which they first occur" },
        ArgumentDoc { name: "method", meaning: "the counting step of item-based collaborative filtering (Sarwar, Karypis, Konstan and Riedl, 2001); at most 1000000 pairs" },
    ],
    examples: &["| makeresults count=4 | eval n=1 | accum n | eval user=n%2, item=n | cofilter user item"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Cofilter> {
    let place = b.span(&arguments);
    let parts = arguments.into_inner();
    if let Some(pair) = parts.clone().find(|part| part.as_rule() == Rule::option) {
        return words::option(b, pair)?.unknown(b, &[]);
    }
    match names(b, parts).as_slice() {
        [user, item] => Some(Cofilter { user: user.clone(), item: item.clone() }),
        found => {
            b.error(Code::InvalidArgument, format!("`cofilter` takes two fields, not {}", found.len()), place);
            None
        }
    }
}

impl Display for Cofilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "cofilter {} {}", self.user, self.item)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn two_fields() {
        assert_eq!(canonical("| cofilter user, item"), "| cofilter user item");
        assert!(errors("| cofilter user").contains("`cofilter` takes two fields, not 1"));
        assert!(errors("| cofilter a b c").contains("`cofilter` takes two fields, not 3"));
        assert!(errors("| cofilter").contains("`cofilter` needs a field name"));
    }
}
