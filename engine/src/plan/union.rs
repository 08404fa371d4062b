//! `union` and `multisearch`: the rows of several searches together.
//!
//! Source: Splunk Search Reference, "union", "multisearch".

use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::from::Source;
use spelunk_grammar::spl::commands::multisearch::Multisearch;
use spelunk_grammar::spl::commands::union::Union;
use spelunk_grammar::spl::{Command, Query};
use spelunk_grammar::{Code, Diagnostic};

use super::frame::{Frame, column};
use super::{PlanResult, Planner, append, combine, dataset};

/// Plans `union` as the first command of a search.
pub async fn plan_first(planner: &mut Planner<'_>, command: &Union) -> PlanResult<Frame> {
    let mut frame = combine::nothing(planner)?;
    add(planner, &mut frame, command, true).await?;
    Ok(frame)
}

/// Plans `union` after other commands.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Union) -> PlanResult<()> {
    let by_time = frame.events && frame.order().first().is_some_and(|key| key.column == "_time" && key.descending);
    add(planner, frame, command, by_time).await
}

async fn add(planner: &mut Planner<'_>, frame: &mut Frame, command: &Union, by_time: bool) -> PlanResult<()> {
    let Union { options, sources } = command;
    let by_time = by_time && sources.iter().all(lists_events);
    for source in sources {
        let mut lower = dataset::frame_of_source(planner, source).await?;
        if !by_time || options.maxout.is_some() {
            lower = combine::first_rows(planner, lower, append::most(options), "union", dataset::place(source)).await?;
        }
        combine::stack(frame, lower)?;
    }
    if by_time { newest_first(frame) } else { Ok(()) }
}

/// Plans `multisearch`.
pub async fn plan_multisearch(planner: &mut Planner<'_>, command: &Multisearch) -> PlanResult<Frame> {
    let Multisearch { searches } = command;
    let mut frame = combine::nothing(planner)?;
    for search in searches {
        if let Some(command) = search.query.commands.iter().skip(1).find(|command| !is_streaming(&command.kind)) {
            let name = command.kind.doc().name;
            let message = format!("`multisearch` takes commands that look at one row at a time; `{name}` does not");
            return Err(Diagnostic::error(Code::InvalidArgument, message, command.name_span)
                .with_help("put it after `multisearch`, or use `append` or `union`")
                .into());
        }
    }
    for search in searches {
        let lower = combine::frame_of(planner, search).await?;
        combine::stack(&mut frame, lower)?;
    }
    newest_first(&mut frame)?;
    Ok(frame)
}

/// Orders rows by their times; those of the same time stay in their order.
fn newest_first(frame: &mut Frame) -> PlanResult<()> {
    if frame.data_type("_time").is_some() {
        frame.order_by(vec![(column("_time"), true)])?;
    }
    Ok(())
}

/// Whether a source gives events, one by one.
fn lists_events(source: &Source) -> bool {
    match source {
        Source::Subsearch(subsearch) => {
            let Query { commands, span: _ } = &subsearch.query;
            matches!(commands.first(), Some(Command { kind: CommandKind::Search(_), .. }))
                && commands.iter().all(|command| is_streaming(&command.kind))
        }
        Source::Dataset(_) => false,
    }
}

/// Whether a command makes of each row what it does without looking at any other.
fn is_streaming(kind: &CommandKind) -> bool {
    match kind {
        CommandKind::Addinfo(_)
        | CommandKind::Convert(_)
        | CommandKind::Eval(_)
        | CommandKind::Extract(_)
        | CommandKind::Fieldformat(_)
        | CommandKind::Fields(_)
        | CommandKind::Foreach(_)
        | CommandKind::Fromjson(_)
        | CommandKind::Iplocation(_)
        | CommandKind::Makejson(_)
        | CommandKind::Makemv(_)
        | CommandKind::Multikv(_)
        | CommandKind::Mvexpand(_)
        | CommandKind::Nomv(_)
        | CommandKind::Rangemap(_)
        | CommandKind::Regex(_)
        | CommandKind::Rename(_)
        | CommandKind::Replace(_)
        | CommandKind::Rex(_)
        | CommandKind::Search(_)
        | CommandKind::Spath(_)
        | CommandKind::Strcat(_)
        | CommandKind::Substituted(_)
        | CommandKind::Tojson(_)
        | CommandKind::Unexpanded(_)
        | CommandKind::Where(_)
        | CommandKind::Xmlkv(_)
        | CommandKind::Xpath(_) => true,
        // With field names a value takes the place of what is missing; without, all rows say which fields there are.
        CommandKind::Fillnull(fillnull) => !fillnull.fields.is_empty(),
        // A row of totals at the end is made of all rows.
        CommandKind::Addtotals(totals) => !totals.col.unwrap_or(false),
        other => ["bin", "lookup", "tags"].contains(&other.doc().name),
    }
}
