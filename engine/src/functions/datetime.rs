//! Date and time functions.
//!
//! The zone and the time of the search travel as literal arguments, so that a plan means the same wherever it runs.
//!
//! Source: Splunk Search Reference, "Date and Time functions", "Date and time format variables", "Time modifiers".

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use jiff::Timestamp;
use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::TimeZone;
use spelunk_grammar::{Code, Diagnostic};

use super::fresh::Fresh;
use super::kernel::{Returns, Row};
use super::{Function, strftime, strptime, timeformat};
use crate::plan::expression::{Call, Kind, Typed};
use crate::time;
use crate::values::{self, Value};

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "now",
        summary: "The time at which the search started, in whole seconds since the epoch.",
        syntax: "now()",
        arity: (0, 0),
        example: ("if(now()==floor(now()), 1, 0)", "1"),
        plan: |call| Ok(Typed::new(lit(call.setting().clock.now.as_second()), Kind::Integer, call.span)),
    },
    Function {
        name: "time",
        summary: "The time at which the row is computed, in seconds since the epoch with a fraction.",
        syntax: "time()",
        arity: (0, 0),
        example: ("if(time()>1000000000, 1, 0)", "1"),
        plan: |call| Ok(Typed::new(TIME.call(Vec::new()), Kind::Number, call.span)),
    },
    Function {
        name: "relative_time",
        summary: "A time moved and snapped by a time modifier, in seconds since the epoch.",
        syntax: r#"relative_time(time, "modifier")"#,
        arity: (2, 2),
        example: (r#"relative_time(1728468930, "-1d@d")"#, "1728345600"),
        plan: relative_time,
    },
    Function {
        name: "strftime",
        summary: "A time, in seconds since the epoch, as text in a format.",
        syntax: r#"strftime(time, "format")"#,
        arity: (2, 2),
        example: (r#"strftime(1651275922, "%Y-%m-%d")"#, "2022-04-29"),
        plan: |call| {
            call.numbers(0..1)?;
            check_format(call)?;
            with_zone(call, &STRFTIME, None)
        },
    },
    Function {
        name: "strptime",
        summary: "The seconds since the epoch of a time that is written in a format; null if it is not.",
        syntax: r#"strptime(text, "format")"#,
        arity: (2, 2),
        example: (r#"strptime("2022-04-29", "%Y-%m-%d")"#, "1651190400.000000"),
        plan: |call| {
            call.values()?;
            check_format(call)?;
            with_zone(call, &STRPTIME, Some(lit(call.setting().clock.now.as_second())))
        },
    },
];

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    let mut udfs = vec![Arc::clone(&TIME)];
    udfs.extend([RELATIVE_TIME, STRFTIME, STRPTIME].iter().map(Row::udf));
    udfs
}

static TIME: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Fresh::udf("spl_time", DataType::Float64, |rows| {
        // Rows that are computed in the same microsecond get the following ones.
        let mut last = 0;
        let times = (0..rows).map(|_| {
            last = Timestamp::now().as_microsecond().max(last + 1);
            last as f64 / 1e6
        });
        Arc::new(Float64Array::from_iter_values(times))
    })
});

/// Refuses a format that is a number, and one that names a variable there is none of.
fn check_format(call: &Call<'_, '_>) -> Result<(), Diagnostic> {
    let format = call.argument(1);
    if matches!(format.kind, Kind::Integer | Kind::Number | Kind::Time | Kind::Boolean) {
        return call.literal(1, "a format").map(drop);
    }
    let Some(literal) = format.literal() else { return Ok(()) };
    timeformat::items(literal).map(drop).map_err(|reason| {
        Diagnostic::error(Code::InvalidPattern, format!("invalid time format: {reason}"), format.span)
    })
}

fn relative_time(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    call.numbers(0..1)?;
    let modifier = call.argument(1);
    if matches!(modifier.kind, Kind::Integer | Kind::Number | Kind::Time | Kind::Boolean) {
        call.literal(1, "a time modifier")?;
    }
    if let Some(literal) = modifier.literal() {
        time::shift(literal.trim(), Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)).map_err(|reason| {
            Diagnostic::error(
                Code::InvalidTime,
                format!("cannot read the time modifier {literal:?}: {reason}"),
                modifier.span,
            )
            .with_help("write it as `-1d@d`: a sign, a number and a unit to move by, and `@` with a unit to snap to")
        })?;
    }
    with_zone(call, &RELATIVE_TIME, None)
}

/// The name of the session's zone.
///
/// # Errors
/// It has none.
pub(super) fn zone_name(call: &Call<'_, '_>) -> Result<String, Diagnostic> {
    DateTimePrinter::new().time_zone_to_string(&call.setting().clock.time_zone).map_err(|_| {
        Diagnostic::error(Code::InvalidTime, "the time zone of this computer has no name", call.span)
            .with_help("name the time zone to use, such as Europe/Berlin")
    })
}

/// A call with the session's zone, and what else there is, behind the arguments.
fn with_zone(call: &Call<'_, '_>, row: &Row, more: Option<Expr>) -> Result<Typed, Diagnostic> {
    let zone = zone_name(call)?;
    let time = call.argument(0);
    let first = if time.kind == Kind::Time { time.number() } else { time.expr };
    let mut arguments = vec![first, call.argument(1).expr, lit(zone)];
    arguments.extend(more);
    Ok(row.call(arguments, call.span))
}

/// Calls a function with the zone of that name. The last one is remembered, because rows share it.
pub(super) fn in_zone<T>(name: &str, function: impl FnOnce(&TimeZone) -> Option<T>) -> Option<T> {
    thread_local! {
        static LAST: RefCell<Option<(String, TimeZone)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(known, _)| known != name) {
            *last = Some((name.to_string(), DateTimeParser::new().parse_time_zone(name).ok()?));
        }
        function(last.as_ref().map(|(_, zone)| zone)?)
    })
}

/// The time in an argument, in microseconds.
fn microseconds(value: &Value<'_>) -> Option<i64> {
    time::microseconds(value.number()?)
}

const RELATIVE_TIME: Row = Row {
    name: "spl_relative_time",
    returns: Returns::Number,
    evaluate: |values| {
        let [start, modifier, zone] = values else { return Value::Null };
        let moved = || {
            let (start, modifier, zone) = (microseconds(start)?, modifier.text()?, zone.text()?);
            let start = Timestamp::from_microsecond(start).ok()?;
            let moved = in_zone(&zone, |zone| time::shift(modifier.trim(), start.to_zoned(zone.clone())).ok())?;
            Some(moved.timestamp().as_microsecond() as f64 / 1e6)
        };
        moved().map_or(Value::Null, Value::Number)
    },
};

const STRFTIME: Row = Row {
    name: "spl_strftime",
    returns: Returns::Text,
    evaluate: |values| {
        let [time, format, zone] = values else { return Value::Null };
        let written = || {
            let (time, format, zone) = (microseconds(time)?, format.text()?, zone.text()?);
            in_zone(&zone, |zone| strftime::format(time, &format, zone))
        };
        written().map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
    },
};

/// Text, because it is printed with six decimals.
const STRPTIME: Row = Row {
    name: "spl_strptime",
    returns: Returns::Text,
    evaluate: |values| {
        let [text, format, zone, now] = values else { return Value::Null };
        let read = || {
            let (text, format, zone) = (text.text()?, format.text()?, zone.text()?);
            let now = Timestamp::from_microsecond(microseconds(now)?).ok()?;
            in_zone(&zone, |zone| strptime::parse(&text, &format, zone, now))
        };
        read().map_or(Value::Null, |time| Value::Text(Cow::Owned(values::format_microseconds(time))))
    },
};
