//! `rangemap`: names the ranges that a number lies in.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::token_text;
use crate::spl::parser::Rule;
use crate::spl::print::{Quoted, Separated, is_plain, option};
use crate::{Code, Span};

/// `rangemap field=FIELD NAME=LOW-HIGH ... [default=TEXT]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rangemap {
    /// The field with the number.
    pub field: Name,
    /// The ranges, as written.
    pub ranges: Vec<Range>,
    /// What a number outside all ranges gives; default `None`.
    pub default: Option<String>,
}

/// A named range, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// Its name.
    pub name: String,
    /// The least number.
    pub low: f64,
    /// The greatest number.
    pub high: f64,
}

/// The documentation of `rangemap`.
pub const DOC: CommandDoc = CommandDoc {
    name: "rangemap",
    summary: "Sets the field `range` to the names of the ranges that a number lies in",
    syntax: "rangemap field=<field> <name>=<low>-<high> ... [default=<text>]",
    arguments: &[
        ArgumentDoc { name: "field=<field>", meaning: "the field with the number" },
        ArgumentDoc { name: "<name>=<low>-<high>", meaning: "a range, both ends included; ends may be negative, ranges may overlap" },
        ArgumentDoc { name: "default=<text>", meaning: "what lies in no range gives; default None" },
    ],
    examples: &["| makeresults | eval n=35 | rangemap field=n green=1-30 blue=31-39 default=gray"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Rangemap> {
    let (mut field, mut ranges, mut default) = (None, Vec::new(), None);
    let place = b.span(&arguments);
    for pair in arguments.into_inner().filter(|pair| pair.as_rule() == Rule::rangemap_pair) {
        let mut parts = pair.into_inner();
        let (name, value) = (parts.next()?, parts.next()?);
        let (name, text) = (token_text(name.as_str().trim_end()), token_text(value.as_str().trim_end()));
        let span = b.span(&value);
        if name.eq_ignore_ascii_case("field") {
            field = Some(Name { text, span });
        } else if name.eq_ignore_ascii_case("default") {
            default = Some(text);
        } else {
            let (low, high) = bounds(b, &name, &text, span)?;
            ranges.push(Range { name, low, high });
        }
    }
    let Some(field) = field else {
        b.error(Code::InvalidArgument, "`rangemap` needs a field: `field=<field>`", place);
        return None;
    };
    Some(Rangemap { field, ranges, default })
}

/// The two ends of `LOW-HIGH`, either of which may have a sign.
fn bounds(b: &mut Builder<'_>, name: &str, text: &str, span: Span) -> Option<(f64, f64)> {
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        text.parse::<f64>().ok().filter(|number| digits && number.is_finite())
    };
    let found = text.match_indices('-').find_map(|(at, _)| {
        Some((number(text.get(..at)?.trim_end())?, number(text.get(at.saturating_add(1)..)?.trim_start())?))
    });
    match found {
        Some((low, high)) if low <= high => found,
        Some(_) => {
            b.error(Code::InvalidArgument, format!("the range `{name}={text}` ends before it starts"), span);
            None
        }
        None => {
            b.error(Code::InvalidArgument, format!("`{name}` takes a range such as 1-10, not `{text}`"), span);
            None
        }
    }
}

impl Display for Rangemap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "rangemap field={}", self.field)?;
        if !self.ranges.is_empty() {
            write!(f, " {}", Separated(&self.ranges, " "))?;
        }
        option(f, "default", self.default.as_deref().map(Quoted))
    }
}

impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_plain(&self.name) { f.write_str(&self.name)? } else { Quoted(&self.name).fmt(f)? }
        write!(f, "={}-{}", self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn ends_may_be_negative_fractions() {
        assert_eq!(
            canonical("| rangemap field=a Low=-5--1, 2xx=200-299 default=\"x y\" z=-0.1-1e3"),
            "| rangemap field=a Low=-5--1 \"2xx\"=200-299 z=-0.1-1000 default=\"x y\""
        );
        assert!(errors("| rangemap a=1-2").contains("`rangemap` needs a field"));
        assert!(errors("| rangemap field=f a=2-1").contains("ends before it starts"));
        assert!(errors("| rangemap field=f a=5").contains("takes a range such as 1-10, not `5`"));
    }
}
