//! Values in a format like that of Java's `printf`.
//!
//! Source: the page of `format`; java.util.Formatter.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::functions::kernel::{Returns, Row};
use crate::functions::printf;
use crate::values::Value;

/// The kernels.
pub const ROWS: &[Row] = &[FORMAT];

/// A piece of a format.
enum Piece {
    /// Text that stands for itself.
    Text(String),
    /// A value by one conversion of `printf`.
    Value(usize, String),
    /// A number of 32 bits by one conversion of `printf`.
    Half(usize, String),
    /// A part of a time.
    Time(usize, char),
    /// Whether a value is true.
    Truth(usize),
    /// The piece in capital letters.
    Upper(Box<Piece>),
}

impl Piece {
    fn position(&self) -> Option<usize> {
        match self {
            Piece::Text(_) => None,
            Piece::Value(position, _)
            | Piece::Half(position, _)
            | Piece::Time(position, _)
            | Piece::Truth(position) => Some(*position),
            Piece::Upper(piece) => piece.position(),
        }
    }
}

/// Which value each conversion of a format takes, counted from 0.
///
/// # Errors
/// A phrase that names the first conversion that there is not.
pub fn positions(format: &str) -> Result<Vec<usize>, String> {
    Ok(pieces(format)?.iter().filter_map(Piece::position).collect())
}

/// The pieces of a format. Arguments may be named by their number (`%2$s`), or as the one before (`%<s`).
fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let (mut found, mut next, mut last) = (Vec::new(), 0_usize, 0_usize);
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let (before, tail) = rest.split_at(at);
        found.push(Piece::Text(before.to_owned()));
        rest = tail.get(1..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix('%') {
            found.push(Piece::Text("%".to_owned()));
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix('n') {
            found.push(Piece::Text("\n".to_owned()));
            rest = after;
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        if let (Some(after), Ok(number)) = (after.strip_prefix('$'), number.parse::<usize>()) {
            let Some(number) = number.checked_sub(1) else {
                return Err("arguments are counted from 1".to_owned());
            };
            last = number;
            rest = after;
        } else if let Some(after) = rest.strip_prefix('<') {
            rest = after;
        } else {
            last = next;
            next = next.saturating_add(1);
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or("a `%` at the end has no letter")?;
        let (flags, tail) = rest.split_at(end);
        let half = tail.strip_prefix('h');
        let mut letters = half.unwrap_or(tail).chars();
        let letter = letters.next().ok_or("a `%h` at the end has no letter")?;
        rest = letters.as_str();
        let piece = match letter {
            letter if half.is_some() && !"dioxX".contains(letter) => {
                return Err(format!("`h` stands before a conversion of whole numbers, not before `{letter}`"));
            }
            't' | 'T' => {
                let part = letters.next().ok_or("`%t` needs the letter of a part of a time")?;
                rest = letters.as_str();
                if super::dates::part(part, &jiff::Zoned::default()).is_none() {
                    return Err(format!("there is no part of a time `%t{part}`"));
                }
                Piece::Time(last, part)
            }
            'b' | 'B' => Piece::Truth(last),
            letter => {
                // Java writes the thousands separator and capital letters another way.
                let plain = if matches!(letter, 'C' | 'S') { letter.to_ascii_lowercase() } else { letter };
                let conversion = format!("%{}{plain}", flags.replace(',', "'"));
                printf::pieces(&conversion)?;
                if half.is_some() { Piece::Half(last, conversion) } else { Piece::Value(last, conversion) }
            }
        };
        found.push(if matches!(letter, 'B' | 'C' | 'T') { Piece::Upper(Box::new(piece)) } else { piece });
    }
    found.push(Piece::Text(rest.to_owned()));
    Ok(found)
}

/// `cql_format(format, zone, values...)`
pub const FORMAT: Row = Row {
    name: "cql_format",
    returns: Returns::Text,
    evaluate: |values| {
        let [format, zone, values @ ..] = values else { return Value::Null };
        let (Some(format), Some(zone)) = (format.text(), zone.text()) else { return Value::Null };
        let (Ok(pieces), Some(zone)) = (pieces(&format), super::time_zone(&zone)) else { return Value::Null };
        written(&pieces, &zone, values).map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
    },
};

/// The values in the pieces; `None` where one does not fit.
fn written<'p>(pieces: impl IntoIterator<Item = &'p Piece>, zone: &TimeZone, values: &[Value<'_>]) -> Option<String> {
    let mut text = String::new();
    for piece in pieces {
        let value = piece.position().and_then(|position| values.get(position)).unwrap_or(&Value::Null);
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Value(_, conversion) => {
                // `%s` of nothing is the word null.
                let missing = Value::Text(Cow::Borrowed("null"));
                let value = if *value == Value::Null { &missing } else { value };
                text.push_str(&printf::write(conversion, std::slice::from_ref(value))?);
            }
            Piece::Half(_, conversion) => {
                let whole = Some(value.number()?.trunc()).filter(|whole| whole.abs() < 9.2e18)? as i64;
                // What does not fit is cut off, and hexadecimal digits are those of 32 bits.
                let cut = whole as i32;
                let signed = conversion.ends_with(['d', 'i']);
                let number = if signed { f64::from(cut) } else { f64::from(cut as u32) };
                text.push_str(&printf::write(conversion, &[Value::Number(number)])?);
            }
            Piece::Upper(piece) => text.push_str(&written([piece.as_ref()], zone, values)?.to_uppercase()),
            Piece::Time(_, letter) => {
                let time =
                    jiff::Timestamp::from_microsecond(super::microseconds(value.number()?, "milliseconds")).ok()?;
                text.push_str(&super::dates::part(*letter, &time.to_zoned(zone.clone()))?);
            }
            Piece::Truth(_) => {
                let truth = match value {
                    Value::Null => false,
                    other => !other.text().is_some_and(|text| text.eq_ignore_ascii_case("false")),
                };
                text.push_str(if truth { "true" } else { "false" });
            }
        }
    }
    Some(text)
}
