//! `lookup`: adds fields from a table, row by row.
//!
//! Source: Splunk Search Reference, "lookup"; Knowledge Manager Manual, "Add field matching rules to your lookup
//! configuration".

mod toolbox;

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::SessionContext;
use spelunk_grammar::spl::commands::lookup::{Lookup, LookupField, LookupOutput};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::{PlanResult, Planner, grid, search, suggest};
use crate::functions::comparison::search_expression;
use crate::functions::lookup::Outputs;
use crate::functions::operators;
use crate::lookups::matcher::Matcher;
use crate::lookups::table::Table;
use crate::lookups::{Lookups, Opened};

/// Plans the command.
pub fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Lookup) -> PlanResult<()> {
    // Where a server looks and when it reads a table anew is nothing to one process.
    let Lookup { table: name, keys, output, local: _, update: _ } = command;
    let Some(lookups) = &planner.lookups else {
        frame.note(assumed(name.span));
        return unknown(frame, keys, output.as_ref());
    };
    if let Some(planned) = toolbox::plan(lookups, frame, command) {
        return planned;
    }
    let opened = open(lookups, frame, &name.text, name.span)?;
    let table = &opened.table;
    let find = |field: &LookupField| position(table, &name.text, &field.column.text, field.column.span);
    let key_columns = keys.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let targets = targets(table, &key_columns, output.as_ref(), find)?;
    let only_new = output.as_ref().is_some_and(|output| output.only_new);
    if planner.runner.is_none() {
        let kept = |name: &str| only_new && frame.data_type(name).is_some();
        let nothing = targets.iter().filter(|target| !kept(&target.name));
        let nothing = nothing.map(|target| (target.name.clone(), lit(ScalarValue::Utf8(None)))).collect();
        let expressions = ExpressionPlanner::new(frame);
        keys.iter().for_each(|key| drop(expressions.field(&key.field().text, key.field().span)));
        frame.set(nothing)?;
        return Ok(());
    }
    let clock = &planner.clock;
    let matcher = Matcher::new(Arc::clone(table), &opened.definition, &key_columns, &clock.time_zone, clock.now)
        .map_err(|reason| {
            let message = format!("the lookup {:?} cannot be used: {reason}", name.text);
            Diagnostic::error(Code::InvalidArgument, message, name.span)
        })?;
    let expressions = ExpressionPlanner::new(frame);
    let fields: Vec<Typed> = keys.iter().map(|key| expressions.field(&key.field().text, key.field().span)).collect();
    let time = match (matcher.needs_time(), frame.data_type("_time")) {
        (true, Some(_)) => expressions.field("_time", name.span).number(),
        (true, None) => {
            frame.note_missing("_time", name.span);
            lit(ScalarValue::Float64(None))
        }
        (false, _) => lit(ScalarValue::Float64(None)),
    };
    let several = fields.iter().any(|field| field.kind == Kind::Many);
    let columns: Vec<usize> = targets.iter().map(|target| target.column).collect();
    let outputs = Outputs::new(matcher, &columns, several);
    let values: Vec<Expr> = fields.iter().map(Typed::text).collect();
    let mut assignments = Vec::new();
    for (position, target) in targets.iter().enumerate() {
        let (found, kind) = outputs.output(position, &values, time.clone());
        let mut found = Typed::new(found, kind, target.span);
        if target.name == "_time" {
            found = Typed::new(operators::to_time(found.number()), Kind::Time, target.span);
        }
        let before = frame
            .data_type(&target.name)
            .map(|data_type| Typed::new(column(&target.name), Kind::of(&data_type), target.span));
        let is_key = keys.iter().any(|key| key.field().text == target.name);
        let value = match before {
            Some(before) if only_new => prefer(&expressions, before, found),
            // A key that found nothing is no less there for it.
            Some(before) if is_key => prefer(&expressions, found, before),
            _ => found,
        };
        assignments.push((target.name.clone(), value.expr));
    }
    frame.set(assignments)?;
    Ok(())
}

fn prefer(expressions: &ExpressionPlanner<'_>, first: Typed, second: Typed) -> Typed {
    let span = first.span;
    expressions.choice(vec![(first.expr.clone().is_not_null(), first)], Some(second), span)
}

/// A field that a lookup writes.
struct Target {
    column: usize,
    name: String,
    span: Span,
}

/// The fields to write, each once.
fn targets(
    table: &Table,
    keys: &[usize],
    output: Option<&LookupOutput>,
    find: impl Fn(&LookupField) -> Result<usize, Diagnostic>,
) -> Result<Vec<Target>, Diagnostic> {
    let mut targets: Vec<Target> = Vec::new();
    let Some(output) = output.filter(|output| !output.fields.is_empty()) else {
        let others = table.names().enumerate().filter(|(position, _)| !keys.contains(position));
        targets.extend(others.map(|(column, name)| Target { column, name: name.to_owned(), span: Span::default() }));
        return Ok(targets);
    };
    for field in &output.fields {
        let target = Target { column: find(field)?, name: field.field().text.clone(), span: field.field().span };
        match targets.iter().find(|known| known.name == target.name) {
            None => targets.push(target),
            Some(known) if known.column == target.column => {}
            Some(known) => {
                let message = format!("two columns are written to the field {:?}", known.name);
                return Err(Diagnostic::error(Code::InvalidArgument, message, target.span));
            }
        }
    }
    Ok(targets)
}

/// The column of that name.
///
/// # Errors
/// There is none.
pub fn position(table: &Table, lookup: &str, name: &str, span: Span) -> Result<usize, Diagnostic> {
    table.position(name).ok_or_else(|| {
        let message = format!("the lookup {lookup:?} has no column {name:?}");
        let columns: Vec<&str> = table.names().take(20).collect();
        let help = match suggest::nearest(name, table.names()) {
            Some(near) => format!("did you mean {near:?}?"),
            None if columns.is_empty() => "its file is empty".to_owned(),
            None => format!("its columns are {}", columns.join(", ")),
        };
        Diagnostic::error(Code::InvalidArgument, message, span).with_help(help)
    })
}

/// What is said where no lookups were named.
pub fn assumed(span: Span) -> Diagnostic {
    let message = "no lookups are named: this one is assumed to exist, with every column that is named";
    Diagnostic::note(Code::Note, message, span).with_help("name them with `--lookups`")
}

/// Plans a lookup whose table is not known.
fn unknown(frame: &mut Frame, keys: &[LookupField], output: Option<&LookupOutput>) -> PlanResult<()> {
    let expressions = ExpressionPlanner::new(frame);
    keys.iter().for_each(|key| drop(expressions.field(&key.field().text, key.field().span)));
    let Some(output) = output.filter(|output| !output.fields.is_empty()) else {
        frame.open = true;
        return Ok(());
    };
    let mut nothing: Vec<(String, Expr)> = Vec::new();
    for field in &output.fields {
        let name = &field.field().text;
        let kept = output.only_new && frame.data_type(name).is_some();
        if !kept && !nothing.iter().any(|(known, _)| known == name) {
            nothing.push((name.clone(), lit(ScalarValue::Utf8(None))));
        }
    }
    frame.set(nothing)?;
    Ok(())
}

/// Finds a lookup, tells what is odd about its file, and leaves out the rows that its definition's filter does.
///
/// # Errors
/// There is none of that name, or it cannot be read.
pub fn open(lookups: &Lookups, frame: &Frame, name: &str, span: Span) -> Result<Opened, Diagnostic> {
    let opened = lookups.open(name).map_err(|missing| {
        let error = Diagnostic::error(Code::InvalidArgument, missing.message, span);
        match missing.help {
            Some(help) => error.with_help(help),
            None => error,
        }
    })?;
    tell(frame, &opened, name, span);
    let Some(filter) = &opened.definition.filter else { return Ok(opened) };
    let table = filtered(frame, &opened.table, filter).map_err(|reason| {
        let message = format!("the filter {filter:?} of the lookup {name:?} cannot be used: {reason}");
        Diagnostic::error(Code::InvalidArgument, message, span)
    })?;
    Ok(Opened { table: Arc::new(table), ..opened })
}

/// Tells what is odd about a file.
pub fn tell(frame: &Frame, opened: &Opened, name: &str, span: Span) {
    for problem in &opened.table.problems {
        frame.note(Diagnostic::warning(Code::PartialInput, format!("the lookup {name:?}: {problem}"), span));
    }
    if let Some(note) = &opened.note {
        frame.note(Diagnostic::note(Code::Note, note.clone(), span));
    }
}

/// The rows of a table that match a search.
fn filtered(frame: &Frame, table: &Table, filter: &str) -> Result<Table, String> {
    let Some(expression) = search_expression(filter)? else { return Ok(table.clone()) };
    let text = |error: DataFusionError| error.strip_backtrace();
    let batch = table.batch(Vec::new()).map_err(|error| error.to_string())?;
    let (plan, order) = grid::scan_in_order(batch.clone()).map_err(|_| "its rows cannot be scanned".to_owned())?;
    let rows = Frame::new(plan, order, frame.setting.clone());
    let condition = search::condition(&rows, &expression).map_err(|finding| finding.message)?;
    if let Some((name, _)) = rows.take_missing().into_iter().next() {
        return Err(format!("the table has no column {name:?}"));
    }
    let schema = DFSchema::try_from(batch.schema()).map_err(text)?;
    let condition = SessionContext::new().create_physical_expr(condition, &schema).map_err(text)?;
    let mask = condition.evaluate(&batch).and_then(|value| value.into_array(batch.num_rows())).map_err(text)?;
    let mask = mask.as_boolean_opt().ok_or_else(|| "it is no condition".to_owned())?;
    // Where a condition is null the row does not match.
    let mask = if mask.null_count() > 0 { arrow::compute::prep_null_mask_filter(mask) } else { mask.clone() };
    table.filtered(&mask).map_err(|error| error.to_string())
}
