//! Rows that are written into the search: `makeresults format=csv|json data="..."`.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::datatypes::{DataType, Field, Schema};
use serde_json::Value;

/// Columns of text under their names.
pub type Columns = (Arc<Schema>, Vec<StringArray>);

/// CSV with a header line. Empty cells are null.
///
/// # Errors
/// What is wrong with the text.
pub fn csv(text: &str) -> Result<Columns, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.trim_matches(['\n', '\r']).as_bytes());
    let names: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(|name| name.trim().to_string()).collect(),
        Err(error) => return Err(format!("the data is not CSV: {error}")),
    };
    if names.iter().all(String::is_empty) {
        return Err("the data has no header line".into());
    }
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); names.len()];
    for record in reader.records() {
        let record = record.map_err(|error| format!("the data is not CSV: {error}"))?;
        for (position, column) in columns.iter_mut().enumerate() {
            column.push(record.get(position).filter(|cell| !cell.is_empty()).map(str::to_string));
        }
    }
    finish(names, columns)
}

/// A JSON array of objects. Nested values stay JSON text; null and missing keys are null.
///
/// # Errors
/// What is wrong with the text.
pub fn json(text: &str) -> Result<Columns, String> {
    let rows: Vec<serde_json::Map<String, Value>> =
        serde_json::from_str(text).map_err(|error| format!("the data is not a JSON array of objects: {error}"))?;
    let mut names: Vec<String> = Vec::new();
    for row in &rows {
        for name in row.keys() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    let columns = names.iter().map(|name| rows.iter().map(|row| row.get(name).and_then(scalar)).collect()).collect();
    finish(names, columns)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn finish(names: Vec<String>, columns: Vec<Vec<Option<String>>>) -> Result<Columns, String> {
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(format!("the data has two columns named {twice:?}"));
    }
    let fields: Vec<Field> = names.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    Ok((Arc::new(Schema::new(fields)), columns.into_iter().map(StringArray::from).collect()))
}
