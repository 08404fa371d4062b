//! The names and values that a search can use, for whoever helps to write one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};

use crate::knowledge::apps::Apps;
use crate::store::Store;
use crate::views;

/// Of each shape at most so many batches are looked at for values; a batch has up to 8,192 events.
const SAMPLED_BATCHES: usize = 8;
/// How many values of a field are told apart while they are counted.
const COUNTED_VALUES: usize = 4_096;
/// How many values of a field are kept, the most frequent ones.
const KEPT_VALUES: usize = 50;
/// Longer values, in bytes, are nobody's to type.
const LONGEST_VALUE: usize = 256;
/// What no one compares with a value that others have too.
const UNIQUE: [&str; 3] = ["_raw", "_time", "_serial"];

/// A field of the loaded events.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownField {
    /// Its name.
    pub name: String,
    /// The part of the events that have it, from 0 to 1; `None` where events stay on disk and nobody counted.
    pub coverage: Option<f64>,
    /// Its most frequent values in a sample of the events, the most frequent first; all of them for `index`, `source`,
    /// `sourcetype` and `host`.
    pub values: Vec<String>,
}

/// What was counted of a field.
#[derive(Default)]
struct Counted {
    events: usize,
    values: HashMap<String, usize>,
}

/// The fields of the events in a store, those that most events have first.
pub(crate) fn fields(store: &Store, metadata: &HashMap<String, Vec<String>>) -> Vec<KnownField> {
    let mut counted: BTreeMap<String, Counted> = BTreeMap::new();
    let mut events = 0_usize;
    for shape in &store.shapes {
        for (position, batch) in shape.batches.iter().enumerate() {
            events = events.saturating_add(batch.num_rows());
            for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
                let known = counted.entry(field.name().clone()).or_default();
                let present = column.len().saturating_sub(column.logical_null_count());
                known.events = known.events.saturating_add(present);
                if position < SAMPLED_BATCHES && !UNIQUE.contains(&field.name().as_str()) {
                    count(&mut known.values, column);
                }
            }
        }
    }
    let in_files = store.files.iter().flat_map(|file| file.fields.iter().map(|field| field.name.clone()));
    let in_stores = store.stored.iter().flat_map(|stored| stored.fields.iter().map(|(name, _)| name.clone()));
    let on_disk: BTreeSet<String> = in_files.chain(in_stores).collect();
    let mut fields: Vec<KnownField> = counted
        .into_iter()
        .filter(|(name, known)| known.events > 0 && name != "_serial" && !on_disk.contains(name))
        .map(|(name, known)| {
            let coverage = on_disk.is_empty().then(|| share(known.events, events));
            KnownField { values: frequent(known.values), coverage, name }
        })
        .collect();
    let named = |name: String| KnownField { name, coverage: None, values: Vec::new() };
    fields.extend(on_disk.into_iter().filter(|name| name != "_serial").map(named));
    // What was not kept in memory is read when a search names it.
    let unread: Vec<&String> =
        store.unread.iter().filter(|name| !fields.iter().any(|field| field.name == **name)).collect();
    let unread: Vec<KnownField> = unread.into_iter().cloned().map(named).collect();
    fields.extend(unread);
    for field in &mut fields {
        if let Some(values) = metadata.get(&field.name) {
            field.values.clone_from(values);
        }
    }
    fields.sort_by(|a, b| {
        let (left, right) = (a.coverage.unwrap_or(1.0), b.coverage.unwrap_or(1.0));
        right.total_cmp(&left).then_with(|| a.name.cmp(&b.name))
    });
    fields
}

#[allow(clippy::cast_precision_loss)]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Counts the values of a column, as far as they are single texts or numbers.
fn count(values: &mut HashMap<String, usize>, column: &ArrayRef) {
    let mut add = |value: &str, times: usize| {
        if value.is_empty() || value.len() > LONGEST_VALUE || times == 0 {
            return;
        }
        if let Some(known) = values.get_mut(value) {
            *known = known.saturating_add(times);
        } else if values.len() < COUNTED_VALUES {
            values.insert(value.to_owned(), times);
        }
    };
    if let Some(dictionary) = column.as_dictionary_opt::<Int32Type>() {
        let Some(texts) = dictionary.values().as_string_opt::<i32>() else { return };
        let mut times = vec![0_usize; texts.len()];
        for key in dictionary.keys().iter().flatten() {
            if let Some(times) = usize::try_from(key).ok().and_then(|key| times.get_mut(key)) {
                *times = times.saturating_add(1);
            }
        }
        texts.iter().zip(times).for_each(|(text, times)| text.into_iter().for_each(|text| add(text, times)));
    } else if matches!(column.data_type(), DataType::Int64 | DataType::Float64)
        && let Ok(texts) = cast(column, &DataType::Utf8)
        && let Some(texts) = texts.as_string_opt::<i32>()
    {
        texts.iter().flatten().for_each(|text| add(text, 1));
    }
}

/// The most frequent values; those that are as frequent by name.
fn frequent(values: HashMap<String, usize>) -> Vec<String> {
    let mut values: Vec<(String, usize)> = values.into_iter().collect();
    values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values.into_iter().take(KEPT_VALUES).map(|(value, _)| value).collect()
}

/// The names of fields that no event need have for a search to use them: those that apps and views make.
pub fn made_fields(apps: &Apps) -> BTreeSet<String> {
    apps.props.outputs().into_iter().chain(views::targets().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Int64Array, RecordBatch};
    use arrow::datatypes::{Field, Schema};

    use crate::store::Shape;

    fn store() -> Store {
        let users: DictionaryArray<Int32Type> = vec![Some("b"), Some("a"), Some("b"), None].into_iter().collect();
        let codes = Int64Array::from(vec![1, 1, 4, 1]);
        let schema = Arc::new(Schema::new(vec![
            Field::new("User", users.data_type().clone(), true),
            Field::new("EventCode", DataType::Int64, true),
        ]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(users), Arc::new(codes)]).unwrap();
        let shape = Shape { name: "s".into(), schema: Arc::clone(&schema), batches: vec![batch] };
        let unread = vec!["_raw".to_owned()];
        Store { shapes: vec![shape], unread, ..Store::empty(schema) }
    }

    #[test]
    fn fields_have_coverage_and_frequent_values() {
        let metadata = HashMap::from([("User".to_owned(), vec!["all".to_owned()])]);
        let plain = fields(&store(), &HashMap::new());
        let shown: Vec<_> =
            plain.iter().map(|field| (field.name.as_str(), field.coverage, field.values.join(" "))).collect();
        assert_eq!(
            shown,
            [
                ("EventCode", Some(1.0), "1 4".to_owned()),
                ("_raw", None, String::new()),
                ("User", Some(0.75), "b a".to_owned()),
            ]
        );
        assert_eq!(fields(&store(), &metadata).last().unwrap().values, ["all"]);
    }

    #[test]
    fn apps_and_views_make_fields() {
        let made = made_fields(&Apps::own());
        assert!(made.contains("ImageFileName") && made.contains("process_name"), "{made:?}");
    }
}
