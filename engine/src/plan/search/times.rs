//! The time modifiers of `search`: `earliest=`, `latest=` and their like.
//!
//! Source: Splunk Search Reference, "Time modifiers".

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::search::{Comparison, ComparisonOperator, Literal, Operand, SearchExpression};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::super::expression::{ExpressionPlanner, Kind};
use super::super::frame::{Frame, column};
use super::super::{Clock, PlanResult};
use super::Lowering;
use crate::functions::strptime;
use crate::time;

/// Keeps the events from the first time (microseconds) on and before the second.
///
/// # Errors
/// DataFusion's own.
pub fn within(frame: &mut Frame, (earliest, latest): (Option<i64>, Option<i64>)) -> PlanResult<()> {
    let time = || column("_time");
    if let Some(earliest) = earliest {
        frame.filter(time().gt_eq(lit(timestamp(earliest))))?;
    }
    if let Some(latest) = latest {
        frame.filter(time().lt(lit(timestamp(latest))))?;
    }
    Ok(())
}

/// Whether a search sets that bound.
pub(in crate::plan) fn names(expression: &SearchExpression, bound: Bound) -> bool {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => parts.iter().any(|part| names(part, bound)),
        SearchExpression::Not(inner) => names(inner, bound),
        SearchExpression::Comparison(comparison) => {
            modifier(&comparison.field.text).is_some_and(|modifier| modifier.bound == bound)
        }
        _ => false,
    }
}

/// The modifier that says how the others are written.
pub(super) const TIME_FORMAT: &str = "timeformat";

/// The text that a search gives for it.
pub(in crate::plan) fn time_format(expression: &SearchExpression) -> Option<&Literal> {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => parts.iter().find_map(time_format),
        SearchExpression::Not(inner) => time_format(inner),
        SearchExpression::Comparison(Comparison {
            field,
            operator: ComparisonOperator::Equal,
            value: Operand::Literal(literal),
            span: _,
        }) if field.text == TIME_FORMAT => Some(literal),
        _ => None,
    }
}

fn timestamp(microseconds: i64) -> datafusion::common::ScalarValue {
    datafusion::common::ScalarValue::TimestampMicrosecond(Some(microseconds), Some("UTC".into()))
}

/// Which end of the time range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Bound {
    Earliest,
    Latest,
}

/// A time modifier of a search.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Modifier {
    /// What it sets.
    pub bound: Bound,
    /// The unit of a value that counts back from now; `None` where the value says all.
    ago: Option<&'static str>,
}

impl Modifier {
    /// The time that a value means, in microseconds. A format counts for what fits it; what counts from now needs none.
    ///
    /// # Errors
    /// Why it means none.
    pub fn time(self, value: &str, format: Option<&str>, clock: &Clock) -> Result<i64, String> {
        let formatted = format.and_then(|format| strptime::parse(value, format, &clock.time_zone, clock.now));
        match (self.ago, formatted) {
            (None, Some(time)) => Ok(time),
            (None, None) => time::resolve(value, clock.now, &clock.time_zone),
            (Some(unit), _) if value.bytes().all(|digit| digit.is_ascii_digit()) => {
                time::resolve(&format!("-{value}{unit}"), clock.now, &clock.time_zone)
            }
            (Some(_), _) => Err(format!("{value:?} is no whole number")),
        }
    }
}

/// The time modifier of that name. Logs that are read from files are indexed when they happened.
pub(in crate::plan) fn modifier(field: &str) -> Option<Modifier> {
    let unit = |ago: &str| match ago {
        "minutesago" => Some("m"),
        "hoursago" => Some("h"),
        "daysago" => Some("d"),
        "monthsago" => Some("mon"),
        _ => None,
    };
    match field {
        "earliest" | "_index_earliest" | "starttime" | "starttimeu" => {
            Some(Modifier { bound: Bound::Earliest, ago: None })
        }
        "latest" | "_index_latest" | "endtime" | "endtimeu" => Some(Modifier { bound: Bound::Latest, ago: None }),
        _ => {
            let (bound, ago) = match (field.strip_prefix("start"), field.strip_prefix("end")) {
                (Some(ago), _) => (Bound::Earliest, ago),
                (None, Some(ago)) => (Bound::Latest, ago),
                (None, None) => (Bound::Earliest, field),
            };
            unit(ago).map(|unit| Modifier { bound, ago: Some(unit) })
        }
    }
}

impl Lowering<'_> {
    /// `earliest=`, `latest=` and their like.
    pub(super) fn time_bound(
        &self,
        modifier: Modifier,
        operator: ComparisonOperator,
        literal: &Literal,
        span: Span,
    ) -> Result<Expr, Diagnostic> {
        if operator != ComparisonOperator::Equal {
            return Err(Diagnostic::error(Code::InvalidTime, "a time modifier is set with `=`", span));
        }
        if self.frame.setting.planning && literal.text == "*" {
            // A subsearch stands there, which was not run.
            return Ok(lit(self.frame.open));
        }
        let time = modifier
            .time(&literal.text, self.time_format.map(|format| format.text.as_str()), &self.frame.setting.clock)
            .map_err(|reason| Diagnostic::error(Code::InvalidTime, reason, literal.span))?;
        if self.frame.data_type("_time").is_none() {
            return Ok(lit(self.frame.open));
        }
        let typed = ExpressionPlanner::new(self.frame).field("_time", span);
        let (field, time) = match typed.kind {
            Kind::Time => (typed.expr, lit(timestamp(time))),
            // `eval _time=5` leaves a number of seconds.
            _ => (typed.number(), lit(time as f64 / 1_000_000.0)),
        };
        Ok(match modifier.bound {
            Bound::Earliest => field.gt_eq(time),
            Bound::Latest => field.lt(time),
        })
    }
}
