//! Fields that a command names and that nothing has.

use datafusion::logical_expr::Expr;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::{Frame, column};
use super::{Planner, suggest};

/// The fields that every event has, read or not.
pub(super) const METADATA: [&str; 6] = ["_raw", "_time", "host", "index", "source", "sourcetype"];

/// What a command had to work with.
pub(crate) struct Scope {
    events: bool,
    fields: Vec<String>,
}

impl Scope {
    /// The fields of a frame.
    pub(crate) fn of(frame: &Frame) -> Self {
        Self { events: frame.events, fields: frame.fields() }
    }
}

impl Planner<'_> {
    /// Tells what was found while expressions were planned, and about the fields that a command named and no row
    /// had, once each.
    pub(crate) fn report_missing(&mut self, frame: &Frame, scope: &Scope) {
        for finding in frame.take_findings() {
            if !self.diagnostics.contains(&finding) {
                self.diagnostics.push(finding);
            }
        }
        // Of no events at all every field is missing, which goes without saying.
        let nothing_loaded = scope.events && self.events.is_some_and(|events| events.rows == 0);
        for (name, span) in frame.take_missing() {
            if nothing_loaded {
                continue;
            }
            let message = format!("no {} has a field {name:?}", if scope.events { "event" } else { "row" });
            if frame.open || self.diagnostics.iter().any(|known| known.message == message) {
                continue;
            }
            let unread = self.events.filter(|_| scope.events).map_or(&[][..], |events| &events.unread);
            let metadata = METADATA.iter().copied().filter(|_| scope.events);
            let known = scope.fields.iter().chain(unread).map(String::as_str).chain(metadata);
            let warning = Diagnostic::warning(Code::UnknownField, message, span);
            self.diagnostics.push(match suggest::nearest(&name, known) {
                Some(near) => warning.with_help(format!("did you mean {near:?}?")),
                None => warning,
            });
        }
    }
}

/// The column of that name as an expression, for commands that take field names.
pub(crate) fn existing(frame: &Frame, name: &str, span: Span) -> Option<Expr> {
    if frame.data_type(name).is_some() {
        return Some(column(name));
    }
    if !frame.open {
        frame.note_missing(name, span);
    }
    None
}
