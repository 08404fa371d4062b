//! `iconify`: shows icons, which only Splunk's list of events does.
//!
//! Source: Splunk Search Reference, "iconify".

use spelunk_grammar::spl::commands::iconify::Iconify;

use super::frame::Frame;
use super::{PlanResult, existing};

/// Plans the command: the rows stay as they are; a field that none has is reported.
pub fn plan(frame: &Frame, command: &Iconify) -> PlanResult<()> {
    for field in &command.fields {
        existing(frame, &field.text, field.span);
    }
    Ok(())
}
