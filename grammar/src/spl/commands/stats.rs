//! `stats`: aggregates over all rows or by group.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::{Expression, Name};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, expression, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::{Code, Diagnostic, Span, Spanned};

/// `stats AGGREGATE ... [BY FIELD ...]` with its options.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// What to compute; never empty.
    pub aggregates: Vec<Aggregate>,
    /// The group fields.
    pub by: Vec<Name>,
    /// `allnum=`
    pub allnum: Option<Spanned<bool>>,
    /// `delim=`
    pub delim: Option<Spanned<String>>,
    /// `partitions=`
    pub partitions: Option<Spanned<u64>>,
    /// `dedup_splitvals=`
    pub dedup_splitvals: Option<Spanned<bool>>,
}

/// `function(argument) AS name`.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The function's name as written, such as `count`, `dc`, `perc95`.
    pub function: Spanned<String>,
    /// Its argument; `None` for `count` and bare function names.
    pub argument: Option<AggregateArgument>,
    /// The name after AS; may hold a wildcard.
    pub alias: Option<Name>,
    /// The call as written without the alias: where it stands, and the source of its default name.
    pub text: String,
    /// The whole term.
    pub span: Span,
}

/// What an aggregate is computed over.
#[derive(Debug, Clone, PartialEq)]
pub enum AggregateArgument {
    /// A field; may hold wildcards.
    Field(Name),
    /// `eval(EXPRESSION)`.
    Eval(Expression),
    /// What `sparkline(...)` holds.
    Sparkline(Box<Sparkline>),
}

/// A value for each stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparkline {
    /// The value; `count` where nothing is said. It has no alias.
    pub aggregate: Aggregate,
    /// How long a stretch is.
    pub step: Option<Spanned<String>>,
}

/// The documentation of `stats`.
pub const DOC: CommandDoc = CommandDoc {
    name: "stats",
    summary: "Aggregates over all rows, or over the rows of each group",
    syntax: "stats <function>[(<field>|eval(<expression>))] [AS <name>] ... [BY <field> ...]",
    arguments: ARGUMENTS,
    examples: &["| makeresults count=4 | eval n=2 | stats count, sum(n) AS total BY n"],
};

/// What the arguments of `stats` and of `sistats` mean.
pub(super) const ARGUMENTS: &[ArgumentDoc] = &[
        ArgumentDoc { name: "<function>", meaning: "an aggregate function such as count, dc, sum, avg, values; one without a field is over every field" },
        ArgumentDoc { name: "sparkline(<function>, <span>)", meaning: "the function for each stretch of time, such as sparkline(count, 1h)" },
        ArgumentDoc { name: "<field>", meaning: "the field it is computed over; with `*` every field of that form" },
        ArgumentDoc { name: "eval(<expression>)", meaning: "an expression to compute it over; count counts where it is true" },
        ArgumentDoc { name: "AS <name>", meaning: "the name of the result" },
        ArgumentDoc { name: "BY <field>", meaning: "one result row for each combination of these fields" },
        ArgumentDoc { name: "allnum=<bool>", meaning: "numbers only where every value of the field is one; default false" },
        ArgumentDoc { name: "delim=<text>", meaning: "what `nomv` puts between the values of list and values; default a blank" },
        ArgumentDoc { name: "partitions=<count>", meaning: "a hint for the threads of a server; it changes nothing here" },
        ArgumentDoc { name: "dedup_splitvals=<bool>", meaning: "count repeated values of a multivalue BY field once; default false" },
];

const OPTIONS: &[&str] = &["allnum", "delim", "partitions", "dedup_splitvals"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Stats> {
    let mut stats = Stats {
        aggregates: Vec::new(),
        by: Vec::new(),
        allnum: None,
        delim: None,
        partitions: None,
        dedup_splitvals: None,
    };
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => set(b, &mut stats, part)?,
            Rule::aggregate => stats.aggregates.push(aggregate(b, part)?),
            Rule::by_clause => {
                for part in part.into_inner() {
                    match part.as_rule() {
                        Rule::by_op => {}
                        Rule::option => set(b, &mut stats, part)?,
                        _ => stats.by.push(words::name(b, &part)),
                    }
                }
            }
            _ => {}
        }
    }
    if stats.aggregates.is_empty() {
        let message = format!("`{}` needs an aggregate such as `count` or `avg(field)`", b.doc.name);
        b.error(Code::InvalidArgument, message, place);
        return None;
    }
    Some(stats)
}

fn set(b: &mut Builder<'_>, stats: &mut Stats, pair: Pair<'_, Rule>) -> Option<()> {
    let option = words::option(b, pair)?;
    match option.name.as_str() {
        "allnum" => stats.allnum = Some(option.at(option.boolean(b)?)),
        "delim" => stats.delim = Some(option.text()),
        "partitions" => stats.partitions = Some(option.at(option.number(b)?)),
        "dedup_splitvals" => stats.dedup_splitvals = Some(option.at(option.boolean(b)?)),
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

/// One `function(argument) AS name`.
pub(super) fn aggregate(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Aggregate> {
    let span = b.span(&pair);
    let mut parts = pair.into_inner();
    let call = parts.next()?;
    let alias = parts.find(|part| part.as_rule() != Rule::as_op).map(|part| words::name(b, &part));
    aggregate_call(b, call, alias, span)
}

/// `function(argument)` with a name for it, which `span` spans.
pub(super) fn aggregate_call(
    b: &mut Builder<'_>,
    call: Pair<'_, Rule>,
    alias: Option<Name>,
    span: Span,
) -> Option<Aggregate> {
    // From the whole query, because the pair has blanks where the query has subsearches.
    let text = b.structure.text.get(b.span(&call).range())?.to_owned();
    if let Some(sparkline) = call.clone().into_inner().find(|part| part.as_rule() == Rule::sparkline) {
        let (function, sparkline) = sparkline_call(b, sparkline)?;
        let argument = Some(AggregateArgument::Sparkline(Box::new(sparkline)));
        return Some(Aggregate { function, argument, alias, text, span });
    }
    let (function, argument) = function_call(b, call)?;
    Some(Aggregate { function, argument, alias, text, span })
}

/// `function` or `function(argument)`.
fn function_call(b: &mut Builder<'_>, call: Pair<'_, Rule>) -> Option<(Spanned<String>, Option<AggregateArgument>)> {
    let mut parts = call.into_inner();
    let function = parts.next()?;
    let function = Spanned::new(function.as_str().trim_end().to_owned(), b.span(&function));
    let argument = match parts.next() {
        Some(argument) => Some(aggregate_argument(b, &function, argument)?),
        None => None,
    };
    Some((function, argument))
}

/// `sparkline`, `sparkline(function(field), span)`.
fn sparkline_call(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<(Spanned<String>, Sparkline)> {
    let mut name = Spanned::new("sparkline".to_owned(), b.span(&pair));
    let count = || Spanned::new("count".to_owned(), b.span(&pair));
    let mut aggregate =
        Aggregate { function: count(), argument: None, alias: None, text: "count".to_owned(), span: b.span(&pair) };
    let mut step = None;
    for part in pair.into_inner() {
        let span = b.span(&part);
        match part.as_rule() {
            Rule::sparkline_op => name = Spanned::new(part.as_str().trim_end().to_owned(), span),
            Rule::sparkline_call => {
                let text = b.structure.text.get(span.range())?.to_owned();
                let (function, argument) = function_call(b, part)?;
                aggregate = Aggregate { function, argument, alias: None, text, span };
            }
            _ => step = Some(Spanned::new(words::token_text(part.as_str().trim_end()), span)),
        }
    }
    Some((name, Sparkline { aggregate, step }))
}

fn aggregate_argument(
    b: &mut Builder<'_>,
    function: &Spanned<String>,
    pair: Pair<'_, Rule>,
) -> Option<AggregateArgument> {
    let argument = pair.into_inner().next()?;
    if argument.as_rule() == Rule::odd_argument {
        let (name, odd) = (&function.node, argument.as_str().trim());
        if is_result(odd) {
            return Some(AggregateArgument::Field(Name { text: odd.to_owned(), span: b.span(&argument) }));
        }
        let message = format!("`{name}` takes a field or `eval(...)` in `{}`, not `{odd}`", b.doc.name);
        let found = Diagnostic::error(Code::InvalidArgument, message, b.span(&argument));
        b.diagnostics.push(found.with_help("compute over the results of `stats` in an `eval` after it"));
        return None;
    }
    if argument.as_rule() != Rule::eval_argument {
        return Some(AggregateArgument::Field(words::name(b, &argument)));
    }
    let inner = argument.into_inner().find(|part| part.as_rule() == Rule::expression)?;
    Some(AggregateArgument::Eval(expression::expression(b, inner)?))
}

/// Whether a text is the name that `stats` gives a result, such as `dc(user)`: published searches aggregate such
/// fields without quotes.
fn is_result(text: &str) -> bool {
    const FUNCTIONS: &[&str] = &["avg", "c", "count", "dc", "distinct_count", "max", "mean", "min", "sum"];
    let parts = text.strip_suffix(')').and_then(|text| text.split_once('('));
    parts.is_some_and(|(function, field)| FUNCTIONS.contains(&function) && !field.contains(['(', ')', '"', ',']))
}

impl Display for Stats {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("stats")?;
        self.fmt_arguments(f)
    }
}

impl Stats {
    /// Prints what stands behind the command's name.
    pub(super) fn fmt_arguments(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Stats { aggregates, by, allnum, delim, partitions, dedup_splitvals } = self;
        option(f, "allnum", allnum.as_ref().map(|value| value.node))?;
        option(f, "delim", delim.as_ref().map(|value| Quoted(&value.node)))?;
        option(f, "partitions", partitions.as_ref().map(|value| value.node))?;
        option(f, "dedup_splitvals", dedup_splitvals.as_ref().map(|value| value.node))?;
        write!(f, " {}", Separated(aggregates, ", "))?;
        if !by.is_empty() {
            write!(f, " BY {}", Separated(by, ", "))?;
        }
        Ok(())
    }
}

impl Display for Aggregate {
    /// The call is printed as it was written, because the default name of the result is made from it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.alias {
            Some(alias) => write!(f, " AS {alias}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spl::CommandKind;
    use crate::spl::testing::{canonical, errors, last};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| stats dc(a) AS n allnum=t COUNT, values(\"x y\") as z by b, 'c d' delim=\":\""),
            "| stats allnum=true delim=\":\" dc(a) AS n, COUNT, values(\"x y\") AS z BY b, \"c d\""
        );
    }

    #[test]
    fn the_text_stays_as_written() {
        let CommandKind::Stats(stats) = last("| stats Max( eval(a  >3) ) max(b) as c by d") else { panic!() };
        let texts: Vec<&str> = stats.aggregates.iter().map(|aggregate| aggregate.text.as_str()).collect();
        assert_eq!(texts, ["Max( eval(a  >3) )", "max(b)"]);
        assert!(matches!(stats.aggregates.first().unwrap().argument, Some(AggregateArgument::Eval(_))));
    }

    #[test]
    fn sparklines_hold_an_aggregate() {
        for (written, inner, step) in [
            ("sparkline", "count", None),
            ("SparkLine(count)", "count", None),
            ("sparkline( avg( x ) , )", "avg( x )", None),
            ("sparkline(dc(a b),30m)", "dc(a b)", Some("30m")),
        ] {
            let CommandKind::Stats(stats) = last(&format!("| stats {written} AS s, count BY g")) else { panic!() };
            let first = stats.aggregates.first().unwrap();
            assert_eq!(first.text, written);
            let Some(AggregateArgument::Sparkline(sparkline)) = &first.argument else { panic!("{written}") };
            assert_eq!(sparkline.aggregate.text, inner);
            assert_eq!(sparkline.step.as_ref().map(|step| step.node.as_str()), step);
        }
    }

    #[test]
    fn refuses_nesting() {
        assert_eq!(canonical("| stats count(dc(name)) AS n"), "| stats count(dc(name)) AS n");
        assert!(errors("| stats round(avg(x),2)").contains("`round` takes a field or `eval(...)` in `stats`, not `avg(x),2`"));
        assert!(errors("| stats max(eval(x=))").contains("expected an expression after `=`"));
        assert!(errors("| stats by a").contains("an aggregate such as `count`"));
    }
}
