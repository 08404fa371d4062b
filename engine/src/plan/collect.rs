//! `collect`: writes the rows to a file that stands for a summary index.
//!
//! Source: Splunk Search Reference, "collect".

use spelunk_grammar::spl::commands::collect::{Collect, CollectFormat};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::grid::Grid;
use super::outputlookup;
use super::{PlanResult, Planner};
use crate::functions::timeformat;
use crate::lookups::stash::{Stash, TIME_FORMAT};
use crate::lookups::write::Form;
use crate::values::{Value, format_microseconds};

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Collect, place: Span) -> PlanResult<()> {
    // How a server takes the events in is nothing to one process.
    let Collect {
        index,
        file,
        marker,
        host,
        source,
        sourcetype,
        addtime,
        timeformat: format,
        addinfo,
        testmode,
        output_format,
        spool: _,
        uselb: _,
        run_in_preview: _,
    } = command;
    if let Some(format) = format {
        timeformat::items(&format.node)
            .map_err(|reason| Diagnostic::error(Code::InvalidPattern, reason, format.span))?;
    }
    let json = *output_format == Some(CollectFormat::Hec);
    let origin = [("host", host), ("source", source), ("sourcetype", sourcetype)];
    let index_name = index.as_ref().map_or("summary", |index| index.node.as_str());
    let stash = Stash {
        index: index_name.to_owned(),
        origin: origin.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect(),
        marker: marker.clone(),
        addtime: addtime.unwrap_or(true),
        timeformat: format.as_ref().map_or(TIME_FORMAT, |format| format.node.as_str()).to_owned(),
        info: if addinfo.unwrap_or(!json) { info(planner) } else { Vec::new() },
        json,
        now: planner.clock.now,
        zone: planner.clock.time_zone.clone(),
    };
    if testmode.unwrap_or(false) {
        return show(planner, frame, &stash, place).await;
    }
    let name = match file {
        Some(file) => file
            .node
            .replace("$timestamp$", &planner.clock.now.as_second().to_string())
            .replace("$random$", &fastrand::u32(..).to_string()),
        None => format!("{index_name}.{}", if json { "jsonl" } else { "log" }),
    };
    let span = file.as_ref().or(index.as_ref()).map_or(place, |named| named.span);
    outputlookup::write(planner, frame, "collect", &name, span, Form::Stash(stash), None).await
}

/// The time range and the time of the search, as events tell them.
fn info(planner: &Planner<'_>) -> Vec<(&'static str, String)> {
    let milliseconds = |micros: i64| {
        let text = format_microseconds(micros);
        text.get(..text.len().saturating_sub(3)).unwrap_or(&text).to_owned()
    };
    let (earliest, latest) = planner.bounds;
    vec![
        ("info_min_time", milliseconds(earliest.unwrap_or(0))),
        ("info_max_time", latest.map_or_else(|| "+Infinity".to_owned(), milliseconds)),
        ("info_search_time", milliseconds(planner.clock.now.as_microsecond())),
    ]
}

/// Shows in `_raw` what would be written.
async fn show(planner: &Planner<'_>, frame: &mut Frame, stash: &Stash, place: Span) -> PlanResult<()> {
    let Some(mut grid) = Grid::collect(planner, frame).await? else { return Ok(()) };
    let lines: Vec<Value<'static>> =
        grid.rows.iter().map(|row| Value::Text(stash.line(&grid.names, row).into())).collect();
    match grid.position("_raw") {
        Some(position) => {
            for (row, line) in grid.rows.iter_mut().zip(lines) {
                if let Some(raw) = row.get_mut(position) {
                    *raw = line;
                }
            }
        }
        None => grid.add_column("_raw", lines),
    }
    grid.replace(frame, place)
}
