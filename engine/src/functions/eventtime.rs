//! What a table of events may lack that logs have: times, where they are told as numbers or texts.

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

/// The functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&READ)]
}

/// The time that a number or a text tells, in seconds.
pub fn read(value: Expr, zone: &TimeZone) -> Expr {
    READ.call(vec![value, lit(EventClock::name(zone))])
}
