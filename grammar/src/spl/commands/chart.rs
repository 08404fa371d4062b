//! `chart`: a table of aggregates, with a row for each value of one field and columns for those of another.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::series::{ChartTerm, Parts, SeriesOptions, Split};
use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::parser::Rule;
use crate::spl::parser::builder::Builder;
use crate::spl::print::Separated;

/// `chart [OPTION ...] AGGREGATE ... [OVER FIELD [BY FIELD]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What to compute; never empty.
    pub terms: Vec<ChartTerm>,
    /// The field with a row for each value.
    pub row: Option<Split>,
    /// The field with columns for each value.
    pub column: Option<Split>,
    /// Which series there are.
    pub series: Box<SeriesOptions>,
}

/// The documentation of `chart`.
pub const DOC: CommandDoc = CommandDoc {
    name: "chart",
    summary: "Makes a table of aggregates, with a row for each value of one field and a column for each value of another",
    syntax: "chart [limit=[top|bottom]<count>] [agg=<function>] [useother=<bool>] [otherstr=<text>] [usenull=<bool>] [nullstr=<text>] [sep=<text>] [format=<text>] [cont=<bool>] [dedup_splitvals=<bool>] <function>[(<field>|eval(<expression>))] [AS <name>] ... [BY <row> [<bin options>] [<column> [<bin options>]] | OVER <row> [<bin options>] [BY <column> [<bin options>]]] [where <function> (in|notin) (top|bottom)<count> | where <function> (<|>) <number>]",
    arguments: &[
        ArgumentDoc { name: "<function>", meaning: "an aggregate function, as in stats" },
        ArgumentDoc { name: "eval(<expression>)", meaning: "in place of an aggregate: an expression over aggregates, such as eval(round(avg(x), 2))" },
        ArgumentDoc { name: "AS <name>", meaning: "the name of the column, or a part of it where there are several series" },
        ArgumentDoc { name: "<row>", meaning: "a row for each value, in order; rows that lack the field are left out" },
        ArgumentDoc { name: "<column>", meaning: "a column for each value, in the order of the names" },
        ArgumentDoc { name: "<bin options>", meaning: "span, bins, minspan, start, end and aligntime, as in bin; a field of numbers or times is put into bins where a span is given or it has more than bins values, 300 by default; values outside of start and end are left out" },
        ArgumentDoc { name: "limit=<count>", meaning: "how many series are kept, 0 for all; default top10 by the sum of their values, or by their events where there are several aggregates" },
        ArgumentDoc { name: "agg=<function>", meaning: "ranks the series by this function of their values" },
        ArgumentDoc { name: "where", meaning: "keeps the series for whose values this is true, instead of limit; count stands for how many events a series has" },
        ArgumentDoc { name: "useother=<bool>", meaning: "whether the other series become one; default true" },
        ArgumentDoc { name: "otherstr=<text>", meaning: "its name; default OTHER" },
        ArgumentDoc { name: "usenull=<bool>", meaning: "whether the events that lack the column's field become a series; default true" },
        ArgumentDoc { name: "nullstr=<text>", meaning: "its name; default NULL" },
        ArgumentDoc { name: "sep=<text>", meaning: "what stands between the names of an aggregate and a series; default `: `" },
        ArgumentDoc { name: "format=<text>", meaning: "how the names are put together, with $AGG$ and $VAL$; instead of sep" },
        ArgumentDoc { name: "cont=<bool>", meaning: "whether bins of the rows that have no events are rows too; default true" },
        ArgumentDoc { name: "dedup_splitvals=<bool>", meaning: "count repeated values of a multivalue field once; default false" },
    ],
    examples: &[
        "| makeresults count=6 | streamstats count AS n | eval kind=if(n%2=0, \"even\", \"odd\") | chart count, max(n) BY kind",
        "| makeresults count=6 | streamstats count AS n | eval x=n*n, kind=if(n%2=0, \"even\", \"odd\") | chart sum(x) OVER n span=2 BY kind useother=f where max in top2",
    ],
};

pub(super) const OPTIONS: &[&str] = &[
    "limit", "agg", "useother", "otherstr", "usenull", "nullstr", "sep", "format", "cont", "dedup_splitvals",
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Chart> {
    let place = b.span(&arguments);
    let Parts { terms, over, by, bins, series, partial: _, fixedrange: _ } = Parts::read(b, arguments, OPTIONS)?;
    let mut fields = over.into_iter().chain(by);
    let (mut row, column) = (fields.next(), fields.next());
    if let Some(more) = fields.next() {
        let message = format!("`{}` has rows and columns for two fields at most; `{}` is one more", b.doc.name, more.field);
        b.error(Code::InvalidArgument, message, more.field.span);
        return None;
    }
    if !bins.is_empty() {
        match &mut row {
            Some(row) if row.bins.is_empty() => row.bins = bins,
            Some(row) => {
                b.error(Code::InvalidOption, "the bins of the rows are described twice", row.field.span);
                return None;
            }
            None => {
                b.error(Code::InvalidOption, "there is no field to put into bins: name one with `OVER`", place);
                return None;
            }
        }
    }
    if series.filter.is_some() && column.is_none() {
        let message = "`where` chooses among series, which a second field after `BY` makes";
        b.error(Code::InvalidArgument, message, place);
        return None;
    }
    Some(Chart { terms, row, column, series: Box::new(series) })
}

impl Chart {
    /// The command under a name.
    pub(super) fn print(&self, f: &mut Formatter<'_>, name: &str) -> fmt::Result {
        f.write_str(name)?;
        self.series.print(f)?;
        write!(f, " {}", Separated(&self.terms, ", "))?;
        match (&self.row, &self.column) {
            (Some(row), Some(column)) => write!(f, " OVER {row} BY {column}")?,
            (Some(row), None) => write!(f, " BY {row}")?,
            (None, _) => {}
        }
        self.series.filter.as_ref().map_or(Ok(()), |filter| filter.fmt(f))
    }
}

impl Display for Chart {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.print(f, "chart")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn rows_and_columns() {
        assert_eq!(canonical("| chart count by a"), "| chart count BY a");
        assert_eq!(canonical("| chart count over a"), "| chart count BY a");
        assert_eq!(canonical("| chart count by a b"), "| chart count OVER a BY b");
        assert_eq!(
            canonical("| chart limit=5 dc(x) as n, Max(y) by a, b useother=f"),
            "| chart limit=top5 useother=false dc(x) AS n, Max(y) OVER a BY b"
        );
        assert_eq!(canonical("| chart count span=3 by a"), "| chart count BY a span=3");
        assert_eq!(canonical("| chart count by a span=3 b span=log2"), "| chart count OVER a span=3 BY b span=1log2");
    }

    #[test]
    fn expressions_over_aggregates() {
        assert_eq!(
            canonical("| chart eval(sum(size)/max(delay)) AS ratio, count by host"),
            "| chart eval(sum(size)/max(delay)) AS ratio, count BY host"
        );
        assert_eq!(canonical("| chart avg(eval(x*2)) by host"), "| chart avg(eval(x*2)) BY host");
    }

    #[test]
    fn series_are_chosen() {
        assert_eq!(
            canonical("| chart agg=max limit=bottom 3 sum(x) over r by c where max notin top10"),
            "| chart limit=bottom3 agg=max sum(x) OVER r BY c where max notin top10"
        );
        assert_eq!(canonical("| chart sum(x) by r c where avg(x)>-1.5"), "| chart sum(x) OVER r BY c where avg(\"x\") > -1.5");
        assert_eq!(canonical("| chart sum(x) by r c where max not in bottom 2"), "| chart sum(x) OVER r BY c where max notin bottom2");
    }

    #[test]
    fn bad_input_is_named() {
        assert!(errors("| chart by a").contains("an aggregate such as `count`"));
        assert!(errors("| chart count by a b c").contains("two fields at most; `c` is one more"));
        assert!(errors("| chart count by a where max in top5").contains("`where` chooses among series"));
        assert!(errors("| chart limit=many count by a b").contains("`limit` takes a number"));
        assert!(errors("| chart width=5 count by a b").contains("`chart` has no option `width`"));
        assert!(errors("| chart span=5 count").contains("name one with `OVER`"));
        assert!(errors("| chart count by a b where max like 5").contains("SPL0001"));
    }
}
