//! Which series of a chart a value belongs to.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use crate::values::Value;

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&SERIES)]
}

/// The position of a text or an integer among the names; one behind the last for null, two behind for any other.
pub fn series<'n>(text: Expr, names: impl Iterator<Item = &'n str>) -> Expr {
    SERIES.call(std::iter::once(text).chain(names.map(lit)).collect())
}

static SERIES: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::variadic_any(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Series { signature }))
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct Series {
    signature: Signature,
}

impl ScalarUDFImpl for Series {
    fn name(&self) -> &str {
        "spl_series"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((column, literals)) = args.args.split_first() else { return exec_err!("spl_series needs a column") };
        let mut names = HashMap::with_capacity(literals.len());
        for (position, literal) in literals.iter().enumerate() {
            match literal {
                ColumnarValue::Scalar(ScalarValue::Utf8(Some(name))) => names.insert(name.as_str(), position as i64),
                _ => return exec_err!("spl_series takes literal names only"),
            };
        }
        let none = literals.len() as i64;
        match column {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(Arc::new(positions(array, &names, none)))),
            ColumnarValue::Scalar(scalar) => {
                let positions: ArrayRef = Arc::new(positions(&scalar.to_array()?, &names, none));
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&positions, 0)?))
            }
        }
    }
}

fn positions(array: &ArrayRef, names: &HashMap<&str, i64>, none: i64) -> Int64Array {
    let other = none + 1;
    let of = |text: Option<&str>| text.map_or(none, |text| names.get(text).copied().unwrap_or(other));
    if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>()
        // After a filter a dictionary may hold far more values than the batch has rows.
        && dictionary.values().len() <= dictionary.len()
    {
        let values = positions(dictionary.values(), names, none);
        return dictionary
            .keys()
            .iter()
            .map(|key| key.map_or(none, |key| values.values().get(key as usize).copied().unwrap_or(other)))
            .map(Some)
            .collect();
    }
    if let Some(integers) = array.as_primitive_opt::<Int64Type>() {
        let numbered = names.iter().filter_map(|(name, position)| {
            let number: i64 = name.parse().ok()?;
            // `007` is a name that no integer has.
            (number.to_string() == *name).then_some((number, *position))
        });
        let positions: ahash::AHashMap<i64, i64> = numbered.collect();
        let of = |number: Option<i64>| number.map_or(none, |number| positions.get(&number).copied().unwrap_or(other));
        return integers.iter().map(|number| Some(of(number))).collect();
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return texts.iter().map(|text| Some(of(text))).collect();
    }
    (0..array.len()).map(|row| Some(of(Value::read(array.as_ref(), row).text().as_deref()))).collect()
}
