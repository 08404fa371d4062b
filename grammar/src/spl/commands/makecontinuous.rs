//! `makecontinuous`: fills the gaps in the values of a field.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::bins::BinOptions;
use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `makecontinuous [FIELD] [OPTION ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Makecontinuous {
    /// The field; without it `_time`.
    pub field: Option<Name>,
    /// What the bins are.
    pub options: Box<BinOptions>,
}

/// The documentation of `makecontinuous`.
pub const DOC: CommandDoc = CommandDoc {
    name: "makecontinuous",
    summary: "Puts numbers or times into bins and adds rows for the bins in between that have none",
    syntax: "makecontinuous [<field>] [span=<span>] [bins=<count>] [minspan=<span>] [start=<number>] [end=<number>] [aligntime=<time>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field, which gets the start of its bin; default `_time`. The rows come in its order, those that have no number at the end; in an added row the other fields are missing" },
        ArgumentDoc { name: "span=<span>", meaning: "the width of a bin, as in bin" },
        ArgumentDoc { name: "bins=<count>", meaning: "without a span: the least power of ten, or the least usual length of time, that makes no more bins; default 100" },
        ArgumentDoc { name: "minspan=<span>", meaning: "the least width to choose where there is no span" },
        ArgumentDoc { name: "start=<number>, end=<number>", meaning: "the rows reach at least from here to there" },
        ArgumentDoc { name: "aligntime=<time>", meaning: "a time at which a bin starts, as in bin" },
    ],
    examples: &["| makeresults count=2 | streamstats count AS n | eval n=n*3 | makecontinuous n span=1"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Makecontinuous> {
    let mut field: Option<Name> = None;
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
            Rule::quoted | Rule::single_quoted | Rule::list_word => {
                let name = words::name(b, &part);
                if field.is_some() {
                    b.error(Code::InvalidArgument, "`makecontinuous` takes one field", name.span);
                    return None;
                }
                field = Some(name);
            }
            _ => {}
        }
    }
    Some(Makecontinuous { field, options: Box::new(options) })
}

impl Display for Makecontinuous {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("makecontinuous")?;
        if let Some(field) = &self.field {
            write!(f, " {field}")?;
        }
        self.options.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn the_field_may_be_missing() {
        assert_eq!(canonical("| makecontinuous span=10m"), "| makecontinuous span=10m");
        assert_eq!(canonical("| makecontinuous _time span=1s"), "| makecontinuous _time span=1s");
        assert!(errors("| makecontinuous a b").contains("takes one field"));
        assert!(errors("| makecontinuous a width=5").contains("no option `width`"));
    }
}
