//! `streamstats`: aggregates over the rows so far.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::stats::{self, Aggregate};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::{Expression, Name};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, expression, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::{Code, Spanned};

/// `streamstats OPTION ... AGGREGATE ... [BY FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Streamstats {
    /// What to compute; never empty.
    pub aggregates: Vec<Aggregate>,
    /// The group fields.
    pub by: Vec<Name>,
    /// The options.
    pub options: Box<StreamstatsOptions>,
}

/// The options of `streamstats`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StreamstatsOptions {
    /// Whether a row counts itself; default true.
    pub current: Option<bool>,
    /// Over how many rows at most; default 0 for all.
    pub window: Option<Spanned<u64>>,
    /// Whether the window spans all groups; default true.
    pub global: Option<bool>,
    /// Over how long a time at most.
    pub time_window: Option<Spanned<String>>,
    /// Whether everything starts anew when the BY fields change; default false.
    pub reset_on_change: Option<bool>,
    /// Everything starts anew before a row for which this is true.
    pub reset_before: Option<Expression>,
    /// Everything starts anew after a row for which this is true.
    pub reset_after: Option<Expression>,
    /// Whether numbers are computed only where every value of the field is one; default false.
    pub allnum: Option<bool>,
}

/// The documentation of `streamstats`.
pub const DOC: CommandDoc = CommandDoc {
    name: "streamstats",
    summary: "Adds aggregates over the rows so far to each row",
    syntax: "streamstats [current=<bool>] [window=<count>] [global=<bool>] [time_window=<span>] [reset_on_change=<bool>] [reset_before=\"(<expression>)\"] [reset_after=\"(<expression>)\"] [allnum=<bool>] <function>[(<field>|eval(<expression>))] [AS <name>] ... [BY <field> ...]",
    arguments: &[
        ArgumentDoc { name: "<function>", meaning: "an aggregate function, as in stats" },
        ArgumentDoc { name: "AS <name>", meaning: "the name of the new field" },
        ArgumentDoc { name: "BY <field>", meaning: "aggregate over the rows with the same values; a row that lacks one is left alone" },
        ArgumentDoc { name: "current=<bool>", meaning: "whether a row counts itself; default true" },
        ArgumentDoc { name: "window=<count>", meaning: "over the last so many rows only, at most 10000; default 0 for all" },
        ArgumentDoc { name: "global=<bool>", meaning: "whether the window counts the rows of all groups; default true" },
        ArgumentDoc { name: "time_window=<span>", meaning: "over the rows of the last such time only, such as 5m; the rows have to be in the order of `_time`" },
        ArgumentDoc { name: "reset_on_change=<bool>", meaning: "start anew when the values of the BY fields differ from those of the row before; default false" },
        ArgumentDoc { name: "reset_before=<expression>", meaning: "start anew before a row for which this is true" },
        ArgumentDoc { name: "reset_after=<expression>", meaning: "start anew after a row for which this is true; it may name the new fields" },
        ArgumentDoc { name: "allnum=<bool>", meaning: "numbers only where every value of the field is one; default false" },
    ],
    examples: &[
        "| makeresults count=4 | streamstats count AS n",
        "| makeresults count=4 | streamstats count AS n | streamstats current=f window=2 avg(n) AS before reset_after=\"(n==3)\"",
    ],
};

const OPTIONS: &[&str] = &[
    "current", "window", "global", "time_window", "reset_on_change", "reset_before", "reset_after", "allnum",
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Streamstats> {
    let mut streamstats = Streamstats { aggregates: Vec::new(), by: Vec::new(), options: Default::default() };
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::streamstats_by => {
                for part in part.into_inner().filter(|part| part.as_rule() != Rule::by_op) {
                    match part.as_rule() {
                        Rule::option | Rule::reset_option => set(b, &mut streamstats.options, part)?,
                        _ => streamstats.by.push(words::name(b, &part)),
                    }
                }
            }
            Rule::option | Rule::reset_option => set(b, &mut streamstats.options, part)?,
            Rule::aggregate => streamstats.aggregates.push(stats::aggregate(b, part)?),
            _ => {}
        }
    }
    if streamstats.aggregates.is_empty() {
        b.error(Code::InvalidArgument, "`streamstats` needs an aggregate such as `count` or `avg(field)`", place);
        return None;
    }
    Some(streamstats)
}

fn set(b: &mut Builder<'_>, options: &mut StreamstatsOptions, pair: Pair<'_, Rule>) -> Option<()> {
    if pair.as_rule() == Rule::reset_option {
        let mut parts = pair.into_inner();
        let (name, condition) = (parts.next()?, parts.next()?);
        let before = name.as_str().trim_end().eq_ignore_ascii_case("reset_before");
        let condition = Some(reset_condition(b, &condition)?);
        if before {
            options.reset_before = condition;
        } else {
            options.reset_after = condition;
        }
        return Some(());
    }
    let option = words::option(b, pair)?;
    match option.name.as_str() {
        "current" => options.current = Some(option.boolean(b)?),
        "window" => options.window = Some(option.at(option.number(b)?)),
        "global" => options.global = Some(option.boolean(b)?),
        "time_window" => options.time_window = Some(option.text()),
        "reset_on_change" => options.reset_on_change = Some(option.boolean(b)?),
        "allnum" => options.allnum = Some(option.boolean(b)?),
        name @ ("reset_before" | "reset_after") => {
            let message = format!("`{name}` takes a condition in quotes, such as {name}=\"(x==1)\"");
            b.error(Code::InvalidOption, message, option.value_span);
            return None;
        }
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

/// `"(x==1)"`, `"("x==1")"` or `(x==1)`. The quotes hide the text from the grammar, so it is parsed by itself.
fn reset_condition(b: &mut Builder<'_>, pair: &Pair<'_, Rule>) -> Option<Expression> {
    let written = pair.as_str().trim_end();
    let text = match written.strip_prefix("\"(\"").and_then(|rest| rest.strip_suffix("\")\"")) {
        Some(inner) => words::unescape(inner),
        None => words::token_text(written),
    };
    expression::of_text(b, &text, b.span(pair))
}

impl Display for Streamstats {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let StreamstatsOptions {
            current,
            window,
            global,
            time_window,
            reset_on_change,
            reset_before,
            reset_after,
            allnum,
        } = self.options.as_ref();
        let condition = |condition: &Option<Expression>| condition.as_ref().map(|condition| format!("({condition})"));
        f.write_str("streamstats")?;
        option(f, "current", *current)?;
        option(f, "window", window.as_ref().map(|window| window.node))?;
        option(f, "global", *global)?;
        option(f, "time_window", time_window.as_ref().map(|window| Quoted(&window.node)))?;
        option(f, "reset_on_change", *reset_on_change)?;
        option(f, "reset_before", condition(reset_before).as_deref().map(Quoted))?;
        option(f, "reset_after", condition(reset_after).as_deref().map(Quoted))?;
        option(f, "allnum", *allnum)?;
        write!(f, " {}", Separated(&self.aggregates, ", "))?;
        if !self.by.is_empty() {
            write!(f, " BY {}", Separated(&self.by, ", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| streamstats avg(foo) AS a by bar window=5 global=f time_window=\"5m\""),
            "| streamstats window=5 global=false time_window=\"5m\" avg(foo) AS a BY bar"
        );
    }

    #[test]
    fn conditions_are_written_in_three_ways() {
        let canonically = "| streamstats reset_after=\"(match(test, \\\"yes\\\"))\" count";
        for written in [
            "| streamstats count reset_after=\"(\"match(test,\\\"yes\\\")\")\"",
            "| streamstats count reset_after=\"(match(test,\\\"yes\\\"))\"",
            "| streamstats reset_after=(match(test,\"yes\")) count",
        ] {
            assert_eq!(canonical(written), canonically, "{written}");
        }
    }

    #[test]
    fn mistakes_in_conditions_are_found() {
        assert!(errors("| streamstats count reset_before=\"(x==)\"").contains("expected an expression after `==`"));
        let deep = format!("| streamstats count reset_before=\"{}x{}\"", "(".repeat(100), ")".repeat(100));
        assert!(errors(&deep).contains("nests too deeply"));
    }
}
