//! `eventstats`: aggregates, added to every row.
//!
//! Source: Splunk Search Reference, "eventstats".

use spelunk_grammar::spl::commands::eventstats::Eventstats;

use super::PlanResult;
use super::frame::Frame;
use super::running::{self, Ungrouped};
use crate::operators::running::Scope;

/// Plans the command. A row that lacks a BY field gets nothing.
pub fn plan(frame: &mut Frame, command: &Eventstats) -> PlanResult<()> {
    let Eventstats { aggregates, by, allnum } = command;
    running::aggregates(frame, aggregates, by, allnum.unwrap_or(false))?.add(frame, Scope::Whole, Ungrouped::Null)
}
