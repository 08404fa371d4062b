//! Numbers for combinations of values: every row gets the number of its group.
//!
//! A value is looked at once a dictionary where there is one, and batches of one file share theirs; what is left for
//! a row is arithmetic on small numbers.

use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int32Type};
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use hashbrown::HashMap;

/// The number of a row that lacks a value.
pub const NONE: u32 = u32::MAX;

/// The groups seen so far.
pub struct Groups {
    columns: Vec<Coder>,
    /// For each column after the first, the number of a group so far and a value, and the number of both together.
    pairs: Vec<HashMap<u64, u32, RandomState>>,
}

impl Groups {
    /// Groups by columns of these types.
    ///
    /// # Errors
    /// A type whose values cannot be compared.
    pub fn new<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Result<Self> {
        let columns: Vec<Coder> = types.into_iter().map(Coder::new).collect::<Result<_>>()?;
        let pairs = columns.iter().skip(1).map(|_| HashMap::default()).collect();
        Ok(Self { columns, pairs })
    }

    /// The number of each row's group; [`NONE`] where a value is null.
    ///
    /// # Errors
    /// Arrow's own.
    pub fn of(&mut self, columns: &[ArrayRef], rows: usize) -> Result<Vec<u32>> {
        let mut numbers = vec![0; rows];
        for (position, (coder, column)) in self.columns.iter_mut().zip(columns).enumerate() {
            let codes = coder.codes(column)?;
            let Some(pairs) = position.checked_sub(1).and_then(|at| self.pairs.get_mut(at)) else {
                numbers = codes;
                continue;
            };
            for (number, code) in numbers.iter_mut().zip(codes) {
                *number = match (*number, code) {
                    (NONE, _) | (_, NONE) => NONE,
                    (number, code) => {
                        let next = u32::try_from(pairs.len()).unwrap_or(NONE);
                        *pairs.entry(u64::from(number) << 32 | u64::from(code)).or_insert(next)
                    }
                };
            }
        }
        Ok(numbers)
    }

    /// About how many bytes they take.
    pub fn size(&self) -> usize {
        let pairs = self.pairs.iter().map(|pairs| pairs.capacity().saturating_mul(16));
        self.columns.iter().map(|coder| coder.bytes).chain(pairs).fold(0, usize::saturating_add)
    }
}

/// Numbers for the values of a column.
struct Coder {
    values: HashMap<Box<[u8]>, u32, RandomState>,
    /// What `values` takes.
    bytes: usize,
    /// The dictionary that was looked at last, and the numbers of its values.
    dictionary: Option<(ArrayRef, Vec<u32>)>,
    /// For what is no dictionary of texts.
    rows: Option<RowConverter>,
}

impl Coder {
    fn new(data_type: &DataType) -> Result<Self> {
        let is_dictionary = matches!(data_type, DataType::Dictionary(keys, values)
            if **keys == DataType::Int32 && **values == DataType::Utf8);
        let rows = match is_dictionary {
            true => None,
            false => Some(RowConverter::new(vec![SortField::new(data_type.clone())])?),
        };
        Ok(Self { values: HashMap::default(), bytes: 0, dictionary: None, rows })
    }

    fn code(values: &mut HashMap<Box<[u8]>, u32, RandomState>, bytes: &mut usize, value: &[u8]) -> u32 {
        if let Some(&code) = values.get(value) {
            return code;
        }
        let code = u32::try_from(values.len()).unwrap_or(NONE);
        *bytes = bytes.saturating_add(value.len()).saturating_add(32);
        values.insert(value.into(), code);
        code
    }

    fn codes(&mut self, column: &ArrayRef) -> Result<Vec<u32>> {
        let Self { values, bytes, dictionary, rows } = self;
        if let Some(rows) = rows {
            let converted = rows.convert_columns(&[Arc::clone(column)])?;
            let valid = |row: usize| column.is_valid(row);
            let code = |(row, value): (usize, arrow::row::Row<'_>)| match valid(row) {
                true => Self::code(values, bytes, value.as_ref()),
                false => NONE,
            };
            return Ok(converted.iter().enumerate().map(code).collect());
        }
        let Some(array) = column.as_dictionary_opt::<Int32Type>() else { return Ok(vec![NONE; column.len()]) };
        let same = dictionary.as_ref().filter(|(known, _)| known.to_data().ptr_eq(&array.values().to_data()));
        if same.is_none() {
            let texts = array.values().as_string_opt::<i32>();
            let codes = texts.into_iter().flat_map(|texts| texts.iter());
            let codes =
                codes.map(|text| text.map_or(NONE, |text| Self::code(values, bytes, text.as_bytes()))).collect();
            *dictionary = Some((Arc::clone(array.values()), codes));
        }
        let codes = dictionary.as_ref().map_or(&[][..], |(_, codes)| codes);
        let code = |key: Option<i32>| {
            let key = key.and_then(|key| usize::try_from(key).ok());
            key.and_then(|key| codes.get(key)).copied().unwrap_or(NONE)
        };
        Ok(array.keys().iter().map(code).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{DictionaryArray, Int64Array, StringArray};

    #[test]
    fn rows_of_the_same_values_have_the_same_number() {
        let text = |values: &[Option<&str>]| -> ArrayRef {
            Arc::new(values.iter().copied().collect::<DictionaryArray<Int32Type>>())
        };
        let first = text(&[Some("a"), Some("b"), None, Some("a")]);
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(1), Some(1), Some(2)]));
        let plain: ArrayRef = Arc::new(StringArray::from(vec!["x", "x", "x", "x"]));
        let types = [first.data_type().clone(), DataType::Int64, DataType::Utf8];
        let mut groups = Groups::new(&types).unwrap();
        let found = groups.of(&[first, Arc::clone(&numbers), Arc::clone(&plain)], 4).unwrap();
        assert_eq!(found, [0, 1, NONE, 2]);
        // Another dictionary with the same values in other places.
        let second = text(&[Some("b"), Some("a"), Some("c"), Some("a")]);
        assert_eq!(groups.of(&[second, numbers, plain], 4).unwrap(), [1, 0, 3, 2]);
    }
}
