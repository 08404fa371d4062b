//! The text of stored events, put together from its skeleton and their fields, and keywords looked for in it.
//!
//! A text is put together only where a piece of the keyword was found among what it is made of. Columns travel as
//! arguments, their names as a literal, so that plans serialise.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Column, Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use regex::Regex;

use super::needle::{Needle, Values};
use super::{composed, pattern, search};
use crate::store::skeleton::{MARK, Part, Skeleton, Style, parsed, restore};

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

/// The search for a keyword in a column whose value is made by [`text`], or composed; nothing for any other call or
/// column.
///
/// # Errors
/// Those of `value`.
pub fn keyword(call: &ScalarFunction, value: impl Fn(&str) -> Result<Expr>) -> Result<Option<Expr>> {
    let Some((Expr::Column(column), text, mode)) = search::keyword_of(call) else { return Ok(None) };
    match value(&column.name)? {
        Expr::ScalarFunction(restored) if *restored.func == **RESTORED => {
            Ok(Some(KEYWORD.call([lit(text), lit(mode)].into_iter().chain(restored.args).collect())))
        }
        Expr::ScalarFunction(other) => Ok(composed::keyword(text, mode, other)),
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

pub(super) fn literal(argument: &ColumnarValue) -> Result<&str> {
    match argument {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => Ok(text),
        _ => exec_err!("a text is put together with literal parameters only"),
    }
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
                *found = *found || gaps.is_some_and(|gaps| needle.is_in(gaps));
            }
        }
        found
    }
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
