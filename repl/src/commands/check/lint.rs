//! What is right and seldom meant, in a search as it stands and over the user's own logs.

use std::sync::Arc;

use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::pack::Wants;
use spelunk_engine::{Language, Session, SessionOptions};
use spelunk_grammar::Diagnostic;
use spelunk_grammar::spl::{self, lint};

use crate::cli::LintArgs;
use crate::exit::Failure;
use crate::pack::parallel;
use crate::pack::sources::{Item, Text};
use crate::search;

/// What is doubtful about each search; nothing where nobody asked.
///
/// # Errors
/// Logs that cannot be read.
pub fn doubts(items: &[Item], args: &LintArgs, knowledge: SessionOptions) -> Result<Vec<Vec<Diagnostic>>, Failure> {
    let mut found: Vec<Vec<Diagnostic>> = match args.lint || !args.data.is_empty() {
        true => parallel::map(items, as_written),
        false => items.iter().map(|_| Vec::new()).collect(),
    };
    if !args.data.is_empty() {
        let inputs = args.data.iter().map(|path| Input { location: Location::Path(path.clone()), index: None });
        let session = Session::new(SessionOptions { keep: true, ..knowledge }, inputs.collect());
        let session = session.map_err(|error| Failure::Usage(error.to_string()))?;
        for (found, more) in found.iter_mut().zip(crate::on_runtime(over(Arc::new(session), items))?) {
            found.extend(more);
        }
    }
    Ok(found)
}

fn as_written(item: &Item) -> Vec<Diagnostic> {
    let Text::Spl(text) = &item.text else { return Vec::new() };
    spl::parse(text).map_or_else(|_| Vec::new(), |query| lint::doubts(&query, text))
}

fn searched(item: &Item) -> Option<(Language, String)> {
    match &item.text {
        Text::Spl(text) => Some((Language::Spl, text.clone())),
        Text::LogScale(text) => Some((Language::LogScale, text.clone())),
        Text::OtherLanguage(_) | Text::Unreadable(_) => None,
    }
}

/// What is doubtful over the events. Searches that do not plan have other problems.
async fn over(session: Arc<Session>, items: &[Item]) -> Result<Vec<Vec<Diagnostic>>, Failure> {
    let searches: Arc<Vec<Option<(Language, String)>>> = Arc::new(items.iter().map(searched).collect());
    let wants: Vec<Wants> =
        searches.iter().flatten().filter_map(|(language, text)| session.wants(*language, text).ok()).collect();
    let gathered = session.gather(&wants).await.map_err(|error| Failure::Search(error, String::new()))?;
    search::tell_damage(&gathered.report);
    let shared = Arc::clone(&searches);
    let linting = parallel::on_cores(searches.len(), move |position| {
        let (session, searches) = (Arc::clone(&session), Arc::clone(&shared));
        async move {
            let Some(Some((language, text))) = searches.get(position) else { return Ok(Vec::new()) };
            Ok(session.lint(*language, text).await.unwrap_or_default())
        }
    });
    linting.await
}
