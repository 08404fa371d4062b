//! Times: milliseconds since the epoch, and their text.

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::rows::Rows;
use super::super::{as_number, unsupported};
use super::{Function, Makes};
use crate::functions::logscale;
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
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
        parameters: &["format", "field", "timezone", "as"],
        makes: Makes::Value("@timestamp", parsed),
    },
    Function { name: "time:hour", parameters: &["field", "as", "timezone"], makes: Makes::Value("_hour", hour) },
];

fn duration(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    let unit = a.choice("from", &["ms", "s", "m", "h", "d", "us", "ns"])?;
    let precision = a.count("precision")?.unwrap_or(usize::MAX);
    let value = as_number(&rows.field(&field.node, field.span));
    Ok(logscale::duration(value, unit, i64::try_from(precision).unwrap_or(i64::MAX), a.span()))
}

/// The time that a function of this family reads, and the zone that it is read in.
fn time_and_zone(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<(Expr, String), Diagnostic> {
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@timestamp".to_owned(), a.span()));
    let zone = a.text("timezone")?.unwrap_or_else(|| Spanned::new("UTC".to_owned(), a.span()));
    if logscale::time_zone(&zone.node).is_none() {
        let message = format!("there is no time zone {:?}", zone.node);
        return Err(Diagnostic::error(Code::InvalidArgument, message, zone.span));
    }
    Ok((as_number(&rows.field(&field.node, field.span)), zone.node))
}

fn formatted(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let format = a.need_text("format")?;
    let (time, zone) = time_and_zone(rows, a)?;
    let unit = a.choice("unit", &["auto", "seconds", "milliseconds"])?;
    if !a.is_named() {
        let message = "`formatTime` needs the argument `as`, or `field := formatTime(...)`";
        return Err(Diagnostic::error(Code::InvalidArgument, message, a.span()));
    }
    Ok(logscale::format_time(time, &format.node, &zone, unit, a.span()))
}

/// A part of a time that is a number.
fn part(rows: &Rows<'_>, a: &Arguments<'_>, directive: &str) -> Result<Typed, Diagnostic> {
    let (time, zone) = time_and_zone(rows, a)?;
    let text = logscale::format_time(time, directive, &zone, "auto", a.span());
    Ok(Typed::new(text.number(), Kind::Number, a.span()))
}

fn hour(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    part(rows, a, "%H")
}

fn now(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    Ok(Typed::new(lit(rows.frame.setting.clock.now.as_millisecond()), Kind::Integer, a.span()))
}

fn parsed(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let format = a.need_text("format")?;
    let field = a.need_field()?;
    let value = as_number(&rows.field(&field.node, field.span));
    let milliseconds = match format.node.as_str() {
        "millis" | "unixtimeMillis" => value,
        "seconds" | "unixtime" => value * lit(1_000.0_f64),
        "nanos" => value / lit(1e6_f64),
        _ => return Err(unsupported("a pattern of `parseTimestamp`", format.span)),
    };
    a.text("timezone")?;
    Ok(Typed::new(milliseconds, Kind::Number, a.span()))
}
