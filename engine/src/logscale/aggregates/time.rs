//! Aggregates by stretch of time.

use datafusion::functions::expr_fn::floor;
use datafusion::logical_expr::lit;
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::rows::Rows;
use super::super::{Run, as_number};
use super::{functions_of, reduce};
use crate::plan::PlanResult;
use crate::plan::frame::Frame;

/// `bucket`
pub fn bucket(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let span_text = a.need_text("span")?;
    let Some(milliseconds) = milliseconds(&span_text.node) else {
        let message = format!("{:?} is no length of time such as 1h", span_text.node);
        return Err(Diagnostic::error(Code::InvalidTime, message, span_text.span).into());
    };
    let mut groups = vec![Spanned::new("_bucket".to_owned(), a.span())];
    groups.extend(a.names("field")?.unwrap_or_default());
    let functions = functions_of(a)?;
    let limit = a.count("limit")?;
    a.done()?;
    let time = as_number(&Rows::of(frame).field("@timestamp", a.span()));
    frame.set(vec![("_bucket".to_owned(), floor(time / lit(milliseconds)) * lit(milliseconds))])?;
    run.aggregated = true;
    reduce(frame, &groups, functions, limit)
}

/// A length of time in milliseconds.
pub fn milliseconds(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "ms" | "millis" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
        "m" | "min" | "minute" | "minutes" => 6e4,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3.6e6,
        "d" | "day" | "days" => 8.64e7,
        "w" | "week" | "weeks" => 6.048e8,
        "mon" | "month" | "months" => 2.592e9,
        "q" | "quarter" | "quarters" => 7.776e9,
        "y" | "yr" | "yrs" | "year" | "years" => 3.1536e10,
        _ => return None,
    };
    Some(number * unit).filter(|length| *length > 0.0)
}
