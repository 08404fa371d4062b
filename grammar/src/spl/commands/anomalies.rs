//! `anomalies`: how unexpected a row is after those before it.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::{Code, Spanned};

/// `anomalies OPTION ... [BY FIELD ...]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Anomalies {
    /// A row is unexpected above this; default 0.01.
    pub threshold: Option<f64>,
    /// Whether all rows are kept; default false.
    pub labelonly: Option<bool>,
    /// Whether all digits count as the same; default true.
    pub normalize: Option<bool>,
    /// How many rows before count; default 100.
    pub maxvalues: Option<u64>,
    /// The field that is looked at; default `_raw`.
    pub field: Option<Name>,
    /// The name of a file of rows that are expected.
    pub denylist: Option<Spanned<String>>,
    /// How similar to one of these a row has to be.
    pub denylistthreshold: Option<Spanned<f64>>,
    /// The rows of each combination of these are looked at by themselves.
    pub by: Vec<Name>,
}

/// The documentation of `anomalies`.
pub const DOC: CommandDoc = CommandDoc {
    name: "anomalies",
    summary: "Keeps the rows that differ from those before them, and scores how much",
    syntax: "anomalies [threshold=<number>] [labelonly=<bool>] [normalize=<bool>] [maxvalues=<count>] [field=<field>] [BY <field> ...]",
    arguments: &[
        ArgumentDoc { name: "threshold=<number>", meaning: "keep the rows whose unexpectedness is greater; default 0.01" },
        ArgumentDoc { name: "labelonly=<bool>", meaning: "keep all rows and only add the field unexpectedness; default false" },
        ArgumentDoc { name: "normalize=<bool>", meaning: "take all digits for the same; default true" },
        ArgumentDoc { name: "maxvalues=<count>", meaning: "over how many rows before, from 10 to 10000; default 100" },
        ArgumentDoc { name: "field=<field>", meaning: "the field to look at; default _raw; rows without it are not kept" },
        ArgumentDoc { name: "BY <field>", meaning: "look at the rows with the same values by themselves" },
        ArgumentDoc { name: "method", meaning: "(s(P and X) - s(P)) / (s(P) + s(X)) for a row X after rows P, where s is the length of the dictionary that the words need (Ziv and Lempel, 1978): 1 for a row with nothing before it, 0 for one that adds no word" },
    ],
    examples: &["| makeresults count=3 | eval _raw=\"user logged in\" | anomalies labelonly=true | table unexpectedness"],
};

const OPTIONS: &[&str] =
    &["threshold", "labelonly", "normalize", "maxvalues", "field", "denylist", "denylistthreshold"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Anomalies> {
    let mut anomalies = Anomalies::default();
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => set(b, &mut anomalies, part)?,
            Rule::by_clause => {
                for part in part.into_inner().filter(|part| part.as_rule() != Rule::by_op) {
                    match part.as_rule() {
                        Rule::option => set(b, &mut anomalies, part)?,
                        _ => anomalies.by.push(words::name(b, &part)),
                    }
                }
            }
            _ => {}
        }
    }
    Some(anomalies)
}

fn set(b: &mut Builder<'_>, anomalies: &mut Anomalies, pair: Pair<'_, Rule>) -> Option<()> {
    let option = words::option(b, pair)?;
    match option.name.as_str() {
        "threshold" => anomalies.threshold = Some(option.decimal(b)?),
        "labelonly" => anomalies.labelonly = Some(option.boolean(b)?),
        "normalize" => anomalies.normalize = Some(option.boolean(b)?),
        "maxvalues" => {
            let rows = option.number(b)?;
            if !(10..=10_000).contains(&rows) {
                b.error(
                    Code::InvalidOption,
                    format!("`maxvalues` is from 10 to 10000, not {rows}"),
                    option.value_span,
                );
                return None;
            }
            anomalies.maxvalues = Some(rows);
        }
        "field" => anomalies.field = Some(option.field()),
        "denylist" | "blacklist" => anomalies.denylist = Some(option.text()),
        "denylistthreshold" | "blacklistthreshold" => {
            anomalies.denylistthreshold = Some(option.at(option.decimal(b)?));
        }
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

impl Display for Anomalies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Anomalies { threshold, labelonly, normalize, maxvalues, field, denylist, denylistthreshold, by } = self;
        f.write_str("anomalies")?;
        option(f, "threshold", *threshold)?;
        option(f, "labelonly", *labelonly)?;
        option(f, "normalize", *normalize)?;
        option(f, "maxvalues", *maxvalues)?;
        option(f, "field", field.as_ref())?;
        option(f, "denylist", denylist.as_ref().map(|name| Quoted(&name.node)))?;
        option(f, "denylistthreshold", denylistthreshold.as_ref().map(|threshold| threshold.node))?;
        if !by.is_empty() {
            write!(f, " BY {}", Separated(by, ", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_and_groups() {
        assert_eq!(
            canonical("| anomalies threshold=0.03 labelonly=t blacklist=boring by group, host"),
            "| anomalies threshold=0.03 labelonly=true denylist=\"boring\" BY group, host"
        );
        assert!(errors("| anomalies maxvalues=5").contains("`maxvalues` is from 10 to 10000, not 5"));
        assert!(errors("| anomalies treshold=5").contains("did you mean `threshold`?"));
    }
}
