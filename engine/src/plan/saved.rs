//! Saved searches: `savedsearch`, `loadjob`, and searches whose text does not stand in the query.
//!
//! Source: Splunk Search Reference, "savedsearch", "loadjob"; Splunk Admin Manual, "savedsearches.conf".

use spelunk_grammar::spl::commands::loadjob::{Job, Loadjob};
use spelunk_grammar::spl::commands::savedsearch::Savedsearch;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::spl::{self};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::frame::Frame;
use super::{PlanError, PlanResult, Planner, combine, suggest};
use crate::knowledge::Expanded;
use crate::knowledge::saved::{SavedSearch, SavedSearches};
use crate::time;

/// How deep saved searches may call saved searches.
const MOST_DEPTH: usize = 8;

/// Plans `savedsearch`.
pub async fn plan(planner: &mut Planner<'_>, command: &Savedsearch) -> PlanResult<Frame> {
    let Savedsearch { name, nosubstitution, replacements } = command;
    let replacements = if nosubstitution.unwrap_or(false) { &[] } else { replacements.as_slice() };
    frame_of(planner, name, replacements).await
}

/// Plans `loadjob`: no results of former searches are kept, but a saved search can be run again.
pub async fn plan_job(planner: &mut Planner<'_>, command: &Loadjob) -> PlanResult<Frame> {
    // There are no jobs whose state or owner could matter.
    let Loadjob { job, events, job_delegate: _, artifact_offset, ignore_running: _ } = command;
    if let Some(events) = events.as_ref().filter(|events| events.node) {
        let message = "`loadjob events=true` is not supported: events of former searches are not kept";
        return Err(Diagnostic::error(Code::Unsupported, message, events.span).into());
    }
    if let Some(offset) = artifact_offset.as_ref().filter(|offset| offset.node > 0) {
        let message = "`loadjob artifact_offset` is not supported: results of former searches are not kept";
        return Err(Diagnostic::error(Code::Unsupported, message, offset.span).into());
    }
    match job {
        Job::Sid(sid) => {
            let message = format!("the result of the job {:?} cannot be loaded: spelunk keeps no jobs", sid.node);
            Err(Diagnostic::error(Code::Unsupported, message, sid.span)
                .with_help("name a saved search, which is then run: `loadjob savedsearch=\"user:app:name\"`")
                .into())
        }
        Job::Saved(saved) => {
            let mut parts = saved.node.splitn(3, ':');
            let (Some(_), Some(_), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
                let message = format!("`savedsearch` takes `user:app:name`, not {:?}", saved.node);
                return Err(Diagnostic::error(Code::InvalidOption, message, saved.span).into());
            };
            frame_of(planner, &Spanned::new(name.to_owned(), saved.span), &[]).await
        }
    }
}

/// Plans a saved search as a frame of its own.
pub async fn frame_of(
    planner: &mut Planner<'_>,
    name: &Spanned<String>,
    replacements: &[(Name, Spanned<String>)],
) -> PlanResult<Frame> {
    let Some(saved) = find(planner, name)? else { return planner.open_frame() };
    let mut text = saved.text.clone();
    for (key, value) in replacements {
        text = text.replace(&format!("${}$", key.text), &value.node);
    }
    let about = format!("in the saved search {:?}", name.node);
    frame_of_saved(planner, &name.node, &saved, &text, &about, name.span).await
}

/// The saved search of that name; `None` if it is not there and assumed to exist.
///
/// # Errors
/// There is none, or it runs itself.
pub fn find(planner: &Planner<'_>, name: &Spanned<String>) -> PlanResult<Option<SavedSearch>> {
    if planner.running.contains(&name.node) {
        let message = format!("the saved search {:?} runs itself", name.node);
        return Err(Diagnostic::error(Code::Subsearch, message, name.span).into());
    }
    if planner.running.len() >= MOST_DEPTH {
        let message = format!("saved searches run saved searches more than {MOST_DEPTH} deep");
        return Err(Diagnostic::error(Code::TooLarge, message, name.span).into());
    }
    let known = planner.knowledge.map(|knowledge| knowledge.saved_searches);
    if let Some(saved) = known.and_then(|known| known.get(&name.node)) {
        return Ok(Some(saved.clone()));
    }
    if planner.runner.is_none() && known.is_some_and(SavedSearches::assumed) {
        return Ok(None);
    }
    let message = format!("there is no saved search {:?}", name.node);
    let near = known.and_then(|known| suggest::nearest(&name.node, known.names()));
    let help = match near {
        Some(near) => format!("did you mean {near:?}?"),
        None => "saved searches come from savedsearches.conf files; name one with --savedsearches".to_owned(),
    };
    Err(Diagnostic::error(Code::InvalidArgument, message, name.span).with_help(help).into())
}

/// Plans the text of a saved search, whose time range counts where the session sets none.
pub async fn frame_of_saved(
    planner: &mut Planner<'_>,
    name: &str,
    saved: &SavedSearch,
    text: &str,
    about: &str,
    place: Span,
) -> PlanResult<Frame> {
    let bounds = planner.bounds;
    if bounds == (None, None) && (saved.earliest.is_some() || saved.latest.is_some()) {
        let resolve = |modifier: &Option<String>| {
            let resolved =
                modifier.as_ref().map(|text| time::resolve(text, planner.clock.now, &planner.clock.time_zone));
            resolved.transpose().map_err(|reason| {
                PlanError::from(Diagnostic::error(Code::InvalidTime, format!("{about}: {reason}"), place))
            })
        };
        planner.bounds = (resolve(&saved.earliest)?, resolve(&saved.latest)?);
        let (earliest, latest) = (saved.earliest.as_deref(), saved.latest.as_deref());
        let range = format!("from {} to {}", earliest.unwrap_or("the beginning"), latest.unwrap_or("the end"));
        let message = format!("the saved search {name:?} looks at events {range}, as it is set to");
        let note =
            Diagnostic::note(Code::Note, message, place).with_help("set another range with --earliest and --latest");
        if !planner.diagnostics.contains(&note) {
            planner.diagnostics.push(note);
        }
    }
    planner.running.push(name.to_owned());
    let planned = frame_of_text(planner, text, about, place).await;
    planner.running.pop();
    planner.bounds = bounds;
    planned
}

/// Plans a search whose text does not stand in the query; everything found in it is told at `place`.
pub async fn frame_of_text(planner: &mut Planner<'_>, text: &str, about: &str, place: Span) -> PlanResult<Frame> {
    let moved = |finding: Diagnostic| Diagnostic {
        span: place,
        message: format!("{about}: {}", finding.message),
        label: None,
        ..finding
    };
    let several = |findings: Vec<Diagnostic>| {
        PlanError::Several(findings.into_iter().map(|finding| PlanError::Query(moved(finding))).collect())
    };
    let query = match planner.knowledge {
        Some(knowledge) => {
            let expanded: Expanded = knowledge.macros.expand(text, planner.clock);
            let query = expanded.parse().map_err(several)?;
            if expanded.failed() {
                return Err(several(expanded.report(Vec::new())));
            }
            query
        }
        None => spl::parse(text).map_err(several)?,
    };
    let known = planner.diagnostics.len();
    let planned = combine::frame_of_query(planner, &query).await;
    let found = planner.diagnostics.split_off(known.min(planner.diagnostics.len()));
    for finding in found.into_iter().map(moved) {
        if !planner.diagnostics.contains(&finding) {
            planner.diagnostics.push(finding);
        }
    }
    planned.map_err(|error| relocated(error, &moved))
}

fn relocated(error: PlanError, moved: &dyn Fn(Diagnostic) -> Diagnostic) -> PlanError {
    match error {
        PlanError::Query(finding) => PlanError::Query(moved(finding)),
        PlanError::Several(errors) => {
            PlanError::Several(errors.into_iter().map(|error| relocated(error, moved)).collect())
        }
        PlanError::DataFusion(error) => PlanError::DataFusion(error),
    }
}
