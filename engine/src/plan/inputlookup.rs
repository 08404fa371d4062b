//! `inputlookup` and `inputcsv`: the rows of a lookup table.
//!
//! Source: Splunk Search Reference, "inputlookup", "inputcsv".

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::compute::cast;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlanBuilder;
use spelunk_grammar::spl::commands::inputcsv::Inputcsv;
use spelunk_grammar::spl::commands::inputlookup::Inputlookup;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::spl::search::SearchExpression;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::{Frame, SERIAL};
use super::{PlanResult, Planner, combine, grid, lookup, makeresults, search};
use crate::lookups::Opened;
use crate::lookups::table::Table;
use crate::values::{parse_number, text_at, time_type};

/// What is read, and how much of it.
struct Request<'c> {
    name: &'c Name,
    /// Whether it is a lookup rather than any CSV file.
    lookup: bool,
    start: u64,
    max: Option<u64>,
    filter: Option<&'c SearchExpression>,
    events: bool,
}

impl<'c> Request<'c> {
    fn of_lookup(command: &'c Inputlookup) -> Self {
        // Where a table is missing it is an error, strict or not.
        let Inputlookup { table, append: _, strict: _, start, max, filter } = command;
        let start = start.unwrap_or(0);
        Self { name: table, lookup: true, start, max: *max, filter: filter.as_ref(), events: false }
    }

    fn of_csv(command: &'c Inputcsv) -> Self {
        let Inputcsv { file, dispatch: _, append: _, strict: _, start, max, events, filter } = command;
        Self {
            name: file,
            lookup: false,
            start: start.unwrap_or(0),
            max: *max,
            filter: filter.as_ref(),
            events: events.unwrap_or(false),
        }
    }
}

/// Plans the command where it generates rows.
pub fn generate(planner: &Planner<'_>, command: &Inputlookup) -> PlanResult<Frame> {
    rows(planner, &Request::of_lookup(command))
}

/// The rows of a lookup table as a frame of its own.
pub fn dataset(planner: &Planner<'_>, name: &Name) -> PlanResult<Frame> {
    rows(planner, &Request { name, lookup: true, start: 0, max: None, filter: None, events: false })
}

/// Plans the command behind others.
pub fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Inputlookup, place: Span) -> PlanResult<()> {
    append(planner, frame, command.append, "inputlookup", &Request::of_lookup(command), place)
}

/// Plans `inputcsv` where it generates rows.
pub fn generate_csv(planner: &Planner<'_>, command: &Inputcsv) -> PlanResult<Frame> {
    rows(planner, &Request::of_csv(command))
}

/// Plans `inputcsv` behind others.
pub fn plan_csv(planner: &Planner<'_>, frame: &mut Frame, command: &Inputcsv, place: Span) -> PlanResult<()> {
    append(planner, frame, command.append, "inputcsv", &Request::of_csv(command), place)
}

fn append(
    planner: &Planner<'_>,
    frame: &mut Frame,
    append: Option<bool>,
    command: &str,
    request: &Request<'_>,
    place: Span,
) -> PlanResult<()> {
    if !append.unwrap_or(false) {
        let message = format!("`{command}` generates rows, so it has to be the first command");
        let help = "put its rows below those that are there with `append=true`";
        return Err(Diagnostic::error(Code::InvalidArgument, message, place).with_help(help).into());
    }
    combine::stack(frame, rows(planner, request)?)
}

fn rows(planner: &Planner<'_>, request: &Request<'_>) -> PlanResult<Frame> {
    let span = request.name.span;
    let mut frame = match &planner.lookups {
        None => {
            let mut frame = makeresults::rows(planner, 1)?;
            frame.open = true;
            frame.note(lookup::assumed(span));
            frame
        }
        Some(lookups) => {
            let nothing = makeresults::rows(planner, 0)?;
            let opened = match request.lookup {
                true if lookups.is_missing(&request.name.text) && planner.writes_lookup(&request.name.text) => {
                    let name = &request.name.text;
                    let message =
                        format!("the lookup {name:?} is not there yet: it is empty until this search writes it");
                    nothing.note(Diagnostic::note(Code::Note, message, span));
                    Opened::empty(name)
                }
                true => lookup::open(lookups, &nothing, &request.name.text, span)?,
                false => open_csv(planner, &nothing, request)?,
            };
            let (plan, order) = grid::scan_in_order(batch(&opened.table)?)?;
            let frame = Frame::new(plan, order, planner.setting());
            nothing.take_findings().into_iter().for_each(|finding| frame.note(finding));
            frame
        }
    };
    frame.events = request.events;
    if let Some(filter) = request.filter {
        let condition = search::condition(&frame, filter)?;
        search::filter(&mut frame, condition, span)?;
    }
    if request.start > 0 || request.max.is_some() {
        let start = usize::try_from(request.start).unwrap_or(usize::MAX);
        let most = request.max.map(|max| usize::try_from(max).unwrap_or(usize::MAX));
        let sorted = LogicalPlanBuilder::new(frame.plan().clone()).sort(frame.sort_expressions())?;
        frame.extend(sorted.limit(start, most)?.build()?);
    }
    Ok(frame)
}

fn open_csv(planner: &Planner<'_>, frame: &Frame, request: &Request<'_>) -> Result<Opened, Diagnostic> {
    let Some(lookups) = &planner.lookups else {
        return Err(Diagnostic::error(Code::InvalidArgument, "no files are named", request.name.span));
    };
    let opened = lookups.open_file(&request.name.text).map_err(|missing| {
        let message = missing.message.replace("there is no lookup", "there is no CSV file");
        let error = Diagnostic::error(Code::InvalidArgument, message, request.name.span);
        missing.help.into_iter().fold(error, Diagnostic::with_help)
    })?;
    // That the ending is added goes without saying here.
    let opened = Opened { note: None, ..opened };
    lookup::tell(frame, &opened, &request.name.text, request.name.span);
    Ok(opened)
}

/// The rows of a table with their numbers; `_time` is a time where all that it holds are numbers.
///
/// # Errors
/// Arrow's own.
pub fn batch(table: &Table) -> PlanResult<arrow::array::RecordBatch> {
    let mut columns = Vec::with_capacity(table.columns.len());
    for (name, values) in &table.columns {
        let timed = if name == "_time" { times(values) } else { None };
        let values = match timed {
            Some(times) => cast(&times, &time_type()).map_err(DataFusionError::from)?,
            None => Arc::clone(values),
        };
        columns.push((name.clone(), values));
    }
    let serials = Int64Array::from_iter_values(0..i64::try_from(table.rows).unwrap_or(i64::MAX));
    let read = Table { columns, rows: table.rows, problems: Vec::new() };
    Ok(read.batch(vec![(SERIAL.to_owned(), Arc::new(serials) as ArrayRef)]).map_err(DataFusionError::from)?)
}

/// The microseconds that a column of seconds holds; `None` if it holds something else.
fn times(values: &ArrayRef) -> Option<Int64Array> {
    let mut micros: Vec<Option<i64>> = Vec::with_capacity(values.len());
    for row in 0..values.len() {
        micros.push(match values.is_null(row) {
            true => None,
            false => Some((parse_number(&text_at(values.as_ref(), row)?)? * 1e6).round() as i64),
        });
    }
    Some(Int64Array::from(micros))
}
