//! `xmlkv`: fields out of XML elements.
//!
//! Source: Splunk Search Reference, "xmlkv".

use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::xmlkv::Xmlkv;

use super::barrier::{self, Existing};
use super::frame::Frame;
use super::{PlanResult, Planner, spath};
use crate::documents::pairs;

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Xmlkv, span: Span) -> PlanResult<()> {
    // `maxinputs` only says how many rows a Splunk server hands over at a time.
    let Xmlkv { field, maxinputs: _ } = command;
    let source = spath::source(frame, field.as_ref(), span);
    barrier::extract(planner, frame, &source, Existing::Replaced, &pairs::tags).await
}
