//! `outputlookup` and `outputcsv`: write the rows to a file.
//!
//! Source: Splunk Search Reference, "outputlookup", "outputcsv".

use datafusion::logical_expr::LogicalPlanBuilder;
use spelunk_grammar::spl::Query;
use spelunk_grammar::spl::commands::outputcsv::Outputcsv;
use spelunk_grammar::spl::commands::outputlookup::{OutputFormat, Outputlookup};
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::{PlanError, PlanResult, Planner, barrier};
use crate::lookups::definition::{Source, collection_file};
use crate::lookups::target::{self, Writable};
use crate::lookups::write::{Form, TableForm, Write};

/// The lookups that a query writes, in its subsearches too. Its canonical form is looked through, in which the name
/// stands last.
pub fn names(query: &Query) -> Vec<String> {
    let text = query.to_string();
    let calls = text.split("outputlookup ").skip(1);
    let named = calls.filter_map(|rest| {
        let call = rest.split(['|', ']']).next()?.trim_end();
        call.rsplit(' ').next().map(|name| name.trim_matches('"').to_owned())
    });
    named.collect()
}

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Outputlookup) -> PlanResult<()> {
    // In which app and for whom a server creates the file is nothing to one process.
    let Outputlookup {
        table,
        append,
        create_empty,
        override_if_empty,
        max,
        key_field,
        createinapp: _,
        create_context: _,
        output_format,
    } = command;
    // A lookup that is assumed to exist may well be such a collection.
    if let (Some(key), Some(_)) = (key_field, &planner.lookups) {
        let message = "`key_field` replaces records of a KV store, and spelunk has none";
        return Err(Diagnostic::error(Code::InvalidOption, message, key.span).into());
    }
    let name = file_of(planner, frame, table)?;
    let form = TableForm {
        append: append.unwrap_or(false),
        create_empty: create_empty.unwrap_or(true),
        override_if_empty: override_if_empty.unwrap_or(true),
        several: *output_format == Some(OutputFormat::MultiValue),
    };
    write(planner, frame, "outputlookup", &name, table.span, Form::Table(form), *max).await
}

/// Plans `outputcsv`.
pub async fn plan_csv(planner: &mut Planner<'_>, frame: &mut Frame, command: &Outputcsv) -> PlanResult<()> {
    // Where and how a server writes is nothing to one process.
    let Outputcsv { file, append, create_empty, override_if_empty, dispatch: _, singlefile: _, usexml: _ } = command;
    let name = if file.text.contains('.') { file.text.clone() } else { format!("{}.csv", file.text) };
    let form = TableForm {
        append: append.unwrap_or(false),
        create_empty: create_empty.unwrap_or(false),
        override_if_empty: override_if_empty.unwrap_or(true),
        several: false,
    };
    write(planner, frame, "outputcsv", &name, file.span, Form::Table(form), None).await
}

/// The file that a lookup is written to.
fn file_of(planner: &Planner<'_>, frame: &Frame, table: &Name) -> Result<String, Diagnostic> {
    let definition = planner.lookups.as_ref().and_then(|lookups| lookups.definition(&table.text));
    match definition.map(|definition| &definition.source) {
        Some(Source::File(file)) => Ok(file.clone()),
        Some(Source::Collection(collection, _)) => {
            let file = collection_file(collection);
            let message = format!("the collection {collection:?} of a KV store is kept as the file {file:?}");
            frame.note(Diagnostic::note(Code::Note, message, table.span));
            Ok(file)
        }
        Some(Source::Refused(reason)) => {
            let message = format!("the lookup {:?} cannot be written: {reason}", table.text);
            Err(Diagnostic::error(Code::InvalidArgument, message, table.span))
        }
        None if target::is_table(&table.text) => Ok(table.text.clone()),
        None => {
            let file = format!("{}.csv", table.text);
            if planner.lookups.is_some() {
                let message = format!("no lookup is called {:?}: the file {file:?} is written", table.text);
                frame.note(Diagnostic::note(Code::Note, message, table.span));
            }
            Ok(file)
        }
    }
}

/// Has the rows written when the search runs, and passes them on.
///
/// # Errors
/// The file must not be written, or what comes before fails.
pub async fn write(
    planner: &mut Planner<'_>,
    frame: &mut Frame,
    command: &str,
    name: &str,
    span: Span,
    form: Form,
    max: Option<u64>,
) -> PlanResult<()> {
    let refused = |reason: String| {
        let message = format!("`{command}` cannot write {name:?}: {reason}");
        PlanError::from(Diagnostic::error(Code::InvalidArgument, message, span))
    };
    target::check_name(name).map_err(refused)?;
    let folder = match planner.lookups.as_ref().map(|lookups| &lookups.writable) {
        None | Some(Writable::Assumed) => return Ok(()),
        Some(Writable::Refused) => {
            let message = format!("`{command}` is refused: no folder is named that searches may write to");
            let help = "name one with `--allow-write`; what is searched should not lie in it";
            return Err(Diagnostic::error(Code::InvalidArgument, message, span).with_help(help).into());
        }
        Some(Writable::Folder(folder)) => folder.clone(),
    };
    let path = target::path(&folder, name).map_err(refused)?;
    if barrier::materialise(planner, frame).await?.is_none() {
        return Ok(());
    }
    let mut plan = frame.clone().finish()?;
    if let Some(max) = max {
        plan = LogicalPlanBuilder::new(plan).limit(0, Some(usize::try_from(max).unwrap_or(usize::MAX)))?.build()?;
    }
    let note = Diagnostic::note(Code::Note, format!("the rows were written to {}", path.display()), span);
    planner.writes.push(Write { plan, folder, name: name.to_owned(), form, note });
    Ok(())
}
