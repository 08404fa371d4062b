//! `timewrap`: lays the periods of a `timechart` over each other.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::bins::TimeUnit;
use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `timewrap [COUNT]UNIT [OPTION ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Timewrap {
    /// How many units a period has; at least 1.
    pub count: i64,
    /// The unit.
    pub unit: Spanned<TimeUnit>,
    /// Where the latest period ends; default the end of the chart.
    pub align: Option<Align>,
    /// How the series are named; default [`Naming::Relative`].
    pub series: Option<Naming>,
    /// The format of [`Naming::Exact`].
    pub time_format: Option<Spanned<String>>,
}

/// Where the latest period ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the end of the chart.
    End,
    /// Now.
    Now,
}

/// How series are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `latest_week`, `1week_before`
    Relative,
    /// By the time at which the period starts.
    Exact,
    /// `s0`, `s1`
    Short,
}

/// The documentation of `timewrap`.
pub const DOC: CommandDoc = CommandDoc {
    name: "timewrap",
    summary: "Lays the periods of a timechart over each other, with a column for each period",
    syntax: "timewrap [<count>]<unit> [align=end|now] [series=relative|exact|short] [time_format=<format>]",
    arguments: &[
        ArgumentDoc { name: "[<count>]<unit>", meaning: "the length of a period: s, min, h, d, w, m or mon, q, y, or their long forms; m stands for months here" },
        ArgumentDoc { name: "align=end|now", meaning: "whether the latest period ends with the chart, which is the default, or now" },
        ArgumentDoc { name: "series=relative|exact|short", meaning: "how the columns are named: count_latest_week and count_1week_before, by the time at which the period starts, or count_s0 and count_s1; default relative" },
        ArgumentDoc { name: "time_format=<format>", meaning: "the format of the times that name the columns, as in strftime; for series=exact" },
    ],
    examples: &[
        "| makeresults count=10 | streamstats count AS n | eval _time=_time+n*86400 | timechart span=1d count | timewrap 1w",
    ],
};

const OPTIONS: &[&str] = &["align", "series", "time_format"];

/// The most units of a period.
const MOST_UNITS: i64 = 1_000_000;

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Timewrap> {
    let (mut period, mut align, mut series, mut time_format) = (None, None, None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::timewrap_span => period = Some(length(b, &part)?),
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "align" => match option.value.to_ascii_lowercase().as_str() {
                        "end" => align = Some(Align::End),
                        "now" => align = Some(Align::Now),
                        _ => return option.invalid(b, "end or now"),
                    },
                    "series" => match option.value.to_ascii_lowercase().as_str() {
                        "relative" => series = Some(Naming::Relative),
                        "exact" => series = Some(Naming::Exact),
                        "short" => series = Some(Naming::Short),
                        _ => return option.invalid(b, "relative, exact or short"),
                    },
                    "time_format" => time_format = Some(option.text()),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            _ => {}
        }
    }
    let (count, unit) = period?;
    match (&time_format, series) {
        (Some(format), series) if series != Some(Naming::Exact) => {
            b.error(Code::InvalidOption, "`time_format` names the columns of `series=exact`", format.span);
            return None;
        }
        (None, Some(Naming::Exact)) => {
            b.error(Code::InvalidOption, "`series=exact` needs a `time_format`", unit.span);
            return None;
        }
        _ => {}
    }
    Some(Timewrap { count, unit, align, series, time_format })
}

fn length(b: &mut Builder<'_>, pair: &Pair<'_, Rule>) -> Option<(i64, Spanned<TimeUnit>)> {
    let (text, place) = (pair.as_str().trim_end(), b.span(pair));
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, name) = text.split_at_checked(digits).unwrap_or((text, ""));
    // Other commands take `m` for minutes.
    let unit = if name.eq_ignore_ascii_case("m") { Some(TimeUnit::Month) } else { TimeUnit::of(name) };
    let count = if number.is_empty() { Some(1) } else { number.parse().ok() };
    let whole = |unit: &TimeUnit| unit.microseconds().is_none_or(|length| length >= 1_000_000);
    match (count, unit.filter(whole)) {
        (Some(count @ 1..=MOST_UNITS), Some(unit)) => Some((count, Spanned::new(unit, place))),
        _ => {
            let message = format!("`timewrap` takes a length of time such as `1d` or `1week`, not `{text}`");
            b.error(Code::InvalidArgument, message, place);
            None
        }
    }
}

impl Display for Timewrap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = if self.unit.node == TimeUnit::Minute { "min" } else { self.unit.node.name() };
        write!(f, "timewrap {}{unit}", self.count)?;
        let align = self.align.map(|align| match align {
            Align::End => "end",
            Align::Now => "now",
        });
        let series = self.series.map(|series| match series {
            Naming::Relative => "relative",
            Naming::Exact => "exact",
            Naming::Short => "short",
        });
        option(f, "align", align)?;
        option(f, "series", series)?;
        option(f, "time_format", self.time_format.as_ref().map(|format| Quoted(&format.node)))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn months_are_m() {
        assert_eq!(canonical("| timewrap w"), "| timewrap 1w");
        assert_eq!(canonical("| timewrap 2m series=short"), "| timewrap 2mon series=short");
        assert_eq!(canonical("| timewrap 15min align=now"), "| timewrap 15min align=now");
        assert_eq!(
            canonical("| timewrap series=exact time_format=\"week of %d\" 1week"),
            "| timewrap 1w series=exact time_format=\"week of %d\""
        );
    }

    #[test]
    fn bad_input_is_named() {
        assert!(errors("| timewrap").contains("a length of time"));
        assert!(errors("| timewrap 1fortnight").contains("not `1fortnight`"));
        assert!(errors("| timewrap 0d").contains("not `0d`"));
        assert!(errors("| timewrap 1d series=exact").contains("needs a `time_format`"));
        assert!(errors("| timewrap 1d time_format=\"%d\"").contains("`series=exact`"));
        assert!(errors("| timewrap 1d series=long").contains("relative, exact or short"));
    }
}
