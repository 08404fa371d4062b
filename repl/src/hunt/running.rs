//! Runs detections side by side, each on one core.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use spelunk_engine::Possible;
use spelunk_engine::pack::Wants;
use spelunk_engine::{Error, Language, Session};
use spelunk_grammar::{Diagnostic, Severity};

use super::saving::Saving;
use super::seen::Watcher;
use super::{NotRun, Outcome, Ran};
use crate::escape;
use crate::exit::Failure;
use crate::pack::{Rule, parallel};
use crate::progress::Progress;

/// The fields that a report tells of rows that are whole events.
const TOLD: &str = "\n| fields _time, host, dest, Computer";

/// How many warnings of a detection are kept.
const KEPT_WARNINGS: usize = 20;

/// What each detection needs of the events, or why it cannot be run.
pub fn wants(session: &Session, rules: &[Rule]) -> Vec<Result<Wants, NotRun>> {
    parallel::map(rules, |rule| match &rule.search {
        Ok((language, text)) => session.wants(*language, text).map_err(|error| not_run(error, text)),
        Err(reason) => Err(NotRun { code: None, reason: reason.clone(), place: None }),
    })
}

/// Runs the detections.
///
/// # Errors
/// Ctrl-C, or rows that cannot be saved. What stops one detection is its outcome.
pub async fn all(
    session: Arc<Session>,
    rules: Vec<Rule>,
    wants: Vec<Result<Wants, NotRun>>,
    saving: Option<Arc<Saving>>,
    progress: Arc<Progress>,
) -> Result<Vec<(Rule, Outcome)>, Failure> {
    let work: Arc<Vec<(Rule, Result<Wants, NotRun>)>> = Arc::new(rules.into_iter().zip(wants).collect());
    let shared = Arc::clone(&work);
    let running = parallel::on_cores(work.len(), move |position| {
        let (session, work) = (Arc::clone(&session), Arc::clone(&shared));
        let (saving, progress) = (saving.clone(), Arc::clone(&progress));
        async move {
            let Some((rule, wants)) = work.get(position) else { return Ok(Vec::new()) };
            let outcome = match wants {
                Ok(wants) => one(&session, rule, wants.whole_events, saving.as_deref()).await?,
                Err(not_run) => Outcome::NotRun(not_run.clone()),
            };
            progress.add(1);
            Ok(vec![(rule.clone(), outcome)])
        }
    });
    Ok(running.await?.into_iter().flatten().collect())
}

/// Runs one detection; a defect of the engine is its outcome.
async fn one(session: &Session, rule: &Rule, whole: bool, saving: Option<&Saving>) -> Result<Outcome, Failure> {
    let Ok((language, text)) = &rule.search else { return Ok(Outcome::NotRun(unsearched(rule))) };
    let running = AssertUnwindSafe(run(session, rule, *language, text, whole, saving)).catch_unwind();
    match running.await {
        Ok(Ok(ran)) => Ok(Outcome::Ran(ran)),
        Ok(Err(Failure::Search(Error::Interrupted, _))) => Err(Failure::Interrupted),
        Ok(Err(Failure::Search(error, _))) => Ok(Outcome::NotRun(not_run(error, text))),
        Ok(Err(other)) => Err(other),
        Err(payload) => {
            let reason = payload.downcast_ref::<String>().map(String::as_str);
            let reason = reason.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            let reason = format!("this is a bug in spelunk: {reason}");
            Ok(Outcome::NotRun(NotRun { code: None, reason, place: None }))
        }
    }
}

async fn run(
    session: &Session,
    rule: &Rule,
    language: Language,
    text: &str,
    whole: bool,
    saving: Option<&Saving>,
) -> Result<Ran, Failure> {
    let failed = |error: Error| Failure::Search(error, String::new());
    // Of whole events that nobody keeps, only what is told is looked at.
    let narrowed;
    let shown = match whole && saving.is_none() && language == Language::Spl {
        true => {
            narrowed = format!("{text}{TOLD}");
            &narrowed
        }
        false => text,
    };
    let mut search = session.search_in_pack(language, shown).await.map_err(failed)?;
    let zone = session.context().time_zone;
    let mut watcher = Watcher::new(&search.schema, zone.clone());
    let mut file = None;
    while let Some(batch) = search.stream.next().await {
        let batch = batch.map_err(|error| failed(error.into()))?;
        watcher.batch(&batch);
        if let Some(saving) = saving.filter(|_| batch.num_rows() > 0) {
            if file.is_none() {
                file = Some(saving.begin(rule, &search.schema, zone.clone())?);
            }
            if let Some(file) = &mut file {
                file.rows.batch(&batch)?;
            }
        }
    }
    let saved = file.map(super::saving::Kept::finish).transpose()?;
    let late = search.possible.iter().filter_map(Possible::found).collect::<Vec<_>>();
    let mut warnings: Vec<String> = Vec::new();
    for finding in search.diagnostics.iter().chain(&late).filter(|finding| of_rule(finding, text)) {
        let told = escape::line(&finding.message).into_owned();
        if warnings.len() < KEPT_WARNINGS && !warnings.contains(&told) {
            warnings.push(told);
        }
    }
    Ok(Ran { seen: watcher.seen, warnings, saved })
}

/// Whether a finding is a warning about the detection itself, and not about what was put behind it.
fn of_rule(finding: &Diagnostic, text: &str) -> bool {
    finding.severity == Severity::Warning && finding.span.start < text.len()
}

fn unsearched(rule: &Rule) -> NotRun {
    let reason = rule.search.as_ref().err().cloned().unwrap_or_default();
    NotRun { code: None, reason, place: None }
}

/// Why a search failed, in one line.
pub fn not_run(error: Error, text: &str) -> NotRun {
    let first = match &error {
        Error::Query(findings) => {
            findings.iter().find(|finding| finding.severity == Severity::Error).or_else(|| findings.first())
        }
        Error::Memory(finding) => Some(finding.as_ref()),
        _ => None,
    };
    match first {
        Some(finding) => NotRun {
            code: Some(finding.code.to_string()),
            reason: finding.message.clone(),
            place: Some(finding.line_column(text)),
        },
        None => NotRun { code: None, reason: error.to_string(), place: None },
    }
}
