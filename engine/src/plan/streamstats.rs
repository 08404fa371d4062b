//! `streamstats`: aggregates over the rows so far.
//!
//! Source: Splunk Search Reference, "streamstats".

use spelunk_grammar::spl::commands::streamstats::{Streamstats, StreamstatsOptions};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::expression::ExpressionPlanner;
use super::frame::Frame;
use super::running::{self, Ungrouped};
use super::{PlanResult, existing};
use crate::operators::running::{Scope, Stream};
use crate::time;

/// The largest window (`max_stream_window` of `limits.conf`).
const MOST_ROWS: u64 = 10_000;

/// Plans the command. A row that lacks a BY field is left as it is.
pub fn plan(frame: &mut Frame, command: &Streamstats) -> PlanResult<()> {
    let Streamstats { aggregates, by, options } = command;
    let StreamstatsOptions { current, window, global, time_window, reset_on_change, reset_before, reset_after, allnum } =
        options.as_ref();
    let computed = running::aggregates(frame, aggregates, by, allnum.unwrap_or(false))?;
    let reset_before = match reset_before {
        Some(condition) => Some(ExpressionPlanner::new(frame).condition(condition)?),
        None => None,
    };
    let reset_after = match reset_after {
        Some(condition) => Some(computed.condition(frame, condition)?),
        None => None,
    };
    let time_window = time_window.as_ref().map(|span| time_span(frame, span)).transpose()?.flatten();
    let mut window = window.as_ref().map(rows).transpose()?.flatten();
    if time_window.is_some() && window.is_none() {
        window = usize::try_from(MOST_ROWS).ok();
    }
    let stream = Stream {
        current: current.unwrap_or(true),
        window,
        global: global.unwrap_or(true),
        time_window,
        reset_on_change: reset_on_change.unwrap_or(false),
        reset_before,
        reset_after,
    };
    computed.add(frame, Scope::Stream(Box::new(stream)), Ungrouped::Unchanged)
}

/// The size of the window; `None` for all rows.
fn rows(window: &Spanned<u64>) -> PlanResult<Option<usize>> {
    if window.node > MOST_ROWS {
        let message = format!("a window has at most {MOST_ROWS} rows, not {}", window.node);
        return Err(Diagnostic::error(Code::InvalidOption, message, window.span).into());
    }
    Ok(usize::try_from(window.node).ok().filter(|rows| *rows > 0))
}

/// The time window in microseconds; `None` where there is no `_time` to measure it by and no data either.
fn time_span(frame: &Frame, span: &Spanned<String>) -> PlanResult<Option<i64>> {
    let length = time::span(&span.node).map_err(|reason| {
        let message = format!("`time_window` takes a span such as 30s, 5m or 1h: {reason}");
        Diagnostic::error(Code::InvalidOption, message, span.span)
    })?;
    if existing(frame, "_time", span.span).is_none() {
        if frame.open {
            return Ok(None);
        }
        let message = "`time_window` needs the field `_time`, which no row has";
        return Err(Diagnostic::error(Code::InvalidArgument, message, span.span).into());
    }
    Ok(Some(length))
}
