//! `kmeans`: groups of rows with near numbers.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};
use crate::{Code, Spanned};

/// `kmeans OPTION ... [FIELD ...]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kmeans {
    /// How often it is begun anew; default 10.
    pub reps: Option<u64>,
    /// How many steps at most; default 10000.
    pub maxiters: Option<u64>,
    /// By how much a step has to make the fit better; default 0.
    pub t: Option<f64>,
    /// How many groups: from, to; default 2.
    pub k: Option<Spanned<(u64, u64)>>,
    /// The field for the number of the group; default `CLUSTERNUM`.
    pub cfield: Option<Name>,
    /// How distance is measured; default [`Distance::SquaredEuclidean`].
    pub distance: Option<Distance>,
    /// Whether rows get the centre of their group; default true.
    pub showcentroid: Option<bool>,
    /// The fields with the numbers; empty for all numeric ones.
    pub fields: Vec<Name>,
}

/// How distance is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// The sum of the differences.
    CityBlock,
    /// The sum of the squared differences.
    SquaredEuclidean,
    /// One less the cosine of the angle.
    Cosine,
}

/// The documentation of `kmeans`.
pub const DOC: CommandDoc = CommandDoc {
    name: "kmeans",
    summary: "Groups rows by how near their numbers are",
    syntax: "kmeans [k=<count>|k=<count>-<count>] [reps=<count>] [maxiters=<count>] [t=<number>] [cfield=<field>] [dt=l1|l2|cosine] [showcentroid=<bool>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "k=<count>", meaning: "how many groups, from 2 to 1000; default 2. A range such as 2-5 gives a row for each count instead: k, distortion (the mean distance from the centre) and size (of each group)" },
        ArgumentDoc { name: "reps=<count>", meaning: "how often to begin anew; the best result counts; default 10" },
        ArgumentDoc { name: "maxiters=<count>", meaning: "how many steps at most; default 10000" },
        ArgumentDoc { name: "t=<number>", meaning: "stop when a step makes the mean distance smaller by no more than this; default 0" },
        ArgumentDoc { name: "cfield=<field>", meaning: "the field for the number of the group, from 1 in the order of their first rows; default CLUSTERNUM" },
        ArgumentDoc { name: "dt=<distance>", meaning: "l1, l1norm, cityblock or cb; l2, l2norm, sq or sqeuclidean (the default); cos or cosine" },
        ArgumentDoc { name: "showcentroid=<bool>", meaning: "add the centre of its group to each row, as centroid_<field>; default true" },
        ArgumentDoc { name: "<field>", meaning: "the fields with the numbers; default all that are numbers in every row. Rows that lack a number are left out" },
        ArgumentDoc { name: "method", meaning: "k-means (Lloyd, 1982) with the start of k-means++ (Arthur and Vassilvitskii, 2007), from fixed random numbers, so that the same rows give the same groups; at most 100000000 numbers" },
    ],
    examples: &["| makeresults count=6 | eval n=1 | accum n | eval x=if(n>3, n+100, n) | kmeans k=2 x | table x, CLUSTERNUM"],
};

const OPTIONS: &[&str] = &["k", "reps", "maxiters", "t", "cfield", "dt", "showcentroid"];

/// The greatest number of groups.
const MOST_GROUPS: u64 = 1_000;
/// The longest range of numbers of groups.
const LONGEST_RANGE: u64 = 100;

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Kmeans> {
    let mut kmeans = Kmeans::default();
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => set(b, &mut kmeans, words::option(b, part)?)?,
            Rule::EOI => {}
            _ => kmeans.fields.push(words::name(b, &part)),
        }
    }
    Some(kmeans)
}

fn set(b: &mut Builder<'_>, kmeans: &mut Kmeans, option: OptionPair) -> Option<()> {
    match option.name.as_str() {
        "reps" => kmeans.reps = Some(positive(b, &option)?),
        "maxiters" | "iters" => kmeans.maxiters = Some(positive(b, &option)?),
        "t" => match option.decimal(b)? {
            t if t >= 0.0 => kmeans.t = Some(t),
            _ => return option.invalid(b, "a number from 0"),
        },
        "k" => kmeans.k = Some(option.at(groups(b, &option)?)),
        "cfield" | "cnumfield" => kmeans.cfield = Some(option.field()),
        "dt" | "distype" => {
            kmeans.distance = Some(match option.value.to_ascii_lowercase().as_str() {
                "l1" | "l1norm" | "cityblock" | "cb" => Distance::CityBlock,
                "l2" | "l2norm" | "sq" | "sqeuclidean" => Distance::SquaredEuclidean,
                "cos" | "cosine" => Distance::Cosine,
                _ => return option.invalid(b, "l1, l2 or cosine"),
            });
        }
        "showcentroid" => kmeans.showcentroid = Some(option.boolean(b)?),
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

fn positive(b: &mut Builder<'_>, option: &OptionPair) -> Option<u64> {
    match option.number(b)? {
        0 => option.invalid(b, "a count from 1"),
        count => Some(count),
    }
}

/// `3` or `2-5`.
fn groups(b: &mut Builder<'_>, option: &OptionPair) -> Option<(u64, u64)> {
    let (from, to) = option.value.split_once('-').unwrap_or((&option.value, &option.value));
    let (Ok(from), Ok(to)) = (from.trim().parse::<u64>(), to.trim().parse::<u64>()) else {
        return option.invalid(b, "a count such as 3, or a range such as 2-5");
    };
    if from < 2 || to > MOST_GROUPS || from > to {
        return option.invalid(b, "a count from 2 to 1000, or a rising range of such");
    }
    if to.saturating_sub(from) > LONGEST_RANGE {
        let message = format!("the range `k={}` is longer than {LONGEST_RANGE}", option.value);
        b.error(Code::InvalidOption, message, option.value_span);
        return None;
    }
    Some((from, to))
}

impl Display for Kmeans {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Kmeans { reps, maxiters, t, k, cfield, distance, showcentroid, fields } = self;
        f.write_str("kmeans")?;
        match k.as_ref().map(|k| k.node) {
            Some((from, to)) if from == to => write!(f, " k={from}")?,
            Some((from, to)) => write!(f, " k={from}-{to}")?,
            None => {}
        }
        option(f, "reps", *reps)?;
        option(f, "maxiters", *maxiters)?;
        option(f, "t", *t)?;
        option(f, "cfield", cfield.as_ref())?;
        option(
            f,
            "dt",
            distance.map(|distance| match distance {
                Distance::CityBlock => "cityblock",
                Distance::SquaredEuclidean => "sqeuclidean",
                Distance::Cosine => "cosine",
            }),
        )?;
        option(f, "showcentroid", *showcentroid)?;
        if !fields.is_empty() {
            write!(f, " {}", Separated(fields, ", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_and_fields() {
        assert_eq!(
            canonical("| kmeans k=4 date_hour date_minute dt=cb iters=5 t=0.5 cnumfield=c"),
            "| kmeans k=4 maxiters=5 t=0.5 cfield=c dt=cityblock date_hour, date_minute"
        );
        assert_eq!(canonical("| kmeans k=2-5"), "| kmeans k=2-5");
    }

    #[test]
    fn numbers_of_groups_are_limited() {
        for k in ["1", "0", "1001", "5-2", "x"] {
            assert!(errors(&format!("| kmeans k={k}")).contains("`k` takes a count"), "{k}");
        }
        assert!(errors("| kmeans k=2-500").contains("the range `k=2-500` is longer than 100"));
        assert!(errors("| kmeans dt=far").contains("`dt` takes l1, l2 or cosine"));
    }
}
