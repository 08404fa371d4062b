//! `geostats`: aggregates over the cells of a grid on the map, for several depths of zoom.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::stats::{self, Aggregate};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};
use crate::{Code, Spanned};

/// `geostats [OPTION ...] AGGREGATE ... [BY FIELD]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Geostats {
    /// What to compute; never empty.
    pub aggregates: Vec<Aggregate>,
    /// The field with a column for each value.
    pub by: Option<Name>,
    /// The options.
    pub options: Box<GeostatsOptions>,
}

/// The options of `geostats`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GeostatsOptions {
    /// Whether values of the BY field are columns; default true, else they are rows.
    pub translatetoxy: Option<bool>,
    /// The field of latitudes; default `lat`.
    pub latfield: Option<Name>,
    /// The field of longitudes; default `lon`.
    pub longfield: Option<Name>,
    /// How many values of the BY field there are in all, 0 for any number; default 10.
    pub globallimit: Option<u64>,
    /// How many values of the BY field there are in a cell, 0 for any number; default 10.
    pub locallimit: Option<Spanned<u64>>,
    /// The field that receives the latitude; default `latitude`.
    pub outputlatfield: Option<Name>,
    /// The field that receives the longitude; default `longitude`.
    pub outputlongfield: Option<Name>,
    /// How many degrees high a cell of the first grid is; default 22.5.
    pub binspanlat: Option<Spanned<f64>>,
    /// How many degrees wide a cell of the first grid is; default 45.
    pub binspanlong: Option<Spanned<f64>>,
    /// The number of the last grid; default 9.
    pub maxzoomlevel: Option<Spanned<u64>>,
}

/// The documentation of `geostats`.
pub const DOC: CommandDoc = CommandDoc {
    name: "geostats",
    summary: "Computes aggregates for the cells of a grid on the map, with a row for each cell of each depth of zoom",
    syntax: "geostats [translatetoxy=<bool>] [latfield=<field>] [longfield=<field>] [globallimit=<count>] [locallimit=<count>] [outputlatfield=<field>] [outputlongfield=<field>] [binspanlat=<degrees>] [binspanlong=<degrees>] [maxzoomlevel=<number>] <function>[(<field>|eval(<expression>))] [AS <name>] ... [BY <field>]",
    arguments: &[
        ArgumentDoc { name: "<function>", meaning: "an aggregate function, as in stats" },
        ArgumentDoc { name: "BY <field>", meaning: "a column for each value" },
        ArgumentDoc { name: "latfield=<field>", meaning: "the latitude, from -90 to 90; default lat. Rows without a place on the map are left out" },
        ArgumentDoc { name: "longfield=<field>", meaning: "the longitude, from -180 to 180; default lon" },
        ArgumentDoc { name: "outputlatfield=<field>", meaning: "receives the mean latitude of the rows in a cell; default latitude" },
        ArgumentDoc { name: "outputlongfield=<field>", meaning: "receives their mean longitude; default longitude" },
        ArgumentDoc { name: "binspanlat=<degrees>", meaning: "the height of a cell of the first grid, which each further grid halves; default 22.5" },
        ArgumentDoc { name: "binspanlong=<degrees>", meaning: "the width of a cell of the first grid, which each further grid halves; default 45" },
        ArgumentDoc { name: "maxzoomlevel=<number>", meaning: "the number of the last grid, from 0 to 18; default 9, which makes ten" },
        ArgumentDoc { name: "globallimit=<count>", meaning: "how many values of the BY field there are in all, the others become OTHER; 0 for any number, default 10" },
        ArgumentDoc { name: "locallimit=<count>", meaning: "how many there are in a cell, the least of the others are added to OTHER; for count and sum; 0 for any number, default 10" },
        ArgumentDoc { name: "translatetoxy=<bool>", meaning: "whether the values of the BY field are columns; false makes a row for each cell and value. Default true" },
    ],
    examples: &["| makeresults count=3 | streamstats count AS n | eval lat=10*n, lon=20*n | geostats maxzoomlevel=1 count"],
};

const OPTIONS: &[&str] = &[
    "translatetoxy", "latfield", "longfield", "globallimit", "locallimit", "outputlatfield", "outputlongfield",
    "binspanlat", "binspanlong", "maxzoomlevel",
];

/// The deepest zoom.
const MOST_LEVELS: u64 = 18;

/// The least height and width of a cell in degrees.
const LEAST_SPAN: f64 = 0.001;

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Geostats> {
    let place = b.span(&arguments);
    let (mut aggregates, mut by, mut options) = (Vec::new(), Vec::new(), GeostatsOptions::default());
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => take(b, &mut options, part)?,
            Rule::aggregate => aggregates.push(stats::aggregate(b, part)?),
            Rule::geostats_by => {
                for part in part.into_inner() {
                    match part.as_rule() {
                        Rule::option => take(b, &mut options, part)?,
                        Rule::by_op => {}
                        _ => by.push(words::name(b, &part)),
                    }
                }
            }
            _ => {}
        }
    }
    if aggregates.is_empty() {
        b.error(Code::InvalidArgument, "`geostats` needs an aggregate such as `count` or `avg(field)`", place);
        return None;
    }
    if let Some(more) = by.get(1) {
        let message = format!("`geostats` has columns for one field; `{}` is one more", more.text);
        b.error(Code::InvalidArgument, message, more.span);
        return None;
    }
    Some(Geostats { aggregates, by: by.pop(), options: Box::new(options) })
}

fn take(b: &mut Builder<'_>, options: &mut GeostatsOptions, pair: Pair<'_, Rule>) -> Option<()> {
    let option = words::option(b, pair)?;
    match option.name.as_str() {
        "translatetoxy" => options.translatetoxy = Some(option.boolean(b)?),
        "latfield" => options.latfield = Some(field(b, &option)?),
        "longfield" => options.longfield = Some(field(b, &option)?),
        "outputlatfield" => options.outputlatfield = Some(field(b, &option)?),
        "outputlongfield" => options.outputlongfield = Some(field(b, &option)?),
        "globallimit" => options.globallimit = Some(option.number(b)?),
        "locallimit" => options.locallimit = Some(option.at(option.number(b)?)),
        "binspanlat" => options.binspanlat = Some(span(b, &option, 180.0)?),
        "binspanlong" => options.binspanlong = Some(span(b, &option, 360.0)?),
        "maxzoomlevel" => match option.number(b)? {
            level if level <= MOST_LEVELS => options.maxzoomlevel = Some(option.at(level)),
            _ => return option.invalid(b, "a number from 0 to 18"),
        },
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

fn field(b: &mut Builder<'_>, option: &OptionPair) -> Option<Name> {
    if option.value.is_empty() || option.value.contains('*') { option.invalid(b, "a field") } else { Some(option.field()) }
}

fn span(b: &mut Builder<'_>, option: &OptionPair, most: f64) -> Option<Spanned<f64>> {
    let degrees = option.decimal(b)?;
    if (LEAST_SPAN..=most).contains(&degrees) {
        Some(option.at(degrees))
    } else {
        option.invalid(b, &format!("degrees from {LEAST_SPAN} to {most}"))
    }
}

impl Display for Geostats {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { aggregates, by, options } = self;
        write!(f, "geostats{options} {}", Separated(aggregates, ", "))?;
        by.as_ref().map_or(Ok(()), |by| write!(f, " BY {by}"))
    }
}

impl Display for GeostatsOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            translatetoxy,
            latfield,
            longfield,
            globallimit,
            locallimit,
            outputlatfield,
            outputlongfield,
            binspanlat,
            binspanlong,
            maxzoomlevel,
        } = self;
        option(f, "translatetoxy", *translatetoxy)?;
        option(f, "latfield", latfield.as_ref())?;
        option(f, "longfield", longfield.as_ref())?;
        option(f, "globallimit", *globallimit)?;
        option(f, "locallimit", locallimit.as_ref().map(|limit| limit.node))?;
        option(f, "outputlatfield", outputlatfield.as_ref())?;
        option(f, "outputlongfield", outputlongfield.as_ref())?;
        option(f, "binspanlat", binspanlat.as_ref().map(|span| span.node))?;
        option(f, "binspanlong", binspanlong.as_ref().map(|span| span.node))?;
        option(f, "maxzoomlevel", maxzoomlevel.as_ref().map(|level| level.node))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| geostats latfield=a longfield=\"b c\" count, avg(x) as m by kind globallimit=0 locallimit=5 binspanlat=10.5"),
            "| geostats latfield=a longfield=\"b c\" globallimit=0 locallimit=5 binspanlat=10.5 count, avg(x) AS m BY kind"
        );
        assert_eq!(canonical("| geostats count"), "| geostats count");
    }

    #[test]
    fn mistakes() {
        assert!(errors("| geostats by a").contains("an aggregate such as `count`"));
        assert!(errors("| geostats count by a b").contains("`geostats` has columns for one field; `b` is one more"));
        assert!(errors("| geostats binspanlat=0 count").contains("takes degrees from 0.001 to 180"));
        assert!(errors("| geostats maxzoomlevel=19 count").contains("takes a number from 0 to 18"));
        assert!(errors("| geostats latfeild=x count").contains("did you mean `latfield`?"));
    }
}
