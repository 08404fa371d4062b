//! Numbers with units, and their conversion.
//!
//! Source: the page of `unit:convert`.

use super::{some_text, text_at};
use crate::functions::kernel::{Returns, Row};
use crate::values::{Value, format_number, parse_number};

/// The kernels.
pub const ROWS: &[Row] = &[CONVERT];

/// Prefixes and the powers of ten, or of 1024, that they stand for; longer ones first.
const PREFIXES: &[(&str, Power)] = &[
    ("Yi", Power::Binary(8)),
    ("Zi", Power::Binary(7)),
    ("Ei", Power::Binary(6)),
    ("Pi", Power::Binary(5)),
    ("Ti", Power::Binary(4)),
    ("Gi", Power::Binary(3)),
    ("Mi", Power::Binary(2)),
    ("Ki", Power::Binary(1)),
    ("ki", Power::Binary(1)),
    ("da", Power::Decimal(1)),
    ("Y", Power::Either(8)),
    ("Z", Power::Either(7)),
    ("E", Power::Either(6)),
    ("P", Power::Either(5)),
    ("T", Power::Either(4)),
    ("G", Power::Either(3)),
    ("M", Power::Either(2)),
    ("k", Power::Either(1)),
    ("K", Power::Either(1)),
    ("h", Power::Decimal(2)),
    ("d", Power::Decimal(-1)),
    ("c", Power::Decimal(-2)),
    ("m", Power::Decimal(-3)),
    ("u", Power::Decimal(-6)),
    ("µ", Power::Decimal(-6)),
    ("μ", Power::Decimal(-6)),
    ("n", Power::Decimal(-9)),
    ("p", Power::Decimal(-12)),
    ("f", Power::Decimal(-15)),
    ("a", Power::Decimal(-18)),
    ("z", Power::Decimal(-21)),
    ("y", Power::Decimal(-24)),
];

/// What a prefix stands for.
#[derive(Clone, Copy)]
enum Power {
    /// A power of ten.
    Decimal(i32),
    /// A power of 1024.
    Binary(i32),
    /// A power of 1000, or of 1024 where the query says so.
    Either(i32),
}

impl Power {
    fn factor(self, binary: bool) -> f64 {
        match self {
            Power::Decimal(power) => 10_f64.powi(power),
            Power::Binary(power) => 1_024_f64.powi(power),
            Power::Either(power) if binary => 1_024_f64.powi(power),
            Power::Either(power) => 1_000_f64.powi(power),
        }
    }
}

/// A unit: what one of it is in units without a prefix, and the name of those.
struct Unit {
    factor: f64,
    base: String,
}

/// Reads a unit; `known` is the name without a prefix where the query gives it.
fn unit(text: &str, known: Option<&str>, binary: bool) -> Option<Unit> {
    let (amount, rate) = match text.split_once('/') {
        Some((amount, rate)) => (amount.trim(), Some(rate.trim())),
        None => (text.trim(), None),
    };
    let seconds = match rate {
        None => 1.0,
        Some("s" | "sec") => 1.0,
        Some("m" | "min") => 60.0,
        Some("h" | "hour") => 3_600.0,
        Some("d" | "day") => 86_400.0,
        Some("w" | "week") => 604_800.0,
        Some(_) => return None,
    };
    let known = known.map(|known| known.split('/').next().unwrap_or_default());
    let (prefix, base) = match known {
        Some(known) => (amount.strip_suffix(known)?, known),
        None => {
            let prefix = PREFIXES.iter().map(|(prefix, _)| *prefix).find(|prefix| amount.starts_with(prefix));
            // `B` and `bytes` begin with no prefix; `da` alone, or `m`, is one.
            amount.split_at(prefix.map_or(0, str::len))
        }
    };
    let factor = match prefix {
        "" => 1.0,
        prefix => PREFIXES.iter().find(|(known, _)| *known == prefix)?.1.factor(binary),
    };
    let base = if rate.is_some() { format!("{base}/s") } else { base.to_owned() };
    Some(Unit { factor: factor / seconds, base })
}

/// A number and what follows it.
fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let mut end = text.len();
    // The longest start that is a number: `1e3 B`, but `5 E` is five exa.
    while end > 0 {
        if let Some(number) = text.get(..end).map(str::trim_end).and_then(parse_number).filter(|n| n.is_finite()) {
            return Some((number, text.get(end..)?.trim()));
        }
        end = text.get(..end)?.char_indices().next_back()?.0;
    }
    None
}

/// Whether a text is a unit.
pub fn is_unit(text: &str, known: Option<&str>) -> bool {
    unit(text, known, false).is_some()
}

/// `cql_convert(text, from, to, unit, binary, keep unit)`
pub const CONVERT: Row = Row {
    name: "cql_convert",
    returns: Returns::Text,
    evaluate: |values| {
        let converted = || {
            let text = text_at(values, 0)?;
            let (from, to, known) = (text_at(values, 1), text_at(values, 2), text_at(values, 3));
            let is_true = |position| matches!(values.get(position), Some(Value::Boolean(true)));
            let (binary, keep) = (is_true(4), is_true(5));
            let (number, suffix) = number_and_unit(&text)?;
            let suffix = match (suffix, &from) {
                ("", Some(from)) => from,
                (suffix, _) => suffix,
            };
            let source = unit(suffix, known.as_deref(), binary)?;
            let factor = match to.as_deref() {
                Some(to) => unit(to, None, binary)?.factor,
                None => 1.0,
            };
            let result = format_number(rounded(number * source.factor / factor));
            let name = to.as_deref().map_or(source.base.as_str(), |to| to);
            Some(if keep && !name.is_empty() { format!("{result} {name}") } else { result })
        };
        some_text(converted())
    },
};

/// Without the last digits, which factors such as 10⁻³ leave behind.
fn rounded(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(
        text: &'static str,
        from: Option<&'static str>,
        to: Option<&'static str>,
        binary: bool,
    ) -> Option<String> {
        let value = |text: Option<&'static str>| text.map_or(Value::Null, |text| Value::Text(text.into()));
        let arguments =
            [value(Some(text)), value(from), value(to), Value::Null, Value::Boolean(binary), Value::Boolean(false)];
        (CONVERT.evaluate)(&arguments).text().map(|text| text.into_owned())
    }

    #[test]
    fn units_convert() {
        for (text, from, to, binary, expected) in [
            ("514 ms", None, None, false, Some("0.514")),
            ("4", Some("KiB"), None, false, Some("4096")),
            ("5 kB", None, None, true, Some("5120")),
            ("2500000", None, Some("M"), false, Some("2.5")),
            ("1048576", None, Some("MB"), true, Some("1")),
            ("4096", Some("M"), Some("G"), false, Some("4.096")),
            ("120 MB/min", None, None, false, Some("2000000")),
            ("text", None, Some("M"), false, None),
        ] {
            assert_eq!(convert(text, from, to, binary).as_deref(), expected, "{text}");
        }
    }
}
