//! `autoregress`: values of earlier rows.
//!
//! Source: Splunk Search Reference, "autoregress".

use spelunk_grammar::spl::commands::autoregress::Autoregress;
use spelunk_grammar::{Code, Diagnostic};

use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use super::{PlanResult, window};

/// How many fields one command may make.
const MOST: u64 = 1_000;

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Autoregress) -> PlanResult<()> {
    let Autoregress { field, alias, distances } = command;
    let (from, to) = distances.as_ref().map_or((1, 1), |distances| distances.node);
    if to.saturating_sub(from) >= MOST {
        let span = distances.as_ref().map_or(field.span, |distances| distances.span);
        let message = format!("`autoregress` makes at most {MOST} fields");
        return Err(Diagnostic::error(Code::TooLarge, message, span).into());
    }
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    let mut copies = Vec::new();
    for distance in from..=to {
        let name = alias.as_ref().map_or_else(|| format!("{}_p{distance}", field.text), |alias| alias.text.clone());
        let copy = match value.kind {
            Kind::Null => value.expr.clone(),
            _ => window::before(frame, value.stored()?, distance)?,
        };
        copies.push((name, copy));
    }
    frame.set(copies)?;
    Ok(())
}
