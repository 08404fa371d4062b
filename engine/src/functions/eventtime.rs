//! What a table of events lacks that logs have: times that are told as numbers or texts, and the event's text.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use jiff::tz::TimeZone;

use super::kernel::{Returns, RowFunction};
use crate::ingest::EventClock;
use crate::values::Value;

thread_local! {
    /// The zone that was asked for last: looking it up for each value would take longer than reading the value.
    static CLOCK: RefCell<Option<(String, EventClock)>> = const { RefCell::new(None) };
}

/// Seconds since 1970 of a time as logs write it; the second argument is the zone of times that name none.
static READ: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_event_time", Returns::Number, |values| match values {
        [value, zone] => {
            let (Some(text), Some(zone)) = (value.text(), zone.text()) else { return Value::Null };
            CLOCK.with_borrow_mut(|clock| {
                if clock.as_ref().is_none_or(|(known, _)| *known != zone) {
                    *clock = Some((zone.to_string(), EventClock::in_zone(&zone)));
                }
                let time = clock.as_ref().and_then(|(_, clock)| clock.read(&text));
                time.map_or(Value::Null, |micros| Value::Number(micros as f64 / 1e6))
            })
        }
        _ => Value::Null,
    })
});

/// A JSON object of names and values; what is null is left out.
static TEXT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_event_text", Returns::Text, |values| {
        let mut object = serde_json::Map::new();
        for pair in values.chunks_exact(2) {
            let [name, value] = pair else { continue };
            let value = match value {
                Value::Null => continue,
                Value::Boolean(truth) => serde_json::Value::from(*truth),
                Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                    serde_json::Value::from(*number as i64)
                }
                Value::Number(number) => serde_json::Value::from(*number),
                Value::Text(text) => serde_json::Value::from(text.as_ref()),
                Value::Many(texts) => texts.iter().map(|text| serde_json::Value::from(text.as_ref())).collect(),
            };
            object.insert(name.text().unwrap_or_default().into_owned(), value);
        }
        Value::Text(serde_json::Value::Object(object).to_string().into())
    })
});

/// The functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [&READ, &TEXT].map(|udf| Arc::clone(udf)).to_vec()
}

/// The time that a number or a text tells, in seconds.
pub fn read(value: Expr, zone: &TimeZone) -> Expr {
    READ.call(vec![value, lit(EventClock::name(zone))])
}

/// The text of an event that is made of names and values, one after the other.
pub fn text(names_and_values: impl IntoIterator<Item = Expr>) -> Expr {
    TEXT.call(names_and_values.into_iter().collect())
}
