//! `tstats`: aggregates over events or over a data model, from the start.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::stats::{Aggregate, AggregateArgument};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, search, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::spl::search::{Comparison, ComparisonOperator, Literal, Matching, Operand, SearchExpression};
use crate::{Code, Diagnostic, Span, Spanned};

/// `tstats OPTION ... AGGREGATE ... [FROM SOURCE] [WHERE EXPRESSION] [BY FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tstats {
    /// What to compute; never empty, without `eval(...)` and sparklines.
    pub aggregates: Vec<Aggregate>,
    /// What to read; events without it.
    pub source: Option<Source>,
    /// Which of it.
    pub condition: Option<SearchExpression>,
    /// The group fields.
    pub by: Vec<Name>,
    /// The starts of terms (`PREFIX(user=)`) that are taken for fields of that name.
    pub prefixes: Vec<Name>,
    /// The options.
    pub options: Box<TstatsOptions>,
}

/// What `tstats` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `datamodel=MODEL[.OBJECT]`
    DataModel(Name),
    /// `sid=JOB`
    Job(Name),
    /// A namespace that `tscollect` wrote.
    Namespace(Name),
}

/// The options of `tstats`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TstatsOptions {
    /// Whether the result is left to the `stats`, `chart` or `timechart` that follows; default false.
    pub prestats: Option<Spanned<bool>>,
    /// Whether to run on the search head only.
    pub local: Option<Spanned<bool>>,
    /// Whether the rows go below those of the commands before; default false.
    pub append: Option<Spanned<bool>>,
    /// Whether only summaries of the data model are read.
    pub summariesonly: Option<Spanned<bool>>,
    /// Whether outdated summaries are read too.
    pub allow_old_summaries: Option<Spanned<bool>>,
    /// Whether reduced buckets are read too.
    pub include_reduced_buckets: Option<Spanned<bool>>,
    /// What stands for a missing BY field; without it the row is in no group.
    pub fillnull_value: Option<Spanned<String>>,
    /// How many rows are taken at a time.
    pub chunk_size: Option<Spanned<u64>>,
    /// How long a stretch of `_time` makes one group.
    pub span: Option<Spanned<String>>,
}

/// The documentation of `tstats`.
pub const DOC: CommandDoc = CommandDoc {
    name: "tstats",
    summary: "Aggregates over events or over a data model; it finds them itself",
    syntax: "tstats [prestats=<bool>] [append=<bool>] [fillnull_value=<text>] <function>(<field>|PREFIX(<text>)) [AS <name>] ... [FROM datamodel=<model>[.<object>]] [WHERE <search>] [BY <field>|PREFIX(<text>) ... [span=<span>]]",
    arguments: &[
        ArgumentDoc { name: "<function>", meaning: "an aggregate function as in stats, of a field or of terms; without wildcards and `eval(...)`" },
        ArgumentDoc { name: "PREFIX(<text>)", meaning: "the rest of the event's terms that begin with that text, in small letters" },
        ArgumentDoc { name: "AS <name>", meaning: "the name of the result" },
        ArgumentDoc { name: "FROM datamodel=<model>.<object>", meaning: "the events of a data model, with fields named as <object>.<field>; `nodename` says which objects of it an event belongs to. Without FROM all fields of all events can be named" },
        ArgumentDoc { name: "WHERE <search>", meaning: "which events, as in search; earliest= and latest= may bound them" },
        ArgumentDoc { name: "BY <field>", meaning: "one result row for each combination of these fields; a row that lacks one belongs to none" },
        ArgumentDoc { name: "span=<span>", meaning: "group `_time` by stretches of that length, such as 1h; without it by the exact time" },
        ArgumentDoc { name: "fillnull_value=<text>", meaning: "what stands for a BY field that is missing" },
        ArgumentDoc { name: "prestats=<bool>", meaning: "leave the counting to the stats, chart or timechart that follows, which has to name the same functions; default false" },
        ArgumentDoc { name: "append=<bool>", meaning: "with prestats: add to the rows of the tstats before; default false" },
        ArgumentDoc { name: "summariesonly=<bool>", meaning: "about summaries, of which there are none here: everything is computed from the events" },
        ArgumentDoc { name: "allow_old_summaries=<bool>", meaning: "about summaries, of which there are none here: it changes nothing" },
        ArgumentDoc { name: "include_reduced_buckets=<bool>", meaning: "about the buckets of a server: it changes nothing here" },
        ArgumentDoc { name: "local=<bool>", meaning: "about the servers to ask: it changes nothing here" },
        ArgumentDoc { name: "chunk_size=<count>", meaning: "about the memory of a server: it changes nothing here" },
    ],
    examples: &[
        "| tstats count dc(host) AS hosts WHERE index=* earliest=-1d",
        "| tstats count WHERE index=* BY sourcetype | stats sum(count) AS events",
        "| tstats prestats=t count WHERE index=* BY host | stats count",
    ],
};

const OPTIONS: &[&str] = &[
    "prestats",
    "local",
    "append",
    "summariesonly",
    "allow_old_summaries",
    "include_reduced_buckets",
    "fillnull_value",
    "chunk_size",
    "span",
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Tstats> {
    let mut tstats = Tstats {
        aggregates: Vec::new(),
        source: None,
        condition: None,
        by: Vec::new(),
        prefixes: Vec::new(),
        options: Box::default(),
    };
    let place = b.span(&arguments);
    let mut clauses: Vec<Rule> = Vec::new();
    for part in arguments.into_inner() {
        let rule = part.as_rule();
        if matches!(rule, Rule::tstats_from | Rule::tstats_where | Rule::tstats_by) {
            if clauses.contains(&rule) {
                let word = part.as_str().split_whitespace().next().unwrap_or_default().to_uppercase();
                b.error(Code::Syntax, format!("`tstats` takes one {word} only"), b.span(&part));
                return None;
            }
            clauses.push(rule);
        }
        match rule {
            Rule::option => set(b, &mut tstats.options, part)?,
            Rule::tstats_aggregate => {
                let aggregate = aggregate(b, &mut tstats.prefixes, part)?;
                tstats.aggregates.push(aggregate);
            }
            Rule::tstats_from => from(b, &mut tstats, part)?,
            Rule::tstats_where => condition(b, &mut tstats, part)?,
            Rule::tstats_by => by(b, &mut tstats, part)?,
            _ => {}
        }
    }
    if tstats.aggregates.is_empty() {
        b.error(Code::InvalidArgument, "`tstats` needs an aggregate such as `count` or `avg(field)`", place);
        return None;
    }
    Some(tstats)
}

fn set(b: &mut Builder<'_>, options: &mut TstatsOptions, pair: Pair<'_, Rule>) -> Option<()> {
    let option = words::option(b, pair)?;
    set_option(b, options, &option)
}

fn set_option(b: &mut Builder<'_>, options: &mut TstatsOptions, option: &words::OptionPair) -> Option<()> {
    match option.name.as_str() {
        "prestats" => options.prestats = Some(option.at(option.boolean(b)?)),
        "local" => options.local = Some(option.at(option.boolean(b)?)),
        "append" => options.append = Some(option.at(option.boolean(b)?)),
        "summariesonly" => options.summariesonly = Some(option.at(option.boolean(b)?)),
        "allow_old_summaries" => options.allow_old_summaries = Some(option.at(option.boolean(b)?)),
        "include_reduced_buckets" => options.include_reduced_buckets = Some(option.at(option.boolean(b)?)),
        "fillnull_value" => options.fillnull_value = Some(option.text()),
        "chunk_size" => options.chunk_size = Some(option.at(option.number(b)?)),
        "span" => options.span = Some(option.text()),
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

/// One `function(field) AS name`.
fn aggregate(b: &mut Builder<'_>, prefixes: &mut Vec<Name>, pair: Pair<'_, Rule>) -> Option<Aggregate> {
    let span = b.span(&pair);
    let mut parts = pair.into_inner();
    let call = parts.next()?;
    let text = b.structure.text.get(b.span(&call).range())?.to_owned();
    let alias = parts.find(|part| part.as_rule() != Rule::as_op).map(|part| words::name(b, &part));
    let mut parts = call.into_inner();
    let function = parts.next()?;
    let function = Spanned::new(function.as_str().trim_end().to_owned(), b.span(&function));
    let argument = match parts.next().and_then(|argument| argument.into_inner().next()) {
        None => None,
        Some(argument) if argument.as_rule() == Rule::tstats_odd => {
            let (name, odd) = (&function.node, argument.as_str().trim());
            let message = format!("`{name}` takes a field or `PREFIX(...)` in `tstats`, not `{odd}`");
            let found = Diagnostic::error(Code::InvalidArgument, message, b.span(&argument));
            b.diagnostics.push(found.with_help("compute over the results of `tstats` in an `eval` after it"));
            return None;
        }
        Some(argument) if argument.as_rule() == Rule::prefix_call => {
            Some(AggregateArgument::Field(prefix(b, prefixes, argument)?))
        }
        Some(argument) => Some(AggregateArgument::Field(words::name(b, &argument))),
    };
    Some(Aggregate { function, argument, alias, text, span })
}

/// `PREFIX(text)`: the field that it makes.
fn prefix(b: &Builder<'_>, prefixes: &mut Vec<Name>, pair: Pair<'_, Rule>) -> Option<Name> {
    let start = words::name(b, &pair.into_inner().find(|part| part.as_rule() != Rule::prefix_op)?);
    if !prefixes.contains(&start) {
        prefixes.push(start.clone());
    }
    Some(start)
}

fn from(b: &mut Builder<'_>, tstats: &mut Tstats, pair: Pair<'_, Rule>) -> Option<()> {
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::option => set(b, &mut tstats.options, part)?,
            Rule::model_name => tstats.source = Some(Source::Namespace(model_name(b, &part))),
            Rule::tstats_source => {
                let mut parts = part.into_inner();
                let (kind, name) = (parts.next()?, parts.next()?);
                let word = kind.as_str().trim_end().to_ascii_lowercase();
                let name = model_name(b, &name);
                tstats.source = Some(match word.as_str() {
                    "datamodel" => Source::DataModel(name),
                    "sid" => Source::Job(name),
                    _ => {
                        let message = format!("`tstats` reads FROM no `{word}`");
                        let error = Diagnostic::error(Code::InvalidArgument, message, b.span(&kind));
                        b.diagnostics.push(error.with_help("write `FROM datamodel=<model>.<object>`"));
                        return None;
                    }
                });
            }
            _ => {}
        }
    }
    Some(())
}

fn by(b: &mut Builder<'_>, tstats: &mut Tstats, pair: Pair<'_, Rule>) -> Option<()> {
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::tstats_by_op => {}
            Rule::option => set(b, &mut tstats.options, part)?,
            Rule::prefix_call => tstats.by.push(prefix(b, &mut tstats.prefixes, part)?),
            _ => tstats.by.push(words::name(b, &part)),
        }
    }
    Some(())
}

/// The search behind WHERE. Published searches write options at its end.
fn condition(b: &mut Builder<'_>, tstats: &mut Tstats, pair: Pair<'_, Rule>) -> Option<()> {
    let Some(inner) = pair.into_inner().find(|part| part.as_rule() == Rule::tstats_expression) else {
        return Some(());
    };
    let parts = match search::search_expression(b, inner)? {
        SearchExpression::And(parts) => parts,
        single => vec![single],
    };
    let mut kept = Vec::new();
    for part in parts {
        match option_of(&part) {
            Some(option) => set_option(b, &mut tstats.options, &option)?,
            None => kept.push(indexed(part)),
        }
    }
    tstats.condition = if kept.len() > 1 { Some(SearchExpression::And(kept)) } else { kept.pop() };
    Some(())
}

/// The option that a comparison is.
fn option_of(part: &SearchExpression) -> Option<words::OptionPair> {
    let SearchExpression::Comparison(Comparison {
        field,
        operator: ComparisonOperator::Equal,
        value: Operand::Literal(value),
        ..
    }) = part
    else {
        return None;
    };
    let name = field.text.to_ascii_lowercase();
    // An event may well have a field `local` or `span`.
    let known = OPTIONS.contains(&name.as_str()) && !matches!(name.as_str(), "local" | "span");
    known.then(|| words::OptionPair {
        name,
        name_span: field.span,
        value: value.text.clone(),
        value_span: value.span,
    })
}

/// `field::value` is a comparison with a field that is indexed, as all are here.
fn indexed(part: SearchExpression) -> SearchExpression {
    match part {
        SearchExpression::And(parts) => SearchExpression::And(parts.into_iter().map(indexed).collect()),
        SearchExpression::Or(parts) => SearchExpression::Or(parts.into_iter().map(indexed).collect()),
        SearchExpression::Not(inner) => SearchExpression::Not(Box::new(indexed(*inner))),
        SearchExpression::Term(Literal { text, quoted: false, matching: Matching::AnyCase, span }) => {
            match text.split_once("::").filter(|(field, value)| !field.is_empty() && !value.is_empty()) {
                Some((field, value)) => equals(field, value, span),
                None => SearchExpression::Term(Literal { text, quoted: false, matching: Matching::AnyCase, span }),
            }
        }
        other => other,
    }
}

fn equals(field: &str, value: &str, span: Span) -> SearchExpression {
    let value = Literal { text: value.to_owned(), quoted: false, matching: Matching::AnyCase, span };
    SearchExpression::Comparison(Comparison {
        field: Name { text: field.to_owned(), span },
        operator: ComparisonOperator::Equal,
        value: Operand::Literal(value),
        span,
    })
}

/// Whether the word BY stands in the expression where it would be taken for its end.
fn ends_at_by(expression: &SearchExpression) -> bool {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => parts.iter().any(ends_at_by),
        SearchExpression::Not(inner) => ends_at_by(inner),
        SearchExpression::Term(literal) => {
            !literal.quoted && ["by", "groupby"].iter().any(|word| word.eq_ignore_ascii_case(&literal.text))
        }
        _ => false,
    }
}

/// `a.b`, or `"a"."b"` in pieces.
fn model_name(b: &Builder<'_>, pair: &Pair<'_, Rule>) -> Name {
    let pieces = pair.clone().into_inner();
    let text = pieces.map(|piece| words::token_text(piece.as_str())).collect();
    Name { text, span: b.span(pair) }
}

impl Display for Tstats {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Tstats { aggregates, source, condition, by, prefixes, options } = self;
        f.write_str("tstats")?;
        options.fmt(f)?;
        write!(f, " {}", Separated(aggregates, ", "))?;
        match source {
            None => {}
            Some(Source::DataModel(name)) => write!(f, " FROM datamodel={name}")?,
            Some(Source::Job(name)) => write!(f, " FROM sid={name}")?,
            Some(Source::Namespace(name)) => write!(f, " FROM {name}")?,
        }
        match condition {
            Some(expression) if ends_at_by(expression) => write!(f, " WHERE ({expression:#})")?,
            Some(expression) => write!(f, " WHERE {expression:#}")?,
            None => {}
        }
        for (index, name) in by.iter().enumerate() {
            f.write_str(if index == 0 { " BY " } else { ", " })?;
            match prefixes.contains(name) {
                true => write!(f, "PREFIX({})", Quoted(&name.text))?,
                false => name.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl Display for TstatsOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let TstatsOptions {
            prestats,
            local,
            append,
            summariesonly,
            allow_old_summaries,
            include_reduced_buckets,
            fillnull_value,
            chunk_size,
            span,
        } = self;
        let switch = |value: &Option<Spanned<bool>>| value.as_ref().map(|value| value.node);
        option(f, "prestats", switch(prestats))?;
        option(f, "local", switch(local))?;
        option(f, "append", switch(append))?;
        option(f, "summariesonly", switch(summariesonly))?;
        option(f, "allow_old_summaries", switch(allow_old_summaries))?;
        option(f, "include_reduced_buckets", switch(include_reduced_buckets))?;
        option(f, "fillnull_value", fillnull_value.as_ref().map(|value| Quoted(&value.node)))?;
        option(f, "chunk_size", chunk_size.as_ref().map(|value| value.node))?;
        option(f, "span", span.as_ref().map(|value| Quoted(&value.node)))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn every_clause() {
        assert_eq!(
            canonical(
                "| tstats prestats=f c as n, Max(data.x) As y, values(\"a b\") FROM datamodel=\"Web\".\"Web\" \
                 where (nodename = Web) Web.url IN (\"*a*\", b) OR x=1 NOT by=2 groupby _time, host span=1m@m FillNull_Value=-"
            ),
            "| tstats prestats=false fillnull_value=\"-\" span=\"1m@m\" c AS n, Max(data.x) AS y, values(\"a b\") \
             FROM datamodel=Web.Web WHERE nodename=Web AND (Web.url IN (\"*a*\", b) OR x=1) AND NOT \"by\"=2 BY _time, host"
        );
        assert_eq!(canonical("|tstats count where index=* by index,_time span=mon"), "| tstats span=\"mon\" count WHERE index=* BY index, _time");
        assert_eq!(canonical("| tstats count"), "| tstats count");
        assert_eq!(canonical("| tstats count where by a"), "| tstats count BY a");
        assert_eq!(canonical("| tstats count where (by OR a)"), "| tstats count WHERE (by OR a)");
        assert_eq!(canonical("| tstats dc(src) from remoteov"), "| tstats dc(src) FROM remoteov");
    }

    #[test]
    fn options_may_end_the_search() {
        assert_eq!(
            canonical("| tstats dc(a) from datamodel=M where (nodename=x) prestats=true append=t"),
            "| tstats prestats=true append=true dc(a) FROM datamodel=M WHERE nodename=x"
        );
        assert!(errors("| tstats count where a=1 prestats=maybe").contains("`prestats` takes true or false"));
    }

    #[test]
    fn indexed_fields_and_prefixes() {
        assert_eq!(
            canonical("| tstats avg(PREFIX(kb=)) AS kb where component::Host TERM(a=b) by PREFIX(\"user=\") host"),
            "| tstats avg(PREFIX(kb=)) AS kb WHERE component=Host AND TERM(a=b) BY PREFIX(\"user=\"), host"
        );
    }

    #[test]
    fn mistakes() {
        assert!(errors("| tstats by a").contains("expected an aggregate such as `count`"));
        assert!(errors("| tstats sum(eval(a+b))").contains("`sum` takes a field or `PREFIX(...)` in `tstats`"));
        assert!(errors("| tstats count sumariesonly=t").contains("did you mean `summariesonly`?"));
        assert!(errors("| tstats count from index=main").contains("reads FROM no `index`"));
        assert!(errors("| tstats count by a by b").contains("takes one BY only"));
    }
}
