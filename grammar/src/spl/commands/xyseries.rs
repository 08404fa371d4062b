//! `xyseries`: a column for each value of a field.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, option};

/// `xyseries [grouped=BOOL] X Y DATA ... [sep=TEXT] [format=TEXT]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Xyseries {
    /// Whether the rows of one value of `x` stand together; default false.
    pub grouped: Option<bool>,
    /// The field whose values make rows.
    pub x: Name,
    /// The field whose values make columns.
    pub y: Name,
    /// The fields whose values fill the cells; never empty.
    pub data: Vec<Name>,
    /// What stands between the field and the value in the name of a column; default `: `.
    pub sep: Option<String>,
    /// How the names of columns are made of `$AGG$` and `$VAL$`.
    pub format: Option<String>,
}

/// The documentation of `xyseries`.
pub const DOC: CommandDoc = CommandDoc {
    name: "xyseries",
    summary: "Turns rows of three fields or more into a table with a column for each value of the second",
    syntax: "xyseries [grouped=<bool>] <x-field> <y-field> <data-field> ... [sep=<text>] [format=<text>]",
    arguments: &[
        ArgumentDoc { name: "<x-field>", meaning: "one row for each of its values, in their order" },
        ArgumentDoc { name: "<y-field>", meaning: "one column for each of its values, in the order of their characters" },
        ArgumentDoc { name: "<data-field>", meaning: "what fills the cells; of several rows for one cell the last one that has the field counts" },
        ArgumentDoc { name: "grouped=<bool>", meaning: "rows of one x value stand together: a new row starts wherever it changes; default false" },
        ArgumentDoc { name: "sep=<text>", meaning: "with several data fields, what stands between field and value in the names; default a colon and a blank" },
        ArgumentDoc { name: "format=<text>", meaning: "with several data fields, the names: $AGG$ is the field, $VAL$ or $VALUE$ the value; goes before sep" },
    ],
    examples: &["| makeresults format=csv data=\"host,status,n\na,ok,5\na,fail,1\nb,ok,7\" | xyseries host status n"],
};

const OPTIONS: &[&str] = &["grouped", "sep", "format"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Xyseries> {
    let (mut names, mut grouped, mut sep, mut format) = (Vec::new(), None, None, None);
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "grouped" => grouped = Some(option.boolean(b)?),
                    "sep" => sep = Some(option.value),
                    "format" => format = Some(option.value),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => names.push(words::name(b, &part)),
        }
    }
    let found = names.len();
    let mut names = names.into_iter();
    let (Some(x), Some(y), data) = (names.next(), names.next(), names.collect::<Vec<_>>()) else {
        return missing(b, found, place);
    };
    if data.is_empty() {
        return missing(b, found, place);
    }
    Some(Xyseries { grouped, x, y, data, sep, format })
}

fn missing<T>(b: &mut Builder<'_>, found: usize, place: crate::Span) -> Option<T> {
    b.error(Code::InvalidArgument, format!("`xyseries` needs three fields, not {found}"), place);
    None
}

impl Display for Xyseries {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("xyseries")?;
        option(f, "grouped", self.grouped)?;
        write!(f, " {} {} {}", self.x, self.y, Separated(&self.data, " "))?;
        option(f, "sep", self.sep.as_deref().map(Quoted))?;
        option(f, "format", self.format.as_deref().map(Quoted))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_three_fields_or_more() {
        assert_eq!(
            canonical("| maketable a b, count(host), m sep=\"-\" grouped=t format=\"$VAL$_$AGG$\""),
            "| xyseries grouped=true a b \"count(host)\" m sep=\"-\" format=\"$VAL$_$AGG$\""
        );
        assert!(errors("| xyseries a b").contains("`xyseries` needs three fields, not 2"));
        assert!(errors("| xyseries a b c groupd=t").contains("did you mean `grouped`?"));
    }
}
