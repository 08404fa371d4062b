//! The statistical functions of `stats`, as DataFusion aggregates.
//!
//! Source: Splunk Search Reference, "Aggregate functions", "Event order functions", "Multivalue stats and
//! chart functions", "Time functions".

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::expr_fn::{
    array_agg, avg, count, count_distinct, max, min, stddev, stddev_pop, sum, var_pop, var_sample,
};
use datafusion::functions_aggregate::first_last::{first_value_udaf, last_value_udaf};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, ExprFunctionExt, cast, lit, when};
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::{PlanResult, sparkline, suggest};
use crate::functions::comparison::when_true;
use crate::functions::{aggregates, estimate, mathematical, numbers, ordering};

/// A planned aggregate: what DataFusion computes, and the result made of it.
pub struct Computed {
    /// The result's column.
    pub name: String,
    /// The function, as written.
    pub function: String,
    /// The aggregates, under hidden names.
    pub aggregates: Vec<Expr>,
    /// The result, over the hidden names.
    pub result: Expr,
}

/// A statistical function: its help.
#[derive(Debug)]
pub struct Statistic {
    /// The name in lower case; percentiles have a number behind it.
    pub name: &'static str,
    /// How it is called.
    pub syntax: &'static str,
    /// What it gives, in one sentence.
    pub summary: &'static str,
    /// A call over the rows `x,g` = `2,a`, `3,b`, `6,a` (one second apart, the last one latest), and the text of
    /// its value, several values with blanks between them.
    pub example: (&'static str, &'static str),
}

/// The statistical functions, by name.
pub const FUNCTIONS: &[Statistic] = &[
    Statistic {
        name: "avg",
        syntax: "avg(field)",
        summary: "The mean of the numbers.",
        example: ("avg(x)", "3.6666666666666665"),
    },
    Statistic {
        name: "c",
        syntax: "c(field)",
        summary: "How many values there are; another name of `count`.",
        example: ("c(x)", "3"),
    },
    Statistic {
        name: "count",
        syntax: "count | count(field) | count(eval(condition))",
        summary: "How many rows, values, or rows for which a condition is true there are.",
        example: ("count(eval(x>2))", "2"),
    },
    Statistic {
        name: "dc",
        syntax: "dc(field)",
        summary: "How many distinct values there are.",
        example: ("dc(g)", "2"),
    },
    Statistic {
        name: "distinct_count",
        syntax: "distinct_count(field)",
        summary: "How many distinct values there are; another name of `dc`.",
        example: ("distinct_count(g)", "2"),
    },
    Statistic {
        name: "earliest",
        syntax: "earliest(field)",
        summary: "The value in the row with the smallest `_time`.",
        example: ("earliest(x)", "2"),
    },
    Statistic {
        name: "earliest_time",
        syntax: "earliest_time(field)",
        summary: "The smallest `_time` of the rows that have the field.",
        example: ("earliest_time(x)", "100.000000"),
    },
    Statistic {
        name: "estdc",
        syntax: "estdc(field)",
        summary: "How many distinct values there are, exactly up to a thousand, and an estimate beyond (HyperLogLog).",
        example: ("estdc(g)", "2"),
    },
    Statistic {
        name: "estdc_error",
        syntax: "estdc_error(field)",
        summary: "The relative error to be expected of `estdc`; 0 where that is exact.",
        example: ("estdc_error(g)", "0"),
    },
    Statistic {
        name: "exactperc",
        syntax: "exactpercN(field)",
        summary: "The N-th percentile, interpolated between the nearest ranks.",
        example: ("exactperc50(x)", "3"),
    },
    Statistic {
        name: "first",
        syntax: "first(field)",
        summary: "The first value in row order.",
        example: ("first(x)", "2"),
    },
    Statistic {
        name: "last",
        syntax: "last(field)",
        summary: "The last value in row order.",
        example: ("last(x)", "6"),
    },
    Statistic {
        name: "latest",
        syntax: "latest(field)",
        summary: "The value in the row with the greatest `_time`.",
        example: ("latest(x)", "6"),
    },
    Statistic {
        name: "latest_time",
        syntax: "latest_time(field)",
        summary: "The greatest `_time` of the rows that have the field.",
        example: ("latest_time(x)", "102.000000"),
    },
    Statistic {
        name: "list",
        syntax: "list(field)",
        summary: "The first 100 values in row order.",
        example: ("list(x)", "2 3 6"),
    },
    Statistic {
        name: "max",
        syntax: "max(field)",
        summary: "The greatest value; text ranks above numbers.",
        example: ("max(x)", "6"),
    },
    Statistic {
        name: "mean",
        syntax: "mean(field)",
        summary: "The mean of the numbers; another name of `avg`.",
        example: ("mean(x)", "3.6666666666666665"),
    },
    Statistic {
        name: "median",
        syntax: "median(field)",
        summary: "The middle number, or the mean of the two in the middle.",
        example: ("median(x)", "3"),
    },
    Statistic {
        name: "min",
        syntax: "min(field)",
        summary: "The least value; numbers rank below text.",
        example: ("min(x)", "2"),
    },
    Statistic { name: "mode", syntax: "mode(field)", summary: "The most frequent value.", example: ("mode(g)", "a") },
    Statistic {
        name: "p",
        syntax: "pN(field)",
        summary: "The N-th percentile; another name of `perc`.",
        example: ("p50(x)", "3"),
    },
    Statistic {
        name: "perc",
        syntax: "percN(field)",
        summary: "The N-th percentile, interpolated between the nearest ranks.",
        example: ("perc50(x)", "3"),
    },
    Statistic {
        name: "percentile",
        syntax: "percentileN(field)",
        summary: "The N-th percentile; another name of `perc`.",
        example: ("percentile50(x)", "3"),
    },
    Statistic {
        name: "range",
        syntax: "range(field)",
        summary: "The difference of the greatest and the least number.",
        example: ("range(x)", "4"),
    },
    Statistic {
        name: "rate",
        syntax: "rate(field)",
        summary: "By how much a counter grew in a second, from its earliest to its latest value.",
        example: ("rate(x)", "2"),
    },
    Statistic {
        name: "sparkline",
        syntax: "sparkline | sparkline(function(field), span)",
        summary: "A number for each stretch of time, behind a marker.",
        example: ("sparkline(sum(x), 1s)", "##__SPARKLINE__## 2 3 6"),
    },
    Statistic {
        name: "stdev",
        syntax: "stdev(field)",
        summary: "The standard deviation of a sample.",
        example: ("stdev(x)", "2.0816659994661326"),
    },
    Statistic {
        name: "stdevp",
        syntax: "stdevp(field)",
        summary: "The standard deviation of a population.",
        example: ("stdevp(x)", "1.699673171197595"),
    },
    Statistic { name: "sum", syntax: "sum(field)", summary: "The sum of the numbers.", example: ("sum(x)", "11") },
    Statistic {
        name: "sumsq",
        syntax: "sumsq(field)",
        summary: "The sum of the squares of the numbers.",
        example: ("sumsq(x)", "49"),
    },
    Statistic {
        name: "upperperc",
        syntax: "upperpercN(field)",
        summary: "The N-th percentile; another name of `perc`, as it is exact.",
        example: ("upperperc50(x)", "3"),
    },
    Statistic {
        name: "values",
        syntax: "values(field)",
        summary: "The distinct values in the order of their characters.",
        example: ("values(g)", "a b"),
    },
    Statistic {
        name: "var",
        syntax: "var(field)",
        summary: "The variance of a sample.",
        example: ("var(x)", "4.333333333333333"),
    },
    Statistic {
        name: "varp",
        syntax: "varp(field)",
        summary: "The variance of a population.",
        example: ("varp(x)", "2.888888888888889"),
    },
];

/// Functions of Splunk that are refused by name, and why.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("rate_avg", "belongs to `mstats`, which reads a metrics index"),
    ("rate_sum", "belongs to `mstats`, which reads a metrics index"),
];

/// The functions of `timechart` alone, with the seconds of the time that they are for.
const RATES: &[(&str, f64)] =
    &[("per_day", 86_400.0), ("per_hour", 3_600.0), ("per_minute", 60.0), ("per_second", 1.0)];

/// How many values `list()` keeps in a group (`list_maxsize` of `limits.conf`).
const LIST_MOST: usize = 100;

/// Whether the function counts rows where it has no argument.
pub fn counts(function: &str) -> bool {
    function.eq_ignore_ascii_case("count") || function.eq_ignore_ascii_case("c")
}

/// Whether there is such a statistical function, `timechart`'s own included.
pub fn is_function(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    percent(&name).is_some()
        || rate(&name).is_some()
        || FUNCTIONS.iter().any(|known| known.name == name && !known.syntax.contains('N'))
}

/// The seconds for which `per_minute` and its like give a sum.
pub fn rate(function: &str) -> Option<f64> {
    RATES.iter().find(|(name, _)| name.eq_ignore_ascii_case(function)).map(|(_, seconds)| *seconds)
}

/// How aggregates are computed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// The rows come to the aggregate in their order, rather than in any.
    pub in_order: bool,
    /// Numbers are computed only where every value is one.
    pub allnum: bool,
}

/// The prefix of the hidden names.
const HIDDEN: &str = "__aggregate_";

/// Whether the column is an aggregate that [`plan_in`] made.
pub fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN)
}

/// Plans one aggregate; `position` makes its hidden names unique.
pub fn plan_in(
    frame: &Frame,
    aggregate: &Aggregate,
    argument: Option<Typed>,
    name: String,
    position: usize,
    manner: Manner,
) -> PlanResult<Computed> {
    let function = aggregate.function.node.to_ascii_lowercase();
    let mut builder = Builder { frame, position, aggregates: Vec::new(), span: aggregate.span, manner };
    let result = match (argument, &aggregate.argument) {
        (value, Some(AggregateArgument::Sparkline(command))) => builder.add(sparkline::plan(frame, command, value)?),
        (None, _) => builder.add(count(lit(1_i64))),
        (Some(argument), _) => {
            let result = builder.function(&function, &argument, aggregate)?;
            if manner.allnum && is_numeric(&function) { builder.unless_text(result, &argument)? } else { result }
        }
    };
    Ok(Computed { name, function: aggregate.function.node.clone(), aggregates: builder.aggregates, result })
}

/// Whether the function computes with numbers only.
fn is_numeric(function: &str) -> bool {
    let names = ["avg", "mean", "median", "range", "stdev", "stdevp", "sum", "sumsq", "var", "varp"];
    names.contains(&function) || percent(function).is_some()
}

struct Builder<'f> {
    frame: &'f Frame,
    position: usize,
    aggregates: Vec<Expr>,
    span: Span,
    manner: Manner,
}

impl Builder<'_> {
    /// Has DataFusion compute an aggregate, and gives its column.
    fn add(&mut self, aggregate: Expr) -> Expr {
        let name = format!("{HIDDEN}{}_{}", self.position, self.aggregates.len());
        self.aggregates.push(aggregate.alias(&name));
        column(&name)
    }

    /// The result, or null where one of the values is no number.
    fn unless_text(&mut self, result: Expr, argument: &Typed) -> PlanResult<Expr> {
        let value = argument.expr.clone();
        let odd = match argument.kind {
            Kind::Literal | Kind::Text => value.is_not_null().and(argument.number().is_null()),
            Kind::Many => mathematical::count_of_many(value.clone()).gt(mathematical::numbers_of_many(value)),
            Kind::Null | Kind::Boolean | Kind::Integer | Kind::Number | Kind::Time => return Ok(result),
        };
        let odd = self.add(count(when_true(odd)));
        Ok(when(odd.eq(lit(0_i64)), result).end()?)
    }

    fn function(&mut self, function: &str, argument: &Typed, aggregate: &Aggregate) -> PlanResult<Expr> {
        let many = argument.kind == Kind::Many;
        Ok(match function {
            "count" | "c" => match argument.kind {
                Kind::Boolean => self.add(count(when_true(argument.expr.clone()))),
                Kind::Many => {
                    let length = mathematical::count_of_many(argument.expr.clone());
                    let total = self.add(sum(length));
                    cast(datafusion::functions::expr_fn::coalesce(vec![total, lit(0.0_f64)]), DataType::Int64)
                }
                _ => self.add(count(argument.expr.clone())),
            },
            "dc" | "distinct_count" => match argument.kind {
                // Equal numbers have equal texts; only zero has two signs.
                Kind::Integer | Kind::Time => self.add(count_distinct(argument.expr.clone())),
                Kind::Number => self.add(count_distinct(argument.expr.clone() + lit(0.0_f64))),
                _ => self.add(aggregates::distinct_count(argument.text())),
            },
            "estdc" => self.add(estimate::distinct(argument.text())),
            "estdc_error" => self.add(estimate::error(argument.text())),
            "values" => self.add(aggregates::values(argument.text())),
            "mode" => self.add(aggregates::mode(argument.text())),
            "list" if self.manner.in_order => self.add(aggregates::list(argument.text(), LIST_MOST)),
            "list" => {
                let texts = if many { argument.expr.clone() } else { grouped_text(argument) };
                let present = texts.clone().is_not_null();
                let listed = array_agg(texts).order_by(self.frame.sort_expressions()).filter(present).build()?;
                let listed = self.add(listed);
                aggregates::flatten(listed, LIST_MOST)
            }
            "sum" => self.add(sum(row_number(argument))),
            "avg" | "mean" if many => {
                let total = self.add(sum(row_number(argument)));
                let number = self.add(sum(mathematical::numbers_of_many(argument.expr.clone())));
                total / number
            }
            "avg" | "mean" => self.add(avg(argument.number())),
            "sumsq" | "range" | "stdev" | "stdevp" | "var" | "varp" if many => {
                self.add(numbers::moments(argument.expr.clone(), function))
            }
            "sumsq" => self.add(sum(argument.number() * argument.number())),
            "range" => {
                let (greatest, least) = (self.add(max(argument.number())), self.add(min(argument.number())));
                greatest - least
            }
            "rate" => self.rate(argument)?,
            "min" | "max" => self.extreme(function == "max", argument),
            "stdev" | "stdevp" | "var" | "varp" => self.spread(function, argument)?,
            "median" => self.percentile(50.0, argument, aggregate)?,
            "first" | "last" | "earliest" | "latest" => self.by_order(function, argument)?,
            "earliest_time" | "latest_time" => self.time(function, argument),
            other => match percent(other) {
                Some(percent) => self.percentile(percent, argument, aggregate)?,
                None => return Err(unknown(aggregate).into()),
            },
        })
    }

    fn extreme(&mut self, greatest: bool, argument: &Typed) -> Expr {
        let pick = if greatest { max } else { min };
        match argument.kind {
            Kind::Integer | Kind::Number => self.add(pick(argument.expr.clone())),
            Kind::Time => self.add(pick(argument.number())),
            Kind::Many => {
                let row = mathematical::extreme_of_many(argument.expr.clone(), greatest);
                let key = self.add(pick(ordering::value_key(row)));
                ordering::keyed_value(key)
            }
            _ => {
                let key = self.add(pick(cast(ordering::value_key(argument.text()), DataType::Utf8)));
                ordering::keyed_value(key)
            }
        }
    }

    /// The sample forms are 0 for a single value.
    fn spread(&mut self, function: &str, argument: &Typed) -> PlanResult<Expr> {
        let number = argument.number();
        let spread = self.add(match function {
            "stdev" => stddev(number.clone()),
            "stdevp" => stddev_pop(number.clone()),
            "var" => var_sample(number.clone()),
            _ => var_pop(number.clone()),
        });
        if function.ends_with('p') {
            return Ok(spread);
        }
        let counted = self.add(count(number));
        Ok(when(counted.eq(lit(1_i64)), lit(0.0_f64)).otherwise(spread)?)
    }

    /// Linear interpolation between the two nearest ranks.
    fn percentile(&mut self, percent: f64, argument: &Typed, aggregate: &Aggregate) -> PlanResult<Expr> {
        if !(0.0..=100.0).contains(&percent) {
            let message = format!("a percentile lies between 0 and 100, not at {percent}");
            return Err(Diagnostic::error(Code::InvalidArgument, message, aggregate.function.span).into());
        }
        let values = if argument.kind == Kind::Many { argument.expr.clone() } else { argument.number() };
        Ok(self.add(numbers::percentile(values, percent)))
    }

    /// The value in the first or last row, by row order or by time, among the rows that have one.
    fn by_order(&mut self, function: &str, argument: &Typed) -> PlanResult<Expr> {
        let value = if argument.kind == Kind::Time { argument.number() } else { argument.expr.clone() };
        let present = value.clone().is_not_null();
        if self.manner.in_order && matches!(function, "first" | "last") {
            let udaf = if function == "first" { first_value_udaf() } else { last_value_udaf() };
            let found = udaf.call(vec![value]).filter(present).build()?;
            return Ok(self.add(found));
        }
        let order = match function {
            "first" => self.frame.sort_expressions(),
            "last" => self.frame.reversed_sort_expressions(),
            _ => {
                let time = ExpressionPlanner::new(self.frame).field("_time", self.span);
                if time.kind == Kind::Null {
                    return Ok(lit(ScalarValue::Utf8(None)));
                }
                // Of equal times the row that comes first in the present order wins.
                let ascending = function == "earliest";
                let mut order = vec![Sort::new(time.expr.clone(), ascending, false)];
                // No key twice: DataFusion drops the second where rows are grouped, and then misses it.
                order.extend(self.frame.sort_expressions().into_iter().filter(|key| key.expr != time.expr));
                order
            }
        };
        let first = first_value_udaf().call(vec![value]).order_by(order).filter(present).build()?;
        Ok(self.add(first))
    }

    /// What a counter grew by in a second. Where its greatest value is not its latest it began anew, and grew up to
    /// that value first.
    fn rate(&mut self, argument: &Typed) -> PlanResult<Expr> {
        let number = Typed::new(argument.number(), Kind::Number, argument.span);
        if ExpressionPlanner::new(self.frame).field("_time", self.span).kind == Kind::Null {
            return Ok(lit(ScalarValue::Float64(None)));
        }
        let (earliest, latest) = (self.by_order("earliest", &number)?, self.by_order("latest", &number)?);
        let greatest = self.add(max(number.expr.clone()));
        let time = self.time_of(&number);
        let seconds = self.add(max(time.clone())) - self.add(min(time));
        let restarted = when(greatest.clone().gt(latest.clone()), greatest).otherwise(lit(0.0_f64))?;
        Ok(when(seconds.clone().gt(lit(0.0_f64)), (latest - earliest + restarted) / seconds).end()?)
    }

    /// The time of the rows that have the value, in seconds.
    fn time_of(&self, argument: &Typed) -> Expr {
        let time = ExpressionPlanner::new(self.frame).field("_time", self.span);
        when(argument.expr.clone().is_not_null(), time.number()).end().unwrap_or(time.number())
    }

    fn time(&mut self, function: &str, argument: &Typed) -> Expr {
        let seconds = self.time_of(argument);
        let found = if function == "earliest_time" { min(seconds) } else { max(seconds) };
        let found = self.add(found);
        aggregates::six_decimals(found)
    }
}

/// Text for grouping and collecting: plain, so that equal texts of different dictionaries are one.
fn grouped_text(argument: &Typed) -> Expr {
    cast(argument.text(), DataType::Utf8)
}

/// A row's number; the sum of its numbers where it has several.
fn row_number(argument: &Typed) -> Expr {
    match argument.kind {
        Kind::Many => mathematical::sum_of_many(argument.expr.clone()),
        _ => argument.number(),
    }
}

/// The number in `perc95`, `p95`, `percentile95`, `exactperc99.5`, `upperperc50`.
fn percent(function: &str) -> Option<f64> {
    ["exactperc", "upperperc", "percentile", "perc", "p"]
        .iter()
        .find_map(|prefix| function.strip_prefix(prefix).and_then(|digits| digits.parse::<f64>().ok()))
}

fn unknown(aggregate: &Aggregate) -> Diagnostic {
    let name = &aggregate.function.node;
    let span = aggregate.function.span;
    if let Some((_, reason)) = UNSUPPORTED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Diagnostic::error(Code::Unsupported, format!("the function `{name}` {reason}"), span);
    }
    if rate(name).is_some() {
        let message = format!("`{name}` is a function of `timechart` only");
        return Diagnostic::error(Code::InvalidArgument, message, span)
            .with_help("divide a `sum` by the length of time that it is over");
    }
    let error = Diagnostic::error(Code::UnknownFunction, format!("there is no statistical function `{name}`"), span);
    match suggest::nearest(name, FUNCTIONS.iter().map(|function| function.name)) {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error.with_help("compute with `eval` first, then aggregate the new field"),
    }
}
