//! `cluster`: groups of rows with similar text.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `cluster OPTION ...`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cluster {
    /// How similar the rows of a cluster are at least; default 0.8.
    pub t: Option<f64>,
    /// The characters between words; default all but letters, digits and `_`.
    pub delims: Option<String>,
    /// Whether rows get the size of their cluster; default false.
    pub showcount: Option<bool>,
    /// The field for the size; default `cluster_count`.
    pub countfield: Option<Name>,
    /// The field for the number of the cluster; default `cluster_label`.
    pub labelfield: Option<Name>,
    /// The field whose text is compared; default `_raw`.
    pub field: Option<Name>,
    /// Whether all rows are kept; default false: one a cluster.
    pub labelonly: Option<bool>,
    /// What is compared; default [`Match::Termlist`].
    pub matching: Option<Match>,
}

/// What of two texts is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Words and their places.
    Termlist,
    /// Words in any order.
    Termset,
    /// Runs of three characters.
    Ngramset,
}

/// The documentation of `cluster`.
pub const DOC: CommandDoc = CommandDoc {
    name: "cluster",
    summary: "Groups rows with similar text, and keeps one of each group",
    syntax: "cluster [t=<number>] [field=<field>] [match=termlist|termset|ngramset] [delims=<characters>] [showcount=<bool>] [countfield=<field>] [labelfield=<field>] [labelonly=<bool>]",
    arguments: &[
        ArgumentDoc { name: "t=<number>", meaning: "how similar the rows of a group are at least, between 0 and 1; default 0.8" },
        ArgumentDoc { name: "field=<field>", meaning: "the field whose text is compared; default _raw; rows without it belong to no group" },
        ArgumentDoc { name: "match=termlist|termset|ngramset", meaning: "compare words at the same places (the default), words in any order, or runs of three characters" },
        ArgumentDoc { name: "delims=<characters>", meaning: "the characters between words; default all but letters, digits and `_`; no effect on runs of characters" },
        ArgumentDoc { name: "showcount=<bool>", meaning: "add the size of the group; default false" },
        ArgumentDoc { name: "countfield=<field>", meaning: "the field for the size; default cluster_count" },
        ArgumentDoc { name: "labelfield=<field>", meaning: "the field for the number of the group, from 1 in the order of their first rows; default cluster_label" },
        ArgumentDoc { name: "labelonly=<bool>", meaning: "keep all rows rather than the first of each group; default false" },
        ArgumentDoc { name: "method", meaning: "the leader algorithm (Hartigan, Clustering Algorithms, 1975, chapter 3) with the cosine of the words as similarity (Salton and McGill, 1983): equal texts are in one group, another text joins the group whose first text is the most similar. Candidates are found by their rare words, so that not every pair is compared" },
    ],
    examples: &[
        "| makeresults count=3 | eval n=1 | accum n | eval _raw=\"failed login of user number \".n | cluster showcount=true | table cluster_count, _raw",
    ],
};

const OPTIONS: &[&str] = &["t", "field", "match", "delims", "showcount", "countfield", "labelfield", "labelonly"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Cluster> {
    let mut cluster = Cluster::default();
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "t" => match option.value.parse::<f64>() {
                Ok(t) if t > 0.0 && t < 1.0 => cluster.t = Some(t),
                _ => return option.invalid(b, "a number between 0 and 1"),
            },
            "delims" => cluster.delims = Some(option.value),
            "showcount" => cluster.showcount = Some(option.boolean(b)?),
            "countfield" => cluster.countfield = Some(option.field()),
            "labelfield" => cluster.labelfield = Some(option.field()),
            "field" => cluster.field = Some(option.field()),
            "labelonly" => cluster.labelonly = Some(option.boolean(b)?),
            "match" => {
                cluster.matching = Some(match option.value.to_ascii_lowercase().as_str() {
                    "termlist" => Match::Termlist,
                    "termset" => Match::Termset,
                    "ngramset" => Match::Ngramset,
                    _ => return option.invalid(b, "termlist, termset or ngramset"),
                });
            }
            _ => return option.unknown(b, OPTIONS),
        }
    }
    Some(cluster)
}

impl Display for Cluster {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Cluster { t, delims, showcount, countfield, labelfield, field, labelonly, matching } = self;
        f.write_str("cluster")?;
        option(f, "t", *t)?;
        option(f, "field", field.as_ref())?;
        option(
            f,
            "match",
            matching.map(|matching| match matching {
                Match::Termlist => "termlist",
                Match::Termset => "termset",
                Match::Ngramset => "ngramset",
            }),
        )?;
        option(f, "delims", delims.as_deref().map(Quoted))?;
        option(f, "showcount", *showcount)?;
        option(f, "countfield", countfield.as_ref())?;
        option(f, "labelfield", labelfield.as_ref())?;
        option(f, "labelonly", *labelonly)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn every_option() {
        assert_eq!(
            canonical("| cluster labelonly=true match=ngramset field=search t=.9 delims=\" ,\\\"\" countfield=n"),
            "| cluster t=0.9 field=search match=ngramset delims=\" ,\\\"\" countfield=n labelonly=true"
        );
        assert_eq!(canonical("| cluster"), "| cluster");
        for t in ["0", "1", "x", "-1", "inf"] {
            assert!(errors(&format!("| cluster t={t}")).contains("`t` takes a number between 0 and 1"), "{t}");
        }
        assert!(errors("| cluster match=words").contains("`match` takes termlist, termset or ngramset"));
        assert!(errors("| cluster _raw").contains("expected"));
    }
}
