//! `bin`: puts values into bins.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::bins::BinOptions;
use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `bin [OPTION ...] FIELD [AS NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// The field.
    pub field: Name,
    /// The field that gets the bins; without it the field itself.
    pub alias: Option<Name>,
    /// What the bins are.
    pub options: Box<BinOptions>,
}

/// The documentation of `bin`.
pub const DOC: CommandDoc = CommandDoc {
    name: "bin",
    summary: "Puts numbers and times into bins; also called bucket and discretize",
    syntax: "bin [bins=<count>] [minspan=<span>] [span=<span>] [start=<number>] [end=<number>] [aligntime=<time>] <field> [AS <name>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "`_time` and what has a span with a unit becomes the start of its bin; another number becomes text with the bounds of its bin, such as `0-10`; what is no number stays" },
        ArgumentDoc { name: "AS <name>", meaning: "a new field for the bins; the field itself stays" },
        ArgumentDoc { name: "span=<span>", meaning: "the width: a number, a time such as 5m, 1d, 1mon or 250ms, a week from a weekday such as 1w@w1, or a logarithm such as log2 or 2log5; weeks start on Thursday, as 1970 did, unless they are snapped" },
        ArgumentDoc { name: "bins=<count>", meaning: "without a span: the least power of ten, or the least usual length of time, that makes no more bins; default 100" },
        ArgumentDoc { name: "minspan=<span>", meaning: "the least width to choose where there is no span" },
        ArgumentDoc { name: "start=<number>, end=<number>", meaning: "widen the range of the values that a width is chosen for" },
        ArgumentDoc { name: "aligntime=<time>", meaning: "a time at which a bin starts: seconds since the epoch, a time modifier such as @d+3h, earliest or latest; spans of days and longer keep to the calendar" },
    ],
    examples: &[
        "| makeresults | bin _time span=1h AS hour",
        "| makeresults count=4 | streamstats count AS n | bin n span=2 | stats count BY n",
    ],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Bin> {
    let (mut field, mut alias, mut named) = (None, None, false);
    let mut options = BinOptions::default();
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match options.take(b, &option) {
                    Some(taken) => taken?,
                    None => return option.unknown(b, BinOptions::NAMES),
                }
            }
            Rule::as_op => named = true,
            Rule::quoted | Rule::single_quoted | Rule::list_word => {
                let name = words::name(b, &part);
                if named { alias = Some(name) } else { field = Some(name) }
            }
            _ => {}
        }
    }
    Some(Bin { field: field?, alias, options: Box::new(options) })
}

impl Display for Bin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "bin{} {}", self.options, self.field)?;
        match &self.alias {
            Some(alias) => write!(f, " AS {alias}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_before_and_behind() {
        assert_eq!(canonical("| bucket _time Span=\"5m\" as minute"), "| bin span=5m _time AS minute");
        assert_eq!(canonical("| bin span=1h aligntime=@d+3h _time"), "| bin span=1h aligntime=\"@d+3h\" _time");
        assert_eq!(
            canonical("| discretize bins=5 start=-1 \"a b\" end=10.5 minspan=2"),
            "| bin bins=5 minspan=2 start=-1 end=10.5 \"a b\""
        );
    }

    #[test]
    fn bad_options_are_named() {
        assert!(errors("| bin _time span=1000ms").contains("`span` cannot be `1000ms`"));
        assert!(errors("| bin _time width=5").contains("`bin` has no option `width`"));
        assert!(errors("| bin x bins=0").contains("`bins` takes a number of at least 1"));
        assert!(errors("| bin span=5").contains("a field name"));
    }
}
