//! The value of a field, or another one where it is missing or empty: how data models fill their fields.
//!
//! Every event of an object goes through it, so it looks at the keys of a dictionary instead of at texts, and says that
//! its result is never missing where the other value is not: groups by a filled field need no look for missing ones.
//! What the other value costs is paid for the rows that miss theirs: where a function computes it, the function's name and
//! arguments are passed instead of its results.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray, UInt32Array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use super::kernel::dictionary_type;

const NAME: &str = "spl_filled";

/// The DataFusion functions of this file.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::new(ScalarUDF::new_from_impl(Filled::new()))]
}

/// The value, or the other one where it is missing or empty. Both are texts.
pub fn filled(value: Expr, otherwise: Expr) -> Expr {
    let mut arguments = vec![value];
    match otherwise {
        Expr::ScalarFunction(call) if known(call.func.name()).is_some() => {
            arguments.push(lit(call.func.name()));
            arguments.extend(call.args);
        }
        other => arguments.push(other),
    }
    ScalarUDF::new_from_impl(Filled::new()).call(arguments)
}

/// A function of ours by its name.
fn known(name: &str) -> Option<Arc<ScalarUDF>> {
    static ALL: LazyLock<HashMap<String, Arc<ScalarUDF>>> =
        LazyLock::new(|| super::udfs().into_iter().map(|udf| (udf.name().to_owned(), udf)).collect());
    ALL.get(name).cloned()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Filled {
    signature: Signature,
}

impl Filled {
    fn new() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Filled {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        exec_err!("{NAME} has no type without its arguments")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let [value, otherwise, rest @ ..] = args.arg_fields else { return exec_err!("{NAME} takes two arguments") };
        let data_type = match value.data_type() {
            DataType::Dictionary(..) => dictionary_type(),
            _ => DataType::Utf8,
        };
        // Of a function's result nothing is promised.
        let nullable = otherwise.is_nullable() || !rest.is_empty();
        Ok(Arc::new(Field::new(NAME, data_type, nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, otherwise, rest @ ..] = args.args.as_slice() else {
            return exec_err!("{NAME} takes two arguments");
        };
        let wanted = args.return_field.data_type();
        let literal = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if literal { 1 } else { args.number_rows };
        let filled = match (value, otherwise) {
            _ if !rest.is_empty() => computed(&args, rows)?,
            (ColumnarValue::Array(array), ColumnarValue::Scalar(text)) => match text.try_as_str().flatten() {
                Some(text) => with_literal(array, text)?,
                None => row_by_row(&value.to_array(rows)?, &otherwise.to_array(rows)?)?,
            },
            _ => row_by_row(&value.to_array(rows)?, &otherwise.to_array(rows)?)?,
        };
        let filled = if filled.data_type() == wanted { filled } else { cast(&filled, wanted)? };
        if literal {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&filled, 0)?));
        }
        Ok(ColumnarValue::Array(filled))
    }
}

/// Fills with what a function makes of further arguments, for the rows that need it.
fn computed(args: &ScalarFunctionArgs, rows: usize) -> Result<ArrayRef> {
    let ([value, name, inner @ ..], [_, _, fields @ ..]) = (args.args.as_slice(), args.arg_fields.as_slice()) else {
        return exec_err!("{NAME} takes two arguments");
    };
    let ColumnarValue::Scalar(name) = name else { return exec_err!("{NAME} needs the name of a function") };
    let Some(function) = name.try_as_str().flatten().and_then(known) else {
        return exec_err!("{NAME} knows no function {name}");
    };
    let value = value.to_array(rows)?;
    let missing = missing(&value)?;
    if missing.is_empty() {
        return Ok(value);
    }
    let taken = inner.iter().map(|argument| match argument {
        ColumnarValue::Array(array) => Ok(ColumnarValue::Array(take(array, &missing, None)?)),
        ColumnarValue::Scalar(scalar) => Ok(ColumnarValue::Scalar(scalar.clone())),
    });
    let taken: Vec<ColumnarValue> = taken.collect::<Result<_>>()?;
    let scalars = taken.iter().map(|argument| match argument {
        ColumnarValue::Scalar(scalar) => Some(scalar),
        ColumnarValue::Array(_) => None,
    });
    let scalars: Vec<Option<&ScalarValue>> = scalars.collect();
    let return_field =
        function.return_field_from_args(ReturnFieldArgs { arg_fields: fields, scalar_arguments: &scalars })?;
    let results = function.invoke_with_args(ScalarFunctionArgs {
        args: taken.clone(),
        arg_fields: fields.to_vec(),
        number_rows: missing.len(),
        return_field,
        config_options: Arc::clone(&args.config_options),
    })?;
    let results = plain(&results.to_array(missing.len())?)?;
    let value = plain(&value)?;
    let mut results = results.as_string::<i32>().iter();
    let texts = value.as_string::<i32>().iter();
    let filled = texts.map(|text| text.filter(|text| !text.is_empty()).or_else(|| results.next().flatten()));
    Ok(Arc::new(filled.collect::<StringArray>()))
}

/// The rows whose text is missing or empty.
fn missing(array: &ArrayRef) -> Result<UInt32Array> {
    if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>()
        && dictionary.null_count() == 0
        && let Some(values) = dictionary.values().as_string_opt::<i32>()
        && values.iter().all(|value| value.is_some_and(|value| !value.is_empty()))
    {
        return Ok(UInt32Array::from(Vec::<u32>::new()));
    }
    let plain = plain(array)?;
    let rows = plain.as_string::<i32>().iter().zip(0_u32..);
    Ok(rows.filter(|(value, _)| value.is_none_or(str::is_empty)).map(|(_, row)| row).collect())
}

/// Fills with the same text everywhere.
fn with_literal(array: &ArrayRef, text: &str) -> Result<ArrayRef> {
    let encoded = array.as_dictionary_opt::<Int32Type>();
    let encoded = encoded.and_then(|dictionary| Some((dictionary, dictionary.values().as_string_opt::<i32>()?)));
    let Some((dictionary, values)) = encoded else {
        let plain = plain(array)?;
        let filled = plain.as_string::<i32>().iter().map(|value| value.filter(|value| !value.is_empty()));
        return Ok(Arc::new(filled.map(|value| Some(value.unwrap_or(text))).collect::<StringArray>()));
    };
    // After a filter a dictionary may hold far more values than the batch has rows.
    if values.len() > dictionary.len() {
        return with_literal(&take(values, dictionary.keys(), None)?, text);
    }
    let empty: Vec<bool> = values.iter().map(|value| value.is_none_or(str::is_empty)).collect();
    if dictionary.null_count() == 0 && !empty.contains(&true) {
        return Ok(Arc::clone(array));
    }
    let literal = StringArray::from_iter_values([text]);
    let Ok(position) = i32::try_from(values.len()) else { return exec_err!("{NAME}: too many values") };
    let is_empty = |key: i32| usize::try_from(key).ok().and_then(|key| empty.get(key)).copied().unwrap_or(true);
    let keys = dictionary.keys().iter().map(|key| key.filter(|key| !is_empty(*key)).or(Some(position)));
    let keys: Int32Array = keys.collect();
    let values = concat(&[dictionary.values().as_ref(), &literal])?;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
}

fn row_by_row(value: &ArrayRef, otherwise: &ArrayRef) -> Result<ArrayRef> {
    let (value, otherwise) = (plain(value)?, plain(otherwise)?);
    let pairs = value.as_string::<i32>().iter().zip(otherwise.as_string::<i32>());
    let filled = pairs.map(|(value, otherwise)| value.filter(|value| !value.is_empty()).or(otherwise));
    Ok(Arc::new(filled.collect::<StringArray>()))
}

fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Utf8 => Ok(Arc::clone(array)),
        _ => Ok(cast(array, &DataType::Utf8)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_is_filled_as_its_texts_are() {
        let texts = [Some("a"), None, Some(""), Some("b"), Some("a")];
        let plain: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
        let encoded: ArrayRef = Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>());
        let expected = StringArray::from(vec!["a", "unknown", "unknown", "b", "a"]);
        let filled = with_literal(&encoded, "unknown").unwrap();
        assert_eq!(cast(&filled, &DataType::Utf8).unwrap().as_string::<i32>(), &expected);
        assert_eq!(with_literal(&plain, "unknown").unwrap().as_string::<i32>(), &expected);
        // More values than rows.
        let one = encoded.slice(1, 1);
        let filled = cast(&with_literal(&one, "x").unwrap(), &DataType::Utf8).unwrap();
        assert_eq!(filled.as_string::<i32>().value(0), "x");
        let other: ArrayRef = Arc::new(StringArray::from(vec![None, Some("y"), None, Some("z"), None]));
        let filled = row_by_row(&encoded, &other).unwrap();
        assert_eq!(
            filled.as_string::<i32>(),
            &StringArray::from(vec![Some("a"), Some("y"), None, Some("b"), Some("a")])
        );
    }
}
