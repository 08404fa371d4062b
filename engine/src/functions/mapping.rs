//! The shape of functions that turn each text of a column into another one.
//!
//! Like the shapes of [`super::kernel`] they are stateless and found by name: parameters travel as literal
//! arguments and are compiled once a batch. A dictionary's values are mapped once, a list's one by one.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use super::kernel::{dictionary_type, many_type};
use crate::values::Value;

/// A text made of a text; `None` leaves no value.
pub type Mapping = Box<dyn for<'t> Fn(&'t str) -> Option<Cow<'t, str>> + Send + Sync>;

/// A mapping from a function.
pub fn of(function: impl for<'t> Fn(&'t str) -> Option<Cow<'t, str>> + Send + Sync + 'static) -> Mapping {
    Box::new(function)
}

/// A function from a column of any type to text, or to several texts where the column has several.
#[derive(Clone)]
pub struct TextMap {
    name: &'static str,
    compile: fn(&[&str]) -> Result<Mapping>,
    signature: Signature,
}

impl TextMap {
    /// Wraps a compiler of mappings.
    pub fn udf(name: &'static str, compile: fn(&[&str]) -> Result<Mapping>) -> Arc<ScalarUDF> {
        let signature = Signature::variadic_any(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Self { name, compile, signature }))
    }
}

/// A call over a column with literal parameters.
pub fn call(udf: &Arc<ScalarUDF>, column: Expr, parameters: impl IntoIterator<Item = String>) -> Expr {
    udf.call(std::iter::once(column).chain(parameters.into_iter().map(lit)).collect())
}

impl ScalarUDFImpl for TextMap {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match types.first() {
            Some(DataType::Dictionary(..)) => dictionary_type(),
            Some(DataType::List(_)) => many_type(),
            _ => DataType::Utf8,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((column, literals)) = args.args.split_first() else {
            return exec_err!("{} needs a column", self.name);
        };
        let mut parameters = Vec::with_capacity(literals.len());
        for literal in literals {
            match literal {
                ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => parameters.push(text.as_str()),
                _ => return exec_err!("{} takes literal parameters only", self.name),
            }
        }
        let mapping = (self.compile)(&parameters)?;
        let single = matches!(column, ColumnarValue::Scalar(_));
        let array = column.to_array(if single { 1 } else { args.number_rows })?;
        let mut result = map_column(&array, &mapping)?;
        if result.data_type() != args.return_field.data_type() {
            result = cast(&result, args.return_field.data_type())?;
        }
        match single {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)),
            false => Ok(ColumnarValue::Array(result)),
        }
    }
}

fn map_column(array: &ArrayRef, mapping: &Mapping) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Dictionary(..) => match array.as_dictionary_opt::<Int32Type>() {
            // After a filter a dictionary may hold far more values than the batch has rows.
            Some(dictionary) if dictionary.values().len() <= dictionary.len() => map_dictionary(dictionary, mapping),
            Some(dictionary) => map_column(&take(dictionary.values(), dictionary.keys(), None)?, mapping),
            None => map_column(&cast(array, &DataType::Utf8)?, mapping),
        },
        DataType::List(_) => {
            let mut builder = ListBuilder::with_capacity(StringBuilder::new(), array.len());
            for row in 0..array.len() {
                let value = Value::read(array.as_ref(), row);
                let texts = value.texts();
                let mut any = false;
                for text in texts.iter().filter_map(|text| mapping(text)) {
                    builder.values().append_value(text);
                    any = true;
                }
                builder.append(any);
            }
            Ok(Arc::new(builder.finish()))
        }
        _ => {
            let mapped: StringArray = (0..array.len())
                .map(|row| {
                    let value = Value::read(array.as_ref(), row);
                    value.text().and_then(|text| mapping(&text).map(Cow::into_owned))
                })
                .collect();
            Ok(Arc::new(mapped))
        }
    }
}

fn map_dictionary(dictionary: &DictionaryArray<Int32Type>, mapping: &Mapping) -> Result<ArrayRef> {
    let values = map_column(dictionary.values(), mapping)?;
    // A row without a value has no key, rather than the key of a null.
    let keys: Int32Array = dictionary
        .keys()
        .iter()
        .map(|key| key.filter(|key| usize::try_from(*key).is_ok_and(|key| values.is_valid(key))))
        .collect();
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
}

impl fmt::Debug for TextMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextMap({})", self.name)
    }
}

impl PartialEq for TextMap {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TextMap {}

impl Hash for TextMap {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shout() -> Mapping {
        Box::new(|text| if text == "x" { None } else { Some(Cow::Owned(text.to_uppercase())) })
    }

    #[test]
    fn dictionaries_are_mapped_by_value() {
        let dictionary: DictionaryArray<Int32Type> =
            [Some("a"), Some("x"), None, Some("a"), Some("b")].into_iter().collect();
        let array: ArrayRef = Arc::new(dictionary);
        let mapped = map_column(&array, &shout()).unwrap();
        assert_eq!(mapped.data_type(), array.data_type());
        let texts: Vec<_> = (0..5).map(|row| Value::read(mapped.as_ref(), row).text().map(Cow::into_owned)).collect();
        assert_eq!(texts, [Some("A".to_string()), None, None, Some("A".into()), Some("B".into())]);
        assert_eq!(mapped.null_count(), 2);
    }

    #[test]
    fn lists_lose_what_has_no_value() {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for row in [&["a", "x"][..], &["x"], &[]] {
            for text in row {
                builder.values().append_value(text);
            }
            builder.append(true);
        }
        let mapped = map_column(&(Arc::new(builder.finish()) as ArrayRef), &shout()).unwrap();
        let counts: Vec<_> = (0..3).map(|row| Value::read(mapped.as_ref(), row).texts().len()).collect();
        assert_eq!(counts, [1, 0, 0]);
        assert_eq!(mapped.null_count(), 2);
    }
}
