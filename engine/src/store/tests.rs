//! Columns against a naive twin.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use proptest::prelude::*;

use super::builder::{BlockBuilder, MAX_ROWS, NO_TIME};
use super::columns::StoreBuilder;
use super::*;

/// A shape, and fields with their values, in order.
type Row = (u8, Vec<(String, Vec<String>)>);

fn build(blocks: &[Vec<Row>]) -> Store {
    let mut store = StoreBuilder::default();
    let mut base = 0;
    for rows in blocks {
        let mut block = BlockBuilder::new();
        for (ordinal, (shape, fields)) in rows.iter().enumerate() {
            block.begin("s", &shape.to_string(), NO_TIME, i64::try_from(ordinal).unwrap());
            for (name, values) in fields {
                let name = block.name(name);
                for value in values {
                    block.put(name, value);
                }
            }
        }
        store.add(block.finish(), base);
        base += i64::try_from(rows.len()).unwrap();
    }
    store.finish().unwrap()
}

/// The rows as they come back: by serial, field and values.
fn read_back(store: &Store) -> BTreeMap<i64, (String, BTreeMap<String, Vec<String>>)> {
    let mut found = BTreeMap::new();
    for shape in &store.shapes {
        for batch in &shape.batches {
            assert_eq!(batch.schema(), shape.schema);
            assert!((1..=MAX_ROWS).contains(&batch.num_rows()));
            let serials = batch.column_by_name("_serial").unwrap().as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let mut fields = BTreeMap::new();
                for (field, column) in shape.schema.fields().iter().zip(batch.columns()).skip(2) {
                    assert_eq!(field.as_ref(), store.schema.field_with_name(field.name()).unwrap());
                    if column.is_valid(row) {
                        fields.insert(field.name().clone(), values(column, row));
                    }
                }
                found.insert(serials.value(row), (shape.name.clone(), fields));
            }
        }
    }
    found
}

fn values(column: &dyn Array, row: usize) -> Vec<String> {
    match column.data_type() {
        DataType::Int64 => vec![column.as_primitive::<Int64Type>().value(row).to_string()],
        DataType::Float64 => vec![column.as_primitive::<Float64Type>().value(row).to_string()],
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            list.as_string::<i32>().iter().map(|value| value.unwrap().to_owned()).collect()
        }
        _ => {
            let dictionary = column.as_dictionary::<Int32Type>();
            let key = dictionary.keys().value(row);
            vec![dictionary.values().as_string::<i32>().value(usize::try_from(key).unwrap()).to_owned()]
        }
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        (-20..20_i64).prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        (-9.0..9.0_f64).prop_map(|number| number.to_string()),
        prop::sample::select(vec!["-0", "01", "+1", "1.0", "NaN", "inf", "1e5", "9007199254740992", "-", "0x1", " 1"])
            .prop_map(str::to_owned),
        "[a-cé\u{0}]{0,3}",
    ]
}

/// Fields of which some hold only integers or only numbers, so that every type comes up.
fn field() -> impl Strategy<Value = (String, Vec<String>)> {
    prop_oneof![
        ("[a-d]", prop::collection::vec(value(), 1..2)),
        ("[e-f]", prop::collection::vec(value(), 1..4)),
        ("[g-h]", (-9..9_i64).prop_map(|number| vec![number.to_string()])),
        ("[i-j]", (-9.0..9.0_f64).prop_map(|number| vec![number.to_string()])),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let fields = prop::collection::vec(field(), 0..6).prop_map(|fields| {
        let mut seen = BTreeSet::new();
        fields.into_iter().filter(|(name, _)| seen.insert(name.clone())).collect()
    });
    (0..3_u8, fields)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_goes_in_comes_out(blocks in prop::collection::vec(prop::collection::vec(row(), 0..20), 0..5)) {
        let store = build(&blocks);
        let found = read_back(&store);
        let rows: Vec<&Row> = blocks.iter().flatten().collect();
        prop_assert_eq!(found.len(), rows.len());
        let mut names = Vec::new();
        for ((shape, fields), (found_shape, found_fields)) in rows.iter().copied().zip(found.values()) {
            prop_assert_eq!(format!("s {shape}"), found_shape.clone());
            let expected: BTreeMap<String, Vec<String>> = fields.iter().cloned().collect();
            prop_assert_eq!(&expected, found_fields);
            for (name, _) in fields {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        // Order of appearance, whatever the shapes.
        let schema: Vec<String> = store.schema.fields().iter().skip(2).map(|field| field.name().clone()).collect();
        prop_assert_eq!(schema, names.clone());
        for name in names {
            let all: Vec<&Vec<String>> =
                rows.iter().flat_map(|(_, fields)| fields).filter(|(field, _)| *field == name).map(|(_, values)| values).collect();
            let is_int = |text: &str| text.parse::<i64>().is_ok_and(|n| n.to_string() == text && n.abs() < 1 << 53);
            // A great whole number is text, as its digits count.
            let is_float = |text: &str| {
                text.contains('.')
                    && text.parse::<f64>().is_ok_and(|n| n.is_finite() && n.to_string() == text && text.len() <= 32)
            };
            let data_type = store.schema.field_with_name(&name).unwrap().data_type();
            if all.iter().any(|values| values.len() > 1) {
                prop_assert!(matches!(data_type, DataType::List(_)));
            } else if all.iter().all(|values| is_int(&values[0])) {
                prop_assert_eq!(data_type, &DataType::Int64);
            } else if all.iter().all(|values| is_int(&values[0]) || is_float(&values[0])) {
                prop_assert_eq!(data_type, &DataType::Float64);
            } else {
                prop_assert!(matches!(data_type, DataType::Dictionary(_, _)));
            }
        }
    }
}

#[test]
fn metadata_stays_text() {
    let names = ["_raw", "_file", "source", "sourcetype", "index", "host"];
    let fields = names.iter().map(|&name| (name.to_owned(), vec!["1".to_owned()])).collect();
    let store = build(&[vec![(0, fields)]]);
    for name in names {
        let field = store.schema.field_with_name(name).unwrap();
        assert!(matches!(field.data_type(), DataType::Dictionary(_, _)), "{name}");
    }
}

#[test]
fn batches_are_bounded_and_mostly_full() {
    let block: Vec<Row> = (0..1000).map(|n| (0, vec![("a".to_owned(), vec![format!("v{}", n % 10)])])).collect();
    let store = build(&vec![block; 50]);
    let rows: Vec<usize> = store.shapes[0].batches.iter().map(|batch| batch.num_rows()).collect();
    assert_eq!(rows.iter().sum::<usize>(), 50_000);
    assert_eq!(rows.len(), 7);
    // One dictionary a batch, with each value once.
    let column = store.shapes[0].batches[0].column_by_name("a").unwrap();
    assert_eq!(column.as_dictionary::<Int32Type>().values().len(), 10);
    let block: Vec<Row> = (0..20_000).map(|n| (0, vec![("a".to_owned(), vec![n.to_string()])])).collect();
    assert_eq!(build(&[block]).shapes[0].batches.len(), 3);
}

#[test]
fn an_empty_store_has_its_two_columns() {
    let store = build(&[]);
    assert!(store.shapes.is_empty());
    assert_eq!(store.schema.fields().len(), 2);
}
