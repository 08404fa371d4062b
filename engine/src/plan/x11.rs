//! `x11`: a series without its seasonal pattern.
//!
//! Splunk does not publish its filters; the method is the one of [`decomposition`].
//!
//! Source: Splunk Search Reference, "x11".

use spelunk_grammar::spl::commands::x11::{Pattern, X11};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::annotated::{Added, Annotated};
use super::frame::Frame;
use super::{PlanResult, Planner, existing};
use crate::methods::decomposition::{self, Model};
use crate::methods::series;

/// The shortest period.
const SHORTEST: usize = 5;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &X11, place: Span) -> PlanResult<()> {
    let X11 { pattern, period, field, alias: _ } = command;
    existing(frame, &field.text, field.span);
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    let values: Vec<Option<f64>> =
        rows.column(&field.text).map(|value| value.number().filter(|number| number.is_finite())).collect();
    let model = match pattern.unwrap_or(Pattern::Multiplicative) {
        Pattern::Additive => Model::Additive,
        Pattern::Multiplicative => Model::Multiplicative,
    };
    let refused =
        |message: String, help: &str| Diagnostic::error(Code::InvalidArgument, message, place).with_help(help);
    let adjusted = if values.iter().all(Option::is_none) {
        // Nothing is nothing without a pattern too.
        values
    } else {
        if model == Model::Multiplicative && values.iter().flatten().any(|value| *value <= 0.0) {
            let message =
                format!("`{}` has values that are not greater than 0, which no pattern multiplies", field.text);
            return Err(refused(message, "take the pattern as added: `x11 add(...)`").into());
        }
        let period = match period {
            Some(period) => usize::try_from(*period).unwrap_or(usize::MAX),
            None => series::period(&values).filter(|period| *period >= SHORTEST).ok_or_else(|| {
                let message = format!("`{}` does not repeat itself after 5 or more rows", field.text);
                refused(message, "name the period, such as `x11 7(count)`")
            })?,
        };
        decomposition::adjusted(&values, period, model).ok_or_else(|| {
            let message =
                format!("a period of {period} rows takes {} rows without gaps at least", period.saturating_mul(2));
            refused(message, "name a shorter period, or fill gaps with `fillnull`")
        })?
    };
    rows.resume(frame, vec![Added::numbers(command.output(), adjusted)], None)
}
