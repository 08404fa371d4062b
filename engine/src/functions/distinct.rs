//! The distinct texts of many groups at once, for `values()` and `dc()`.
//!
//! Each text gets a number; a group remembers the numbers it has seen. A dictionary's texts are looked up once a
//! batch, so that a row costs two array reads and a look into one hash table.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, StringBuilder};
use arrow::array::{DictionaryArray, ListBuilder};
use arrow::datatypes::Int32Type;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::kernel::many_type;
use crate::values::{Value, text_at};

/// What comes of the texts of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of them, in the order of their characters.
    Texts,
    /// How many there are.
    Count,
}

/// The distinct texts of each group.
#[derive(Debug)]
pub struct Distinct {
    outcome: Outcome,
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    seen: HashSet<(usize, u32)>,
    groups: Vec<Vec<u32>>,
    bytes: usize,
}

impl Distinct {
    /// No groups yet.
    pub fn new(outcome: Outcome) -> Self {
        Self { outcome, numbers: HashMap::new(), texts: Vec::new(), seen: HashSet::new(), groups: Vec::new(), bytes: 0 }
    }

    fn number(&mut self, text: &str) -> Result<u32> {
        if let Some(known) = self.numbers.get(text) {
            return Ok(*known);
        }
        let Ok(number) = u32::try_from(self.texts.len()) else { return exec_err!("too many distinct values") };
        let text: Arc<str> = text.into();
        self.bytes += text.len() + 64;
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        Ok(number)
    }

    fn add(&mut self, group: usize, number: u32) {
        if self.seen.insert((group, number)) {
            self.bytes += 32;
            if let Some(numbers) = self.groups.get_mut(group) {
                numbers.push(number);
            }
        }
    }

    fn add_dictionary(
        &mut self,
        dictionary: &DictionaryArray<Int32Type>,
        groups: &[usize],
        counts: impl Fn(usize) -> bool,
    ) -> Result<()> {
        // After a filter a dictionary may hold far more texts than the batch has rows: look up what comes.
        let mut known: Vec<Option<u32>> = vec![None; dictionary.values().len()];
        for (row, group) in groups.iter().enumerate().filter(|(row, _)| counts(*row)) {
            let Some(key) = dictionary.key(row) else { continue };
            let number = match known.get(key).copied().flatten() {
                Some(number) => number,
                None => {
                    let Some(text) = text_at(dictionary.values().as_ref(), key) else { continue };
                    let number = self.number(&text)?;
                    if let Some(slot) = known.get_mut(key) {
                        *slot = Some(number);
                    }
                    number
                }
            };
            self.add(*group, number);
        }
        Ok(())
    }

    /// Takes the groups out that are asked for; the others move to the front.
    fn take(&mut self, emit: EmitTo) -> Vec<Vec<u32>> {
        let taken = emit.take_needed(&mut self.groups);
        self.seen.clear();
        for (group, numbers) in self.groups.iter().enumerate() {
            self.seen.extend(numbers.iter().map(|number| (group, *number)));
        }
        if self.groups.is_empty() {
            self.bytes = 0;
        }
        taken
    }

    fn lists(&self, groups: Vec<Vec<u32>>) -> ArrayRef {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for numbers in groups {
            let mut texts: Vec<&Arc<str>> =
                numbers.iter().filter_map(|number| self.texts.get(*number as usize)).collect();
            texts.sort_unstable();
            texts.iter().for_each(|text| builder.values().append_value(text));
            builder.append(!texts.is_empty());
        }
        Arc::new(builder.finish())
    }
}

impl GroupsAccumulator for Distinct {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        let Some(column) = values.first() else { return exec_err!("distinct values need a column") };
        self.groups.resize(total, Vec::new());
        let counts = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        if let Some(dictionary) = column.as_dictionary_opt::<Int32Type>() {
            return self.add_dictionary(dictionary, groups, counts);
        }
        for (row, group) in groups.iter().enumerate().filter(|(row, _)| counts(*row)) {
            if let Some(text) = text_at(column.as_ref(), row) {
                let number = self.number(&text)?;
                self.add(*group, number);
                continue;
            }
            for text in Value::read(column.as_ref(), row).texts() {
                let number = self.number(&text)?;
                self.add(*group, number);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        let Some(lists) = values.first().and_then(|lists| lists.as_list_opt::<i32>()) else {
            return exec_err!("distinct values have lists as their state");
        };
        let lists: &ListArray = lists;
        self.groups.resize(total, Vec::new());
        for (row, group) in groups.iter().enumerate() {
            if lists.is_null(row) {
                continue;
            }
            let texts = lists.value(row);
            for text in texts.as_string::<i32>().iter().flatten() {
                let number = self.number(text)?;
                self.add(*group, number);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let taken = self.take(emit);
        Ok(match self.outcome {
            Outcome::Texts => {
                let lists = self.lists(taken);
                debug_assert_eq!(*lists.data_type(), many_type());
                lists
            }
            Outcome::Count => Arc::new(Int64Array::from_iter_values(taken.iter().map(|numbers| numbers.len() as i64))),
        })
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let taken = self.take(emit);
        let lists = self.lists(taken);
        // The counts of a tally, which nobody asks for here.
        let rows = lists.len();
        Ok(vec![lists, arrow::array::new_null_array(&super::aggregates::counts_type(), rows)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let Some(column) = values.first() else { return exec_err!("distinct values need a column") };
        let mut builder = ListBuilder::new(StringBuilder::new());
        for row in 0..column.len() {
            let counts = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            let value = if counts { Value::read(column.as_ref(), row) } else { Value::Null };
            let texts = value.texts();
            texts.iter().for_each(|text| builder.values().append_value(text));
            builder.append(!texts.is_empty());
        }
        let counts = arrow::array::new_null_array(&super::aggregates::counts_type(), column.len());
        Ok(vec![Arc::new(builder.finish()), counts])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes + self.groups.capacity() * size_of::<Vec<u32>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringArray;

    fn texts(array: &ArrayRef) -> Vec<Vec<String>> {
        (0..array.len())
            .map(|row| Value::read(array.as_ref(), row).texts().iter().map(|text| text.to_string()).collect())
            .collect()
    }

    #[test]
    fn groups_keep_apart_in_parts_and_when_some_are_taken() {
        let dictionary: DictionaryArray<Int32Type> =
            vec![Some("b"), Some("a"), None, Some("b"), Some("c")].into_iter().collect();
        let plain: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("x")]));
        let mut distinct = Distinct::new(Outcome::Texts);
        distinct.update_batch(&[Arc::new(dictionary)], &[0, 0, 1, 0, 2], None, 3).unwrap();
        distinct.update_batch(&[plain], &[0, 2], None, 3).unwrap();
        assert_eq!(texts(&distinct.evaluate(EmitTo::First(1)).unwrap()), [["a", "b"]]);
        let state = distinct.state(EmitTo::All).unwrap();
        let mut merged = Distinct::new(Outcome::Count);
        merged.merge_batch(&state, &[1, 0], 2).unwrap();
        merged.merge_batch(&state, &[0, 0], 2).unwrap();
        let counts = merged.evaluate(EmitTo::All).unwrap();
        assert_eq!(counts.as_primitive::<arrow::datatypes::Int64Type>().values().to_vec(), [2, 0]);
    }
}
