//! What `chart` and `timechart` share: their aggregates, the fields they split by, and which series they keep.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::bins::BinOptions;
use super::stats::{self, Aggregate, AggregateArgument};
use crate::spl::expression::{Expression, Name};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, expression, words};
use crate::spl::print::{Quoted, option};
use crate::{Code, Span, Spanned};

/// A column of a chart.
#[derive(Debug, Clone, PartialEq)]
pub enum ChartTerm {
    /// `function(argument) AS name`.
    Aggregate(Aggregate),
    /// `eval(EXPRESSION over aggregates) AS name`.
    Eval(ChartEval),
}

/// `eval(EXPRESSION) AS name`; the aggregates in it are calls with a single argument, and `count`.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartEval {
    /// The expression.
    pub expression: Expression,
    /// The name after AS.
    pub alias: Option<Name>,
    /// The call as written, the source of its default name.
    pub text: String,
    /// The whole term.
    pub span: Span,
}

/// A field that a chart splits by.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The field.
    pub field: Name,
    /// The bins its values are put into.
    pub bins: BinOptions,
}

/// Which series a chart keeps, and how it names them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesOptions {
    /// `limit=`: how many series are kept.
    pub limit: Option<Spanned<Rank>>,
    /// `agg=`: what ranks the series.
    pub agg: Option<SeriesAggregate>,
    /// Whether the series that are not kept become one; default true.
    pub useother: Option<bool>,
    /// The name of that one.
    pub otherstr: Option<String>,
    /// Whether the rows that lack the field become a series; default true.
    pub usenull: Option<bool>,
    /// The name of that one.
    pub nullstr: Option<String>,
    /// What stands between the name of an aggregate and that of a series.
    pub sep: Option<String>,
    /// How the two names are put together, with `$AGG$` and `$VAL$`.
    pub format: Option<Spanned<String>>,
    /// Whether bins without values become rows; default true.
    pub cont: Option<bool>,
    /// Whether repeated values of a multivalue field count once; default false.
    pub dedup_splitvals: Option<bool>,
    /// The clause behind `where`.
    pub filter: Option<SeriesFilter>,
}

/// The first or the last so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rank {
    /// How many; 0 in `limit=0` for all.
    pub count: u64,
    /// Those with the least scores.
    pub bottom: bool,
}

/// A statistical function over the values of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesAggregate {
    /// Its name as written.
    pub function: Spanned<String>,
    /// The field that may stand behind it, which says which column is meant.
    pub field: Option<Name>,
}

/// `where AGGREGATE in top5`, `where AGGREGATE > 10`.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesFilter {
    /// What is computed over the values of each series.
    pub aggregate: SeriesAggregate,
    /// Which series are kept.
    pub test: SeriesTest,
}

/// Which series a filter keeps.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesTest {
    /// `in top5`
    In(Rank),
    /// `notin top5`
    NotIn(Rank),
    /// `> 5`
    Greater(f64),
    /// `< 5`
    Less(f64),
}

/// What the parts of a chart are collected in.
#[derive(Default)]
pub(super) struct Parts {
    pub terms: Vec<ChartTerm>,
    pub over: Option<Split>,
    pub by: Vec<Split>,
    pub bins: BinOptions,
    pub series: SeriesOptions,
    pub partial: Option<bool>,
    pub fixedrange: Option<bool>,
}

impl Parts {
    /// Reads the pairs of `chart` or `timechart`.
    pub fn read(b: &mut Builder<'_>, arguments: Pair<'_, Rule>, known: &[&str]) -> Option<Parts> {
        let mut parts = Parts::default();
        let place = b.span(&arguments);
        for part in arguments.into_inner() {
            match part.as_rule() {
                Rule::aggregate => parts.terms.push(ChartTerm::Aggregate(stats::aggregate(b, part)?)),
                Rule::chart_eval => parts.terms.push(ChartTerm::Eval(eval(b, part)?)),
                Rule::chart_over => {
                    let split = part.into_inner().find(|part| part.as_rule() == Rule::chart_split)?;
                    let split = parts.split(b, split, known)?;
                    parts.over = Some(split);
                }
                Rule::chart_by => {
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::chart_split => {
                                let split = parts.split(b, part, known)?;
                                parts.by.push(split);
                            }
                            Rule::series_where => parts.series.filter = Some(filter(b, part)?),
                            _ => parts.option(b, part, None, known)?,
                        }
                    }
                }
                _ => parts.option(b, part, None, known)?,
            }
        }
        if parts.terms.is_empty() {
            let message = format!("`{}` needs an aggregate such as `count` or `avg(field)`", b.doc.name);
            b.error(Code::InvalidArgument, message, place);
            return None;
        }
        Some(parts)
    }

    fn split(&mut self, b: &mut Builder<'_>, pair: Pair<'_, Rule>, known: &[&str]) -> Option<Split> {
        let mut pairs = pair.into_inner();
        let mut split = Split { field: words::name(b, &pairs.next()?), bins: BinOptions::default() };
        for pair in pairs {
            self.option(b, pair, Some(&mut split.bins), known)?;
        }
        Some(split)
    }

    fn option(
        &mut self,
        b: &mut Builder<'_>,
        pair: Pair<'_, Rule>,
        bins: Option<&mut BinOptions>,
        known: &[&str],
    ) -> Option<()> {
        let series = &mut self.series;
        match pair.as_rule() {
            Rule::agg_option => {
                let call = pair.into_inner().find(|part| part.as_rule() == Rule::aggregate_call)?;
                series.agg = Some(aggregate(b, call)?);
                return Some(());
            }
            Rule::limit_option => {
                let value = pair.into_inner().find(|part| part.as_rule() == Rule::limit_value)?;
                let (rank, place) = (rank(b, &value)?, b.span(&value));
                series.limit = Some(Spanned::new(rank, place));
                return Some(());
            }
            Rule::option => {}
            _ => return Some(()),
        }
        let option = words::option(b, pair)?;
        if let Some(taken) = bins.unwrap_or(&mut self.bins).take(b, &option) {
            return taken;
        }
        if !known.contains(&option.name.as_str()) {
            let all: Vec<&str> = known.iter().chain(BinOptions::NAMES).copied().collect();
            return option.unknown(b, &all);
        }
        match option.name.as_str() {
            "limit" => {
                let rank = match limit(&option.value) {
                    Some(rank) => rank,
                    None => return option.invalid(b, "a number, `topN` or `bottomN`"),
                };
                series.limit = Some(option.at(rank));
            }
            "useother" => series.useother = Some(option.boolean(b)?),
            "otherstr" => series.otherstr = Some(option.value),
            "usenull" => series.usenull = Some(option.boolean(b)?),
            "nullstr" => series.nullstr = Some(option.value),
            "sep" => series.sep = Some(option.value),
            "format" => series.format = Some(option.text()),
            "cont" => series.cont = Some(option.boolean(b)?),
            "dedup_splitvals" => series.dedup_splitvals = Some(option.boolean(b)?),
            "partial" => self.partial = Some(option.boolean(b)?),
            "fixedrange" => self.fixedrange = Some(option.boolean(b)?),
            _ => return option.invalid(b, "the name of a statistical function without quotes"),
        }
        Some(())
    }
}

fn eval(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<ChartEval> {
    let span = b.span(&pair);
    let mut parts = pair.into_inner();
    let call = parts.next()?;
    // From the whole query, because the pair has blanks where the query has subsearches.
    let text = b.structure.text.get(b.span(&call).range())?.to_owned();
    let inner = call.into_inner().find(|part| part.as_rule() == Rule::expression)?;
    let expression = expression::expression(b, inner)?;
    let alias = parts.find(|part| part.as_rule() != Rule::as_op).map(|part| words::name(b, &part));
    Some(ChartEval { expression, alias, text, span })
}

fn filter(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<SeriesFilter> {
    let mut parts = pair.into_inner().filter(|part| part.as_rule() != Rule::where_op);
    let (call, test) = (parts.next()?, parts.next()?);
    let aggregate = aggregate(b, call)?;
    let ranks = test.as_rule() == Rule::series_rank;
    let mut parts = test.into_inner();
    let (operator, value) = (parts.next()?, parts.next()?);
    let operator = operator.as_str().trim_end();
    let test = if ranks {
        let rank = rank(b, &value)?;
        if operator.eq_ignore_ascii_case("in") { SeriesTest::In(rank) } else { SeriesTest::NotIn(rank) }
    } else {
        let Ok(number) = value.as_str().trim_end().parse::<f64>() else {
            b.error(Code::InvalidArgument, "a series is compared with a number", b.span(&value));
            return None;
        };
        if operator == ">" { SeriesTest::Greater(number) } else { SeriesTest::Less(number) }
    };
    Some(SeriesFilter { aggregate, test })
}

/// A function with or without a field: no aggregate of its own, but one over the values of a series.
fn aggregate(b: &mut Builder<'_>, call: Pair<'_, Rule>) -> Option<SeriesAggregate> {
    let span = b.span(&call);
    let Aggregate { function, argument, .. } = stats::aggregate_call(b, call, None, span)?;
    let field = match argument {
        None => None,
        Some(AggregateArgument::Field(field)) => Some(field),
        Some(AggregateArgument::Eval(expression)) => {
            let message = "series are ranked by a function of their values, such as `max`, not by an `eval`";
            b.error(Code::InvalidArgument, message, expression.span);
            return None;
        }
        Some(AggregateArgument::Sparkline(_)) => {
            b.error(Code::InvalidArgument, "series are ranked by a number, not by a sparkline", span);
            return None;
        }
    };
    Some(SeriesAggregate { function, field })
}

fn rank(b: &mut Builder<'_>, pair: &Pair<'_, Rule>) -> Option<Rank> {
    let rank = limit(pair.as_str());
    if rank.is_none() {
        b.error(Code::InvalidArgument, "a rank is `topN` or `bottomN` with a whole number", b.span(pair));
    }
    rank
}

/// `5`, `top5`, `bottom 5`.
fn limit(text: &str) -> Option<Rank> {
    let lower = text.trim().to_ascii_lowercase();
    let (digits, bottom) = match lower.strip_prefix("bottom") {
        Some(digits) => (digits, true),
        None => (lower.strip_prefix("top").unwrap_or(&lower), false),
    };
    Some(Rank { count: digits.trim().parse().ok()?, bottom })
}

impl SeriesOptions {
    /// The options without the filter, as they stand before BY.
    pub(super) fn print(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { limit, agg, useother, otherstr, usenull, nullstr, sep, format, cont, dedup_splitvals, filter: _ } =
            self;
        option(f, "limit", limit.as_ref().map(|limit| limit.node))?;
        option(f, "agg", agg.as_ref())?;
        option(f, "useother", *useother)?;
        option(f, "otherstr", otherstr.as_ref().map(|text| Quoted(text)))?;
        option(f, "usenull", *usenull)?;
        option(f, "nullstr", nullstr.as_ref().map(|text| Quoted(text)))?;
        option(f, "sep", sep.as_ref().map(|text| Quoted(text)))?;
        option(f, "format", format.as_ref().map(|text| Quoted(&text.node)))?;
        option(f, "cont", *cont)?;
        option(f, "dedup_splitvals", *dedup_splitvals)
    }
}

impl Display for ChartTerm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (text, alias) = match self {
            Self::Aggregate(aggregate) => return aggregate.fmt(f),
            Self::Eval(eval) => (&eval.text, &eval.alias),
        };
        f.write_str(text)?;
        match alias {
            Some(alias) => write!(f, " AS {alias}"),
            None => Ok(()),
        }
    }
}

impl Display for Split {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // A field of that name would be taken for the clause.
        match self.field.text.to_ascii_lowercase().as_str() {
            "where" | "over" => write!(f, "{}{}", Quoted(&self.field.text), self.bins),
            _ => write!(f, "{}{}", self.field, self.bins),
        }
    }
}

impl Display for Rank {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.bottom { "bottom" } else { "top" }, self.count)
    }
}

impl Display for SeriesAggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function.node)?;
        match &self.field {
            Some(field) => write!(f, "({})", Quoted(&field.text)),
            None => Ok(()),
        }
    }
}

impl Display for SeriesFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, " where {} ", self.aggregate)?;
        match &self.test {
            SeriesTest::In(rank) => write!(f, "in {rank}"),
            SeriesTest::NotIn(rank) => write!(f, "notin {rank}"),
            SeriesTest::Greater(number) => write!(f, "> {number}"),
            SeriesTest::Less(number) => write!(f, "< {number}"),
        }
    }
}
