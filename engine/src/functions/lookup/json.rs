//! The eval function `lookup`: keys and outputs are JSON, which may differ from row to row.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::StringArray;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::documents::json::{self, Json};
use crate::lookups::Opened;
use crate::lookups::definition::Definition;
use crate::lookups::matcher::Matcher;
use crate::lookups::table::Table;
use crate::plan::Clock;
use crate::values::{Value, text_at};

/// The function over a lookup: of an object of keys, an array of outputs and the time in seconds.
pub fn udf(opened: Opened, clock: &Clock) -> Arc<ScalarUDF> {
    let Opened { name: _, definition, table, note: _ } = opened;
    Arc::new(ScalarUDF::new_from_impl(JsonLookUp {
        table,
        definition,
        zone: clock.time_zone.clone(),
        now: clock.now,
        matchers: Mutex::default(),
        signature: Signature::any(3, Volatility::Immutable),
    }))
}

/// A lookup whose keys and outputs are in JSON, which may differ from row to row.
#[derive(Debug)]
struct JsonLookUp {
    table: Arc<Table>,
    definition: Definition,
    zone: TimeZone,
    now: Timestamp,
    /// By the positions of the key columns.
    matchers: Mutex<HashMap<Vec<usize>, Arc<Matcher>>>,
    signature: Signature,
}

impl PartialEq for JsonLookUp {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.table, &other.table) && self.definition == other.definition && self.zone == other.zone
    }
}

impl Eq for JsonLookUp {}

impl Hash for JsonLookUp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.table).hash(state);
    }
}

impl JsonLookUp {
    fn matcher(&self, columns: Vec<usize>) -> Result<Arc<Matcher>> {
        let mut matchers = self.matchers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = matchers.get(&columns) {
            return Ok(Arc::clone(known));
        }
        let table = Arc::clone(&self.table);
        let matcher = Matcher::new(table, &self.definition, &columns, &self.zone, self.now)
            .map_err(|reason| exec_datafusion_err!("`lookup`: {reason}"))?;
        let matcher = Arc::new(matcher);
        matchers.insert(columns, Arc::clone(&matcher));
        Ok(matcher)
    }

    fn column(&self, name: &str) -> Result<usize> {
        self.table.position(name).ok_or_else(|| {
            let names: Vec<&str> = self.table.names().collect();
            exec_datafusion_err!("`lookup`: the table has no column {name:?}; it has {}", names.join(", "))
        })
    }

    /// The object for one row.
    fn object(&self, keys: &str, outputs: &str, time: Option<f64>) -> Result<Option<String>> {
        let (Some(Json::Object(keys)), Some(Json::Array(outputs))) = (json::parse(keys), json::parse(outputs)) else {
            return Ok(None);
        };
        let mut columns = Vec::with_capacity(keys.len());
        let mut values: Vec<Vec<Cow<'_, str>>> = Vec::with_capacity(keys.len());
        for (name, value) in &keys {
            columns.push(self.column(name)?);
            values.push(match value {
                Json::Array(members) => members.iter().filter_map(Json::native).map(Cow::Owned).collect(),
                single => single.native().map(Cow::Owned).into_iter().collect(),
            });
        }
        if columns.is_empty() {
            return exec_err!("`lookup` needs at least one column to agree");
        }
        let mut names: Vec<(String, usize)> = Vec::with_capacity(outputs.len());
        for output in outputs {
            match output {
                Json::Text(name) => {
                    let column = self.column(&name)?;
                    names.push((name, column));
                }
                other => return exec_err!("`lookup` takes names of columns as its outputs, not {other}"),
            }
        }
        let matcher = self.matcher(columns)?;
        let found = matcher.find(&values, time).map_err(|reason| exec_datafusion_err!("`lookup`: {reason}"))?;
        let Some(found) = found else { return Ok(None) };
        let missing = matcher.min_matches.saturating_sub(found.len());
        if found.is_empty() && missing == 0 {
            return Ok(None);
        }
        let mut object: Vec<(String, Json)> = Vec::with_capacity(names.len());
        for (name, column) in names {
            let mut texts: Vec<Json> = Vec::new();
            for row in &found {
                let cell = self.table.texts(column, *row as usize);
                texts.extend(cell.into_iter().map(|text| Json::Text(text.into_owned())));
            }
            texts.extend((0..missing).filter_map(|_| matcher.default_match.clone().map(Json::Text)));
            let value = match texts.len() {
                0 | 1 => texts.pop().unwrap_or(Json::Null),
                _ => Json::Array(texts),
            };
            object.push((name, value));
        }
        Ok(Some(Json::Object(object).to_string()))
    }
}

impl ScalarUDFImpl for JsonLookUp {
    fn name(&self) -> &str {
        "spl_json_lookup"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = args.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let [keys, outputs, time] = arrays.as_slice() else {
            return exec_err!("spl_json_lookup takes an object, an array and a time");
        };
        let mut objects: Vec<Option<String>> = Vec::with_capacity(rows);
        for row in 0..rows {
            objects.push(match (text_at(keys.as_ref(), row), text_at(outputs.as_ref(), row)) {
                (Some(keys), Some(outputs)) => {
                    self.object(&keys, &outputs, Value::read(time.as_ref(), row).number())?
                }
                _ => None,
            });
        }
        Ok(ColumnarValue::Array(Arc::new(StringArray::from(objects))))
    }
}
