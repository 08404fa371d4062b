//! The text of stored events, put together from its skeleton and their fields, and keywords looked for in it.
//!
//! A keyword mostly lies within one value or between two, so each distinct value is looked at once, and a text is put
//! together only where something was found. Columns travel as arguments, their names as a literal, so that plans
//! serialise.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Column, Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use regex::{Regex, RegexBuilder};

use super::{pattern, search};
use crate::store::skeleton::{MARK, Part, Skeleton, Style, parsed, restore};
use crate::values;

/// `spl_restored(names, skeleton, gaps, whole, column, ...)`: the text of an event.
static RESTORED: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Restored::udf("spl_restored", DataType::Utf8));

/// `spl_restored_keyword(text, mode, names, skeleton, ...)`: whether a keyword or phrase is in it.
static KEYWORD: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Restored::udf("spl_restored_keyword", DataType::Boolean));

/// The functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&RESTORED), Arc::clone(&KEYWORD)]
}

/// The text of an event: out of its skeleton, what fills its gaps, or the whole where it has no skeleton, and fields.
pub fn text<'n>(skeleton: Expr, gaps: Expr, whole: Expr, fields: impl Iterator<Item = &'n str>) -> Expr {
    let (mut names, mut columns) = (Vec::new(), Vec::new());
    for name in fields {
        names.push(name);
        columns.push(Expr::Column(Column::new_unqualified(name)));
    }
    let names = lit(names.join(&MARK.to_string()));
    RESTORED.call([names, skeleton, gaps, whole].into_iter().chain(columns).collect())
}

/// The search for a keyword in a column whose value is made by [`text`]; nothing for any other call or column.
///
/// # Errors
/// Those of `value`.
pub fn keyword(call: &ScalarFunction, value: impl Fn(&str) -> Result<Expr>) -> Result<Option<Expr>> {
    let Some((Expr::Column(column), text, mode)) = search::keyword_of(call) else { return Ok(None) };
    match value(&column.name)? {
        Expr::ScalarFunction(restored) if *restored.func == **RESTORED => {
            Ok(Some(KEYWORD.call([lit(text), lit(mode)].into_iter().chain(restored.args).collect())))
        }
        _ => Ok(None),
    }
}

#[derive(Clone)]
struct Restored {
    name: &'static str,
    gives: DataType,
    signature: Signature,
}

impl Restored {
    fn udf(name: &'static str, gives: DataType) -> Arc<ScalarUDF> {
        let signature = Signature::variadic_any(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Self { name, gives, signature }))
    }
}

impl ScalarUDFImpl for Restored {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.gives.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let array: ArrayRef = match (self.gives == DataType::Boolean, args.args.as_slice()) {
            (true, [text, mode, texts @ ..]) => {
                let (text, mode) = (literal(text)?, literal(mode)?);
                let whole = pattern::keyword(text, mode == "case", mode == "term");
                let whole = whole.map_err(|reason| exec_datafusion_err!("{reason}"))?;
                let needle = Needle::new(text, mode == "case")?;
                Arc::new(Texts::new(texts, rows)?.search(&whole, needle.as_ref(), rows)?)
            }
            (_, texts) => Arc::new(Texts::new(texts, rows)?.all(rows)?),
        };
        Ok(ColumnarValue::Array(array))
    }
}

fn literal(argument: &ColumnarValue) -> Result<&str> {
    match argument {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => Ok(text),
        _ => exec_err!("a text is put together with literal parameters only"),
    }
}

/// The longest piece of a keyword, which is in every text that the keyword is in.
struct Needle {
    text: String,
    regex: Regex,
}

impl Needle {
    fn new(keyword: &str, case: bool) -> Result<Option<Self>> {
        let Some(text) = keyword.split('*').max_by_key(|piece| piece.len()).filter(|piece| !piece.is_empty()) else {
            return Ok(None);
        };
        let regex = RegexBuilder::new(&regex::escape(text)).case_insensitive(!case).build();
        let regex = regex.map_err(|error| exec_datafusion_err!("{error}"))?;
        Ok(Some(Self { text: text.to_owned(), regex }))
    }

    /// Whether it could be in a text of that skeleton, whatever the values are.
    fn spans(&self, skeleton: &[Part<usize>]) -> bool {
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
            if crosses || self.regex.is_match(text) {
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

/// The texts of a batch of events.
struct Texts {
    skeletons: Vec<Option<Skeleton<usize>>>,
    keys: Int32Array,
    gaps: Option<StringArray>,
    whole: Option<StringArray>,
    values: Vec<Values>,
}

impl Texts {
    fn new(arguments: &[ColumnarValue], rows: usize) -> Result<Self> {
        let [names, skeletons, gaps, whole, columns @ ..] = arguments else {
            return exec_err!("a text is put together from four columns and more");
        };
        let names = literal(names)?;
        let names: Vec<&str> = if names.is_empty() { Vec::new() } else { names.split(MARK).collect() };
        if names.len() != columns.len() {
            return exec_err!("a text is put together from columns that have names");
        }
        let skeletons = skeletons.to_array(rows)?;
        let Some(skeletons) = skeletons.as_dictionary_opt::<Int32Type>() else {
            return exec_err!("skeletons are not a dictionary");
        };
        let Some(printed) = skeletons.values().as_string_opt::<i32>() else {
            return exec_err!("skeletons are not texts");
        };
        let keys = skeletons.keys().clone();
        let mut used = vec![false; printed.len()];
        for key in keys.iter().flatten() {
            if let Some(used) = usize::try_from(key).ok().and_then(|key| used.get_mut(key)) {
                *used = true;
            }
        }
        let position = |wanted: &str| names.iter().position(|name| *name == wanted);
        let read = printed.iter().zip(used).map(|(text, used)| match (text, used) {
            (Some(text), true) => match parsed(text, position) {
                Some(skeleton) => Ok(Some(skeleton)),
                None => exec_err!("the store is damaged: an event's text cannot be put together"),
            },
            _ => Ok(None),
        });
        let texts = |argument: &ColumnarValue| match argument {
            ColumnarValue::Scalar(scalar) if scalar.is_null() => Ok(None),
            other => {
                let array = cast(&other.to_array(rows)?, &DataType::Utf8)?;
                Ok::<_, datafusion::common::DataFusionError>(array.as_string_opt::<i32>().cloned())
            }
        };
        Ok(Self {
            skeletons: read.collect::<Result<_>>()?,
            keys,
            gaps: texts(gaps)?,
            whole: texts(whole)?,
            values: columns.iter().map(|column| Values::new(&column.to_array(rows)?)).collect::<Result<_>>()?,
        })
    }

    fn skeleton(&self, row: usize) -> Option<&Skeleton<usize>> {
        let key = self.keys.is_valid(row).then(|| self.keys.values().get(row).copied()).flatten()?;
        self.skeletons.get(usize::try_from(key).ok()?)?.as_ref()
    }

    /// Adds the text of a row; false if it has none.
    fn append(&self, row: usize, out: &mut String) -> Result<bool> {
        let of = |texts: &Option<StringArray>| texts.as_ref().filter(|texts| texts.is_valid(row)).cloned();
        let Some(skeleton) = self.skeleton(row) else {
            let whole = of(&self.whole);
            if let Some(whole) = &whole {
                out.push_str(whole.value(row));
            }
            return Ok(whole.is_some());
        };
        let gaps = of(&self.gaps);
        let gaps = gaps.as_ref().map_or("", |gaps| gaps.value(row));
        let value = |at: &usize, style: Style| self.values.get(*at)?.at(row, style);
        match restore(skeleton, value, gaps, out) {
            true => Ok(true),
            false => exec_err!("the store is damaged: an event lacks a value of its text"),
        }
    }

    /// The texts of all rows.
    fn all(&self, rows: usize) -> Result<StringArray> {
        let mut text = String::new();
        let mut offsets = Vec::with_capacity(rows.saturating_add(1));
        offsets.push(0_i32);
        let mut present = Vec::with_capacity(rows);
        for row in 0..rows {
            present.push(self.append(row, &mut text)?);
            let Ok(end) = i32::try_from(text.len()) else {
                return exec_err!("the texts of {rows} events together are longer than 2 GiB");
            };
            offsets.push(end);
        }
        let nulls = Some(NullBuffer::from(present)).filter(|nulls| nulls.null_count() > 0);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(StringArray::try_new(offsets, Buffer::from_vec(text.into_bytes()), nulls)?)
    }

    /// Whether the texts match, which they do only where the needle is.
    fn search(&self, wanted: &Regex, needle: Option<&Needle>, rows: usize) -> Result<BooleanArray> {
        let candidates = needle.map(|needle| self.candidates(needle, rows));
        let mut text = String::new();
        let mut found = Vec::with_capacity(rows);
        for row in 0..rows {
            let is_candidate = candidates.as_ref().is_none_or(|rows| rows.get(row).copied().unwrap_or(true));
            if self.skeleton(row).is_some() && !is_candidate {
                found.push(Some(false));
                continue;
            }
            text.clear();
            found.push(self.append(row, &mut text)?.then(|| wanted.is_match(&text)));
        }
        Ok(found.into())
    }

    /// The rows in whose texts the needle may be.
    fn candidates(&self, needle: &Needle, rows: usize) -> Vec<bool> {
        let spans: Vec<bool> = self
            .skeletons
            .iter()
            .map(|skeleton| skeleton.as_ref().is_none_or(|skeleton| needle.spans(skeleton)))
            .collect();
        let mut found: Vec<bool> = self
            .keys
            .values()
            .iter()
            .map(|key| usize::try_from(*key).ok().and_then(|key| spans.get(key)).copied().unwrap_or(true))
            .collect();
        found.resize(rows, true);
        let mut used: Vec<(usize, Style)> = Vec::new();
        for part in self.skeletons.iter().flatten().flatten() {
            match part {
                Part::Field(at, style) if !used.contains(&(*at, *style)) => used.push((*at, *style)),
                _ => {}
            }
        }
        for (at, style) in used {
            if let Some(values) = self.values.get(at) {
                values.find(needle, style, &mut found);
            }
        }
        if let Some(gaps) = &self.gaps {
            for (found, gaps) in found.iter_mut().zip(gaps) {
                *found = *found || gaps.is_some_and(|gaps| needle.regex.is_match(gaps));
            }
        }
        found
    }
}

/// The values of a field.
enum Values {
    /// Where each row's value is, and the values.
    Dictionary(Int32Array, StringArray),
    /// A value a row.
    Texts(StringArray),
    /// The same, printed only where it is asked for.
    Integers(Int64Array),
}

impl Values {
    fn new(array: &ArrayRef) -> Result<Self> {
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

    fn at(&self, row: usize, style: Style) -> Option<Cow<'_, str>> {
        Some(match self.get(row)? {
            Cow::Borrowed(value) => style.written(value),
            // No style escapes a digit.
            number => number,
        })
    }

    /// Marks the rows in whose value the needle is.
    fn find(&self, needle: &Needle, style: Style, found: &mut [bool]) {
        let is_in = |value: &str| needle.regex.is_match(&style.written(value));
        match self {
            Values::Integers(_) if needle.text.chars().any(|letter| letter != '-' && !letter.is_ascii_digit()) => {}
            // After a filter a dictionary may hold far more values than the batch has rows.
            Values::Dictionary(keys, values) if values.len() <= keys.len() => {
                let is_in: Vec<bool> = values.iter().map(|value| value.is_some_and(is_in)).collect();
                if !is_in.contains(&true) {
                    return;
                }
                for (found, key) in found.iter_mut().zip(keys) {
                    let key = key.and_then(|key| usize::try_from(key).ok());
                    *found = *found || key.and_then(|key| is_in.get(key)).copied().unwrap_or(false);
                }
            }
            _ => {
                for (row, found) in found.iter_mut().enumerate() {
                    *found = *found || self.get(row).is_some_and(|value| is_in(&value));
                }
            }
        }
    }
}

fn texts(array: &ArrayRef) -> Result<StringArray> {
    let texts = cast(array, &DataType::Utf8)?;
    texts.as_string_opt::<i32>().cloned().ok_or_else(|| exec_datafusion_err!("values are not texts"))
}

impl fmt::Debug for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Restored({})", self.name)
    }
}

impl PartialEq for Restored {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Restored {}

impl Hash for Restored {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            if needle.regex.is_match(&text) {
                let in_value = values.iter().any(|value| needle.regex.is_match(&Style::Json.written(value)));
                prop_assert!(in_value || needle.spans(&skeleton), "{text}");
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
