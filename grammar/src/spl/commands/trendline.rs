//! `trendline`: moving averages.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::Separated;

/// `trendline TYPE PERIOD(FIELD) [AS NAME] ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Trendline {
    /// The averages; never empty.
    pub trends: Vec<Trend>,
}

/// One moving average.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// How the values are weighted.
    pub average: Average,
    /// Over how many values, from 2 to 10,000.
    pub period: u64,
    /// The field.
    pub field: Name,
    /// The field that holds the average; default the call as written.
    pub alias: Option<Name>,
}

/// How a moving average weights its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// All alike.
    Simple,
    /// By an exponential formula.
    Exponential,
    /// The newest most, the oldest least, in even steps.
    Weighted,
}

impl Average {
    /// Its name in the language.
    pub fn name(self) -> &'static str {
        match self {
            Average::Simple => "sma",
            Average::Exponential => "ema",
            Average::Weighted => "wma",
        }
    }
}

impl Trend {
    /// The name of the field that holds the average.
    pub fn output(&self) -> String {
        match &self.alias {
            Some(alias) => alias.text.clone(),
            None => format!("{}{}({})", self.average.name(), self.period, self.field.text),
        }
    }
}

/// The documentation of `trendline`.
pub const DOC: CommandDoc = CommandDoc {
    name: "trendline",
    summary: "Computes moving averages of fields",
    syntax: "trendline (sma|ema|wma)<period>(<field>) [AS <name>] ...",
    arguments: &[
        ArgumentDoc { name: "sma<period>(<field>)", meaning: "the mean of the last <period> values, such as sma5(count)" },
        ArgumentDoc { name: "wma<period>(<field>)", meaning: "the same, the newest value weighted <period> times, the oldest once" },
        ArgumentDoc { name: "ema<period>(<field>)", meaning: "a*previous + (1-a)*value with a = 2/(<period>+1); starts as the first value" },
        ArgumentDoc { name: "<period>", meaning: "from 2 to 10000; rows before that many values have none, and so have rows where the field is no number" },
        ArgumentDoc { name: "AS <name>", meaning: "the field that holds the average; default the call, such as sma5(count)" },
    ],
    examples: &["| makeresults count=4 | streamstats count AS n | trendline sma2(n) AS mean wma3(n)"],
};

/// The shortest and the longest period.
const PERIODS: std::ops::RangeInclusive<u64> = 2..=10_000;

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Trendline> {
    let mut trends: Vec<Trend> = Vec::new();
    for pair in arguments.into_inner().filter(|pair| pair.as_rule() == Rule::trend) {
        let place = b.span(&pair);
        let trend = trend(b, pair)?;
        if trends.iter().any(|known| known.output() == trend.output()) {
            let message = format!("two columns of the result would be named {:?}", trend.output());
            b.error(Code::InvalidArgument, message, place);
            return None;
        }
        trends.push(trend);
    }
    Some(Trendline { trends })
}

fn trend(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Trend> {
    let mut parts = pair.into_inner();
    let (kind, field) = (parts.next()?, parts.next()?);
    let alias = parts.find(|part| part.as_rule() != Rule::as_op).map(|part| words::name(b, &part));
    let place = b.span(&kind);
    let text = kind.as_str().trim_end().to_ascii_lowercase();
    let averages = [Average::Simple, Average::Exponential, Average::Weighted];
    let found = averages.into_iter().find_map(|average| Some((average, text.strip_prefix(average.name())?)));
    let Some((average, digits)) = found else {
        let message = format!("`trendline` has no `{text}`: it takes sma, ema or wma with a period, such as sma5");
        b.error(Code::InvalidArgument, message, place);
        return None;
    };
    let period = digits.parse::<u64>().ok().filter(|period| PERIODS.contains(period));
    let Some(period) = period else {
        let message = format!("`trendline` takes a period from {} to {}, not `{text}`", PERIODS.start(), PERIODS.end());
        b.error(Code::InvalidArgument, message, place);
        return None;
    };
    Some(Trend { average, period, field: words::name(b, &field), alias })
}

impl Display for Trendline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "trendline {}", Separated(&self.trends, " "))
    }
}

impl Display for Trend {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}({})", self.average.name(), self.period, self.field)?;
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
    fn several_trends() {
        assert_eq!(
            canonical("| trendline SMA5(foo) as smoothed_foo, ema10(bar)wma3(\"a b\")"),
            "| trendline sma5(foo) AS smoothed_foo ema10(bar) wma3(\"a b\")"
        );
        assert!(errors("| trendline sma1(x)").contains("a period from 2 to 10000, not `sma1`"));
        assert!(errors("| trendline sma(x)").contains("a period from 2 to 10000, not `sma`"));
        assert!(errors("| trendline avg5(x)").contains("`trendline` has no `avg5`"));
        assert!(errors("| trendline sma2(x) SMA2(x)").contains("two columns"));
        assert!(errors("| trendline").contains("`trendline` needs"));
    }
}
