//! Lists of texts, which arrays are while a function works on them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use csv::ReaderBuilder;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::Span;

use super::{number_at, text_at};
use crate::functions::kernel::{Returns, Row};
use crate::plan::expression::{Kind, Typed};
use crate::values::Value;

/// The kernels.
pub const ROWS: &[Row] = &[ELEMENT, APPENDED, DISTINCT, SORTED, REVERSED, CHOSEN, FLAGS, TABLE, WIDTHS, REDUCED];

/// The values up to the first that is missing, then the further ones that are not.
pub fn appended(values: Vec<Expr>, further: Vec<Expr>, span: Span) -> Expr {
    let first = lit(i64::try_from(values.len()).unwrap_or(i64::MAX));
    APPENDED.call(std::iter::once(first).chain(values).chain(further).collect(), span).expr
}

/// An element of a list.
pub fn element(list: Expr, position: usize, span: Span) -> Typed {
    ELEMENT.call(vec![list, lit(i64::try_from(position).unwrap_or(i64::MAX))], span)
}

/// The first of all elements that are equal.
pub fn distinct(list: Expr, span: Span) -> Expr {
    DISTINCT.call(vec![list], span).expr
}

/// The elements from the last to the first.
pub fn reversed(list: Expr, span: Span) -> Expr {
    REVERSED.call(vec![list], span).expr
}

/// The elements in order.
pub fn sorted(list: Expr, numbers: bool, descending: bool, span: Span) -> Expr {
    SORTED.call(vec![list, lit(numbers), lit(descending)], span).expr
}

/// Of triples of an element, a condition and a value: the values where the condition is true, up to the first
/// element that is missing.
pub fn chosen(triples: Vec<[Expr; 3]>, span: Span) -> Expr {
    match triples.is_empty() {
        true => Typed::null(span).expr,
        false => CHOSEN.call(triples.into_iter().flatten().collect(), span).expr,
    }
}

/// The names of the bits that are set.
pub fn flags(field: Expr, names: &[(u32, String)], span: Span) -> Expr {
    let pairs = names.iter().flat_map(|(bit, name)| [lit(i64::from(*bit)), lit(name.as_str())]);
    FLAGS.call(std::iter::once(field).chain(pairs).collect(), span).expr
}

/// The cells of a line of a table.
pub fn cells(text: Expr, delimiter: &str, trim: bool, span: Span) -> Expr {
    TABLE.call(vec![text, lit(delimiter), lit(trim)], span).expr
}

/// The parts of a text of those lengths, as far as the text goes.
pub fn parts_by_width(text: Expr, widths: &[usize], trim: bool, span: Span) -> Expr {
    let widths = widths.iter().map(|width| lit(i64::try_from(*width).unwrap_or(i64::MAX)));
    WIDTHS.call([text, lit(trim)].into_iter().chain(widths).collect(), span).expr
}

/// A statistic of the numbers in a list: `avg`, `count`, `max`, `min`, `range` or `sum`.
pub fn reduced(list: Expr, statistic: &str, span: Span) -> Typed {
    let typed = REDUCED.call(vec![list, lit(statistic)], span);
    Typed::new(typed.expr, Kind::Number, span)
}

fn many<'t>(texts: impl Iterator<Item = Cow<'t, str>>) -> Value<'static> {
    Value::Many(texts.map(|text| Cow::Owned(text.into_owned())).collect())
}

fn list<'v>(values: &'v [Value<'_>]) -> Vec<Cow<'v, str>> {
    values.first().map(Value::texts).unwrap_or_default()
}

fn truth(values: &[Value<'_>], position: usize) -> bool {
    matches!(values.get(position), Some(Value::Boolean(true)))
}

const ELEMENT: Row = Row {
    name: "cql_element",
    returns: Returns::Text,
    evaluate: |values| {
        let texts = list(values);
        let text = number_at(values, 1).and_then(|position| texts.get(position as usize));
        super::some_text(text.map(|text| text.clone().into_owned()))
    },
};

const APPENDED: Row = Row {
    name: "cql_appended",
    returns: Returns::Many,
    evaluate: |values| {
        let Some((first, values)) = values.split_first() else { return Value::Null };
        let first = first.number().map_or(0, |first| first as usize);
        let (elements, further) = values.split_at(first.min(values.len()));
        many(elements.iter().map_while(Value::text).chain(further.iter().filter_map(Value::text)))
    },
};

const DISTINCT: Row = Row {
    name: "cql_distinct",
    returns: Returns::Many,
    evaluate: |values| {
        let mut seen = HashSet::new();
        many(list(values).into_iter().filter(|text| seen.insert(text.clone().into_owned())))
    },
};

const REVERSED: Row =
    Row { name: "cql_reversed", returns: Returns::Many, evaluate: |values| many(list(values).into_iter().rev()) };

const SORTED: Row = Row {
    name: "cql_sorted",
    returns: Returns::Many,
    evaluate: |values| {
        let (numbers, descending) = (truth(values, 1), truth(values, 2));
        let directed = |order: Ordering| if descending { order.reverse() } else { order };
        let mut texts = list(values);
        texts.sort_by(|left, right| {
            let by_text = || directed(left.to_lowercase().cmp(&right.to_lowercase()));
            let parsed = |text: &str| crate::values::parse_number(text).filter(|_| numbers);
            match (parsed(left), parsed(right)) {
                (Some(left), Some(right)) => directed(left.total_cmp(&right)),
                // What is no number stands after the numbers, whatever the direction.
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => by_text(),
            }
        });
        many(texts.into_iter())
    },
};

const CHOSEN: Row = Row {
    name: "cql_chosen",
    returns: Returns::Many,
    evaluate: |values| {
        let triples = values.chunks_exact(3).map_while(|triple| match triple {
            [element, ..] if *element == Value::Null => None,
            [_, condition, value] => Some((*condition == Value::Boolean(true)).then(|| value.text()).flatten()),
            _ => None,
        });
        many(triples.flatten())
    },
};

const FLAGS: Row = Row {
    name: "cql_flags",
    returns: Returns::Many,
    evaluate: |values| {
        let Some((field, pairs)) = values.split_first() else { return Value::Null };
        let Some(bits) = super::numbers::bits(field) else { return Value::Null };
        let set = pairs.chunks_exact(2).filter_map(|pair| match pair {
            [bit, name] => {
                let bit = bit.number()? as u32;
                (bits.checked_shr(bit)? & 1 == 1).then(|| name.text()).flatten()
            }
            _ => None,
        });
        many(set)
    },
};

const TABLE: Row = Row {
    name: "cql_cells",
    returns: Returns::Many,
    evaluate: |values| {
        let (Some(text), Some(delimiter)) = (text_at(values, 0), text_at(values, 1)) else { return Value::Null };
        let Some(delimiter) = delimiter.bytes().next() else { return Value::Null };
        let trim = truth(values, 2);
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(delimiter);
        // A quote after blanks begins a quoted value only where blanks are left out.
        let spaced = trim.then(|| without_blanks(&text, delimiter as char));
        let source = spaced.as_deref().unwrap_or(&text);
        let mut reader = builder.from_reader(source.as_bytes());
        match reader.records().next() {
            Some(Ok(record)) => many(record.iter().map(|cell| Cow::Owned(cell.to_owned()))),
            _ => Value::Null,
        }
    },
};

/// A line of a table without the blanks around its cells, but with those inside of quotes.
fn without_blanks(text: &str, delimiter: char) -> String {
    let (mut line, mut cell, mut quoted) = (String::with_capacity(text.len()), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                cell.push('"');
            }
            letter if letter == delimiter && !quoted => {
                line.push_str(cell.trim_matches(' '));
                line.push(delimiter);
                cell.clear();
            }
            letter => cell.push(letter),
        }
    }
    line.push_str(cell.trim_matches(' '));
    line
}

const WIDTHS: Row = Row {
    name: "cql_widths",
    returns: Returns::Many,
    evaluate: |values| {
        let [text, _, widths @ ..] = values else { return Value::Null };
        let Some(text) = text.text() else { return Value::Null };
        let trim = truth(values, 1);
        let mut letters = text.chars();
        let parts = widths.iter().map_while(|width| {
            let part: String = letters.by_ref().take(width.number()? as usize).collect();
            let part = if trim { part.trim().to_owned() } else { part };
            (!part.is_empty() || !letters.as_str().is_empty()).then_some(Cow::Owned(part))
        });
        many(parts)
    },
};

const REDUCED: Row = Row {
    name: "cql_reduced",
    returns: Returns::Number,
    evaluate: |values| {
        let texts = list(values);
        let Some(statistic) = text_at(values, 1) else { return Value::Null };
        if statistic == "count" {
            return Value::Number(texts.len() as f64);
        }
        let numbers: Vec<f64> = texts.iter().filter_map(|text| crate::values::parse_number(text)).collect();
        if numbers.is_empty() {
            return Value::Null;
        }
        let sum: f64 = numbers.iter().sum();
        let greatest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        super::some_number(match &*statistic {
            "avg" => Some(sum / numbers.len() as f64),
            "max" => Some(greatest),
            "min" => Some(least),
            "range" => Some(greatest - least),
            "sum" => Some(sum),
            _ => None,
        })
    },
};
