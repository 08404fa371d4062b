//! Structured text inside fields: JSON, XML, `key=value` pairs and tables, and the paths into them.
//!
//! What cannot be read is no document (`None`), never an error: a field may hold anything.

pub mod json;
pub mod pairs;
pub mod path;
pub mod table;
pub mod xml;
pub mod xpath;

use json::Json;
use path::Path;

/// Nothing nests deeper; what does is not read.
pub const MAX_DEPTH: usize = 128;

/// Field names with their values, in the order in which they were found.
pub type Fields = Vec<(String, Vec<String>)>;

/// Adds a value to a field.
pub(crate) fn add(fields: &mut Fields, index: &mut Index, name: &str, value: String) {
    match index.get(name).and_then(|position| fields.get_mut(*position)) {
        Some((_, values)) => values.push(value),
        None => {
            index.insert(name.to_string(), fields.len());
            fields.push((name.to_string(), vec![value]));
        }
    }
}

/// Where a field stands among [`Fields`].
pub(crate) type Index = std::collections::HashMap<String, usize>;

/// The values at a path of a JSON or XML text, as text; empty if it is neither.
pub fn select(text: &str, path: &Path) -> Vec<String> {
    match document(text) {
        Some(Document::Json(json)) => path.select(&json).into_iter().filter_map(Json::native).collect(),
        Some(Document::Xml(elements)) => path.select_xml(&elements),
        None => Vec::new(),
    }
}

/// Every value of a JSON or XML text under the name of its path.
pub fn flatten(text: &str) -> Fields {
    match document(text) {
        Some(Document::Json(json)) => json.flatten(),
        Some(Document::Xml(elements)) => xml::flatten(&elements),
        None => Fields::new(),
    }
}

enum Document {
    Json(Json),
    Xml(Vec<xml::Element>),
}

fn document(text: &str) -> Option<Document> {
    match text.trim_start().as_bytes().first()? {
        b'<' => xml::parse(text).map(Document::Xml),
        b'{' | b'[' => json::parse(text).map(Document::Json),
        _ => None,
    }
}
