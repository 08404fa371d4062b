//! `x11`: a series without its seasonal pattern.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `x11 [add|mult][PERIOD](FIELD) [AS NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct X11 {
    /// How the pattern is part of the values.
    pub pattern: Option<Pattern>,
    /// After how many rows it repeats, from 5 to 1,000; found in the values without it.
    pub period: Option<u64>,
    /// The field.
    pub field: Name,
    /// The field that holds the result; default the call as written.
    pub alias: Option<Name>,
}

/// How a seasonal pattern is part of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// It is added to them.
    Additive,
    /// They are multiplied by it.
    Multiplicative,
}

impl Pattern {
    /// Its name in the language.
    pub fn name(self) -> &'static str {
        match self {
            Pattern::Additive => "add",
            Pattern::Multiplicative => "mult",
        }
    }
}

impl X11 {
    /// The name of the field that holds the result.
    pub fn output(&self) -> String {
        match &self.alias {
            Some(alias) => alias.text.clone(),
            None => format!("{}({})", self.call(), self.field.text),
        }
    }

    fn call(&self) -> String {
        let pattern = self.pattern.map_or("", Pattern::name);
        let period = self.period.map(|period| period.to_string()).unwrap_or_default();
        format!("{pattern}{period}")
    }
}

/// The documentation of `x11`.
pub const DOC: CommandDoc = CommandDoc {
    name: "x11",
    summary: "Takes the seasonal pattern out of a series of numbers, such as that of a timechart, by the classical decomposition (ratio to moving average) that X-11 begins with",
    syntax: "x11 [add|mult][<period>](<field>) [AS <name>]",
    arguments: &[
        ArgumentDoc { name: "mult", meaning: "the values are a trend multiplied by the pattern, and are divided by it; the default. All of them have to be greater than 0" },
        ArgumentDoc { name: "add", meaning: "the values are a trend and the pattern, which is subtracted" },
        ArgumentDoc { name: "<period>", meaning: "after how many rows the pattern repeats, from 5 to 1000; without it, found by autocorrelation. The trend is the centred moving average over a period, the pattern the mean ratio (or difference) of values and trend at each place of the period, scaled to the mean 1 (or 0). It takes two periods of rows at least" },
        ArgumentDoc { name: "AS <name>", meaning: "the field that holds the result; default the call, such as mult7(count)" },
    ],
    examples: &["| makeresults count=21 | streamstats count AS n | eval x=n+if(n%7=0, 10, 0) | x11 add7(x) AS trend"],
};

/// The shortest and the longest period.
const PERIODS: std::ops::RangeInclusive<u64> = 5..=1_000;

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<X11> {
    let (mut pattern, mut period, mut field, mut alias) = (None, None, None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::x11_type => {
                let text = part.as_str().to_ascii_lowercase();
                pattern = Some(if text.starts_with("add") { Pattern::Additive } else { Pattern::Multiplicative });
            }
            Rule::x11_period => {
                let digits = part.as_str().trim_end();
                let Some(rows) = digits.parse().ok().filter(|rows| PERIODS.contains(rows)) else {
                    let message = format!("the period of `x11` is from 5 to 1000 rows, not {digits}");
                    b.error(Code::InvalidArgument, message, b.span(&part));
                    return None;
                };
                period = Some(rows);
            }
            Rule::conversion_field => field = Some(words::name(b, &part)),
            Rule::quoted | Rule::single_quoted | Rule::list_word => alias = Some(words::name(b, &part)),
            _ => {}
        }
    }
    Some(X11 { pattern, period, field: field?, alias })
}

impl Display for X11 {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "x11 {}({})", self.call(), self.field)?;
        self.alias.as_ref().map_or(Ok(()), |alias| write!(f, " AS {alias}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn types_and_periods() {
        assert_eq!(canonical("| x11 mult15(count)"), "| x11 mult15(count)");
        assert_eq!(canonical("| x11 15(count) as x"), "| x11 15(count) AS x");
        assert_eq!(canonical("| x11 ADD() 20 (\"a b\")"), "| x11 add20(\"a b\")");
        assert_eq!(canonical("| x11 (count)"), "| x11 (count)");
        assert!(errors("| x11 add4(count)").contains("from 5 to 1000 rows, not 4"));
        assert!(errors("| x11 sub7(count)").contains("SPL0001"));
    }
}
