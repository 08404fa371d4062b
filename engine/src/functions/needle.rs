//! A piece of a keyword, looked for in the values that a text is made of instead of in the text.
//!
//! A keyword mostly lies within one value or between two, so each distinct value is looked at once, and a text is made
//! only where something was found.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, StringArray};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, exec_datafusion_err};
use regex::bytes::{Regex, RegexBuilder};

use crate::store::skeleton::{Part, Style};
use crate::values;

/// The longest piece of a keyword, which is in every text that the keyword is in.
pub(super) struct Needle {
    text: String,
    regex: Regex,
}

impl Needle {
    pub(super) fn new(keyword: &str, case: bool) -> Result<Option<Self>> {
        let Some(text) = keyword.split('*').max_by_key(|piece| piece.len()).filter(|piece| !piece.is_empty()) else {
            return Ok(None);
        };
        let regex = RegexBuilder::new(&regex::escape(text)).case_insensitive(!case).build();
        let regex = regex.map_err(|error| exec_datafusion_err!("{error}"))?;
        Ok(Some(Self { text: text.to_owned(), regex }))
    }

    /// Whether it is in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text.as_bytes())
    }

    /// The values in which it may be as they are written.
    fn among(&self, values: &StringArray, style: Style) -> Vec<bool> {
        let offsets = values.value_offsets();
        let (first, last) = (offsets.first().copied().map(place), offsets.last().copied().map(place));
        let bytes = first.zip(last).and_then(|(first, last)| Some((first, values.value_data().get(..last)?)));
        let Some((mut at, bytes)) = bytes.filter(|(first, bytes)| self.is_as_written(bytes, *first, style)) else {
            return values.iter().map(|value| value.is_some_and(|value| self.is_in(&style.written(value)))).collect();
        };
        let mut found = vec![false; values.len()];
        // From one value to the next: one that begins in a value may end in another, which then has to be looked at.
        while let Some(next) = self.regex.find_at(bytes, at) {
            let behind = offsets.partition_point(|offset| place(*offset) <= next.start());
            if let Some(found) = behind.checked_sub(1).and_then(|value| found.get_mut(value)) {
                *found = true;
            }
            at = offsets.get(behind).copied().map_or(bytes.len(), place);
        }
        found
    }

    /// Whether it is in what is written of values only if it is in the values: nothing that is written for something else
    /// has its letters.
    fn is_as_written(&self, bytes: &[u8], first: usize, style: Style) -> bool {
        let bytes = bytes.get(first..).unwrap_or_default();
        let none = |is_odd: fn(u8) -> bool| !bytes.iter().fold(false, |any, &byte| any | is_odd(byte));
        let is_plain = !self.text.contains(['"', '\\']);
        match style {
            Style::Verbatim => true,
            Style::Json | Style::SlashedJson => is_plain && none(|byte| byte < 0x20),
            Style::AsciiJson => is_plain && none(|byte| !(0x20..0x80).contains(&byte)),
            Style::Xml => none(|byte| matches!(byte, b'&' | b'<' | b'>')),
            Style::QuotedXml => none(|byte| matches!(byte, b'&' | b'<' | b'>' | b'\'' | b'"')),
        }
    }

    /// Whether it has a letter.
    pub(super) fn has(&self, letter: char) -> bool {
        self.text.contains(letter)
    }

    /// Whether all its letters are of some.
    pub(super) fn is_of(&self, letters: &str) -> bool {
        self.text.chars().all(|letter| letters.contains(letter))
    }

    /// Whether it could be in a text of that skeleton, whatever the values are.
    pub(super) fn spans(&self, skeleton: &[Part<usize>]) -> bool {
        let mut after_value = false;
        for (at, part) in skeleton.iter().enumerate() {
            let Part::Text(text) = part else {
                if after_value {
                    return true;
                }
                after_value = true;
                continue;
            };
            let is_last = at.saturating_add(1) == skeleton.len();
            let crosses = (after_value && self.may_end_in(text)) || (!is_last && self.may_begin_in(text));
            if crosses || self.is_in(text) {
                return true;
            }
            after_value = false;
        }
        false
    }

    /// Whether it could begin in the value before a text and end in it, or go on behind it.
    fn may_end_in(&self, text: &str) -> bool {
        let ends = self.text.char_indices().skip(1).filter_map(|(at, _)| self.text.get(at..));
        ends.into_iter().any(|end| end.chars().zip(text.chars()).all(may_be_same))
    }

    /// Whether it could begin in a text, or before it, and end in the value behind it.
    fn may_begin_in(&self, text: &str) -> bool {
        let begins = self.text.char_indices().skip(1).filter_map(|(at, _)| self.text.get(..at));
        begins.into_iter().any(|begin| begin.chars().rev().zip(text.chars().rev()).all(may_be_same))
    }
}

/// Whether two letters could be the same in some letter case.
fn may_be_same((one, other): (char, char)) -> bool {
    !one.is_ascii() || !other.is_ascii() || one.eq_ignore_ascii_case(&other)
}

/// The values of a field.
pub(super) enum Values {
    /// Where each row's value is, and the values.
    Dictionary(Int32Array, StringArray),
    /// A value a row.
    Texts(StringArray),
    /// The same, printed only where it is asked for.
    Integers(Int64Array),
}

impl Values {
    pub(super) fn new(array: &ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Dictionary(..) => match array.as_dictionary_opt::<Int32Type>() {
                Some(dictionary) => match dictionary.values().as_string_opt::<i32>() {
                    Some(values) => Values::Dictionary(dictionary.keys().clone(), values.clone()),
                    None => Values::Texts(texts(array)?),
                },
                None => Values::Texts(texts(array)?),
            },
            DataType::Int64 => Values::Integers(array.as_primitive::<Int64Type>().clone()),
            DataType::Float64 => {
                let numbers = array.as_primitive::<Float64Type>().iter();
                Values::Texts(numbers.map(|number| number.map(values::format_number)).collect())
            }
            DataType::List(_) => {
                // An event with several values keeps its text whole.
                let lists = array.as_list::<i32>();
                let first = lists.iter().map(|list| {
                    let list = list.filter(|list| !list.is_empty())?;
                    let list = list.as_string_opt::<i32>()?;
                    list.is_valid(0).then(|| list.value(0).to_owned())
                });
                Values::Texts(first.collect())
            }
            _ => Values::Texts(texts(array)?),
        })
    }

    fn get(&self, row: usize) -> Option<Cow<'_, str>> {
        let (values, at) = match self {
            Values::Dictionary(keys, values) => {
                let key = keys.is_valid(row).then(|| keys.values().get(row).copied()).flatten()?;
                (values, usize::try_from(key).ok()?)
            }
            Values::Texts(texts) => (texts, row),
            Values::Integers(numbers) => {
                let number = numbers.is_valid(row).then(|| numbers.values().get(row).copied()).flatten()?;
                return Some(Cow::Owned(number.to_string()));
            }
        };
        (at < values.len() && values.is_valid(at)).then(|| Cow::Borrowed(values.value(at)))
    }

    pub(super) fn at(&self, row: usize, style: Style) -> Option<Cow<'_, str>> {
        Some(match self.get(row)? {
            Cow::Borrowed(value) => style.written(value),
            // No style escapes a digit.
            number => number,
        })
    }

    /// Marks the rows in whose value the needle may be.
    pub(super) fn find(&self, needle: &Needle, style: Style, found: &mut [bool]) {
        let mut mark = |is_in: Vec<bool>| {
            found.iter_mut().zip(is_in).for_each(|(found, is_in)| *found = *found || is_in);
        };
        match self {
            Values::Integers(_) if !needle.is_of("-0123456789") => {}
            // After a filter a dictionary may hold far more values than the batch has rows.
            Values::Dictionary(keys, values) if values.len() <= keys.len() => {
                let among = needle.among(values, style);
                if among.contains(&true) {
                    let is_in = |key: i32| usize::try_from(key).ok().and_then(|key| among.get(key)).copied();
                    mark(keys.iter().map(|key| key.and_then(is_in).unwrap_or(false)).collect());
                }
            }
            Values::Dictionary(keys, values) => {
                let mut used: Vec<i32> = keys.iter().flatten().collect();
                used.sort_unstable();
                used.dedup();
                let values = take(values, &Int32Array::from(used.clone()), None);
                let Some(values) = values.as_ref().ok().and_then(|values| values.as_string_opt::<i32>()) else {
                    return mark(vec![true; keys.len()]);
                };
                let among = needle.among(values, style);
                let is_in = |key: i32| used.binary_search(&key).ok().and_then(|at| among.get(at)).copied();
                mark(keys.iter().map(|key| key.and_then(is_in).unwrap_or(false)).collect());
            }
            Values::Texts(values) => mark(needle.among(values, style)),
            Values::Integers(numbers) => {
                let is_in = |number: i64| needle.is_in(&number.to_string());
                mark(numbers.iter().map(|number| number.is_some_and(is_in)).collect());
            }
        }
    }
}

/// A place in a buffer; offsets are never below zero.
fn place(offset: i32) -> usize {
    usize::try_from(offset).unwrap_or_default()
}

fn texts(array: &ArrayRef) -> Result<StringArray> {
    let texts = cast(array, &DataType::Utf8)?;
    texts.as_string_opt::<i32>().cloned().ok_or_else(|| exec_datafusion_err!("values are not texts"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::skeleton::restore;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn a_text_with_the_needle_is_a_candidate(
            texts in prop::collection::vec("[abK\\-ß]{1,3}", 1..5),
            values in prop::collection::vec("[abK\\\\ſ]{0,3}", 1..5),
            needle in "[abk\\\\\\-]{1,5}",
            case: bool,
        ) {
            let mut skeleton = Vec::new();
            for (at, text) in texts.iter().enumerate() {
                skeleton.push(Part::Text(text.clone()));
                if at < values.len() {
                    skeleton.push(Part::Field(at, Style::Json));
                }
            }
            let needle = Needle::new(&needle, case).unwrap().unwrap();
            let mut text = String::new();
            let value = |at: &usize, style: Style| values.get(*at).map(|value| style.written(value));
            prop_assert!(restore(&skeleton, value, "", &mut text));
            if needle.is_in(&text) {
                let in_value = values.iter().any(|value| needle.is_in(&Style::Json.written(value)));
                prop_assert!(in_value || needle.spans(&skeleton), "{text}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn a_value_with_the_needle_is_found(
            values in prop::collection::vec(prop::option::of("[abK\\\\/<&'\"\nſé]{0,4}"), 0..6),
            from in 0..3_usize,
            needle in "[abknmp;\\\\/&]{1,3}",
            case: bool,
        ) {
            let needle = Needle::new(&needle, case).unwrap().unwrap();
            let all = StringArray::from(values);
            let from = from.min(all.len());
            let values = all.slice(from, all.len() - from);
            let styles = [Style::Verbatim, Style::Json, Style::AsciiJson, Style::SlashedJson, Style::Xml, Style::QuotedXml];
            for style in styles {
                for (value, may_be_in) in values.iter().zip(needle.among(&values, style)) {
                    let is_in = value.is_some_and(|value| needle.is_in(&style.written(value)));
                    prop_assert!(may_be_in || !is_in, "{style:?}");
                }
            }
        }
    }

    #[test]
    fn a_needle_that_fits_nowhere_is_no_candidate() {
        let skeleton = [
            Part::Text("{\"time\":\"".to_owned()),
            Part::Gap,
            Part::Text("Z\",\"guid\":\"{59b234c8-".to_owned()),
            Part::Field(0, Style::Json),
            Part::Text("\",\"keywords\":\"0x80\"}".to_owned()),
        ];
        for (needle, spans) in [("cmd.exe", false), ("-embedding", true), ("c8-1", true), ("12z", true), ("x80", true)]
        {
            assert_eq!(Needle::new(needle, false).unwrap().unwrap().spans(&skeleton), spans, "{needle}");
        }
    }
}
