//! Positions in texts, which count characters as people see them (clusters of code points).
//!
//! Source: the pages of `text:length`, `text:positionOf` and `text:substring`; Unicode Standard Annex 29.

use unicode_segmentation::UnicodeSegmentation;

use super::{number_at, some_number, some_text, text_at};
use crate::functions::kernel::{Returns, Row};
use crate::values::Value;

/// The kernels.
pub const ROWS: &[Row] = &[LENGTH, POSITION, SUBSTRING, HOLDS, EDITS, TRIMMED];

/// `cql_text_length(text)`
pub const LENGTH: Row = Row {
    name: "cql_text_length",
    returns: Returns::Number,
    evaluate: |values| some_number(text_at(values, 0).map(|text| text.graphemes(true).count() as f64)),
};

/// `cql_text_position(text, sought, begin, occurrence)`: counted from 0; null where there is none.
pub const POSITION: Row = Row {
    name: "cql_text_position",
    returns: Returns::Number,
    evaluate: |values| {
        let position = || {
            let (text, sought) = (text_at(values, 0)?, text_at(values, 1)?);
            let (begin, occurrence) = (whole(values, 2)?, whole(values, 3)?);
            let letters: Vec<&str> = text.graphemes(true).collect();
            let sought: Vec<&str> = sought.graphemes(true).collect();
            if sought.is_empty() || occurrence == 0 {
                return None;
            }
            let windows = letters.windows(sought.len()).enumerate().skip(begin);
            let mut places = windows.filter(|(_, window)| *window == sought.as_slice());
            places.nth(occurrence.saturating_sub(1)).map(|(place, _)| place as f64)
        };
        some_number(position())
    },
};

/// A whole number that is not negative.
fn whole(values: &[Value<'_>], position: usize) -> Option<usize> {
    number_at(values, position).filter(|number| *number >= 0.0).map(|number| number as usize)
}

/// `cql_text_substring(text, begin, end)`: from one position to before the other; null is the end of the text. Of
/// positions beyond it nothing is made.
pub const SUBSTRING: Row = Row {
    name: "cql_text_substring",
    returns: Returns::Text,
    evaluate: |values| {
        let part = || {
            let text = text_at(values, 0)?;
            let letters: Vec<&str> = text.graphemes(true).collect();
            let begin = whole(values, 1)?;
            let end = match values.get(2) {
                None | Some(Value::Null) => letters.len(),
                Some(_) => whole(values, 2).filter(|end| *end > 0)?,
            };
            Some(letters.get(begin..end)?.concat())
        };
        some_text(part())
    },
};

/// `cql_text_holds(text, part, where)`: whether the part is in the text, at its start or at its end.
pub const HOLDS: Row = Row {
    name: "cql_text_holds",
    returns: Returns::Boolean,
    evaluate: |values| {
        let holds = || {
            let (text, part) = (text_at(values, 0)?, text_at(values, 1)?);
            Some(match text_at(values, 2)?.as_ref() {
                "start" => text.starts_with(&*part),
                "end" => text.ends_with(&*part),
                _ => text.contains(&*part),
            })
        };
        holds().map_or(Value::Null, Value::Boolean)
    },
};

/// `cql_text_edits(text, reference, most)`: how many letters have to change, at most so many.
pub const EDITS: Row = Row {
    name: "cql_text_edits",
    returns: Returns::Number,
    evaluate: |values| {
        let edits = || {
            let (text, reference) = (text_at(values, 0)?, text_at(values, 1)?);
            let edits = strsim::levenshtein(&text, &reference) as f64;
            Some(number_at(values, 2).map_or(edits, |most| edits.min(most)))
        };
        some_number(edits())
    },
};

/// `cql_text_trimmed(text)`
pub const TRIMMED: Row = Row {
    name: "cql_text_trimmed",
    returns: Returns::Text,
    evaluate: |values| some_text(text_at(values, 0).map(|text| text.trim().to_owned())),
};
