//! Searches for what detections demand. Many demand the same, which is searched for once.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use spelunk_engine::demands::{About, missing_field};
use spelunk_engine::pack::Wants;
use spelunk_engine::{Error, Session};

use super::{Covered, State};
use crate::exit::Failure;
use crate::hunt::NotRun;
use crate::hunt::running::not_run;
use crate::pack::{Rule, parallel};
use crate::progress::Progress;

/// How many events fulfil each demand that was searched for.
type Known = Mutex<BTreeMap<String, u64>>;

/// Looks at every detection.
///
/// # Errors
/// Ctrl-C.
pub async fn all(
    session: Arc<Session>,
    rules: Vec<Rule>,
    wants: Vec<Result<Wants, NotRun>>,
    progress: Arc<Progress>,
) -> Result<Vec<(Rule, Covered)>, Failure> {
    let work: Arc<Vec<(Rule, Result<Wants, NotRun>)>> = Arc::new(rules.into_iter().zip(wants).collect());
    let (shared, known) = (Arc::clone(&work), Arc::new(Known::default()));
    let looking = parallel::on_cores(work.len(), move |position| {
        let (session, work) = (Arc::clone(&session), Arc::clone(&shared));
        let (known, progress) = (Arc::clone(&known), Arc::clone(&progress));
        async move {
            let Some((rule, wants)) = work.get(position) else { return Ok(Vec::new()) };
            let covered = match wants {
                Ok(_) => one(&session, rule, &known).await?,
                Err(not_run) => cannot(not_run.reason.clone()),
            };
            progress.add(1);
            Ok(vec![(rule.clone(), covered)])
        }
    });
    Ok(looking.await?.into_iter().flatten().collect())
}

async fn one(session: &Session, rule: &Rule, known: &Known) -> Result<Covered, Failure> {
    match AssertUnwindSafe(look(session, rule, known)).catch_unwind().await {
        Ok(Ok(covered)) => Ok(covered),
        Ok(Err(Error::Interrupted)) => Err(Failure::Interrupted),
        Ok(Err(error)) => {
            let text = rule.search.as_ref().map_or("", |(_, text)| text.as_str());
            Ok(cannot(not_run(error, text).reason))
        }
        Err(_) => Ok(cannot("this is a bug in spelunk".to_owned())),
    }
}

fn cannot(reason: String) -> Covered {
    let (present, missing, fields) = Default::default();
    Covered { state: State::NotRun, events: 0, present, missing, fields, reason: Some(reason) }
}

async fn look(session: &Session, rule: &Rule, known: &Known) -> Result<Covered, Error> {
    let Ok((language, text)) = &rule.search else { return Ok(cannot(String::new())) };
    let findings = session.findings(*language, text).await?;
    let mut fields: Vec<String> = Vec::new();
    for field in findings.iter().filter_map(missing_field) {
        if !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
    }
    let demands = session.demands(*language, text)?;
    let Some(together) = &demands.together else {
        let (present, missing) = Default::default();
        return Ok(Covered { state: State::Free, events: 0, present, missing, fields, reason: None });
    };
    let events = count(session, together, known).await?;
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    for demand in &demands.each {
        // What is fulfilled together is fulfilled one by one.
        let found = events > 0 || count(session, &demand.search, known).await? > 0;
        let text =
            if demand.about == About::Field { format!("the field {}", demand.text) } else { demand.text.clone() };
        if found { present.push(text) } else { missing.push(text) }
    }
    let state = match () {
        () if events == 0 => State::Blind,
        () if !fields.is_empty() => State::Partly,
        () => State::Ready,
    };
    Ok(Covered { state, events, present, missing, fields, reason: None })
}

/// How many events a search of demands finds.
async fn count(session: &Session, search: &str, known: &Known) -> Result<u64, Error> {
    let seen = known.lock().unwrap_or_else(PoisonError::into_inner).get(search).copied();
    if let Some(count) = seen {
        return Ok(count);
    }
    let count = session.demanded(search).await?;
    known.lock().unwrap_or_else(PoisonError::into_inner).insert(search.to_owned(), count);
    Ok(count)
}
