//! The text of events that were kept without one, composed of their fields, and keywords looked for in it.
//!
//! Most texts need not be composed for a keyword: see [`super::needle`].

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use serde_json::{Map, Value as Json};

use super::kernel::{Returns, RowFunction};
use super::needle::{Needle, Values};
use super::pattern;
use super::restored::literal;
use crate::store::skeleton::Style;
use crate::values::Value;

/// `spl_event_text(name, value, ...)`: a JSON object of names and values; what is null is left out.
static TEXT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_event_text", Returns::Text, |values| {
        let pairs = values.chunks_exact(2).filter_map(|pair| match pair {
            [name, value] => Some((name.text().unwrap_or_default().into_owned(), value)),
            _ => None,
        });
        Value::Text(composed(pairs).into())
    })
});

/// `spl_event_keyword(text, mode, name, value, ...)`: whether a keyword or phrase is in it.
static KEYWORD: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::new_from_impl(Keyword(Signature::variadic_any(Volatility::Immutable)))));

/// The functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&TEXT), Arc::clone(&KEYWORD)]
}

/// The text of an event that is made of names, which are literals, and values, one after the other.
pub fn text(names_and_values: impl IntoIterator<Item = Expr>) -> Expr {
    TEXT.call(names_and_values.into_iter().collect())
}

/// The search for a keyword in what a call makes, if that is [`text`].
pub(super) fn keyword(text: &str, mode: &str, call: ScalarFunction) -> Option<Expr> {
    let is_text = *call.func == **TEXT;
    is_text.then(|| KEYWORD.call([lit(text), lit(mode)].into_iter().chain(call.args).collect()))
}

fn composed<'v, 'a: 'v>(pairs: impl Iterator<Item = (String, &'v Value<'a>)>) -> String {
    let written = pairs.filter_map(|(name, value)| Some((name, json(value)?)));
    Json::Object(written.collect::<Map<_, _>>()).to_string()
}

fn json(value: &Value<'_>) -> Option<Json> {
    Some(match value {
        Value::Null => return None,
        Value::Boolean(truth) => Json::from(*truth),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Json::from(*number as i64),
        Value::Number(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.as_ref()),
        Value::Many(texts) => texts.iter().map(|text| Json::from(text.as_ref())).collect(),
    })
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Keyword(Signature);

impl ScalarUDFImpl for Keyword {
    fn name(&self) -> &str {
        "spl_event_keyword"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [text, mode, pairs @ ..] = args.args.as_slice() else {
            return exec_err!("spl_event_keyword takes a text, a mode, names and values");
        };
        let (text, mode) = (literal(text)?, literal(mode)?);
        let whole = pattern::keyword(text, mode == "case", mode == "term");
        let whole = whole.map_err(|reason| exec_datafusion_err!("{reason}"))?;
        let rows = args.number_rows;
        let fields = pairs.chunks_exact(2).map(|pair| match pair {
            [name, value] => Ok((literal(name)?.to_owned(), value.to_array(rows)?)),
            _ => exec_err!("a name without a value"),
        });
        let fields = fields.collect::<Result<Vec<_>>>()?;
        let candidates = match Needle::new(text, mode == "case")? {
            Some(needle) => candidates(&fields, &needle, rows)?,
            None => vec![true; rows],
        };
        let is_in = |(row, is_candidate): (usize, bool)| {
            let values: Vec<Value<'_>> = match is_candidate {
                true => fields.iter().map(|(_, array)| Value::read(array.as_ref(), row)).collect(),
                false => return false,
            };
            whole.is_match(&composed(fields.iter().map(|(name, _)| name.clone()).zip(&values)))
        };
        let found: Vec<bool> = candidates.into_iter().enumerate().map(is_in).collect();
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::from(found))))
    }
}

/// The rows in whose texts the needle may be.
///
/// Without a quote it is in a name, in a text, in a number or a truth value and what stands around it, or it is nothing
/// but what stands between them.
fn candidates(fields: &[(String, ArrayRef)], needle: &Needle, rows: usize) -> Result<Vec<bool>> {
    if needle.has('"') || needle.is_of(":,{}[]") {
        return Ok(vec![true; rows]);
    }
    let mut found = vec![false; rows];
    for (name, array) in fields {
        match array.data_type() {
            _ if array.null_count() == array.len() => {}
            _ if needle.is_in(&Style::Json.written(name)) => {
                found.iter_mut().enumerate().for_each(|(row, found)| *found = *found || array.is_valid(row));
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
                Values::new(array)?.find(needle, Style::Json, &mut found);
            }
            // What is no finite number is written as null.
            DataType::Int64 | DataType::Float64 if !needle.is_of("-+.eE0123456789:,}nulNUL") => {}
            _ => {
                let may_be_in =
                    |value: &Json| needle.is_in(&format!(":{value},")) || needle.is_in(&format!(":{value}}}"));
                for (row, found) in found.iter_mut().enumerate() {
                    *found = *found || json(&Value::read(array.as_ref(), row)).is_some_and(|value| may_be_in(&value));
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanBuilder, Float64Array, Int64Array, ListBuilder, StringArray, StringBuilder};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn a_text_with_the_needle_is_a_candidate(
            texts in prop::collection::vec(prop::option::of("[abK\\\\\"ſ:,]{0,3}"), 4),
            numbers in prop::collection::vec(prop::option::of(prop_oneof![-20_i64..20, Just(i64::MAX)]), 4),
            floats in prop::collection::vec(
                prop::option::of(prop::sample::select(vec![0.5, 1e21, -12.0, f64::NAN, f64::INFINITY])),
                4,
            ),
            truths in prop::collection::vec(prop::option::of(any::<bool>()), 4),
            lists in prop::collection::vec(prop::collection::vec("[ab\"]{0,2}", 0..3), 4),
            keyword in "[abk\\\\\":,{}\\[\\]12e+.trnul-]{1,4}",
            case: bool,
        ) {
            let mut truth = BooleanBuilder::new();
            truths.iter().for_each(|value| truth.append_option(*value));
            let mut list = ListBuilder::new(StringBuilder::new());
            lists.iter().for_each(|values| list.append_value(values.iter().map(Some)));
            let fields: [(&str, ArrayRef); 5] = [
                ("ab", Arc::new(StringArray::from(texts))),
                ("n\"1", Arc::new(Int64Array::from(numbers))),
                ("f", Arc::new(Float64Array::from(floats))),
                ("t", Arc::new(truth.finish())),
                ("l", Arc::new(list.finish())),
            ];
            let fields = fields.map(|(name, array)| (name.to_owned(), array));
            let needle = Needle::new(&keyword, case).unwrap().unwrap();
            let candidates = candidates(&fields, &needle, 4).unwrap();
            for (row, is_candidate) in candidates.into_iter().enumerate() {
                let values = fields.each_ref().map(|(_, array)| Value::read(array.as_ref(), row));
                let text = composed(fields.iter().map(|(name, _)| name.clone()).zip(&values));
                prop_assert!(is_candidate || !needle.is_in(&text), "{text}");
            }
        }
    }
}
