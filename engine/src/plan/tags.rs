//! `tags`: the tags of field values as fields.
//!
//! No tags can be loaded yet, and without any Splunk adds no field either.
//!
//! Source: Splunk Search Reference, "tags".

use spelunk_grammar::spl::commands::tags::Tags;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::{Planner, existing};

/// Plans the command: the rows stay as they are.
pub fn plan(planner: &mut Planner<'_>, frame: &Frame, command: &Tags, place: Span) {
    // What stands before a tag matters only where there is one.
    let Tags { fields, outputfield: _, inclname: _, inclvalue: _ } = command;
    for field in fields.iter().filter(|field| !field.text.contains('*')) {
        existing(frame, &field.text, field.span);
    }
    let message = "no tags are loaded, so `tags` adds none";
    planner.diagnostics.push(Diagnostic::note(Code::Note, message, place));
}
