//! Functions that work on all rows, or make fields that depend on data.

mod correlate;
pub mod events;
pub mod joins;
mod ordering;
mod reshape;
mod running;
pub mod self_joins;

use super::arguments::Arguments;
use super::functions::{Function, Makes, Reading};
use super::rows::Rows;
use super::{Run, aggregates, unsupported};
use crate::plan::PlanResult;
use crate::plan::barrier;
use crate::plan::frame::Frame;
pub use ordering::keep_first;

/// What stands for the named queries of a function that takes such.
pub const QUERIES: &str = "name: {...}";

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "accumulate",
        parameters: &["function", "current"],
        makes: Makes::Step(|run, frame, a| Box::pin(running::accumulate(run, frame, a))),
    },
    Function {
        name: "correlate",
        parameters: &[
            QUERIES,
            "globalConstraints",
            "within",
            "sequence",
            "includeMatchesOnceOnly",
            "includeConstraintValues",
            "jitterTolerance",
            "maxPerRoot",
            "root",
            "sequenceBy",
        ],
        makes: Makes::Step(|run, frame, a| Box::pin(correlate::correlate(run, frame, a))),
    },
    Function {
        name: "createEvents",
        parameters: &["rawstring"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { events::create_events(run, frame, a) })),
    },
    Function {
        name: "fieldset",
        parameters: &[],
        makes: Makes::Step(|run, frame, a| Box::pin(reshape::field_set(run, frame, a))),
    },
    Function {
        name: "fieldstats",
        parameters: &[],
        makes: Makes::Step(|run, frame, a| Box::pin(reshape::field_statistics(run, frame, a))),
    },
    Function {
        name: "head",
        parameters: &["limit"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { ordering::first_rows(run, frame, a, false) })),
    },
    Function {
        name: "neighbor",
        parameters: &["include", "prefix", "direction", "distance"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { running::neighbor(run, frame, a) })),
    },
    Function {
        name: "select",
        parameters: &["fields"],
        makes: Makes::Step(|_, frame, a| Box::pin(async move { ordering::select(frame, a) })),
    },
    Function {
        name: "slidingTimeWindow",
        parameters: &["function", "span", "current", "timestampfield"],
        makes: Makes::Step(|run, frame, a| Box::pin(running::time_window(run, frame, a))),
    },
    Function {
        name: "slidingWindow",
        parameters: &["function", "events", "current"],
        makes: Makes::Step(|run, frame, a| Box::pin(running::row_window(run, frame, a))),
    },
    Function {
        name: "sort",
        parameters: &["field", "order", "type", "limit", "reverse"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { ordering::sort(run, frame, a) })),
    },
    Function {
        name: "split",
        parameters: &["field", "strip"],
        makes: Makes::Step(|run, frame, a| Box::pin(events::split(run, frame, a))),
    },
    Function {
        name: "table",
        parameters: &["fields", "limit", "sortby", "order", "type", "reverse"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { ordering::table(run, frame, a) })),
    },
    Function {
        name: "tail",
        parameters: &["limit"],
        makes: Makes::Step(|run, frame, a| Box::pin(async move { ordering::first_rows(run, frame, a, true) })),
    },
    Function {
        name: "transpose",
        parameters: &["pivot", "header", "column", "limit"],
        makes: Makes::Step(|run, frame, a| Box::pin(reshape::transpose(run, frame, a))),
    },
];

/// Refuses what is not computed by group.
fn whole(run: &Run<'_, '_>, a: &Arguments<'_>) -> PlanResult<()> {
    if run.keys.is_empty() {
        return Ok(());
    }
    let what = format!("`{}` inside of another aggregate", a.function.name);
    Err(unsupported(&what, a.call.name.span).into())
}

/// Plans a call of a function that works on all rows, or makes fields that depend on data.
pub async fn plan(run: &mut Run<'_, '_>, frame: &mut Frame, arguments: Arguments<'_>) -> PlanResult<()> {
    let a = &arguments;
    match a.makes() {
        Makes::Fields(reading) => {
            let Reading { source, existing, read } = reading(&Rows::of(frame), a)?;
            a.done()?;
            barrier::extract(run.planner, frame, &source, existing, &*read).await?;
        }
        Makes::Aggregate(_) => {
            a.alone()?;
            let part = aggregates::Part::call(a.call, a.given_name());
            aggregates::combine(run, frame, &[], vec![part], None).await?;
        }
        Makes::Step(step) => step(run, frame, a).await?,
        _ => return Err(unsupported(&format!("`{}` at this place", a.function.name), a.call.name.span).into()),
    }
    Ok(())
}
