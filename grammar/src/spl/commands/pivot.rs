//! `pivot`: a table over an object of a data model, with rows and columns for the values of its fields.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated};
use crate::{Code, Diagnostic, Spanned};

/// `pivot MODEL OBJECT ELEMENT ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pivot {
    /// The data model.
    pub model: Name,
    /// The object of it.
    pub object: Name,
    /// What the table is made of, in the order in which it is written.
    pub elements: Vec<Element>,
}

/// A part of a pivot table.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// `FUNCTION(FIELD) AS LABEL`: what the cells hold.
    Cell(Cell, Option<Name>),
    /// `SPLITROW` and `SPLITCOL`.
    Split(Box<Split>),
    /// `FILTER FIELD COMPARISON VALUE`.
    Filter(Filter),
    /// `LIMIT FIELD BY top 10 count(FIELD)`.
    Limit(Name, Best),
    /// `TOP 10 count(FIELD)`: which columns or rows are kept of the split before it.
    Best(Best),
    /// `SORT 100 FIELD, -FIELD`.
    Sort(Spanned<u64>, Vec<Key>),
    /// `ROWSUMMARY 0` and its like.
    Setting(&'static str, Spanned<String>),
}

/// `FUNCTION(FIELD)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The name of the function as written.
    pub function: Spanned<String>,
    /// The field, or the object where it is counted.
    pub field: Name,
}

/// A field with a row or a column for each value.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Whether it makes columns.
    pub columns: bool,
    /// The field.
    pub field: Name,
    /// The name that it gets.
    pub label: Option<Name>,
    /// `PERIOD`: the stretches of time that times are put into.
    pub period: Option<Spanned<String>>,
    /// `RANGE`: the ranges that numbers are put into.
    pub range: Vec<(Name, Name)>,
    /// `TRUELABEL`
    pub truelabel: Option<Name>,
    /// `FALSELABEL`
    pub falselabel: Option<Name>,
}

/// `FILTER FIELD COMPARISON VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The field.
    pub field: Name,
    /// How it is compared, as the table of comparisons writes it.
    pub comparison: &'static str,
    /// With what; several for `in`, none for `isNull` and `isNotNull`.
    pub values: Vec<Name>,
}

/// The first or the last so many by an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// `top`, `bottom`, `highest` or `lowest`.
    pub side: &'static str,
    /// How many.
    pub count: Spanned<u64>,
    /// By what.
    pub by: Cell,
}

/// A field to sort by.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// From great to small.
    pub descending: bool,
    /// The field, or the name of a column.
    pub field: Name,
}

const SETTINGS: &[&str] = &["ROWSUMMARY", "COLSUMMARY", "SHOWOTHER", "NUMCOLS"];
const SIDES: &[&str] = &["top", "bottom", "highest", "lowest"];
const PERIODS: &[&str] = &["auto", "year", "month", "day", "hour", "minute", "second"];
const RANGES: &[&str] = &["start", "end", "max", "size"];
const COMPARISONS: &[&str] = &[
    "=", "!=", "<=", ">=", "<", ">", "is", "isNot", "isNull", "isNotNull", "in", "contains", "doesNotContain",
    "startsWith", "endsWith", "regex",
];

/// The documentation of `pivot`.
pub const DOC: CommandDoc = CommandDoc {
    name: "pivot",
    summary: "Makes a table over an object of a data model",
    syntax: "pivot <model> <object> [<function>(<field>) [AS <label>]] ... [(SPLITROW|SPLITCOL) <field> [AS <label>] [RANGE start=<n> end=<n> max=<n> size=<n>] [PERIOD <period>] [TRUELABEL <text>] [FALSELABEL <text>]] ... [FILTER <field> <comparison> [<value>]] ... [LIMIT <field> BY (top|bottom) <count> <function>(<field>)] ... [(TOP|BOTTOM) <count> <function>(<field>)] ... [SORT <count> [+|-]<field>, ...] [ROWSUMMARY <bool>] [COLSUMMARY <bool>] [SHOWOTHER <bool>] [NUMCOLS <count>]",
    arguments: &[
        ArgumentDoc { name: "<function>(<field>)", meaning: "what the cells hold; count(<object>) counts its events" },
        ArgumentDoc { name: "SPLITROW <field>", meaning: "a row for each value" },
        ArgumentDoc { name: "SPLITCOL <field>", meaning: "a column for each value" },
        ArgumentDoc { name: "PERIOD <period>", meaning: "for a time: auto (refused when run), year, month, day, hour, minute or second" },
        ArgumentDoc { name: "RANGE", meaning: "for a number: the ranges that it is put into; refused when run" },
        ArgumentDoc { name: "TRUELABEL, FALSELABEL", meaning: "for a Boolean: what its values are called; refused when run" },
        ArgumentDoc { name: "FILTER", meaning: "which events count: is, isNot, in, contains, doesNotContain, startsWith, endsWith, regex, isNull, isNotNull, =, !=, <, <=, >, >=" },
        ArgumentDoc { name: "LIMIT, TOP, BOTTOM", meaning: "the values with the greatest or least aggregates; refused when run" },
        ArgumentDoc { name: "SORT <count>", meaning: "how many rows, 0 for all, and by which columns" },
        ArgumentDoc { name: "ROWSUMMARY, COLSUMMARY", meaning: "whether there are a row and a column of totals; only 0 can be run" },
        ArgumentDoc { name: "NUMCOLS, SHOWOTHER", meaning: "how many columns there are, and whether one holds all others" },
    ],
    examples: &[
        "| pivot Web Web count(Web) AS requests SPLITROW status SPLITCOL http_method FILTER status >= 400 SORT 10 -requests ROWSUMMARY 0 SHOWOTHER 1",
    ],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Pivot> {
    let mut parts = arguments.into_inner();
    let (model, object) = (words::name(b, &parts.next()?), words::name(b, &parts.next()?));
    let mut elements = Vec::new();
    for part in parts.filter(|part| part.as_rule() != Rule::EOI) {
        elements.push(element(b, part)?);
    }
    if !elements.iter().any(|element| matches!(element, Element::Cell(..) | Element::Split(_))) {
        let message = "`pivot` needs an aggregate such as `count(<object>)` or a field behind SPLITROW";
        b.error(Code::InvalidArgument, message, object.span);
        return None;
    }
    Some(Pivot { model, object, elements })
}

fn element(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Element> {
    let rule = pair.as_rule();
    let mut parts = pair.into_inner().filter(|part| !matches!(part.as_rule(), Rule::as_op | Rule::by_op));
    Some(match rule {
        Rule::pivot_cell => {
            let cell = cell(b, parts.next()?)?;
            Element::Cell(cell, parts.next().map(|label| words::name(b, &label)))
        }
        Rule::pivot_split => Element::Split(Box::new(split(b, parts)?)),
        Rule::pivot_filter => Element::Filter(filter(b, parts)?),
        Rule::pivot_limit => {
            let field = parts.find(|part| part.as_rule() != Rule::pivot_word)?;
            Element::Limit(words::name(b, &field), best(b, parts)?)
        }
        Rule::pivot_best => Element::Best(best(b, parts)?),
        Rule::pivot_sort => {
            let mut parts = parts.filter(|part| part.as_rule() != Rule::pivot_word);
            let count = parts.next()?;
            let count = Spanned::new(words::integer(b, &count)?, b.span(&count));
            Element::Sort(count, parts.filter_map(|part| key(b, part)).collect())
        }
        _ => {
            let (word, value) = (parts.next()?, parts.next()?);
            setting(b, &word, &value)?
        }
    })
}

/// `FUNCTION(FIELD)`.
fn cell(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Cell> {
    let mut parts = pair.into_inner();
    let (function, field) = (parts.next()?, parts.next()?);
    let function = Spanned::new(function.as_str().trim_end().to_owned(), b.span(&function));
    Some(Cell { function, field: words::name(b, &field) })
}

fn split<'p>(b: &mut Builder<'_>, mut parts: impl Iterator<Item = Pair<'p, Rule>>) -> Option<Split> {
    let columns = parts.next()?.as_str().trim_end().eq_ignore_ascii_case("splitcol");
    let field = words::name(b, &parts.next()?);
    let mut split =
        Split { columns, field, label: None, period: None, range: Vec::new(), truelabel: None, falselabel: None };
    for part in parts {
        let rule = part.as_rule();
        let mut inner = part.clone().into_inner().filter(|part| part.as_rule() != Rule::as_op);
        match rule {
            Rule::pivot_label => split.label = Some(words::name(b, &inner.next()?)),
            Rule::pivot_truth => {
                let word = inner.next()?.as_str().to_ascii_lowercase();
                let label = Some(words::name(b, &inner.next()?));
                if word.starts_with("true") { split.truelabel = label } else { split.falselabel = label }
            }
            Rule::pivot_period => {
                let name = words::name(b, &inner.find(|part| part.as_rule() != Rule::pivot_word)?);
                if !PERIODS.iter().any(|known| known.eq_ignore_ascii_case(&name.text)) {
                    return unknown(b, "period", &name, PERIODS);
                }
                split.period = Some(Spanned::new(name.text.to_ascii_lowercase(), name.span));
            }
            _ => {
                for option in inner.filter(|part| part.as_rule() == Rule::option) {
                    let option = words::option(b, option)?;
                    if !RANGES.contains(&option.name.as_str()) {
                        return option.unknown(b, RANGES);
                    }
                    // It has to be a number, and is printed as it was written.
                    option.decimal(b)?;
                    let name = Name { text: option.name.clone(), span: option.name_span };
                    split.range.push((name, option.field()));
                }
            }
        }
    }
    Some(split)
}

fn filter<'p>(b: &mut Builder<'_>, parts: impl Iterator<Item = Pair<'p, Rule>>) -> Option<Filter> {
    let mut parts = parts.filter(|part| part.as_rule() != Rule::pivot_word);
    let (field, operator) = (words::name(b, &parts.next()?), parts.next()?);
    let place = b.span(&operator);
    let written = Name { text: operator.as_str().trim_end().to_owned(), span: place };
    let Some(comparison) = COMPARISONS.iter().find(|known| known.eq_ignore_ascii_case(&written.text)) else {
        return unknown(b, "comparison", &written, COMPARISONS);
    };
    let values: Vec<Name> = parts.map(|value| words::name(b, &value)).collect();
    let problem = match (*comparison, values.len()) {
        ("isNull" | "isNotNull", 0) | ("in", 1..) => return Some(Filter { field, comparison, values }),
        ("isNull" | "isNotNull", _) => "takes no value",
        (_, 1) => return Some(Filter { field, comparison, values }),
        (_, 0) => "needs a value",
        _ => "takes one value",
    };
    b.error(Code::InvalidArgument, format!("`{comparison}` {problem} in `pivot`"), place);
    None
}

fn best<'p>(b: &mut Builder<'_>, mut parts: impl Iterator<Item = Pair<'p, Rule>>) -> Option<Best> {
    let (side, count, by) = (parts.next()?, parts.next()?, parts.next()?);
    let side = SIDES.iter().find(|known| known.eq_ignore_ascii_case(side.as_str().trim_end()))?;
    let count = Spanned::new(words::integer(b, &count)?, b.span(&count));
    Some(Best { side, count, by: cell(b, by)? })
}

fn key(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Key> {
    let mut descending = false;
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::sort_sign => descending = part.as_str().starts_with('-'),
            _ => return Some(Key { descending, field: words::name(b, &part) }),
        }
    }
    None
}

fn setting(b: &mut Builder<'_>, word: &Pair<'_, Rule>, value: &Pair<'_, Rule>) -> Option<Element> {
    let word = word.as_str().trim_end();
    let name = SETTINGS.iter().find(|known| known.eq_ignore_ascii_case(word))?;
    let value = words::name(b, value);
    let number = *name == "NUMCOLS";
    let fits = match number {
        true => value.text.parse::<u64>().is_ok(),
        false => ["0", "1", "t", "f", "true", "false"].iter().any(|known| known.eq_ignore_ascii_case(&value.text)),
    };
    if !fits {
        let wanted = if number { "a whole number" } else { "true or false" };
        b.error(Code::InvalidOption, format!("`{name}` takes {wanted}, not `{}`", value.text), value.span);
        return None;
    }
    Some(Element::Setting(name, Spanned::new(value.text.to_ascii_lowercase(), value.span)))
}

fn unknown<T>(b: &mut Builder<'_>, what: &str, name: &Name, known: &[&str]) -> Option<T> {
    let message = format!("`pivot` has no {what} `{}`", name.text);
    let help = format!("it takes {}", known.join(", "));
    b.diagnostics.push(Diagnostic::error(Code::InvalidArgument, message, name.span).with_help(help));
    None
}

/// A name that always stands in quotes where it could be taken for a word of the command.
struct Own<'n>(&'n Name);

impl Display for Own<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const WORDS: &[&str] = &["splitrow", "splitcol", "filter", "limit", "sort", "top", "bottom", "period", "range"];
        let lower = self.0.text.to_ascii_lowercase();
        let reserved = WORDS.contains(&lower.as_str())
            || SETTINGS.iter().any(|known| known.eq_ignore_ascii_case(&lower))
            || matches!(lower.as_str(), "highest" | "lowest" | "truelabel" | "falselabel");
        if reserved { Quoted(&self.0.text).fmt(f) } else { self.0.fmt(f) }
    }
}

impl Display for Cell {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.function.node, self.field)
    }
}

impl Display for Best {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.side, self.count.node, self.by)
    }
}

impl Display for Split {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { columns, field, label, period, range, truelabel, falselabel } = self;
        write!(f, "{} {}", if *columns { "SPLITCOL" } else { "SPLITROW" }, Own(field))?;
        label.as_ref().map_or(Ok(()), |label| write!(f, " AS {}", Own(label)))?;
        if !range.is_empty() {
            f.write_str(" RANGE")?;
            range.iter().try_for_each(|(name, value)| write!(f, " {}={}", name.text, value.text))?;
        }
        period.as_ref().map_or(Ok(()), |period| write!(f, " PERIOD {}", period.node))?;
        truelabel.as_ref().map_or(Ok(()), |label| write!(f, " TRUELABEL {}", Own(label)))?;
        falselabel.as_ref().map_or(Ok(()), |label| write!(f, " FALSELABEL {}", Own(label)))
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { field, comparison, values } = self;
        write!(f, "FILTER {} {comparison}", Own(field))?;
        let values: Vec<Quoted<'_>> = values.iter().map(|value| Quoted(&value.text)).collect();
        match values.as_slice() {
            [] => Ok(()),
            values if *comparison == "in" => write!(f, " ({})", Separated(values, ", ")),
            values => write!(f, " {}", Separated(values, ", ")),
        }
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cell(cell, None) => cell.fmt(f),
            Self::Cell(cell, Some(label)) => write!(f, "{cell} AS {}", Own(label)),
            Self::Split(split) => split.fmt(f),
            Self::Filter(filter) => filter.fmt(f),
            Self::Limit(field, best) => write!(f, "LIMIT {} BY {best}", Own(field)),
            Self::Best(best) => best.fmt(f),
            Self::Sort(count, keys) => {
                write!(f, "SORT {}", count.node)?;
                for (position, Key { descending, field }) in keys.iter().enumerate() {
                    let comma = if position > 0 { "," } else { "" };
                    write!(f, "{comma} {}{}", if *descending { "-" } else { "" }, Own(field))?;
                }
                Ok(())
            }
            Self::Setting(name, value) => write!(f, "{name} {}", value.node),
        }
    }
}

impl Display for Pivot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { model, object, elements } = self;
        write!(f, "pivot {model} {object} {}", Separated(elements, " "))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn elements_stand_in_any_order() {
        assert_eq!(
            canonical(
                "| pivot M O latest(_time) as time dc(a.b) AS \"x y\" SPLITROW _time AS _time PERIOD auto splitrow source-ip \
                 RANGE start=0 size=10 SPLITCOL ok TRUELABEL yes FALSELABEL \"no\" FILTER id >= 5 FILTER user isNot \"A B\" \
                 FILTER type in (a,\"b c\") FILTER z isNull LIMIT alarm BY top 10 count(alarm) TOP 10 count(O) \
                 SORT 0 -time, \"x y\" ROWSUMMARY 0 COLSUMMARY True NUMCOLS 100 SHOWOTHER 1"
            ),
            "| pivot M O latest(_time) AS time dc(a.b) AS \"x y\" SPLITROW _time AS _time PERIOD auto SPLITROW source-ip \
             RANGE start=0 size=10 SPLITCOL ok TRUELABEL yes FALSELABEL no FILTER id >= \"5\" FILTER user isNot \"A B\" \
             FILTER type in (\"a\", \"b c\") FILTER z isNull LIMIT alarm BY top 10 count(alarm) top 10 count(O) \
             SORT 0 -time, \"x y\" ROWSUMMARY 0 COLSUMMARY true NUMCOLS 100 SHOWOTHER 1"
        );
    }

    #[test]
    fn mistakes() {
        assert!(errors("| pivot M").contains("SPL0001"));
        assert!(errors("| pivot M O SORT 5").contains("`pivot` needs an aggregate"));
        assert!(errors("| pivot M O count(O) FILTER a resembles b").contains("`pivot` has no comparison `resembles`"));
        assert!(errors("| pivot M O count(O) FILTER a is").contains("`is` needs a value"));
        assert!(errors("| pivot M O count(O) SPLITROW t PERIOD week").contains("`pivot` has no period `week`"));
        assert!(errors("| pivot M O count(O) NUMCOLS many").contains("`NUMCOLS` takes a whole number"));
    }
}
