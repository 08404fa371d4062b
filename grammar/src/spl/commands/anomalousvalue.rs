//! `anomalousvalue`: values that are rare, or far from the mean of their field.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};

/// `anomalousvalue OPTION ... [FIELD ...]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Anomalousvalue {
    /// What becomes of the rows; default [`Action::Filter`].
    pub action: Option<Action>,
    /// How improbable an anomalous value is; default 0.01.
    pub pthresh: Option<f64>,
    /// Which fields count.
    pub support: Support,
    /// The fields; may hold wildcards; empty for all.
    pub fields: Vec<Name>,
}

/// What becomes of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// All are kept, the anomalous ones get new fields.
    Annotate,
    /// The anomalous ones are kept, and get new fields.
    Filter,
    /// A summary takes their place.
    Summary,
}

/// Which fields say enough for a value to be called anomalous.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Support {
    /// At most this share of the values is anomalous; default 0.05.
    pub maxanofreq: Option<f64>,
    /// At least this share of the values is normal; default 0.01.
    pub minnormfreq: Option<f64>,
    /// At least so many rows have the field; default 100.
    pub minsupcount: Option<u64>,
    /// At least this share of the rows has the field; default 0.05.
    pub minsupfreq: Option<f64>,
}

/// The documentation of `anomalousvalue`.
pub const DOC: CommandDoc = CommandDoc {
    name: "anomalousvalue",
    summary: "Finds values that are rare in their field, or far from its mean",
    syntax: "anomalousvalue [action=annotate|filter|summary] [pthresh=<number>] [maxanofreq=<number>] [minnormfreq=<number>] [minsupcount=<count>] [minsupfreq=<number>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "action=annotate|filter|summary", meaning: "add the scores of anomalous values, keep only the rows that have one (the default, at most 50000), or give a row of statistics for each field" },
        ArgumentDoc { name: "pthresh=<number>", meaning: "a value is anomalous if its probability is smaller; default 0.01" },
        ArgumentDoc { name: "maxanofreq=<number>", meaning: "leave out a field of whose values a greater share is anomalous; default 0.05" },
        ArgumentDoc { name: "minnormfreq=<number>", meaning: "leave out a field of whose values a smaller share is normal; default 0.01" },
        ArgumentDoc { name: "minsupcount=<count>", meaning: "leave out a field that fewer rows have; default 100" },
        ArgumentDoc { name: "minsupfreq=<number>", meaning: "leave out a field that a smaller share of the rows has; default 0.05" },
        ArgumentDoc { name: "<field>", meaning: "the fields to look at, with `*` every field of that form; default all but internal ones" },
        ArgumentDoc { name: "method", meaning: "Anomaly_Score_Cat(field) is the share of the field's values that equal this one, Anomaly_Score_Num(field) the probability of a value at least so far from the mean under a normal distribution (Grubbs, 1969)" },
    ],
    examples: &["| makeresults count=3 | eval n=1 | anomalousvalue action=summary minsupcount=1 n | table fieldname, useCat"],
};

const OPTIONS: &[&str] = &["action", "pthresh", "maxanofreq", "minnormfreq", "minsupcount", "minsupfreq"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Anomalousvalue> {
    let mut command = Anomalousvalue::default();
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "action" => command.action = Some(action(b, &option)?),
                    "pthresh" => command.pthresh = Some(option.fraction(b)?),
                    _ => match support(b, &mut command.support, &option)? {
                        true => {}
                        false => return option.unknown(b, OPTIONS),
                    },
                }
            }
            Rule::EOI => {}
            _ => command.fields.push(words::name(b, &part)),
        }
    }
    Some(command)
}

/// What `action=` says.
pub(super) fn action(b: &mut Builder<'_>, option: &OptionPair) -> Option<Action> {
    match option.value.to_ascii_lowercase().as_str() {
        "annotate" => Some(Action::Annotate),
        "filter" => Some(Action::Filter),
        "summary" => Some(Action::Summary),
        _ => option.invalid(b, "annotate, filter or summary"),
    }
}

/// Sets an option that says which fields count; false if it is none.
pub(super) fn support(b: &mut Builder<'_>, support: &mut Support, option: &OptionPair) -> Option<bool> {
    match option.name.as_str() {
        "maxanofreq" => support.maxanofreq = Some(option.fraction(b)?),
        "minnormfreq" => support.minnormfreq = Some(option.fraction(b)?),
        "minsupcount" => support.minsupcount = Some(option.number(b)?),
        "minsupfreq" => support.minsupfreq = Some(option.fraction(b)?),
        _ => return Some(false),
    }
    Some(true)
}

impl Display for Anomalousvalue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Anomalousvalue { action, pthresh, support, fields } = self;
        f.write_str("anomalousvalue")?;
        option(f, "action", action.as_ref())?;
        option(f, "pthresh", *pthresh)?;
        support.fmt(f)?;
        if !fields.is_empty() {
            write!(f, " {}", Separated(fields, ", "))?;
        }
        Ok(())
    }
}

impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Annotate => "annotate",
            Action::Filter => "filter",
            Action::Summary => "summary",
        })
    }
}

impl Display for Support {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Support { maxanofreq, minnormfreq, minsupcount, minsupfreq } = self;
        option(f, "maxanofreq", *maxanofreq)?;
        option(f, "minnormfreq", *minnormfreq)?;
        option(f, "minsupcount", *minsupcount)?;
        option(f, "minsupfreq", *minsupfreq)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_and_fields() {
        assert_eq!(
            canonical("| anomalousvalue minsupcount=5 host action=summary, user pthresh=0.02"),
            "| anomalousvalue action=summary pthresh=0.02 minsupcount=5 host, user"
        );
        assert!(errors("| anomalousvalue action=drop").contains("`action` takes annotate, filter or summary"));
        assert!(errors("| anomalousvalue pthresh=2").contains("`pthresh` takes a number from 0 to 1, not `2`"));
    }
}
