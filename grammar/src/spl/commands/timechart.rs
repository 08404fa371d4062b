//! `timechart`: aggregates over spans of time.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::bins::{BinOptions, BinSpan};
use super::series::{ChartTerm, Parts, SeriesOptions, Split};
use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;
use crate::spl::print::{Separated, option};

/// `timechart [OPTION ...] AGGREGATE ... [BY FIELD]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Timechart {
    /// What to compute; never empty.
    pub terms: Vec<ChartTerm>,
    /// The field with columns for each value.
    pub by: Option<Split>,
    /// The bins of time.
    pub bins: Box<BinOptions>,
    /// Which series there are.
    pub series: Box<SeriesOptions>,
    /// Whether the first and the last bin may be cut off; default true.
    pub partial: Option<bool>,
    /// Whether the bins reach over the whole time of the search; default true.
    pub fixedrange: Option<bool>,
}

/// The documentation of `timechart`.
pub const DOC: CommandDoc = CommandDoc {
    name: "timechart",
    summary: "Aggregates over spans of time, with a column for each value of a field",
    syntax: "timechart [span=<span>] [bins=<count>] [minspan=<span>] [aligntime=<time>] [partial=<bool>] [fixedrange=<bool>] [cont=<bool>] [limit=[top|bottom]<count>] [agg=<function>] [useother=<bool>] [otherstr=<text>] [usenull=<bool>] [nullstr=<text>] [sep=<text>] [format=<text>] [dedup_splitvals=<bool>] <function>[(<field>|eval(<expression>))] [AS <name>] ... [BY <field> [<bin options>]] [where <function> (in|notin) (top|bottom)<count> | where <function> (<|>) <number>]",
    arguments: &[
        ArgumentDoc { name: "<function>", meaning: "an aggregate function, as in stats; per_second(x), per_minute(x), per_hour(x) and per_day(x) give the sum of x for each such time" },
        ArgumentDoc { name: "eval(<expression>)", meaning: "in place of an aggregate: an expression over aggregates, such as eval(round(avg(x), 2))" },
        ArgumentDoc { name: "AS <name>", meaning: "the name of the column, or a part of it where there are several series" },
        ArgumentDoc { name: "BY <field>", meaning: "a column for each value, in the order of the names; a name that starts with `_` gets VALUE before it" },
        ArgumentDoc { name: "<bin options>", meaning: "span and its like behind the field put its numbers into bins, as in bin; a span with a unit of time is that of the chart where it has no other" },
        ArgumentDoc { name: "span=<span>", meaning: "the length of a row: 15m, 1d, 1mon, 250ms, 1w@w1, or a number of seconds; days and longer keep to the calendar of the session's time zone; weeks start on Thursday, as 1970 did, unless they are snapped" },
        ArgumentDoc { name: "bins=<count>", meaning: "without a span: the least usual length of time that makes no more rows; default 100" },
        ArgumentDoc { name: "minspan=<span>", meaning: "the least length to choose where there is no span" },
        ArgumentDoc { name: "aligntime=<time>", meaning: "a time at which a row starts: seconds since the epoch, a time modifier such as @d+3h, earliest or latest; spans of days and longer keep to the calendar" },
        ArgumentDoc { name: "start=<number>, end=<number>", meaning: "leave out events before and after these seconds since the epoch" },
        ArgumentDoc { name: "partial=<bool>", meaning: "false leaves out a first or last row that the time range of the search cuts off; default true" },
        ArgumentDoc { name: "fixedrange=<bool>", meaning: "whether the rows reach over the time range that `earliest` and `latest` name, rather than over that of the events; default true" },
        ArgumentDoc { name: "cont=<bool>", meaning: "whether spans without events are rows too; default true" },
        ArgumentDoc { name: "limit=<count>", meaning: "how many series are kept, 0 for all; default top10 by the sum of their values, or by their events where there are several aggregates" },
        ArgumentDoc { name: "agg=<function>", meaning: "ranks the series by this function of their values" },
        ArgumentDoc { name: "where", meaning: "keeps the series for whose values this is true, instead of limit; count stands for how many events a series has" },
        ArgumentDoc { name: "useother=<bool>", meaning: "whether the other series become one; default true" },
        ArgumentDoc { name: "otherstr=<text>", meaning: "its name; default OTHER" },
        ArgumentDoc { name: "usenull=<bool>", meaning: "whether the events that lack the field become a series; default true" },
        ArgumentDoc { name: "nullstr=<text>", meaning: "its name; default NULL" },
        ArgumentDoc { name: "sep=<text>", meaning: "what stands between the names of an aggregate and a series; default `: `" },
        ArgumentDoc { name: "format=<text>", meaning: "how the names are put together, with $AGG$ and $VAL$; instead of sep" },
        ArgumentDoc { name: "dedup_splitvals=<bool>", meaning: "count repeated values of a multivalue field once; default false" },
    ],
    examples: &[
        "| makeresults count=6 | streamstats count AS n | eval _time=_time+n*600 | timechart span=30m count",
        "| makeresults count=6 | streamstats count AS n | eval _time=_time+n*600, kind=if(n%2=0, \"even\", \"odd\") | timechart span=1h per_minute(n) BY kind limit=5",
    ],
};

pub(super) const OPTIONS: &[&str] = &[
    "limit", "agg", "useother", "otherstr", "usenull", "nullstr", "sep", "format", "cont", "dedup_splitvals",
    "partial", "fixedrange",
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Timechart> {
    let place = b.span(&arguments);
    let Parts { terms, over: _, by, mut bins, series, partial, fixedrange } = Parts::read(b, arguments, OPTIONS)?;
    let mut fields = by.into_iter();
    let mut by = fields.next();
    if let Some(more) = fields.next() {
        let message = format!("`{}` splits by one field; `{}` is one more", b.doc.name, more.field);
        b.error(Code::InvalidArgument, message, more.field.span);
        return None;
    }
    if let Some(by) = &mut by {
        // Published searches write the span of the chart at the end; one with a unit fits no other field.
        let timed = |span: &crate::Spanned<BinSpan>| matches!(span.node, BinSpan::Time(_));
        if bins.span.is_none() && by.bins.span.as_ref().is_some_and(timed) {
            bins.span = by.bins.span.take();
        }
        if bins.minspan.is_none() && by.bins.minspan.as_ref().is_some_and(timed) {
            bins.minspan = by.bins.minspan.take();
        }
        if bins.aligntime.is_none() && by.bins.span.is_none() {
            bins.aligntime = by.bins.aligntime.take();
        }
    }
    if series.filter.is_some() && by.is_none() {
        b.error(Code::InvalidArgument, "`where` chooses among series, which a field after `BY` makes", place);
        return None;
    }
    Some(Timechart { terms, by, bins: Box::new(bins), series: Box::new(series), partial, fixedrange })
}

impl Timechart {
    /// The command under a name.
    pub(super) fn print(&self, f: &mut Formatter<'_>, name: &str) -> fmt::Result {
        write!(f, "{name}{}", self.bins)?;
        option(f, "partial", self.partial)?;
        option(f, "fixedrange", self.fixedrange)?;
        self.series.print(f)?;
        write!(f, " {}", Separated(&self.terms, ", "))?;
        if let Some(by) = &self.by {
            write!(f, " BY {by}")?;
        }
        self.series.filter.as_ref().map_or(Ok(()), |filter| filter.fmt(f))
    }
}

impl Display for Timechart {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.print(f, "timechart")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(canonical("| timechart count"), "| timechart count");
        assert_eq!(
            canonical("| timechart cont=F list(x) by host span=1d useother=0 limit=0"),
            "| timechart span=1d limit=top0 useother=false cont=false list(x) BY host"
        );
        assert_eq!(
            canonical("| timechart Span=1d P99(PctUsed) As E useother=t fixedrange=f count by x span=10"),
            "| timechart span=1d fixedrange=false useother=true P99(PctUsed) AS E, count BY x span=10"
        );
        assert_eq!(
            canonical("| timechart avg(_value) as \"Avg\" agg=max limit=5 span=10s BY \"node\" where max in top10"),
            "| timechart span=10s limit=top5 agg=max avg(_value) AS Avg BY node where max in top10"
        );
    }

    #[test]
    fn expressions_over_aggregates() {
        assert_eq!(
            canonical("| timechart eval(round(avg(a), 2)) as \"A b\",eval(count(x)) by p"),
            "| timechart eval(round(avg(a), 2)) AS \"A b\", eval(count(x)) BY p"
        );
    }

    #[test]
    fn bad_input_is_named() {
        assert!(errors("| timechart count by a b").contains("`timechart` splits by one field; `b` is one more"));
        assert!(errors("| timechart span=1fortnight count").contains("`span` cannot be `1fortnight`"));
        assert!(errors("| timechart count where max in top5").contains("SPL0001"));
        assert!(errors("| timechart span=5m").contains("an aggregate such as `count`"));
        assert!(errors("| timechart spam=5m count").contains("did you mean `span`?"));
    }
}
