//! Runs a detection over the stages of its scenarios, and leads what it finds back to the signals.

use std::collections::BTreeMap;
use std::sync::Arc;

use spelunk_engine::{Session, Unchosen, Verdict};
use spelunk_grammar::{Diagnostic, Severity};

use super::stage::{Matching, Place, Stage};
use super::{Case, Outcome};
use crate::detections::Detection;
use crate::exit::Failure;
use crate::traced::{self, Found};

/// What was seen of the signals, case by case.
pub struct Seen {
    /// What became of each.
    pub outcomes: Vec<Vec<Outcome>>,
    /// The labels that they do not get.
    pub unchosen: BTreeMap<(usize, usize), Vec<Unchosen>>,
    /// Warnings about the query, once each.
    pub warnings: Vec<Diagnostic>,
    /// The signals that no event shows, though a search says which.
    pub unmatched: Vec<Place>,
}

impl Seen {
    /// Nothing seen yet.
    pub fn nothing(cases: &[Case]) -> Self {
        let outcomes = cases.iter().map(|case| vec![Outcome::Absent; case.signals.len()]).collect();
        Self { outcomes, unchosen: BTreeMap::new(), warnings: Vec::new(), unmatched: Vec::new() }
    }
}

/// Runs a detection over one stage. `false` if its rows come from no single events, so that each case has to be run by
/// itself; `alone` says that it is.
///
/// # Errors
/// Whatever stops the search.
pub async fn run(
    session: &Session,
    detection: &Detection,
    stage: &Stage,
    label: &str,
    alone: bool,
    seen: &mut Seen,
) -> Result<bool, Failure> {
    let found = traced::find(session, detection).await?;
    if !found.by_event && !alone {
        return Ok(false);
    }
    // Notes are about the data, which the user did not choose.
    let warnings = found.diagnostics.iter().filter(|finding| finding.severity == Severity::Warning);
    for warning in warnings {
        if !seen.warnings.iter().any(|known| known.message == warning.message) {
            seen.warnings.push(warning.clone());
        }
    }
    let signals = signals(session, stage, &mut seen.unmatched).await?;
    let caught = found.labels(label);
    let mut judged = traced::judge(session, detection, signals.keys().copied().collect()).await?;
    for (event, places) in signals {
        let (verdict, unchosen) = judged.remove(&event).map(|found| (found.verdict, found.unchosen)).unzip();
        let outcome = match caught.get(&event) {
            Some(labels) => Outcome::Caught(labels.clone()),
            None => of_rows(&found, verdict),
        };
        for place in places {
            if let (true, Some(unchosen)) = (outcome.is_caught(), &unchosen) {
                let of_label = unchosen.iter().filter(|unchosen| unchosen.field == label).cloned();
                seen.unchosen.entry((place.case, place.signal)).or_insert_with(|| of_label.collect());
            }
            let known = seen.outcomes.get_mut(place.case).and_then(|case| case.get_mut(place.signal));
            if let Some(known) = known {
                *known = merged(std::mem::replace(known, Outcome::Absent), outcome.clone());
            }
        }
    }
    Ok(true)
}

/// What a row that comes from no single event says of one that went into it.
fn of_rows(found: &Found, verdict: Option<Verdict>) -> Outcome {
    match verdict {
        Some(Verdict::Reaches(ended)) if !found.by_event && !found.rows.is_empty() => Outcome::Through(ended.command),
        verdict => Outcome::Missed(verdict),
    }
}

/// A signal may show in several events: it is caught if one of them is.
fn merged(one: Outcome, other: Outcome) -> Outcome {
    match (one, other) {
        (Outcome::Caught(mut labels), Outcome::Caught(more)) => {
            labels.extend(more.into_iter().filter(|label| !labels.contains(label)).collect::<Vec<_>>());
            Outcome::Caught(labels)
        }
        (one, _) if one.is_caught() => one,
        (Outcome::Absent, other) => other,
        (_, other) if other.is_caught() => other,
        (one, _) => one,
    }
}

/// The events of a stage, and the signals that each shows.
async fn signals(
    session: &Session,
    stage: &Stage,
    unmatched: &mut Vec<Place>,
) -> Result<BTreeMap<i64, Vec<Place>>, Failure> {
    let mut found: BTreeMap<i64, Vec<Place>> = BTreeMap::new();
    match &stage.matching {
        Matching::Order(places) => {
            let events = traced::events(session, "*").await?;
            if events.len() != places.len() {
                let message = format!("{} events were written and {} read", places.len(), events.len());
                return Err(Failure::Runtime(message));
            }
            found.extend(events.into_iter().zip(places).map(|(event, place)| (event, vec![*place])));
        }
        Matching::Searches(searches) => {
            for (place, search) in searches {
                let events = traced::events(session, search).await?;
                if events.is_empty() {
                    unmatched.push(*place);
                }
                for event in events {
                    found.entry(event).or_default().push(*place);
                }
            }
        }
    }
    Ok(found)
}

/// How many rows a detection finds in the user's own logs, by label.
///
/// # Errors
/// Whatever stops the search.
pub async fn own(session: &Arc<Session>, detection: &Detection, label: &str) -> Result<BTreeMap<String, u64>, Failure> {
    let found = traced::find(session, detection).await?;
    traced::tell(detection, &found.diagnostics);
    let position = found.columns.iter().position(|column| column == label);
    let mut counts = BTreeMap::new();
    for row in &found.rows {
        let text = position.and_then(|position| row.cells.get(position)).and_then(traced::text);
        let count: &mut u64 = counts.entry(text.unwrap_or_default()).or_default();
        *count = count.saturating_add(1);
    }
    Ok(counts)
}
