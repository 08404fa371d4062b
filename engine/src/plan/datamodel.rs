//! `datamodel`, `pivot`, and data models elsewhere: the events of a data model.
//!
//! No data model can be loaded yet, so a search with one can be checked but not run.
//!
//! Source: Splunk Search Reference, "datamodel", "pivot", "from"; Knowledge Manager Manual, "About data models".

use spelunk_grammar::spl::commands::datamodel::Datamodel;
use spelunk_grammar::spl::commands::pivot::Pivot;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::{PlanResult, Planner};

/// Plans `datamodel`. What it gives is known only once a model is loaded, so any field may be there.
pub fn plan(planner: &Planner<'_>, command: &Datamodel, span: Span) -> PlanResult<Frame> {
    // Which fields the events have, and under which names, matters only once there are events.
    let Datamodel { model, object, mode, strict_fields: _, allow_old_summaries: _, summariesonly: _ } = command;
    match (model, object, mode) {
        (None, _, _) => events(planner, "", span),
        (Some(model), Some(object), _) => events(planner, &format!("{}.{}", model.text, object.text), model.span),
        (Some(model), None, _) => events(planner, &model.text, model.span),
    }
}

/// Plans `pivot`. Its columns depend on the data, so without any every field may be there.
pub fn plan_pivot(planner: &Planner<'_>, command: &Pivot) -> PlanResult<Frame> {
    // What the table is made of matters only once there are events.
    let Pivot { model, object, elements: _ } = command;
    let mut frame = events(planner, &format!("{}.{}", model.text, object.text), model.span)?;
    frame.events = false;
    Ok(frame)
}

/// The events of an object of a data model, every field of which is assumed to exist. Only while planning
/// without data.
///
/// # Errors
/// There are data to run on, and no model to apply to them.
pub fn events(planner: &Planner<'_>, name: &str, span: Span) -> PlanResult<Frame> {
    if planner.runner.is_none() {
        return planner.open_frame();
    }
    let message = match name {
        "" => "data models are not loaded yet, so there are none to describe".to_string(),
        name => format!("data models are not loaded yet, so there is no {name:?} to read"),
    };
    let error = Diagnostic::error(Code::Unsupported, message, span);
    Err(error
        .with_help("`spelunk check` plans searches over data models; to run one, search the events themselves")
        .into())
}
