//! Times: milliseconds since the epoch, and their text.

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::filter::text_of;
use super::super::rows::{Effect, Rows};
use super::super::{as_number, unsupported};
use super::support::{optional, whole, zone};
use super::{Function, Makes};
use crate::functions::kernel::Row;
use crate::functions::logscale::{self, dates, durations};
use crate::plan::expression::{ExpressionPlanner, Kind, Typed};

/// A part of a time that is a number.
macro_rules! part {
    ($name:literal, $output:literal, $part:literal) => {
        Function {
            name: $name,
            parameters: &["field", "as", "timezone", "timezoneField"],
            makes: Makes::Value($output, |rows, a| part(rows, a, $part)),
        }
    };
}

/// A part of a time that is a name.
macro_rules! name {
    ($name:literal, $output:literal, $format:literal) => {
        Function {
            name: $name,
            parameters: &["field", "as", "timezone", "timezoneField"],
            makes: Makes::Value($output, |rows, a| name(rows, a, $format)),
        }
    };
}

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "duration", parameters: &["duration", "as"], makes: Makes::Value("_duration", length_of_time) },
    Function { name: "end", parameters: &["as"], makes: Makes::Value("_end", end) },
    Function {
        name: "findTimestamp",
        parameters: &["field", "addErrors", "as", "timezone", "timezoneAs"],
        makes: Makes::Row(found),
    },
    Function {
        name: "formatDuration",
        parameters: &["field", "from", "precision", "as"],
        makes: Makes::Value("", duration),
    },
    Function {
        name: "formatTime",
        parameters: &["format", "field", "as", "timezone", "locale", "unit"],
        makes: Makes::Value("_formatTime", formatted),
    },
    Function { name: "now", parameters: &["as"], makes: Makes::Value("_now", now) },
    Function {
        name: "parseTimestamp",
        parameters: &["format", "field", "timezone", "as", "addErrors", "caseSensitive", "timezoneAs"],
        makes: Makes::Row(parsed),
    },
    Function { name: "setTimeInterval", parameters: &["start", "end", "timezone"], makes: Makes::Filter(interval) },
    Function { name: "start", parameters: &["as"], makes: Makes::Value("_start", start) },
    part!("time:dayOfMonth", "_dayOfMonth", "day"),
    part!("time:dayOfWeek", "_dayOfWeek", "dayOfWeek"),
    name!("time:dayOfWeekName", "_dayOfWeekName", "%A"),
    part!("time:dayOfYear", "_dayOfYear", "dayOfYear"),
    part!("time:hour", "_hour", "hour"),
    part!("time:millisecond", "_millisecond", "millisecond"),
    part!("time:minute", "_minute", "minute"),
    part!("time:month", "_month", "month"),
    name!("time:monthName", "_monthName", "%B"),
    part!("time:second", "_second", "second"),
    part!("time:weekOfYear", "_weekOfYear", "week"),
    part!("time:year", "_year", "year"),
];

fn duration(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    let unit = a.choice("from", &["ms", "s", "m", "h", "d", "us", "ns"])?;
    let precision = whole(a, "precision", 0, 7)?.unwrap_or(0);
    let value = as_number(&rows.field(&field.node, field.span));
    Ok(durations::DURATION.call(vec![value, lit(unit), lit(precision)], a.span()))
}

fn length_of_time(_: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let text = a.need_text("duration")?;
    match durations::milliseconds(&text.node) {
        Some(milliseconds) => Ok(Typed::new(lit(milliseconds), Kind::Number, a.span())),
        None => Err(no_length(&text)),
    }
}

fn no_length(text: &Spanned<String>) -> Diagnostic {
    let message = format!("{:?} is no span of time such as 1h", text.node);
    Diagnostic::error(Code::InvalidTime, message, text.span)
}

/// The time that a function of this family reads: that of the event where no field is named.
fn time_of(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@timestamp".to_owned(), a.span()));
    Ok(as_number(&rows.field(&field.node, field.span)))
}

/// The zone that parts of times are read in: an argument, else a field, else UTC.
fn zone_of(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let given = zone(a)?;
    let field = a.text("timezoneField")?.unwrap_or_else(|| Spanned::new("@timezone".to_owned(), a.span()));
    if let Some(zone) = given {
        return Ok(lit(zone.node));
    }
    let value = rows.field(&field.node, field.span);
    if value.kind == Kind::Null {
        return Ok(lit("UTC"));
    }
    let utc = Typed::new(lit("UTC"), Kind::Text, a.span());
    let value = Typed::new(text_of(&value), Kind::Text, a.span());
    let present = value.expr.clone().is_not_null();
    Ok(ExpressionPlanner::new(rows.frame).choice(vec![(present, value)], Some(utc), a.span()).expr)
}

fn formatted(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let format = a.need_text("format")?;
    if let Some(letter) = dates::unknown_letter(&format.node) {
        let message = format!("`formatTime` has no directive `{letter}`");
        return Err(Diagnostic::error(Code::InvalidArgument, message, format.span));
    }
    let time = time_of(rows, a)?;
    let zone = zone(a)?.map_or_else(|| "UTC".to_owned(), |zone| zone.node);
    let unit = a.choice("unit", &["auto", "seconds", "milliseconds"])?;
    Ok(logscale::format_time(time, &format.node, lit(zone), unit, a.span()))
}

fn part(rows: &Rows<'_>, a: &Arguments<'_>, part: &str) -> Result<Typed, Diagnostic> {
    let (time, zone) = (time_of(rows, a)?, zone_of(rows, a)?);
    Ok(dates::PART.call(vec![time, lit(part), zone], a.span()))
}

fn name(rows: &Rows<'_>, a: &Arguments<'_>, format: &str) -> Result<Typed, Diagnostic> {
    let (time, zone) = (time_of(rows, a)?, zone_of(rows, a)?);
    Ok(logscale::format_time(time, format, zone, "auto", a.span()))
}

fn milliseconds_now(rows: &Rows<'_>) -> i64 {
    rows.frame.setting.clock.now.as_millisecond()
}

fn now(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    Ok(Typed::new(lit(milliseconds_now(rows)), Kind::Integer, a.span()))
}

/// The start of the stretch of time that is searched; without one it is the epoch, before which there is nothing.
fn start(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let earliest = rows.frame.setting.bounds.0.map_or(0, |earliest| earliest.div_euclid(1_000));
    Ok(Typed::new(lit(earliest), Kind::Integer, a.span()))
}

/// The end of the stretch of time that is searched; without one it is now.
fn end(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let latest = rows.frame.setting.bounds.1.map_or_else(|| milliseconds_now(rows), |latest| latest.div_euclid(1_000));
    Ok(Typed::new(lit(latest), Kind::Integer, a.span()))
}

/// `setTimeInterval`: the events between two times, which are relative to now or milliseconds.
fn interval(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let now = milliseconds_now(rows) as f64;
    let moment = |name: &str| {
        let Some(text) = a.text(name)? else { return Ok(None) };
        if text.node.eq_ignore_ascii_case("now") {
            return Ok(Some(now));
        }
        if let Some(milliseconds) = crate::values::parse_number(&text.node) {
            return Ok(Some(milliseconds));
        }
        durations::milliseconds(&text.node).map(|length| Some(now - length)).ok_or_else(|| no_length(&text))
    };
    let (start, end) = (moment("start")?, moment("end")?.unwrap_or(now));
    zone(a)?;
    let Some(start) = start else {
        return Err(Diagnostic::error(Code::InvalidArgument, "`setTimeInterval` needs the argument `start`", a.span()));
    };
    let time = as_number(&rows.field("@timestamp", a.span()));
    Ok(time.clone().gt_eq(lit(start)).and(time.lt_eq(lit(end))))
}

/// The field with the time, and the one with its zone.
fn time_and_zone(a: &Arguments<'_>, kernels: (&Row, &Row), arguments: Vec<Expr>) -> Result<Effect, Diagnostic> {
    if a.flag("addErrors", false)? {
        return Err(unsupported("`addErrors=true`", a.span()).with_help("a time that cannot be read makes no field"));
    }
    let time = a.output("@timestamp")?;
    let zone = a.text("timezoneAs")?.map_or_else(|| "@timezone".to_owned(), |name| name.node);
    let (milliseconds, name) = (kernels.0.call(arguments.clone(), a.span()), kernels.1.call(arguments, a.span()));
    Ok(Effect { set: vec![(time, milliseconds), (zone, name)], ..Effect::default() })
}

/// The pattern of times that are written as the vendor expects them.
const USUAL: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS]XXXXX";

fn parsed(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let format = a.text("format")?.unwrap_or_else(|| Spanned::new(USUAL.to_owned(), a.span()));
    let field = a.need_field()?;
    let zone = zone(a)?;
    let any_case = !a.flag("caseSensitive", true)?;
    let pattern = match format.node.to_ascii_lowercase().as_str() {
        "millis" | "milliseconds" | "unixtimemillis" => "millis".to_owned(),
        "seconds" | "unixtime" | "unixtimeseconds" => "seconds".to_owned(),
        "nanos" | "nanoseconds" => "nanos".to_owned(),
        _ => {
            if let Err(reason) = dates::Pattern::new(&format.node) {
                return Err(Diagnostic::error(Code::InvalidArgument, reason, format.span)
                    .with_help("patterns are those of Java's DateTimeFormatter, or seconds, millis or nanos"));
            }
            format.node
        }
    };
    let text = text_of(&rows.field(&field.node, field.span));
    let zone = optional(zone.as_ref().map(|zone| zone.node.as_str()));
    let arguments = vec![text, lit(pattern), zone, lit(milliseconds_now(rows)), lit(any_case)];
    time_and_zone(a, (&dates::PARSED, &dates::PARSED_ZONE), arguments)
}

fn found(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), a.span()));
    let zone = zone(a)?;
    let text = text_of(&rows.field(&field.node, field.span));
    let zone = optional(zone.as_ref().map(|zone| zone.node.as_str()));
    time_and_zone(a, (&dates::FOUND, &dates::FOUND_ZONE), vec![text, zone, lit(milliseconds_now(rows))])
}
